import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { FAST_IMAGE } from './image.js';
import { ADAM } from './optimisers.js';

/** Volumes are not in the paper: its settings for shapes (table 6; appendix E), which lie on the same axes. */
export const PAPER_VOLUME: Preset = {
  recipe: {
    optimiser: ADAM,
    initialisation: {},
    phases: [
      {
        iterations: 5000,
        batches: 256,
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
  partitioning: { counts: [8, 8, 8] },
  localWidth: 17,
  globalWidth: 76,
  globalShare: 0.1,
  localCoordinates: 'signal',
  latticeStride: 0,
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
  coordinates: 'linspace',
  coordinateBound: 1,
  timePerSample: 1,
};

/** The picture's recipe on this medium's partitions. */
export const FAST_VOLUME: Preset = {
  ...FAST_IMAGE,
  partitioning: { cell: [32, 32, 32] },
  timePerSample: 1,
};
