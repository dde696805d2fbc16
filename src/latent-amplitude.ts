import type { Engine } from '../codec/engine/engine.js';
import type { Grid } from '../codec/grid.js';
import { encodePartitions, type TargetPartition } from '../codec/latent/encode-partitions.js';
import type { LatentArchitecture } from '../codec/latent/latent-architecture.js';
import { LATENT_RECIPE } from '../codec/latent/train-latents.js';
import { psnrOf } from '../codec/metrics.js';
import { signalPeak } from '../codec/signal.js';
import type { Effort } from './latent-effort.js';
import type { Media } from './media/media.js';

/** What a picture is to come to. */
export type RateTarget = { readonly bpp: number } | { readonly psnr: number };

/** In units of outputs from -1 to 1: about 33 dB, at 0.2 to 1.4 bits a sample. */
export const DEFAULT_AMPLITUDE = 0.22;

/** Amplitudes that are tried: from about 55 dB to what is no picture any more. */
const LEAST_AMPLITUDE = 0.005;
const MOST_AMPLITUDE = 4;

/** Partitions and visits of a trial: half a second. */
const TRIAL_PARTITIONS = 16;
const TRIAL_VISITS = 40;
const MOST_TRIALS = 5;

/** A trial this near is as near as a trial can tell. */
const NEAR_DB = 0.1;
const NEAR_OCTAVES = 0.04;

/** What an octave of amplitude is worth: 4.5 dB, and 1.15 octaves of bits (seven Kodak pictures, 0.1 to 2 bpp). */
const DB_PER_OCTAVE = -4.5;
const RATE_PER_OCTAVE = -1.15;

/** Bits after a whole run, for those after a trial: it comes to fewer the longer it is. */
const RATE_AFTER: Readonly<Record<Effort, number>> = { quick: 0.85, normal: 0.72, thorough: 0.65 };

/** What a search for an amplitude needs. */
export interface AmplitudeSearch {
  readonly media: Media;
  readonly grid: Grid;
  readonly effort: Effort;
  readonly seed: number;
  readonly target: RateTarget;
  readonly architectureOf: (amplitude: number) => LatentArchitecture;
  readonly targetsOf: (ordinals: readonly number[], amplitude: number) => Promise<TargetPartition[]>;
  readonly signal?: AbortSignal;
}

/**
 * The amplitude by which a picture comes to about so many bits, or so many dB, after short trials on a few of its partitions.
 *
 * @throws the signal's reason on abort.
 */
export async function chooseAmplitude(engine: Engine, search: AmplitudeSearch): Promise<number> {
  const { target } = search;
  let amplitude = DEFAULT_AMPLITUDE;
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const { psnr, bpp } = await tryAmplitude(engine, search, amplitude);
    const isNear =
      'psnr' in target
        ? Math.abs(target.psnr - psnr) < NEAR_DB
        : Math.abs(Math.log2(target.bpp / bpp)) < NEAR_OCTAVES;
    if (isNear) break;
    const octaves =
      'psnr' in target ? (target.psnr - psnr) / DB_PER_OCTAVE : Math.log2(target.bpp / bpp) / RATE_PER_OCTAVE;
    amplitude = Math.max(LEAST_AMPLITUDE, Math.min(MOST_AMPLITUDE, amplitude * 2 ** octaves));
  }
  return amplitude;
}

async function tryAmplitude(
  engine: Engine,
  { media, grid, effort, seed, architectureOf, targetsOf, signal }: AmplitudeSearch,
  amplitude: number,
): Promise<{ psnr: number; bpp: number }> {
  const count = Math.min(TRIAL_PARTITIONS, grid.count);
  const ordinals = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * grid.count) / count));
  let [squaredError, bits, steps] = [0, 0, 0];
  const { movingPart } = LATENT_RECIPE;
  await encodePartitions(engine, architectureOf(amplitude), await targetsOf(ordinals, amplitude), {
    recipe: LATENT_RECIPE,
    steps: TRIAL_VISITS,
    seed,
    onProgress: (progress) => {
      // Of the end, where latents are whole.
      if (progress.fraction <= movingPart) return;
      squaredError += progress.squaredError;
      bits += progress.bits;
      steps++;
    },
    ...(signal && { signal }),
  });
  const peak = signalPeak(media.kind, media.format) / Math.abs(media.format.mapping.scale);
  return {
    psnr: psnrOf((squaredError / steps) * amplitude ** 2, peak),
    bpp: (bits / steps) * RATE_AFTER[effort],
  };
}
