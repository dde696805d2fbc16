import { foldedPosition, foldLength } from '../../coordinates.js';
import type { Model } from '../../model.js';
import type { EvaluationTask } from '../engine.js';

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
