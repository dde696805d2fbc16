import type { Experiment } from './experiment.js';
import { TABLE_11, TABLE_12 } from './experiments/audio.js';
import { CT, DENOISING, SUPER_RESOLUTION, TABLE_5 } from './experiments/incode.js';
import { FIGURE_4, TABLE_10, TABLE_13, TABLE_3, TABLE_4 } from './experiments/cameraman.js';

/** Every table and figure that can be run, in the paper's order. */
export const EXPERIMENTS: readonly Experiment[] = [
  FIGURE_4,
  TABLE_3,
  TABLE_4,
  TABLE_5,
  TABLE_10,
  TABLE_11,
  TABLE_12,
  TABLE_13,
  DENOISING,
  CT,
  SUPER_RESOLUTION,
];
