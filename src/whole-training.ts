import type { SampleArray } from '../codec/signal.js';
import type { Budget, Progress, TrainingOptions, TrainingResult } from '../codec/train.js';

/** What a training of a part takes from the whole. */
export type PartContext = Pick<TrainingOptions, 'budget' | 'onProgress' | 'signal'>;

/** What {@link WholeTraining} is made of. */
export interface WholeTrainingOptions {
  /** Of all parts together: samples, times the time that one of their kind should get. */
  readonly work: number;
  /** Steps planned for a partition that goes through all of the recipe, the most that any goes through. */
  readonly iterations: number;
  readonly budget: Budget;
  readonly onSamples: (samples: SampleArray) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Several trainings as one: shares time out by work and reports progress over all, in steps of a partition as the report
 * has them. A part that goes through the end of the recipe alone begins where that does, at what the others have gone before.
 */
export class WholeTraining {
  readonly #options: WholeTrainingOptions;
  #workDone = 0;
  /** Steps of what is done, times work. */
  #steps = 0;
  /** Of all trainings, without what lies between them. */
  #seconds = 0;
  /** Error of what is done, `10^(-psnr / 10)` times work. */
  #errors = 0;

  constructor(options: WholeTrainingOptions) {
    this.#options = options;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Takes note of samples that will be trained. */
  reads(samples: SampleArray): void {
    this.#options.onSamples(samples);
  }

  /**
   * Trains a part.
   *
   * @param work of it.
   * @param iterations planned for it; time may end them.
   */
  async train(
    work: number,
    iterations: number,
    run: (context: PartContext) => Promise<TrainingResult>,
  ): Promise<TrainingResult> {
    const { budget, signal, onProgress } = this.#options;
    const share = work / (this.#options.work - this.#workDone);
    let psnr = 0;
    const result = await run({
      budget: {
        ...budget,
        ...(budget.iterations !== undefined && { iterations }),
        // At least an instant: what came before may have taken longer than it was given.
        ...(budget.seconds !== undefined && {
          seconds: Math.max(1e-3, (budget.seconds - this.#seconds) * share),
        }),
      },
      ...(signal && { signal }),
      ...(onProgress && {
        onProgress: (progress: Progress) => {
          psnr = progress.psnr;
          onProgress(this.#overAll(progress, work, iterations));
        },
      }),
    });
    this.#workDone += work;
    this.#steps += work * (this.#options.iterations - iterations + result.iterations);
    this.#seconds += result.seconds;
    this.#errors += work * 10 ** (-psnr / 10);
    return result;
  }

  #overAll(progress: Progress, work: number, iterations: number): Progress {
    const all = this.#options.work;
    // One training of everything says all of it itself.
    if (work === all) return progress;
    // Of a part that cannot tell how far it is, what is done counts.
    const fraction = (this.#workDone + work * (progress.fraction ?? 0)) / all;
    const seconds = this.#seconds + progress.iteration / progress.iterationsPerSecond;
    const steps = this.#steps + work * (this.#options.iterations - iterations + progress.iteration);
    const errors = this.#errors + work * 10 ** (-progress.psnr / 10);
    return {
      iteration: Math.floor(steps / all),
      iterations: Number.isFinite(progress.iterations) ? this.#options.iterations : Infinity,
      fraction,
      psnr: -10 * Math.log10(errors / (this.#workDone + work)),
      seconds,
      iterationsPerSecond: steps / all / seconds,
      secondsLeft: fraction > 0 ? Math.max(0, (seconds * (1 - fraction)) / fraction) : Infinity,
    };
  }
}
