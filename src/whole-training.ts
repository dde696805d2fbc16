import { LgiError } from '../codec/errors.js';
import type { Weights } from '../codec/model.js';
import { stateFault, type SavedState } from '../codec/saved-state.js';
import type { SampleArray } from '../codec/signal.js';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type CheckpointOptions,
  type EncodeState,
  type FinishedTraining,
} from './checkpoint.js';
import { differencesOf, type EncodeIdentity } from './encode-identity.js';
import type { Budget, Progress, TrainingOptions, TrainingResult } from '../codec/train.js';

/** Ten minutes are little of an encode that needs checkpoints, and a checkpoint nothing beside them. */
const DEFAULT_EVERY_SECONDS = 600;

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function otherEncode(fact: string): LgiError {
  return new LgiError(
    'conflict',
    `the checkpoint is of another encode: ${fact}; give the medium and options that it was made with, or encode anew`,
    { section: 'checkpoint' },
  );
}

/** @throws LgiError `damaged` for weights that no training which began with the others has come to. */
function checkWeights({ global, local }: Weights, drawn: Weights): void {
  const isSound =
    global.length === drawn.global.length &&
    local.length === drawn.local.length &&
    local.every(({ length }, p) => length === drawn.local[p].length) &&
    [global, ...local].every((weights) => weights.every(Number.isFinite));
  if (!isSound) throw stateFault('has other weights of a part that is done than the encode has');
}

/** What a training of a part takes from the whole. */
export type PartContext = Pick<
  TrainingOptions,
  'budget' | 'onProgress' | 'checkpoints' | 'resume' | 'signal'
>;

/** What {@link WholeTraining} is made of. */
export interface WholeTrainingOptions {
  /** Of all parts together: samples, times the time that one of their kind should get. */
  readonly work: number;
  /** Steps planned for a partition that goes through all of the recipe, the most that any goes through. */
  readonly iterations: number;
  readonly budget: Budget;
  readonly onSamples: (samples: SampleArray) => void;
  /** Digest of all samples so far. */
  readonly digest: () => Uint8Array;
  readonly identity: EncodeIdentity;
  readonly checkpoint?: CheckpointOptions;
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
  /** Trainings that are done, where checkpoints are kept. */
  readonly #finished: FinishedTraining[] = [];
  /** Where to go on; undefined once it is behind. */
  #resume: EncodeState | undefined;
  #lastSaveMs = performance.now();

  /** @throws LgiError as `decodeCheckpoint`; `conflict` for a checkpoint of another encode. */
  constructor(options: WholeTrainingOptions) {
    this.#options = options;
    const { checkpoint, identity } = options;
    if (checkpoint?.resume === undefined) return;
    this.#resume = decodeCheckpoint(checkpoint.resume);
    const differences = differencesOf(this.#resume.identity, identity);
    if (differences.length > 0) throw otherEncode(`it differs in ${differences.join(', ')}`);
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
   * @param drawn what it begins with, whose lengths the results have.
   */
  async train(
    work: number,
    iterations: number,
    drawn: Weights,
    run: (context: PartContext) => Promise<TrainingResult>,
  ): Promise<TrainingResult> {
    const { budget, signal, onProgress } = this.#options;
    const share = work / (this.#options.work - this.#workDone);
    let psnr = 0;
    const known = this.#resume?.finished[this.#finished.length];
    if (known !== undefined) checkWeights(known.weights, drawn);
    const result =
      known ??
      (await run({
        ...this.#checkpointing(),
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
      }));
    const error = known?.error ?? 10 ** (-psnr / 10);
    if (this.#options.checkpoint !== undefined) this.#finished.push({ ...result, error });
    this.#workDone += work;
    this.#steps += work * (this.#options.iterations - iterations + result.iterations);
    this.#seconds += result.seconds;
    this.#errors += work * error;
    return result;
  }

  /** What of checkpoints concerns the training that begins now. */
  #checkpointing(): Pick<PartContext, 'checkpoints' | 'resume'> {
    const { checkpoint, digest, identity } = this.#options;
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume !== undefined && !isSame(resume.samples, digest()))
      throw otherEncode('its samples are others');
    const { save, everySeconds = DEFAULT_EVERY_SECONDS } = checkpoint ?? {};
    return {
      ...(resume && { resume: resume.current }),
      ...(save && {
        checkpoints: {
          isDue: () => performance.now() - this.#lastSaveMs >= 1000 * everySeconds,
          save: async (current: SavedState) => {
            await save(encodeCheckpoint({ identity, samples: digest(), finished: this.#finished, current }));
            this.#lastSaveMs = performance.now();
          },
        },
      }),
    };
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
