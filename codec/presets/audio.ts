import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { FAST_IMAGE } from './image.js';
import { ADAM } from './optimisers.js';

/** The paper's settings for sound (table 6; section 4.2): full batch, Adam 1e-4, coordinates from -100 to 100 as in its code. */
export const PAPER_AUDIO: Preset = {
  recipe: {
    optimiser: ADAM,
    initialisation: {},
    phases: [
      {
        iterations: 1000,
        batches: 1,
        turns: 1,
        trains: 'all',
        localRate: 1e-4,
        outputRateFactor: 1,
        globalRate: 1e-4,
        decay: 'constant',
        restsBelow: 0,
        timeShare: 1,
      },
    ],
    // The paper has no such rule: only what is no number any more is taken back.
    divergence: { errorFactor: Infinity, rateFactor: 0.5, attempts: 4 },
  },
  partitioning: { counts: [32] },
  localWidth: 42,
  globalWidth: 72,
  globalShare: 0.1,
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
  coordinateBound: 100,
  timePerSample: 10,
};

/** The picture's recipe on this medium's partitions. */
export const FAST_AUDIO: Preset = {
  ...FAST_IMAGE,
  partitioning: { cell: [1024] },
  timePerSample: 10,
};
