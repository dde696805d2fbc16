import type { Engine } from '../codec/engine/engine.js';
import type { Grid } from '../codec/grid.js';
import { encodePartitions, type TargetPartition } from '../codec/latent/encode-partitions.js';
import type { LatentTarget } from '../codec/latent/rate-control.js';
import type { LatentArchitecture } from '../codec/latent/latent-architecture.js';
import { LATENT_RECIPE } from '../codec/latent/train-latents.js';

/** In units of outputs from -1 to 1: about 33 dB, at 0.2 to 1.4 bits a sample. */
export const DEFAULT_AMPLITUDE = 0.22;

/** Amplitudes that are tried: from about 55 dB to what is no picture any more. */
const LEAST_AMPLITUDE = 0.005;
const MOST_AMPLITUDE = 4;

/** Partitions and visits of a trial: half a second. */
const TRIAL_PARTITIONS = 16;
const TRIAL_VISITS = 40;
const MOST_TRIALS = 4;

/** A trial this near is near enough: the run itself goes on to the target. */
const NEAR_OCTAVES = 0.15;

/** Octaves of squared error, and of bits, for one of amplitude (seven Kodak pictures, 0.1 to 2 bpp). */
const ERROR_PER_OCTAVE = 1.5;
const BITS_PER_OCTAVE = -1.15;

/** Bits after a whole run, for those after a trial: it comes to fewer the longer it is. */
const BITS_AFTER = 0.75;

/** What a search for an amplitude needs. */
export interface AmplitudeSearch {
  readonly grid: Grid;
  readonly seed: number;
  readonly target: LatentTarget;
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
    const { squaredError, bits } = await tryAmplitude(engine, search, amplitude);
    const octaves =
      'bits' in target
        ? Math.log2(target.bits / bits) / BITS_PER_OCTAVE
        : Math.log2(target.squaredError / squaredError) / ERROR_PER_OCTAVE;
    if (Math.abs(octaves) < NEAR_OCTAVES) break;
    amplitude = Math.max(LEAST_AMPLITUDE, Math.min(MOST_AMPLITUDE, amplitude * 2 ** octaves));
  }
  return amplitude;
}

async function tryAmplitude(
  engine: Engine,
  { grid, seed, architectureOf, targetsOf, signal }: AmplitudeSearch,
  amplitude: number,
): Promise<{ squaredError: number; bits: number }> {
  const count = Math.min(TRIAL_PARTITIONS, grid.count);
  const ordinals = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * grid.count) / count));
  let [squaredError, bits] = [0, 0];
  await encodePartitions(engine, architectureOf(amplitude), await targetsOf(ordinals, amplitude), {
    recipe: LATENT_RECIPE,
    steps: TRIAL_VISITS,
    seed,
    onProgress: (progress) => {
      ({ squaredError, bits } = progress);
    },
    ...(signal && { signal }),
  });
  return { squaredError: squaredError * amplitude ** 2, bits: bits * BITS_AFTER };
}
