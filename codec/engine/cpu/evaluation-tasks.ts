import { foldedPosition, foldLength } from '../../coordinates.js';
import type { Model } from '../../model.js';
import type { EvaluationTask, SampleTask } from '../engine.js';

/** Positions of one claim: few enough to share a partition among threads, many enough that blended lattice rows are reused. */
const CLAIM_POSITIONS = 16384;

/** Part of a task, cut along its first axis. */
export interface Claim {
  readonly task: number;
  readonly from: number;
  readonly to: number;
}

/** What the kernels need of a task's positions on one axis; arrays are parallel to the positions. */
export interface AxisRun {
  /** The partition's box on this axis. */
  readonly begin: number;
  readonly end: number;
  readonly local: Float32Array;
  readonly signal: Float32Array;
  /** The lattice index at or before each position, ascending, and how far on to the next it lies; empty without a lattice. */
  readonly lower: Int32Array;
  readonly fractions: Float32Array;
}

/** Whether the global network is there, and seen through a lattice. */
export function usesLattice({ architecture }: Model): boolean {
  return architecture.globalWidth > 0 && architecture.latticeStride > 0;
}

// Coordinates in f64 and rounded to f32 once, as the format says.
function makeRun(model: Model, positions: Float64Array, axis: number, begin: number, end: number): AxisRun {
  const { architecture, maps, nominalCell } = model;
  const { scale, offset } = maps[axis];
  const foldAt = foldLength(model, axis);
  const centre = begin + (end - begin) / 2;
  const halfCell = nominalCell[axis] / 2;
  const isLocal = architecture.localCoordinates === 'cell';
  const stride = usesLattice(model) ? architecture.latticeStride : 0;
  const signal = new Float32Array(positions.length);
  const local = isLocal ? new Float32Array(positions.length) : signal;
  const lower = new Int32Array(stride > 0 ? positions.length : 0);
  const fractions = new Float32Array(lower.length);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i];
    signal[i] = scale * foldedPosition(position, foldAt) + offset;
    if (isLocal) local[i] = (position - centre) / halfCell;
    if (stride === 0) continue;
    const at = position / stride;
    lower[i] = Math.floor(at);
    fractions[i] = at - lower[i];
  }
  return { begin, end, local, signal, lower, fractions };
}

/**
 * Per task its axes. Tiles of a row or column of partitions share their positions and so their runs, few for many tasks.
 */
export function axisRuns(model: Model, tasks: readonly EvaluationTask[]): AxisRun[][] {
  const known = Array.from({ length: model.architecture.inputs }, () => new Map<Float64Array, AxisRun[]>());
  return tasks.map(({ positions, box }) =>
    positions.map((all, axis) => {
      const [begin, end] = [box.begin[axis], box.end[axis]];
      const same = known[axis].get(all) ?? [];
      let run = same.find((candidate) => candidate.begin === begin && candidate.end === end);
      if (run === undefined) {
        run = makeRun(model, all, axis, begin, end);
        known[axis].set(all, [...same, run]);
      }
      return run;
    }),
  );
}

/** Positions of a step along a task's first axis. */
export function positionsPerStep({ positions }: EvaluationTask): number {
  let product = 1;
  for (let axis = 1; axis < positions.length; axis++) product *= positions[axis].length;
  return product;
}

/** Cuts tasks into claims; tasks without positions have none. */
export function claimsOf(tasks: readonly EvaluationTask[]): Claim[] {
  return tasks.flatMap((task, number) => {
    const perStep = positionsPerStep(task);
    if (perStep === 0) return [];
    const steps = Math.max(1, Math.floor(CLAIM_POSITIONS / perStep));
    const claims: Claim[] = [];
    for (let from = 0; from < task.positions[0].length; from += steps) {
      claims.push({ task: number, from, to: Math.min(task.positions[0].length, from + steps) });
    }
    return claims;
  });
}

/** Lattice points around positions on an axis: two for each at most, and never more than lie between the first and last. */
function pointsAround(positions: Float64Array, count: number, stride: number): number {
  const between =
    Math.floor(positions[positions.length - 1] / stride) - Math.floor(positions[0] / stride) + 2;
  return Math.min(2 * count, between);
}

/**
 * Cuts a task until one claim of it needs no more lattice points than given, or is a single position. Tasks of positions
 * close together stay whole; where a large partition is made small, every position has points of its own.
 */
export function splitTask<T extends SampleTask>(task: T, model: Model, mostPoints: number): T[] {
  const { positions, at } = task;
  if (!usesLattice(model) || positions.some(({ length }) => length === 0)) return [task];
  const steps = Math.max(1, Math.floor(CLAIM_POSITIONS / positionsPerStep(task)));
  const counts = positions.map(({ length }, axis) => (axis === 0 ? Math.min(length, steps) : length));
  const points = counts.map((count, axis) =>
    pointsAround(positions[axis], count, model.architecture.latticeStride),
  );
  const axis = points.indexOf(Math.max(...points));
  const length = positions[axis].length;
  if (points.reduce((product, count) => product * count, 1) <= mostPoints || length < 2) return [task];
  const half = length >> 1;
  const part = (begin: number, end: number): T => ({
    ...task,
    positions: positions.map((all, i) => (i === axis ? all.subarray(begin, end) : all)),
    at: at.map((first, i) => (i === axis ? first + begin : first)),
  });
  return [part(0, half), part(half, length)].flatMap((piece) => splitTask(piece, model, mostPoints));
}
