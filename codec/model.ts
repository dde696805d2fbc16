import type { Architecture } from './architecture.js';
import type { CoordinateMap } from './grid.js';

/**
 * Everything besides weights that says how a position becomes an output: fixed at first encode, stored in the header.
 */
export interface Model {
  readonly architecture: Architecture;
  /** One per axis, from position to signal coordinate. */
  readonly maps: readonly CoordinateMap[];
  /** Samples of a full cell, per axis; the scale of cell coordinates. */
  readonly nominalCell: readonly number[];
}

/** Weights as flat arrays in the order of `architecture.ts`. */
export interface Weights {
  /** f32 [global count]; empty without a global network. */
  readonly global: Float32Array;
  /** One f32 [local count] per partition. */
  readonly local: readonly Float32Array[];
}
