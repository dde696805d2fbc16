import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { atRate } from '../recipe.js';
import { FAST_IMAGE } from './image.js';
import { paperRecipe } from './paper-recipe.js';

/** The paper's settings for sound (table 6; section 4.2): full batch, Adam 1e-4, coordinates from -100 to 100 as in its code. */
export const PAPER_AUDIO: Preset = {
  recipe: paperRecipe({ iterations: 1000, rate: 1e-4 }),
  partitioning: { counts: [32] },
  localWidth: 42,
  globalWidth: 72,
  globalShare: 0.1,
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
  coordinateBound: 100,
  // Rounded weights of the first level are multiplied by coordinates up to 100: with int11 this ends at 31 dB.
  weights: 'float32',
  timePerSample: 10,
};

/**
 * The picture's recipe with settings of its own, measured on 7 s of a cello (308,207 samples) at about 198,000 parameters:
 *
 * - In 640 steps, cells of 256 / 512 / 1024 / 2048 / 4096 with the picture's omega of 30: 38.5 / 41.9 / 41.7 / 43.3 / 38.7 dB.
 *   With the best first omega for each: 44.9 at 1024 (60), 48.6 at 2048 (120), 47.4 at 4096 (240).
 * - First omegas of 30 / 60 / 90 / 120 / 160 / 240 at 2048: 43.3 / 46.8 / 48.4 / 48.6 / 47.1 / 42.1 dB. It has to reach the
 *   highest tone in a cell, and noise begins where it goes beyond.
 * - Rates of 7e-4 / 1e-3 / 1.5e-3 / 2e-3 / 3e-3: 48.7 / 49.1 / 48.4 / 44.9 / 16.2 dB.
 * - Without a global network 49.8 dB instead of 48.4 after 640 steps, 53.3 instead of 53.3 after all, in half the time and a third of
 *   the memory.
 */
export const FAST_AUDIO: Preset = {
  ...FAST_IMAGE,
  recipe: atRate(FAST_IMAGE.recipe, 1e-3),
  partitioning: { cell: [2048] },
  localWidth: 20,
  globalWidth: 0,
  globalShare: 0,
  activations: { local: siren(100, 30), global: siren(30, 30), merge: siren(30, 30) },
  timePerSample: 10,
};
