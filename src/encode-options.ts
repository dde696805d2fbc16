import type { Architecture, LocalCoordinates } from '../codec/architecture.js';
import type { Coder } from '../codec/coder/payload.js';
import type { EngineName } from '../codec/engine/choose.js';
import type { Engine } from '../codec/engine/engine.js';
import type { PresetName } from '../codec/preset.js';
import type { Progress } from '../codec/train.js';
import type { Effort } from './latent-effort.js';
import type { CheckpointOptions } from './checkpoint.js';

/** How to encode; everything has a default. */
export interface EncodeOptions {
  /**
   * `paper`: the paper's network and recipe, exactly. `fast` (default): the measured best. `small`: for small files: pictures by latents;
   * others by narrower networks, weights no finer than they need be, and the range coder.
   */
  readonly preset?: PresetName;
  /**
   * What makes the samples: `sine` networks, quick and continuous, or `latent`s, for small pictures. `auto` (default) takes latents for
   * pictures where `bpp`, `effort` or the preset `small` is given.
   */
  readonly family?: 'auto' | 'sine' | 'latent';
  /** Bits per sample of the file that a picture of the latent family is to come to, about. */
  readonly bpp?: number;
  /** How long latents are trained; default `normal`, about a minute for a picture of 768x512 on two cores. */
  readonly effort?: Effort;
  /** Cells per axis, axis order of the signal. At most one of `grid` and `cell`. */
  readonly grid?: readonly number[];
  /** Samples of a cell per axis; default by preset and kind, for images 32 on both axes. */
  readonly cell?: readonly number[];
  /** Parameters altogether: widths are then chosen by the paper's automatic partitioning (appendix A). */
  readonly params?: number;
  /**
   * Part of `params` that is global; default 0.02 for images, the measured best (codec/presets/image.ts), and 0 for other kinds; with
   * `paper` 0.1, inside the 5 to 15 % that the paper found sufficient.
   */
  readonly globalShare?: number;
  /** H; default by preset and kind, for images 15, with `paper` 14. */
  readonly localWidth?: number;
  /** G; default by preset and kind, for images 32, with `paper` 84, 0 by `fast` for others; 0 for networks per partition alone. */
  readonly globalWidth?: number;
  /** Sine levels; default 4, the paper's "five layers". */
  readonly levels?: number;
  /** Samples between lattice points, or `none` for the global network at every coordinate; default by preset. */
  readonly lattice?: number | 'none';
  /** What local networks see; default by preset. */
  readonly coordinates?: LocalCoordinates;
  /** Activation of each role; default by preset. */
  readonly activations?: Architecture['activations'];
  /**
   * `fine` or `coarse`: integers as fine as what they do to the samples demands, so that rounding adds 3 % (0.13 dB) or 25 % (1 dB) to the
   * squared error; or `float32`, `float16`, or `int2` to `int16`, the bits of the least sensitive layers. Default `fine`, by `small` `coarse`,
   * by `paper` `int11`, of sound `float32`. In the same 700 steps camera.png took 251 KB by `fine` and 39.5 dB, 309 by `int11` and 39.6.
   */
  readonly weights?: string;
  /** What is done to weights after quantisation; default `none`, by `small` `range`: a fifth fewer bytes, which take longer to decode. */
  readonly coder?: Coder;
  /**
   * `auto` (default): pictures of more than 4 million samples carry reduced copies of themselves at 1/4, 1/8, ... per axis, from
   * which zoomed-out views are decoded, and a file is 8 % larger; others of more than a million one at 1/8, for 2 %. `none`: no
   * picture does.
   */
  readonly overviews?: 'auto' | 'none';
  /**
   * Optimiser steps; default by preset. Large pictures are trained in groups of partitions, after the global network on the
   * first of them; every group takes the steps of the local phases.
   */
  readonly iterations?: number;
  /**
   * Part of each partition's samples that a step sees, above 0 and at most 1; default by preset, of `paper` 0.0038 for video as in its
   * table (0.02 in its other runs) and 1 for images and sound.
   */
  readonly sampleFraction?: number;
  /**
   * Samples of its neighbours that each partition is trained on as well, on every side, so that seams soften; default 0, at most half a
   * cell. Of 1, in 600 steps without a global network, kodim15 had a seam of 1.07 instead of 1.21 and 37.1 dB instead of 37.9, camera 1.09
   * instead of 1.17 and 38.5 instead of 40.0; more cost more and softened no more. For networks without a lattice.
   */
  readonly overlap?: number;
  /** Wall-clock seconds to train for, shared out by samples among groups and overviews; two runs then differ. */
  readonly seconds?: number;
  /** PSNR in dB to stop at, where training comes that far; every group and overview for itself. */
  readonly psnr?: number;
  /** Whole number from 0; default 0. The same seed, engine, machine and iterations give the same bytes. */
  readonly seed?: number;
  /** An engine of the caller's, or the name of one to be made. Default `auto`. */
  readonly engine?: Engine | EngineName;
  /** Threads of an engine that is made here; default what the machine runs at once. */
  readonly threads?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Keeps checkpoints of a long encode, and goes on from one. */
  readonly checkpoint?: CheckpointOptions;
  /** What the user should know of how the request was taken. */
  readonly onNotice?: (notice: string) => void;
  /** Stops encoding; rejects with its reason, and the sink is aborted. */
  readonly signal?: AbortSignal;
}
