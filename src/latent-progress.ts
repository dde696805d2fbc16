import type { LatentProgress } from '../codec/latent/train-latents.js';
import { psnrOf } from '../codec/metrics.js';
import { signalPeak } from '../codec/signal.js';
import type { Progress } from '../codec/train.js';
import type { LatentSignal } from './container/header.js';

/** Tells of a run of latents what is told of every training. */
export class LatentProgressReport {
  iterations = 0;
  readonly #begin = performance.now();
  /** Of the runs that are behind, and the present one's, parts of all. */
  #done = 0;
  #share = 0;
  #iterationsBefore = 0;
  #runsBegin = 0;
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

  /** A run of a part of everything begins. */
  begin(share: number): void {
    if (this.#share === 0) this.#runsBegin = performance.now();
    this.#done += this.#share;
    this.#share = share;
    this.#iterationsBefore = this.iterations;
  }

  /** @param amplitude by which squared errors are told. */
  step({ step, steps, fraction, squaredError }: LatentProgress, amplitude: number): void {
    this.iterations = this.#iterationsBefore + step;
    const { seconds } = this;
    const all = Math.min(1, this.#done + this.#share * fraction);
    const inRuns = (performance.now() - this.#runsBegin) / 1000;
    this.onProgress?.({
      iteration: this.iterations,
      iterations:
        steps === Infinity
          ? Infinity
          : Math.round((this.#iterationsBefore + steps) / (this.#done + this.#share)),
      fraction: all,
      psnr: psnrOf(squaredError * amplitude ** 2, this.#peak),
      iterationsPerSecond: this.iterations / inRuns,
      seconds,
      secondsLeft: all > 0 ? (inRuns / all) * (1 - all) : Infinity,
    });
  }
}
