import type { Laboratory } from './laboratory.js';

/**
 * What a run is judged by. MSE is in the network's units, whose outputs go from -1 to 1; at a constant rate it jumps from one iteration
 * to the next, so that there is its median over the last twentieth of the curve as well, `settled`. PSNR is of what is decoded, which
 * lies between 0 and 1; `unclamped` is of what the network gives, and `best` is the highest `unclamped` of a training; `stretched` is of
 * what the network gives and what it was given, each stretched to the same range.
 */
export type Metric =
  | 'mse'
  | 'settled'
  | 'psnr'
  | 'unclamped'
  | 'best'
  | 'stretched'
  | 'ssim'
  | 'seconds'
  | 'iou'
  | 'parameters'
  | 'dropped';

/** Of experiments that show {@link Metric} `mse` or `settled`. */
export const MSE_NOTE =
  "MSE is of outputs in [-1, 1], which training lowers, as in the paper's code. At a constant rate errors jump from one iteration to the next: what is settled is the median of the last twentieth.";

/** A figure as the paper prints it: the mean, and the standard deviation where there is one. */
export interface Printed {
  readonly mean: number;
  readonly deviation?: number;
}

/** Mean squared error by iteration, before the step. */
export type Curve = readonly (readonly [iteration: number, mse: number])[];

/** What a run has come to. */
export interface Outcome {
  readonly metrics: Partial<Record<Metric, number>>;
  readonly iterations: number;
  /** Samples per axis of what was encoded. */
  readonly shape: readonly number[];
  readonly curve: Curve;
}

/** A row of a table, or a line of a figure. */
export interface Row {
  readonly name: string;
  readonly published: Partial<Record<Metric, Printed>>;
  run(laboratory: Laboratory, seed: number): Promise<Outcome>;
}

/** A table or figure of the paper. */
export interface Experiment {
  /** As `npm run paper` takes it, such as `table-3`. */
  readonly name: string;
  readonly title: string;
  /** Columns, in the paper's order. */
  readonly metrics: readonly Metric[];
  readonly rows: readonly Row[];
  /** Seeds that the paper's means are over. */
  readonly publishedSeeds: number;
  /** What curves are of, where it is not the mean squared error. */
  readonly loss?: string;
  /** Whether there are harmonizers, which see features of a ResNet; default not. */
  readonly harmonizes?: boolean;
  /** What a reader must know of how this differs from the paper. */
  readonly notes: readonly string[];
}
