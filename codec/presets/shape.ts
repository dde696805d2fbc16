import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { FAST_IMAGE } from './image.js';
import { SMALL_STEPS } from './small-steps.js';
import { PAPER_WEIGHTS, paperRecipe } from './paper-recipe.js';

/** The paper's settings for shapes (table 6; appendix E). */
export const PAPER_SHAPE: Preset = {
  recipe: paperRecipe({ iterations: 27_000, rate: 1e-4, fraction: 1 / 1342 }),
  partitioning: { counts: [8, 8, 8] },
  localWidth: 17,
  globalWidth: 76,
  globalShare: 0.1,
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
  coordinateBound: 1,
  weights: PAPER_WEIGHTS,
  timePerSample: 1,
};

/**
 * The recipe of signals of three axes, measured on the Stanford bunny at 256 voxels per axis, where 187 of 512 partitions are not
 * constant, with about 200,000 parameters, 30 s on one thread:
 *
 * - Cells of 32 / 24 / 16: an IoU of 0.9991 / 0.9996 / 0.9998 in files of 327 / 366 / 470 KB, constant partitions and all.
 * - Steps of 1/64 with a first omega of 30 / of 1/128 with 15: 0.9993 / 0.9991; 37.0 / 37.9 dB.
 * - At 128 voxels and 50,000 parameters, 40 s, with / without a global network: 0.9876 / 0.9999.
 * - Half of the samples drawn near the surface / all drawn evenly, 15 s: 0.9999 / 0.9990; 42.4 / 37.3 dB. At 128 voxels, 50,000
 *   parameters and 5 s a share of none / 0.3 / 0.5 / 0.7 / 0.85: 34.9 / 40.4 / 41.5 / 40.1 / 35.5 dB.
 */
export const FAST_SHAPE: Preset = {
  ...FAST_IMAGE,
  recipe: { ...SMALL_STEPS, surfaceShare: 0.5 },
  partitioning: { cell: [32, 32, 32] },
  localWidth: 17,
  globalWidth: 0,
  globalShare: 0,
  activations: { local: siren(15, 30), global: siren(30, 30), merge: siren(30, 30) },
  timePerSample: 1,
};
