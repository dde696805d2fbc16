import type { EncodedPartitions } from '../codec/latent/encode-partitions.js';
import type { LatentTarget } from '../codec/latent/rate-control.js';
import type { LatentProgress } from '../codec/latent/train-latents.js';

/** In units of outputs from -1 to 1: about 33 dB, at 0.2 to 1.4 bits a sample. */
export const DEFAULT_AMPLITUDE = 0.22;

/** Amplitudes that are tried: from about 55 dB to what is no picture any more. */
const LEAST_AMPLITUDE = 0.005;
const MOST_AMPLITUDE = 4;

/** A run by which an amplitude is tried. */
export interface PilotPlan {
  /** How often every partition is seen, at least. */
  readonly visits: number;
  /** And part of the visits of the whole run, if that is more. */
  readonly part: number;
  /** What latents' learning rate is multiplied by. */
  readonly latentRateFactor: number;
}

/**
 * Pilot runs for bits. Latents hardly move in them: at their full rate, zeros leave their place in the first visits and come back in the next
 * thirty, so that nothing can be told before; as they begin, coded by shared weights that are fitted to them, they have what the whole run
 * comes to but for a factor (0.76 to 0.93 on kodim03 and kodim13, 0.1 to 1.6 bpp).
 */
const BIT_PILOT: PilotPlan = { visits: 4, part: 0, latentRateFactor: 0.1 };
const BIT_PILOTS = [BIT_PILOT, BIT_PILOT, BIT_PILOT];

/** Pilot runs for an error, which needs latents that have moved. The first ones find about where the target is, the last one nearly exactly. */
const ERROR_PILOTS: readonly PilotPlan[] = [
  { visits: 10, part: 0.04, latentRateFactor: 1 },
  { visits: 10, part: 0.04, latentRateFactor: 1 },
  { visits: 14, part: 0.1, latentRateFactor: 1 },
];

/** After a pilot this near the next ones are left out but for the last. */
const NEAR_OCTAVES = 0.2;

/** Octaves of squared error, and of bits, for one of amplitude (seven Kodak pictures, 0.1 to 2 bpp). */
const ERROR_PER_OCTAVE = 1.5;
const BITS_PER_OCTAVE = -1.15;

/** Bits and squared error after the whole run, for those after a pilot. */
const BITS_AFTER = 0.84;
const ERROR_AFTER = 0.9;

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
 * @param run makes a pilot.
 */
export async function chooseAmplitude(
  target: LatentTarget,
  run: (amplitude: number, plan: PilotPlan, before?: EncodedPartitions) => Promise<Pilot>,
): Promise<{ readonly amplitude: number; readonly encoded: EncodedPartitions }> {
  let amplitude = DEFAULT_AMPLITUDE;
  let encoded: EncodedPartitions | undefined;
  let isNear = false;
  const plans = 'bits' in target ? BIT_PILOTS : ERROR_PILOTS;
  for (const [i, plan] of plans.entries()) {
    if (isNear && i < plans.length - 1) continue;
    const pilot = await run(amplitude, plan, encoded);
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
