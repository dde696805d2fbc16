import { allocate } from './allocate.js';
import { OptionError } from './errors.js';
import { boxShape } from './grid.js';
import type { Box, Grid } from './grid.js';
import type { SampleArray } from './signal.js';

/** How densely a region is sampled; at most one of the two, none for one output per sample. */
export interface Sampling {
  /** Outputs per sample on every axis; output `j` of a region lies at position `(begin * scale + j + 1/2) / scale`. */
  readonly scale?: number;
  /** Outputs per axis. */
  readonly size?: readonly number[];
  /**
   * The part of these outputs that is wanted, from the region's corner; default all. What is too large to be held is so decoded part
   * by part, with the values of the whole.
   */
  readonly outputs?: Box;
}

/** One partition's share of a decode. */
export interface PlannedTile {
  /** The partition's ordinal in the grid. */
  readonly ordinal: number;
  /** Per axis the positions to evaluate, ascending. */
  readonly positions: readonly Float64Array[];
  /** Where the outputs belong, in outputs from the region's corner. */
  readonly box: Box;
}

/** What a decode has to evaluate. */
export interface DecodePlan {
  /** Outputs per axis. */
  readonly shape: readonly number[];
  /** One tile per partition that the region touches, by ordinal. */
  readonly tiles: readonly PlannedTile[];
}

/** Most outputs per decode: the elements that a typed array of 8 GiB of floats would hold, and hosts refuse more. */
const MAX_OUTPUTS = 2 ** 31;

/** Outputs along an axis, and how many of them a sample has. */
function axisSampling(length: number, sampling: Sampling, axis: number): { count: number; scale: number } {
  if (sampling.size !== undefined) return { count: sampling.size[axis], scale: sampling.size[axis] / length };
  if (sampling.scale === undefined) return { count: length, scale: 1 };
  const count = Math.floor(length * sampling.scale);
  // A scale that leaves less than one output gives one, in the middle.
  return count === 0 ? { count: 1, scale: 1 / length } : { count, scale: sampling.scale };
}

function checkSampling(shape: readonly number[], { scale, size }: Sampling): void {
  if (scale !== undefined && size !== undefined)
    throw new OptionError('size', 'given together with `scale`; give one of them');
  if (scale !== undefined && !(scale > 0 && Number.isFinite(scale))) {
    throw new OptionError('scale', `${scale} is no positive number`);
  }
  if (size === undefined) return;
  if (size.length !== shape.length) {
    throw new OptionError('size', `has ${size.length} numbers, the signal ${shape.length} axes`);
  }
  for (const count of size) {
    if (!Number.isInteger(count) || count < 1)
      throw new OptionError('size', `${count} is no positive whole number`);
  }
}

/**
 * Plans which positions of which partitions give a region at a resolution.
 *
 * Positions are `(begin * scale + j + 1/2) / scale` (spec/sine.md, section 7.4). Where `begin * scale` is whole, they
 * are positions of the whole picture at that scale, to the last bit, and so are the values.
 *
 * @param region in positions of the grid's axes, inside its extent.
 * @throws OptionError for a scale or size that is none, or more than 2^31 outputs.
 */
export function planDecode(grid: Grid, region: Box, sampling: Sampling, channels: number): DecodePlan {
  return planPositions(grid, decodePositions(grid.extent, region, sampling, channels));
}

/**
 * Outputs per axis that a sampling makes of a region, all of them.
 *
 * @throws OptionError for a scale or size that is none.
 */
export function sampledShape(region: Box, sampling: Sampling): number[] {
  const lengths = boxShape(region);
  checkSampling(lengths, sampling);
  return lengths.map((length, axis) => axisSampling(length, sampling, axis).count);
}

/** {@link planDecode}'s positions, f64 per axis and ascending; none is outside the extent. */
export function decodePositions(
  extent: Box,
  region: Box,
  sampling: Sampling,
  channels: number,
): Float64Array[] {
  const all = sampledShape(region, sampling);
  const part = sampling.outputs ?? { begin: all.map(() => 0), end: all };
  checkOutputs(part, all);
  const shape = boxShape(part);
  const outputs = shape.reduce((product, count) => product * count, channels);
  if (outputs > MAX_OUTPUTS) {
    throw new OptionError(
      sampling.size === undefined ? 'scale' : 'size',
      `${shape.join('x')} with ${channels} channels are ${outputs} values, the limit is ${MAX_OUTPUTS}; decode a region at a time`,
    );
  }
  return shape.map((count, axis) => {
    const { scale } = axisSampling(region.end[axis] - region.begin[axis], sampling, axis);
    // Of huge numbers, rounding leads out of the extent on either side.
    const [first, last] = [extent.begin[axis], extent.end[axis]];
    const positions = allocate(`${count} positions`, () => new Float64Array(count));
    for (let i = 0; i < count; i++) {
      const j = part.begin[axis] + i;
      positions[i] = Math.max(first, Math.min((region.begin[axis] * scale + j + 0.5) / scale, last));
    }
    return positions;
  });
}

function checkOutputs({ begin, end }: Box, all: readonly number[]): void {
  const isInside =
    begin.length === all.length &&
    end.length === all.length &&
    all.every(
      (count, axis) =>
        Number.isInteger(begin[axis]) &&
        Number.isInteger(end[axis]) &&
        begin[axis] >= 0 &&
        begin[axis] < end[axis] &&
        end[axis] <= count,
    );
  if (isInside) return;
  throw new OptionError(
    'outputs',
    `[${begin.join(',')}) to [${end.join(',')}) is empty or leaves the ${all.join('x')} outputs`,
  );
}

/**
 * Which partitions give the values at positions.
 *
 * @param positions per axis, ascending, inside the grid's extent; boxes of the plan are in places of these lists.
 */
export function planPositions(grid: Grid, positions: readonly Float64Array[]): DecodePlan {
  const shape = positions.map(({ length }) => length);
  const runs = positions.map((all, axis) => cellRuns(grid, axis, all));
  let tiles: PlannedTile[] = [{ ordinal: 0, positions: [], box: { begin: [], end: [] } }];
  runs.forEach((axisRuns, axis) => {
    tiles = tiles.flatMap(({ ordinal, positions, box }) =>
      axisRuns.map((run) => ({
        ordinal: ordinal * grid.shape[axis] + run.cell,
        positions: [...positions, run.positions],
        box: { begin: [...box.begin, run.begin], end: [...box.end, run.begin + run.positions.length] },
      })),
    );
  });
  return { shape, tiles };
}

interface CellRun {
  readonly cell: number;
  /** First output of the run. */
  readonly begin: number;
  readonly positions: Float64Array;
}

/** Cuts an axis's outputs where they pass from cell to cell. */
function cellRuns(grid: Grid, axis: number, all: Float64Array): CellRun[] {
  const { cuts } = grid.axes[axis];
  const count = all.length;
  const runs: CellRun[] = [];
  for (let begin = 0; begin < count;) {
    const cell = grid.cellAt(axis, all[begin]);
    let end = begin + 1;
    while (end < count && (cell === cuts.length - 2 || all[end] < cuts[cell + 1])) end++;
    runs.push({ cell, begin, positions: all.subarray(begin, end) });
    begin = end;
  }
  return runs;
}

/** Values up to which a loop copies faster than a call that makes an array's view. */
const LOOPED_RUN = 64;

/**
 * Copies a tile into its place among row-major samples.
 *
 * @param tile row-major `[...box, channels]`
 * @param target row-major `[...shape, channels]`
 */
export function placeTile(
  tile: SampleArray,
  box: Box,
  channels: number,
  target: SampleArray,
  shape: readonly number[],
): void {
  const lastAxis = shape.length - 1;
  const run = (box.end[lastAxis] - box.begin[lastAxis]) * channels;
  const at = [...box.begin];
  for (let from = 0; from < tile.length; from += run) {
    let offset = 0;
    for (let axis = 0; axis <= lastAxis; axis++) offset = offset * shape[axis] + at[axis];
    offset *= channels;
    if (run <= LOOPED_RUN) for (let i = 0; i < run; i++) target[offset + i] = tile[from + i];
    else target.set(tile.subarray(from, from + run), offset);
    for (let axis = lastAxis - 1; axis >= 0 && ++at[axis] === box.end[axis]; axis--)
      at[axis] = box.begin[axis];
  }
}
