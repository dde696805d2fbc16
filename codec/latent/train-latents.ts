import { permutation } from '../random.js';
import { LatentDivergenceCheck } from './divergence-check.js';
import { BIT_FACTOR, type RateControl } from './rate-control.js';
import type { LatentReport, LatentSession, LatentStep } from './session.js';

/** How the latent family is trained. */
export interface LatentRecipe {
  /** Samples of a step, about: whole partitions make it up. */
  readonly batchSamples: number;
  /** Part of the run in which latents move; in the rest they are rounded and stay, and the shared weights fit them. */
  readonly movingPart: number;
  /** Of soft rounding, at the beginning and at the end of the moving part. */
  readonly temperatures: readonly [number, number];
  /** Width of the noise. */
  readonly noise: number;
  /** Of latents, falling to a part of it. */
  readonly latentRate: number;
  readonly latentRateEnd: number;
  /** Of shared weights, falling to a part of it, after some steps of warming up. */
  readonly sharedRate: number;
  readonly sharedRateEnd: number;
  readonly warmUp: number;
  readonly tapFactor: number;
}

/** The recipe of all pictures; a benchmark shows what each number is good for. */
export const LATENT_RECIPE: LatentRecipe = {
  // Half of it comes to no better result in the same time, twice as many to 0.06 dB less or 1.6 % more bits.
  batchSamples: 1 << 15,
  movingPart: 0.9,
  temperatures: [0.3, 0.15],
  noise: 0.7,
  latentRate: 0.2,
  latentRateEnd: 0.05,
  sharedRate: 2e-2,
  sharedRateEnd: 0.02,
  warmUp: 20,
  tapFactor: 0.3,
};

/** Partitions of a step: at least two, so that two threads have work, unless there is one. @param sizes samples of every partition. */
export function batchOf({ batchSamples }: LatentRecipe, sizes: readonly number[]): number {
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  return Math.min(sizes.length, Math.max(2, Math.round(batchSamples / mean)));
}

/** The step at a point of a run. @param at from 0 to 1. */
export function stepAt(
  recipe: LatentRecipe,
  at: number,
  number: number,
  batch: readonly number[],
  key: number,
  bitFactor: number,
): LatentStep {
  const { movingPart, temperatures, latentRate, latentRateEnd, sharedRate, sharedRateEnd, warmUp } = recipe;
  const moved = Math.min(1, at / movingPart);
  const warm = Math.min(1, (number + 1) / warmUp);
  return {
    batch,
    rounding:
      at >= movingPart
        ? 'hard'
        : {
            temperature: temperatures[0] + moved * (temperatures[1] - temperatures[0]),
            noise: recipe.noise,
            key,
          },
    bitFactor,
    latentRate: latentRate * (1 - moved * (1 - latentRateEnd)),
    sharedRate: warm * sharedRate * (1 - at * (1 - sharedRateEnd)),
    tapFactor: recipe.tapFactor,
  };
}

/** Batches that go through all partitions, epoch after epoch, each in an order of its own. */
export class Batches {
  #order: number[] = [];
  #epoch = 0;

  constructor(
    private readonly partitions: number,
    private readonly seed: number,
  ) {}

  next(count: number): number[] {
    const batch = new Set<number>();
    while (batch.size < count) {
      if (this.#order.length === 0) this.#order = [...permutation(this.partitions, this.seed, this.#epoch++)];
      const next = this.#order.shift();
      if (next !== undefined) batch.add(next);
    }
    return [...batch];
  }
}

/** How far a run has come; figures are of what every partition came to when it was last seen. */
export interface LatentProgress {
  readonly step: number;
  /** Infinity where only time counts. */
  readonly steps: number;
  /** Part of the run that is done, 0 to 1. */
  readonly fraction: number;
  /** Mean squared error, in units of the amplitude, per sample and channel. */
  readonly squaredError: number;
  /** Per sample. */
  readonly bits: number;
}

/** What a run trains, and who hears of it. */
export interface LatentRun {
  /** Samples of every partition. */
  readonly sizes: readonly number[];
  readonly channels: number;
  /** Mean square of the targets per sample and channel: with an amplitude more than this, a run is worse than none. */
  readonly energy: number;
  readonly control: RateControl;
  /** Infinity where only time counts. */
  readonly steps: number;
  /** Wall-clock seconds after which it ends; two runs then differ. */
  readonly seconds?: number;
  readonly seed: number;
  readonly onProgress?: (progress: LatentProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * A run of so many steps, or of so much time: rates and temperature follow what ends first.
 *
 * @throws LgiError `diverged`.
 * @throws the signal's reason on abort.
 */
export async function trainLatents(
  session: LatentSession,
  recipe: LatentRecipe,
  { sizes, channels, energy, control, steps, seconds = Infinity, seed, onProgress, signal }: LatentRun,
): Promise<void> {
  const batches = new Batches(sizes.length, seed);
  const batchSize = batchOf(recipe, sizes);
  const last = new LastVisits(sizes);
  const check = await LatentDivergenceCheck.create(session, energy + 1);
  const begin = performance.now();
  const fractionAt = (number: number): number =>
    Math.max(number / steps, (performance.now() - begin) / 1000 / seconds);
  for (let number = 0, at = 0; at < 1; number++) {
    signal?.throwIfAborted();
    const key = Math.imul(number + 1, 0x85ebca6b) ^ seed;
    const batch = batches.next(batchSize);
    const step = stepAt(recipe, at, number, batch, key, control.factor);
    const report = await session.step({
      ...step,
      latentRate: check.rateFactor * step.latentRate,
      sharedRate: check.rateFactor * step.sharedRate,
    });
    at = fractionAt(number + 1);
    if (last.see(batch, report)) {
      const squaredError = last.squaredError / channels;
      control.epoch(at, last.bits, squaredError);
      await check.epoch(squaredError + BIT_FACTOR * last.bits);
    }
    onProgress?.({
      step: number + 1,
      steps,
      fraction: Math.min(1, at),
      squaredError: last.squaredError / channels,
      bits: last.bits,
    });
  }
}

/** What every partition came to when it was last seen. */
class LastVisits {
  readonly #squaredErrors: Float64Array;
  readonly #bits: Float64Array;
  readonly #isSeen: Uint8Array;
  #left: number;

  constructor(private readonly sizes: readonly number[]) {
    this.#squaredErrors = new Float64Array(sizes.length);
    this.#bits = new Float64Array(sizes.length);
    this.#isSeen = new Uint8Array(sizes.length);
    this.#left = sizes.length;
  }

  /** @returns whether an epoch ends: as many were seen as there are. */
  see(batch: readonly number[], { squaredErrors, bits }: LatentReport): boolean {
    batch.forEach((partition, i) => {
      this.#squaredErrors[partition] = squaredErrors[i];
      this.#bits[partition] = bits[i];
      this.#isSeen[partition] = 1;
    });
    this.#left -= batch.length;
    if (this.#left > 0) return false;
    this.#left = this.sizes.length;
    return true;
  }

  /** Per sample, of the partitions that were seen. */
  get bits(): number {
    return this.#meanOf(this.#bits);
  }

  /** Per sample, over all channels. */
  get squaredError(): number {
    return this.#meanOf(this.#squaredErrors);
  }

  #meanOf(values: Float64Array): number {
    let [sum, samples] = [0, 0];
    this.sizes.forEach((size, i) => {
      if (this.#isSeen[i] === 0) return;
      sum += values[i];
      samples += size;
    });
    return sum / samples;
  }
}
