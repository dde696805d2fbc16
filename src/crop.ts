import type { ParameterCount } from '../codec/architecture.js';
import { countSignalParameters } from './count-parameters.js';
import { OptionError } from '../codec/errors.js';
import { boxShape, contains, Grid, intersect, type Box, type CellRange } from '../codec/grid.js';
import { AXES } from '../codec/signal.js';
import { asContainer } from './as-container.js';
import { CellSet } from './cell-set.js';
import { copyPartitions, type Selection } from './container/copy-partitions.js';
import { hiddenSamplesOf } from './container/hidden-samples.js';
import type { SignalIndex } from './container/index-table.js';
import { overviewBox, overviewsOf, primaryBox, wholeOf } from './container/overviews.js';
import type { Container } from './container/reader.js';
import type { WriteReport } from './container/writer.js';
import type { Sink } from './io/sink.js';
import type { Openable } from './io/as-source.js';
import type { LgiFile } from './open.js';
import { absoluteRegion } from './region.js';
import { hasTime, regionAlong, regionInTime, windowStart, type TimeRange } from './time-range.js';

/** What to keep of a file; without options, everything. */
export interface CropOptions {
  /** Samples to keep, from the visible window's corner, axis order of the signal; default the whole window. */
  readonly region?: Box;
  /**
   * Span of time to keep, from the begin of the signal's visible window; with a region, that of its axes besides time. All
   * signals of the file that have time are cropped along. Default all of it.
   */
  readonly time?: TimeRange;
  /** Partitions to leave out, by their coordinates in axis order; default none. */
  readonly drop?: readonly (readonly number[])[];
  /** Keep only partitions that lie wholly inside the region, so that no hidden sample remains; default false. */
  readonly inner?: boolean;
  /** Which signal region, time and partitions speak of, and its overviews follow; others stay whole but for time. Default 0. */
  readonly signalIndex?: number;
  /** Stops the copying. */
  readonly signal?: AbortSignal;
}

/** What a crop has done. */
export interface CropReport extends WriteReport {
  /** Partitions of the signal in the new file. */
  readonly kept: number;
  /** Partitions of the old file that the new one has not. */
  readonly dropped: number;
  /**
   * Samples in kept partitions that lie outside the visible window, and can be recovered from the file; those of overviews
   * count as what they are, one mean each. Means at the window's edge are in it, and of samples on both sides.
   */
  readonly hiddenSamples: number;
  readonly parameters: ParameterCount;
  /** The new file's visible window, in positions of the first encode's axes. */
  readonly window: Box;
}

/**
 * Makes a new file of the partitions that a region touches. Chunks and header are copied byte for byte; no network runs.
 *
 * A region finer than partitions keeps whole ones and becomes the visible window. Without a region, the window and the
 * grid shrink to the box of what is left. Dropped partitions inside are holes. The sink is closed on success and aborted
 * on failure.
 *
 * Overviews of the signal are cropped along: to the partitions that show anything of the window, with `inner` those that show
 * nothing else, and never one that shows anything of a partition in `drop`. There the signal itself is what is left to see.
 *
 * A file, container or source that the caller opened stays open; closing it is the caller's.
 *
 * @throws OptionError for a region outside the window, partitions that there are not, or nothing left to keep.
 * @throws LgiError as {@link openContainer}; `unsupported` for features that must be known to write; `io`.
 */
export async function crop(
  from: LgiFile | Container | Openable,
  to: Sink,
  options: CropOptions = {},
): Promise<CropReport> {
  let container: Container;
  let selection: Selection;
  let dropped: CellSet | null;
  const signalIndex = options.signalIndex ?? 0;
  try {
    container = await asContainer(from, options.signal);
    ({ selection, dropped } = select(container, signalIndex, options));
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  const { header, index } = container;
  const span = options.time && spanOf(container, signalIndex, options.time);
  const selections = index.signals.map((signal, i) =>
    i === signalIndex ? selection : selectAlong(container, i, span),
  );
  const everything = wholeOf(header.signals[signalIndex].firstShape, index.signals[signalIndex].grid.extent);
  for (const place of overviewsOf(header, signalIndex)) {
    const overview = index.signals[place.signalIndex];
    selections[place.signalIndex] = selectOverview(overview, place.factor, everything, selection, {
      grid: index.signals[signalIndex].grid,
      dropped,
      inner: options.inner === true,
    });
  }
  const report = await copyPartitions(container, to, selections, options.signal);
  const kept = selection.chunks.length;
  const { chunks } = container.index.signals[signalIndex];
  const signalHeader = container.header.signals[signalIndex];
  return {
    ...report,
    kept,
    dropped: chunks.count - kept,
    hiddenSamples: croppedSignals(container, signalIndex, span !== undefined).reduce(
      (hidden, i) => hidden + hiddenSamples(index.signals[i], selections[i]),
      0,
    ),
    parameters: countSignalParameters(signalHeader, {
      grid: container.index.signals[signalIndex].grid,
      chunks: {
        ordinals: Int32Array.from(selection.chunks, (chunk) => chunks.ordinals[chunk]),
        payloadLengths: selection.chunks.map((chunk) => chunks.payloadLengths[chunk]),
      },
    }),
    window: selection.window,
  };
}

/** The signal that options speak of, its overviews and, with a span of time, all that have time. */
function croppedSignals({ header }: Container, signalIndex: number, inTime: boolean): number[] {
  const cropped = new Set([
    signalIndex,
    ...overviewsOf(header, signalIndex).map((place) => place.signalIndex),
  ]);
  header.signals.forEach((signal, i) => {
    if (inTime && hasTime(signal)) cropped.add(i);
  });
  return [...cropped];
}

/** A span on the clock that all signals share. */
function spanOf({ header, index }: Container, signalIndex: number, { begin, end }: TimeRange): TimeRange {
  const start = windowStart(header.signals[signalIndex], index.signals[signalIndex].window);
  return { begin: start + begin, end: start + end };
}

/** What stays of a signal that no option speaks of. */
function selectAlong({ header, index }: Container, i: number, span: TimeRange | undefined): Selection {
  const signal = index.signals[i];
  const region = span && regionAlong(header.signals[i], signal.window, span);
  if (!region) return whole(signal);
  const { grid } = signal;
  const window = absoluteRegion(region, signal.window, AXES[header.signals[i].kind]);
  const touched = grid.cellsIn(window);
  // A window inside the extent touches cells.
  if (touched === null) throw new Error('the window lies outside the extent');
  return { grid: subgrid(grid, touched), window, chunks: chunksIn(signal, touched, null) };
}

function whole({ grid, window, chunks }: SignalIndex): Selection {
  return { grid, window, chunks: allChunks(chunks) };
}

function allChunks({ count }: SignalIndex['chunks']): Uint32Array {
  const all = new Uint32Array(count);
  for (let chunk = 0; chunk < count; chunk++) all[chunk] = chunk;
  return all;
}

/** Decides what stays; `dropped` is what options leave out, null for nothing. */
function select(
  container: Container,
  signalIndex: number,
  options: CropOptions,
): { selection: Selection; dropped: CellSet | null } {
  const signal = container.index.signals[signalIndex];
  if (!signal) {
    throw new OptionError(
      'signalIndex',
      `${signalIndex}; the file has signals 0 to ${container.index.signals.length - 1}`,
    );
  }
  const { grid, window } = signal;
  const axes = AXES[container.header.signals[signalIndex].kind];
  const asked = options.time
    ? regionInTime(container.header.signals[signalIndex], window, options.time, options.region)
    : options.region;
  const region = asked ? absoluteRegion(asked, window, axes) : null;
  const dropped = droppedCells(options.drop ?? [], grid);
  const visible = region ?? window;
  const touched = region === null && !options.inner ? allCells(grid) : grid.cellsIn(visible);
  const wanted = options.inner && touched !== null ? innerCells(grid, visible, touched) : touched;
  const kept = wanted === null ? new Uint32Array(0) : chunksIn(signal, wanted, dropped);
  if (touched === null || kept.length === 0) throw nothingLeft(options, cellCount(touched), visible, grid);
  // With a region the result is exactly that, holes and all; without, it is the box of what is left.
  const keepsRegion = region !== null && !options.inner;
  const part = subgrid(grid, keepsRegion ? touched : cellsOf(signal, kept));
  const newWindow = intersect(visible, part.extent);
  if (newWindow === null) {
    throw new OptionError('drop', 'nothing that is left lies in the visible window; drop fewer partitions');
  }
  return { selection: { grid: part, window: newWindow, chunks: kept }, dropped };
}

/**
 * Decides what stays of an overview: the partitions that show anything of the new window; with `inner` those that show nothing
 * else; and none that shows anything of a partition that is left out. There may be no such partition.
 */
function selectOverview(
  signal: SignalIndex,
  factor: number,
  everything: Box,
  primary: Selection,
  options: { readonly grid: Grid; readonly dropped: CellSet | null; readonly inner: boolean },
): Selection {
  const { grid, chunks } = signal;
  const { grid: primaryGrid, dropped, inner } = options;
  const window = intersect(overviewBox(primary.window, factor), grid.extent);
  // No writer leaves an overview that shows nothing of its signal; such a one stays as it is, but for its chunks.
  if (window === null) return { grid, window: grid.extent, chunks: new Uint32Array(0) };
  const touched = grid.cellsIn(window);
  // A window inside the extent touches cells.
  if (touched === null) throw new Error('the window lies outside the extent');
  const kept = chunksIn(signal, touched, null).filter((chunk) => {
    const shown = primaryBox(grid.boxOf(chunks.ordinals[chunk]), factor, everything);
    if (inner && !contains(primary.window, shown)) return false;
    const shownCells = dropped === null ? null : primaryGrid.cellsIn(shown);
    return shownCells === null || !dropped?.hasSomeIn(shownCells);
  });
  return { grid: subgrid(grid, touched), window, chunks: kept };
}

function allCells(grid: Grid): CellRange {
  return { first: grid.shape.map(() => 0), last: grid.shape.map((cells) => cells - 1) };
}

/** The cells of a range that lie wholly inside a box; none where a last one is before its first. */
function innerCells({ axes }: Grid, box: Box, { first, last }: CellRange): CellRange {
  return {
    first: first.map((cell, axis) => (axes[axis].cuts[cell] < box.begin[axis] ? cell + 1 : cell)),
    last: last.map((cell, axis) => (axes[axis].cuts[cell + 1] > box.end[axis] ? cell - 1 : cell)),
  };
}

function cellCount(cells: CellRange | null): number {
  if (cells === null) return 0;
  return cells.first.reduce((product, first, axis) => product * Math.max(0, cells.last[axis] - first + 1), 1);
}

/** Chunks of the cells in a range that are not dropped. */
function chunksIn({ grid, chunks }: SignalIndex, range: CellRange, dropped: CellSet | null): Uint32Array {
  if (cellCount(range) === grid.count && dropped === null) return allChunks(chunks);
  const wanted = new CellSet(grid);
  wanted.addRange(range);
  if (dropped !== null) wanted.deleteAll(dropped);
  const { flags } = wanted;
  const { ordinals, count } = chunks;
  const kept = new Uint32Array(count);
  let keptCount = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    kept[keptCount] = chunk;
    keptCount += flags[ordinals[chunk]];
  }
  return kept.slice(0, keptCount);
}

/** Ordinals of chunks' partitions: i32 [chunks]. */
function ordinalsOf({ chunks }: SignalIndex, which: Uint32Array): Int32Array {
  const ordinals = new Int32Array(which.length);
  for (let i = 0; i < which.length; i++) ordinals[i] = chunks.ordinals[which[i]];
  return ordinals;
}

/** The partitions to leave out, or null where there are none. */
function droppedCells(drop: readonly (readonly number[])[], grid: Grid): CellSet | null {
  if (drop.length === 0) return null;
  const cells = new CellSet(grid);
  for (const coordinates of drop) {
    const ordinal = coordinates.length === grid.shape.length ? grid.ordinalOf(coordinates) : -1;
    if (ordinal < 0 || !coordinates.every(Number.isInteger)) {
      const ranges = grid.axes.map(
        ({ firstCell }, axis) => `${firstCell} to ${firstCell + grid.shape[axis] - 1}`,
      );
      throw new OptionError(
        'drop',
        `there is no partition ${coordinates.join(',')}; coordinates per axis are ${ranges.join(', ')}`,
      );
    }
    cells.add(ordinal);
  }
  return cells;
}

function nothingLeft(options: CropOptions, touched: number, visible: Box, grid: Grid): OptionError {
  const shape = boxShape(visible).join('x');
  if (options.inner) {
    const cell = grid.largestCell().join('x');
    return new OptionError(
      'inner',
      `no partition that the file has lies wholly inside the ${shape} samples of the region, partitions have up to ${cell}; ` +
        'choose a larger region or do without `inner`',
    );
  }
  const option = options.region ? 'region' : options.time ? 'time' : 'drop';
  return new OptionError(
    option,
    `nothing is left: all ${touched} partitions that the ${shape} samples touch are dropped or absent; keep at least one`,
  );
}

/** The smallest range that has these chunks' cells. */
function cellsOf(signal: SignalIndex, which: Uint32Array): CellRange {
  if (which.length === signal.grid.count) return allCells(signal.grid);
  const { axes } = signal.grid;
  const coordinates = signal.grid.coordinatesOfAll(ordinalsOf(signal, which));
  const ranges = axes.map(({ firstCell }, axis) => rangeOf(coordinates, axis, axes.length, firstCell));
  return { first: ranges.map(({ first }) => first), last: ranges.map(({ last }) => last) };
}

/** Where coordinates of one axis begin and end, counted from its first cell: i32 [cells, axes]. */
function rangeOf(
  coordinates: Int32Array,
  axis: number,
  axisCount: number,
  firstCell: number,
): { first: number; last: number } {
  let first = coordinates[axis];
  let last = first;
  for (let at = axis; at < coordinates.length; at += axisCount) {
    const coordinate = coordinates[at];
    if (coordinate < first) first = coordinate;
    else if (coordinate > last) last = coordinate;
  }
  return { first: first - firstCell, last: last - firstCell };
}

/** The part of a grid that has these cells; their boxes and coordinates stay what they are. */
function subgrid(grid: Grid, { first, last }: CellRange): Grid {
  if (cellCount({ first, last }) === grid.count) return grid;
  return new Grid(
    grid.axes.map(({ cuts, firstCell }, axis) => ({
      cuts: cuts.slice(first[axis], last[axis] + 2),
      firstCell: firstCell + first[axis],
    })),
  );
}

function hiddenSamples(source: SignalIndex, { grid, window, chunks }: Selection): number {
  if (contains(window, grid.extent)) return 0;
  return hiddenSamplesOf(source.grid, ordinalsOf(source, chunks), window);
}
