import type { Coder } from './coder/payload.js';
import type { Architecture, LocalCoordinates } from './architecture.js';
import type { Recipe } from './recipe.js';

/** Names that presets are asked for by. */
export type PresetName = 'paper' | 'fast' | 'small';

/** How a signal is cut where nothing is asked for: samples of a partition per axis, or partitions per axis; axis order. */
export type Partitioning = { readonly cell: readonly number[] } | { readonly counts: readonly number[] };

/** Everything a preset decides for a kind of signal; each of it can be overridden. */
export interface Preset {
  readonly recipe: Recipe;
  readonly partitioning: Partitioning;
  /** Widths where neither they nor a number of parameters is asked for. */
  readonly localWidth: number;
  readonly globalWidth: number;
  /** Part of the parameters that is global where only their number is asked for. */
  readonly globalShare: number;
  readonly localCoordinates: LocalCoordinates;
  /** Samples between lattice points; 0 for the paper's network. */
  readonly latticeStride: number;
  readonly activations: Architecture['activations'];
  /** Which coordinates the sample centres get: the paper's linspace, or spread with the edges at -1 and 1. */
  readonly coordinates: 'linspace' | 'spread';
  /** Where a linspace ends; unused where coordinates are spread. */
  readonly coordinateBound: number;
  /** Format of weights where none is asked for. */
  readonly weights: string;
  /** Coder where none is asked for; default `none`. */
  readonly coder?: Coder;
  /**
   * Time that a sample of this kind should get where several signals of a file share some, against a sample of a picture.
   */
  readonly timePerSample: number;
}
