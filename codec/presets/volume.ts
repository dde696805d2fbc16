import { siren } from '../architecture.js';
import type { Preset } from '../preset.js';
import { FAST_IMAGE } from './image.js';
import { paperRecipe } from './paper-recipe.js';

/** Volumes are not in the paper: its settings for shapes (table 6; appendix E), which lie on the same axes. */
export const PAPER_VOLUME: Preset = {
  recipe: paperRecipe({ iterations: 5000, rate: 1e-4, fraction: 1 / 256 }),
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
