import type { Recipe } from '../recipe.js';
import { ADAM } from './optimisers.js';

/**
 * The paper stores binary32. Measured on the 512x512 camera trained to 39.3 dB (Adam, lattice 4, cell coordinates): int11 loses 0.04 dB
 * at 0.37 of its size; int10 loses 0.11, int12 0.02, and float16, which is too coarse for the global first level, 0.85.
 */
export const PAPER_WEIGHTS = 'int11';

/** What table 6 of the paper varies between media. */
export interface PaperTraining {
  readonly iterations: number;
  /** Of all weights. */
  readonly rate: number;
  /** Part of the samples that an iteration sees; 1 is all. */
  readonly fraction?: number;
}

/** The paper's training: Adam on all weights at once, at one rate. */
export function paperRecipe({ iterations, rate, fraction = 1 }: PaperTraining): Recipe {
  return {
    optimiser: ADAM,
    initialisation: {},
    phases: [
      {
        iterations,
        batches: Math.round(1 / fraction),
        turns: 1,
        trains: 'all',
        localRate: rate,
        outputRateFactor: 1,
        globalRate: rate,
        decay: 'constant',
        restsBelow: 0,
        timeShare: 1,
      },
    ],
    // The paper has no such rule: only what is no number any more is taken back.
    divergence: { errorFactor: Infinity, rateFactor: 0.5, attempts: 4 },
  };
}
