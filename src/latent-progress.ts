import type { LatentProgress } from '../codec/latent/train-latents.js';
import { psnrOf } from '../codec/metrics.js';
import { signalPeak } from '../codec/signal.js';
import type { Progress } from '../codec/train.js';
import type { LatentSignal } from './container/header.js';

/** Tells of a run of latents what is told of every training. */
export class LatentProgressReport {
  iterations = 0;
  readonly #begin = performance.now();
  readonly #peak: number;

  constructor(
    { kind, format }: Pick<LatentSignal, 'kind' | 'format'>,
    private readonly onProgress?: (progress: Progress) => void,
  ) {
    this.#peak = signalPeak(kind, format) / Math.abs(format.mapping.scale);
  }

  /** Since training began. */
  get seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  /** @param amplitude by which squared errors are told. */
  step({ step, steps, fraction, squaredError }: LatentProgress, amplitude: number): void {
    this.iterations = step;
    const { seconds } = this;
    this.onProgress?.({
      iteration: step,
      iterations: steps,
      fraction,
      psnr: psnrOf(squaredError * amplitude ** 2, this.#peak),
      iterationsPerSecond: step / seconds,
      seconds,
      secondsLeft: fraction > 0 ? (seconds / fraction) * (1 - fraction) : Infinity,
    });
  }
}
