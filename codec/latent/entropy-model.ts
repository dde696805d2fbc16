import { latentGrids, latentTensors, type LatentArchitecture } from './latent-architecture.js';
import { logarithm, SCALES } from './probability-tables.js';

/** Units of a context's weight: 64 make 1. */
export const CONTEXT_ONE = 64;

/** Largest magnitude of a context's weight; with latents of 16 bits every sum stays within 32. */
export const MAX_CONTEXT_WEIGHT = 2047;

/** Largest magnitude of a latent. */
export const MAX_LATENT = 32_767;

/** Units of `presence`: 255 of them are nearly certain. */
export const PRESENCE_UNIT = 128;

/** Spread that is there without neighbours, in units of a context's weight: of zeros alone something has to come. */
export const LEAST_SPREAD = 3;

/** How the latents of one grid are foretold; whole numbers throughout. */
export interface GridModel {
  /** i32 [contexts], in units of 1/64: what neighbours count for in the mean. */
  readonly mean: Int32Array;
  /** i32 [contexts], in units of 1/64, none below 0: what their magnitudes count for in the spread. */
  readonly spread: Int32Array;
  /** In 256ths of a step of the scale. */
  readonly offset: number;
  /** In units of 1/64: how fast the scale grows with the spread, in octaves. */
  readonly gain: number;
  /** Probability that all latents of the grid in a partition are 0, in units of 1/32,768. */
  readonly absent: number;
}

/** The models of all grids. @param weights whole numbers, of all shared weights those of role `entropy` are read. */
export function gridModels(architecture: LatentArchitecture, weights: ArrayLike<number>): GridModel[] {
  const tensors = latentTensors(architecture);
  return latentGrids(architecture).map((_, grid) => {
    const numbers = (name: string): Int32Array => {
      const tensor = tensors.find((candidate) => candidate.grid === grid && candidate.name === name);
      if (tensor === undefined) throw new Error(`a grid without ${name}`);
      return Int32Array.from({ length: tensor.columns }, (__, i) => weights[tensor.offset + i]);
    };
    const [offset, gain] = numbers('scale');
    return {
      mean: numbers('mean'),
      spread: numbers('spread'),
      offset,
      gain,
      absent: PRESENCE_UNIT * numbers('presence')[0],
    };
  });
}

/** The scale's step that a spread leads to. @param spread in units of 1/64, {@link LEAST_SPREAD} included. */
export function scaleStep(spread: number, { offset, gain }: GridModel): number {
  const step = (offset + Math.imul(gain, logarithm(spread)) + 128) >> 8;
  return Math.max(0, Math.min(SCALES - 1, step));
}
