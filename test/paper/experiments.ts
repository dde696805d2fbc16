import type { Experiment } from './experiment.js';
import { TABLE_11, TABLE_12 } from './experiments/audio.js';
import { FIGURE_1, FIGURE_12 } from './experiments/crops.js';
import { TABLE_1, TABLE_8 } from './experiments/div2k.js';
import { FIGURE_13, FIGURE_7 } from './experiments/extension.js';
import { CT, DENOISING, SUPER_RESOLUTION, TABLE_15, TABLE_5 } from './experiments/incode.js';
import { FIGURE_4, TABLE_10, TABLE_13, TABLE_3, TABLE_4, TABLE_9 } from './experiments/cameraman.js';
import { FIGURE_9 } from './experiments/miner.js';
import { FIGURE_11 } from './experiments/shape.js';
import { TABLE_2, TABLE_3_VIDEO, TABLE_4_VIDEO } from './experiments/video.js';

/** Every table and figure that can be run, in the paper's order. */
export const EXPERIMENTS: readonly Experiment[] = [
  FIGURE_1,
  FIGURE_4,
  TABLE_1,
  TABLE_2,
  FIGURE_7,
  TABLE_3,
  TABLE_3_VIDEO,
  TABLE_4,
  TABLE_4_VIDEO,
  TABLE_5,
  TABLE_8,
  FIGURE_9,
  FIGURE_11,
  TABLE_9,
  TABLE_10,
  TABLE_11,
  TABLE_12,
  FIGURE_12,
  FIGURE_13,
  TABLE_13,
  DENOISING,
  CT,
  SUPER_RESOLUTION,
  TABLE_15,
];
