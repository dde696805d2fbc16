import type { EncodedPartitions } from '../codec/latent/encode-partitions.js';
import type { LatentTarget } from '../codec/latent/rate-control.js';
import type { LatentProgress } from '../codec/latent/train-latents.js';

/** In units of outputs from -1 to 1: about 33 dB, at 0.2 to 1.4 bits a sample. */
export const DEFAULT_AMPLITUDE = 0.22;

/** Amplitudes that are tried: from about 55 dB to what is no picture any more. */
const LEAST_AMPLITUDE = 0.005;
const MOST_AMPLITUDE = 4;

/**
 * Pilot runs, as parts of the visits of the whole one: the first ones find about where the target is, the last one nearly exactly. Each begins
 * with the shared weights of the one before.
 */
export const PILOTS = [0.04, 0.04, 0.1] as const;

/** After a pilot this near the next ones are left out but for the last. */
const NEAR_OCTAVES = 0.2;

/** Octaves of squared error, and of bits, for one of amplitude (seven Kodak pictures, 0.1 to 2 bpp). */
const ERROR_PER_OCTAVE = 1.5;
const BITS_PER_OCTAVE = -1.15;

/** Bits and squared error after the whole run, for those after a pilot: it comes to less of both the longer it is. */
const BITS_AFTER = 0.79;
const ERROR_AFTER = 0.95;

/** What a run of some length came to. */
export interface Pilot {
  readonly encoded: EncodedPartitions;
  readonly last: LatentProgress;
}

/**
 * The amplitude by which partitions come to about so many bits, or so small an error, and shared weights to begin with: after pilot runs.
 *
 * What a bit counts for could be changed instead, while latents are trained; but latents that were made zero by too large a factor
 * stay so (10 % more bits at the same PSNR).
 *
 * @param run makes a pilot of a part of the visits.
 */
export async function chooseAmplitude(
  target: LatentTarget,
  run: (amplitude: number, part: number, before?: EncodedPartitions) => Promise<Pilot>,
): Promise<{ readonly amplitude: number; readonly encoded: EncodedPartitions }> {
  let amplitude = DEFAULT_AMPLITUDE;
  let encoded: EncodedPartitions | undefined;
  let isNear = false;
  for (const [i, part] of PILOTS.entries()) {
    if (isNear && i < PILOTS.length - 1) continue;
    const pilot = await run(amplitude, part, encoded);
    ({ encoded } = pilot);
    const { bits, squaredError } = pilot.last;
    const octaves =
      'bits' in target
        ? Math.log2(target.bits / (bits * BITS_AFTER)) / BITS_PER_OCTAVE
        : Math.log2(target.squaredError / (squaredError * amplitude ** 2 * ERROR_AFTER)) / ERROR_PER_OCTAVE;
    isNear = Math.abs(octaves) < NEAR_OCTAVES;
    amplitude = Math.max(LEAST_AMPLITUDE, Math.min(MOST_AMPLITUDE, amplitude * 2 ** octaves));
  }
  if (encoded === undefined) throw new Error('there are pilots');
  return { amplitude, encoded };
}
