import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { FAST_IMAGE } from './image.js';
import { SMALL_STEPS } from './small-steps.js';
import { PAPER_WEIGHTS, paperRecipe } from './paper-recipe.js';

/** The paper's settings for video (table 6; section 4.3): 0.0038 of the pixels in each of 5000 iterations, Adam 1e-4. */
export const PAPER_VIDEO: Preset = {
  recipe: paperRecipe({ iterations: 5000, rate: 1e-4, fraction: 0.0038 }),
  partitioning: { counts: [5, 8, 8] },
  localWidth: 55,
  globalWidth: 180,
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
 * The picture's recipe with settings of its own, measured on 16 frames of bikes.mp4 (640x272) at about 205,000 parameters, 70 s
 * on one thread, cells of 16x32x32 where nothing else is said:
 *
 * - Without / with a global network of 68 and a lattice of 4 or 8: 40.8 / 36.0 or 37.0 dB; with one of 8 and a lattice of 16, 37.3. Its
 *   features cost more time than they are worth.
 * - Steps of 1/16 / 1/64 / 1/128 / 1/256 of the samples: 34.9 / 37.6 / 38.6 dB (omega 30), 40.8 / 40.7 (the last two, omega 15):
 *   frames are so alike that a few samples say as much as all.
 * - First omegas of 10 / 15 / 20 / 30 / 60: 40.8 / 40.8 / 39.5 / 37.6 / 30.1 dB.
 * - Cells of 16x32x32 / 8x32x32 / 8x24x24 / 16x48x48: 40.8 / 41.1 / 40.1 / 40.3 dB. Those of 8 frames decode twice as fast, since
 *   networks of 12 features do for them what 18 do for 16 frames.
 * - Local rates of 1e-3 / 1.5e-3: 39.7 / 40.8 dB.
 */
export const FAST_VIDEO: Preset = {
  ...FAST_IMAGE,
  recipe: SMALL_STEPS,
  partitioning: { cell: [8, 32, 32] },
  localWidth: 12,
  globalWidth: 0,
  globalShare: 0,
  activations: { local: siren(12, 30), global: siren(30, 30), merge: siren(30, 30) },
  timePerSample: 1,
};
