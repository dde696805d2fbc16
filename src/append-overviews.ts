import { placeTile } from '../codec/decode.js';
import { boxShape, boxSize, Grid, intersect, type Box } from '../codec/grid.js';
import { meansOf, sumSquares } from '../codec/reduce.js';
import { allocateSamples, AXES } from '../codec/signal.js';
import type { SignalHeader } from './container/header.js';
import { overviewBox, overviewsOf } from './container/overviews.js';
import type { Container } from './container/reader.js';
import type { NewChunk } from './container/writer.js';
import { memoryMedia, type Media } from './media/media.js';
import { extendAxis, type Placement } from './placement.js';

/** What becomes of an overview when its primary signal gets a part. */
export interface OverviewGrowth {
  readonly signalIndex: number;
  readonly factor: number;
  /** All cells, old and new. */
  readonly grid: Grid;
  readonly window: Box;
  /** New cells to train, a part of the grid; absent where there are none, or where holes do. */
  readonly part?: Grid;
  /** Partition coordinates of cells that no longer show what the primary signal does. */
  readonly stale: readonly (readonly number[])[];
}

/** An overview with its new cells trained. */
export interface GrownOverview extends OverviewGrowth {
  readonly chunks: readonly NewChunk[];
}

/**
 * Plans what becomes of a signal's overviews.
 *
 * New cells are trained where the overview ends at the window's edges, as in files that were never cropped between its cells.
 * Otherwise, and where partitions are made anew, cells are left absent: readers then take the primary signal. A mean that the
 * old edge runs through stays that of the old samples.
 */
export function planOverviews(
  container: Container,
  signalIndex: number,
  placement: Placement,
): OverviewGrowth[] {
  const primary = container.index.signals[signalIndex];
  return overviewsOf(container.header, signalIndex).map(({ signalIndex: place, factor }) => {
    const { grid, chunks } = container.index.signals[place];
    const signal = container.header.signals[place];
    const { kind } = signal;
    const { nominalCell } = signal.latents ?? signal.model;
    const names = AXES[kind];
    const before = overviewBox(primary.window, factor);
    const window = overviewBox(placement.window, factor);
    const isSameWindow = window.begin.every(
      (at, axis) => at === before.begin[axis] && window.end[axis] === before.end[axis],
    );
    // Everything that a change inside the window touches, or what the window has more.
    const changed = isSameWindow ? overviewBox(placement.part.extent, factor) : beyond(window, before);
    const stale = Array.from(chunks.ordinals)
      .filter((ordinal) => changed !== null && intersect(grid.boxOf(ordinal), changed) !== null)
      .map((ordinal) => grid.coordinatesOf(ordinal));
    const axes = grid.axes.map((axis, i) =>
      extendAxis(axis, nominalCell[i], window.begin[i], window.end[i], names[i]),
    );
    const isFlush =
      stale.length === 0 &&
      before.begin.every(
        (at, axis) => at === grid.extent.begin[axis] && before.end[axis] === grid.extent.end[axis],
      );
    const part = isFlush && !isSameWindow && changed !== null ? cellsIn(new Grid(axes), changed) : undefined;
    return { signalIndex: place, factor, grid: new Grid(axes), window, stale, ...(part && { part }) };
  });
}

/** What a box has beyond another, which it contains and has all edges but one in common with; null for nothing. */
function beyond(box: Box, inner: Box): Box | null {
  const axis = box.begin.findIndex((at, i) => at !== inner.begin[i] || box.end[i] !== inner.end[i]);
  if (axis < 0) return null;
  const isAtEnd = box.end[axis] !== inner.end[axis];
  const replace = (list: readonly number[], value: number): number[] =>
    list.map((old, i) => (i === axis ? value : old));
  return isAtEnd
    ? { begin: replace(box.begin, inner.end[axis]), end: box.end }
    : { begin: box.begin, end: replace(box.end, inner.begin[axis]) };
}

/** The part of a grid that a box is, which begins and ends at cuts. */
function cellsIn(grid: Grid, { begin, end }: Box): Grid {
  return new Grid(
    grid.axes.map(({ cuts, firstCell }, axis) => {
      const first = cuts.indexOf(begin[axis]);
      return { cuts: cuts.slice(first, cuts.indexOf(end[axis]) + 1), firstCell: firstCell + first };
    }),
  );
}

/** Rows of overview samples that are made at a time: what is read for them is some megabytes. */
const STRIP_ROWS = 64;

/**
 * A part's overview, each sample the mean of the part's samples that it covers.
 *
 * @param media the part of the primary signal, its first sample at `corner`.
 * @param box samples of the overview.
 * @param header of the overview.
 */
export async function overviewOfPart(
  media: Media,
  corner: readonly number[],
  { begin, end }: Box,
  factor: number,
  header: SignalHeader,
  signal?: AbortSignal,
): Promise<Media> {
  const { format } = header;
  const shape = boxShape({ begin, end });
  const samples = allocateSamples(format.sampleType, boxSize({ begin, end }) * format.channels);
  const [rows, columns] = shape.map((_, axis) => {
    const from = Math.max(begin[axis] * factor, corner[axis]);
    const to = Math.min(end[axis] * factor, corner[axis] + media.shape[axis]);
    return alignedRuns(from, to, factor, axis === 0 ? STRIP_ROWS * factor : Infinity);
  });
  for (const row of rows) {
    for (const column of columns) {
      const own = (at: number[]): number[] => at.map((position, axis) => position - corner[axis]);
      const read = { begin: own([row.begin, column.begin]), end: own([row.end, column.end]) };
      const part = await media.read(read, signal);
      const sums = sumSquares(part, [row.end - row.begin, column.end - column.begin], format, factor);
      const at = [row.begin, column.begin].map(
        (position, axis) => Math.floor(position / factor) - begin[axis],
      );
      const box = { begin: at, end: at.map((first, axis) => first + sums.shape[axis]) };
      placeTile(meansOf(sums, format), box, format.channels, samples, shape);
    }
  }
  return {
    ...memoryMedia({ data: samples, shape, channels: format.channels, layout: format.layout }),
    format,
  };
}

/** Cuts `[from, to)` so that every run but a first short one begins at a multiple of the factor. */
function alignedRuns(
  from: number,
  to: number,
  factor: number,
  most: number,
): { readonly begin: number; readonly end: number }[] {
  const runs: { begin: number; end: number }[] = [];
  for (let begin = from; begin < to;) {
    const isAligned = begin % factor === 0;
    const end = Math.min(to, isAligned ? begin + most : Math.ceil(begin / factor) * factor);
    runs.push({ begin, end });
    begin = end;
  }
  return runs;
}
