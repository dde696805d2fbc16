import { join } from 'node:path';
import type { Engine } from '../../codec/engine/engine.js';
import { randomResnetWeights, type ResnetWeights } from '../../codec/incode/resnet-features.js';
import { trainIncode, type IncodeResult, type IncodeTraining } from '../../codec/incode/train-incode.js';
import type { SavedState } from '../../codec/saved-state.js';
import { train, type Checkpoints, type TrainingOptions, type TrainingResult } from '../../codec/train.js';
import { encode, type EncodeReport } from '../../src/encode.js';
import type { EncodeOptions } from '../../src/encode-options.js';
import { MemorySink } from '../../src/io/memory.js';
import type { Media } from '../../src/media/media.js';
import { readMedia } from '../../src/media/read-media.js';
import { TrainingRecord, type TrainingNotes } from './training-record.js';
import { shrunken } from './shrunken.js';
import { Stage } from './stage.js';

/** How experiments are run. */
export interface LaboratoryOptions {
  readonly engine: Engine;
  /** Folder of the media, by the names that experiments call them. */
  readonly data: string;
  /** Part of the paper's iterations that runs take. */
  readonly scale: number;
  /** Samples of a medium per axis for each that is trained on. */
  readonly shrink: number;
  /** Trained weights of the network whose features harmonizers see; random ones where there are none. */
  readonly resnet?: ResnetWeights;
  /** Seconds of training that a kill loses at most; default 60. */
  readonly checkpointSeconds?: number;
  /** Folder of what the run under way could go on from. */
  readonly checkpoints: string;
  /** Stops a training once it is kept. */
  readonly signal?: AbortSignal;
  /** Tells what is under way. */
  readonly onProgress: (text: string) => void;
}

const DEFAULT_CHECKPOINT_SECONDS = 60;

/** What a training under way could go on from. */
interface UnderWay {
  readonly state: SavedState;
  readonly notes: TrainingNotes;
}

/** What a training has come to. */
interface Trained<Result> {
  readonly result: Result;
  readonly notes: TrainingNotes;
}

/** Where experiments get media and trainings from. */
export class Laboratory {
  readonly engine: Engine;
  readonly #options: LaboratoryOptions;
  readonly #media = new Map<string, Promise<Media>>();
  readonly #stages: { remove(): Promise<void> }[] = [];
  #toldMs = -Infinity;

  constructor(options: LaboratoryOptions) {
    this.engine = options.engine;
    this.#options = options;
  }

  /** A medium of the data folder, smaller where runs are shortened so. */
  media(name: string): Promise<Media> {
    let media = this.#media.get(name);
    if (media === undefined) {
      const { data, shrink } = this.#options;
      media = readMedia(join(data, name)).then(([first]) => shrunken(first, shrink));
      this.#media.set(name, media);
    }
    return media;
  }

  /** Iterations of a run for which the paper has so many. */
  iterations(published: number): number {
    return Math.max(1, Math.round(published * this.#options.scale));
  }

  /** The shape of a picture that is made of a medium, for which the paper has this one, smaller where runs are shortened so. */
  shrunkenShape([height, width]: readonly [number, number]): readonly [number, number] {
    const { shrink } = this.#options;
    return [Math.ceil(height / shrink), Math.ceil(width / shrink)];
  }

  /** Weights of the network whose features harmonizers see. */
  resnet(seed: number): ResnetWeights {
    return this.#options.resnet ?? randomResnetWeights(seed);
  }

  /**
   * Trains, going on where a run of this name was interrupted.
   *
   * @param name of the training, the same in every attempt at the same run.
   * @param record gets the mean squared error, in the network's units.
   */
  train(
    name: string,
    options: Omit<TrainingOptions, 'checkpoints' | 'resume' | 'onProgress'>,
    record = new TrainingRecord(),
  ): Promise<TrainingResult> {
    const { peak, format } = options.objective;
    return this.#recorded(name, record, (checkpoints) =>
      train(this.engine, {
        ...options,
        ...checkpoints,
        onProgress: ({ iteration, iterations, psnr, secondsLeft }) => {
          record.add(iteration, iterations, (peak / format.mapping.scale) ** 2 / 10 ** (psnr / 10));
          this.#tell(
            `${name}: ${iteration} of ${iterations}, ${psnr.toFixed(2)} dB, ${Math.ceil(secondsLeft / 60)} min left`,
          );
        },
      }),
    );
  }

  /** Trains an INCODE, as {@link train} does. */
  trainIncode(
    name: string,
    training: Omit<IncodeTraining, 'checkpoints' | 'resume' | 'onProgress'>,
    record: TrainingRecord,
  ): Promise<IncodeResult> {
    const startMs = performance.now();
    let first: number | undefined;
    return this.#recorded(name, record, (checkpoints) =>
      trainIncode(this.engine, {
        ...training,
        ...checkpoints,
        onProgress: (iteration, loss) => {
          record.add(iteration, training.iterations, loss);
          first ??= iteration;
          const perIteration = (performance.now() - startMs) / (iteration - first + 1) / 1000;
          const minutes = Math.ceil((perIteration * (training.iterations - iteration)) / 60);
          this.#tell(
            `${name}: ${iteration} of ${training.iterations}, loss ${loss.toPrecision(4)}, ${minutes} min left`,
          );
        },
      }),
    );
  }

  /** Encodes a medium into a file that is not kept, as {@link train} does. */
  async encodeFile(name: string, media: Media, options: EncodeOptions): Promise<EncodeReport> {
    const stage = await this.#stage<Uint8Array, EncodeReport>(name);
    if (stage.result !== undefined) return stage.result;
    const { signal } = this.#options;
    const report = await encode(media, new MemorySink(), {
      ...options,
      ...(signal && { signal }),
      engine: this.engine,
      checkpoint: {
        everySeconds: this.#checkpointSeconds,
        save: (bytes) => stage.save(bytes),
        ...(stage.state && { resume: stage.state }),
      },
      onProgress: ({ iteration, psnr, secondsLeft }) =>
        this.#tell(
          `${name}: iteration ${iteration}, ${psnr.toFixed(2)} dB, ${Math.ceil(secondsLeft / 60)} min left`,
        ),
    });
    await stage.finish(report);
    return report;
  }

  /** Forgets the trainings of a run, of which some may take hours: to be called once what the run came to is kept. */
  async forgetRun(): Promise<void> {
    for (const stage of this.#stages.splice(0)) await stage.remove();
  }

  get #checkpointSeconds(): number {
    return this.#options.checkpointSeconds ?? DEFAULT_CHECKPOINT_SECONDS;
  }

  async #stage<State, Result>(name: string): Promise<Stage<State, Result>> {
    const stage = await Stage.open<State, Result>(this.#options.checkpoints, name);
    this.#stages.push(stage);
    return stage;
  }

  /** A training with its record, from the start, from where it was interrupted, or as it was done before. */
  async #recorded<Result>(
    name: string,
    record: TrainingRecord,
    training: (options: {
      readonly checkpoints: Checkpoints;
      readonly resume?: SavedState;
    }) => Promise<Result>,
  ): Promise<Result> {
    const stage = await this.#stage<UnderWay, Trained<Result>>(name);
    const before = stage.result ?? stage.state;
    if (before !== undefined) record.restore(before.notes);
    const evaluating = `${name}: trained; evaluating it`;
    if (stage.result !== undefined) {
      this.#options.onProgress(evaluating);
      return stage.result.result;
    }
    const { signal } = this.#options;
    let savedMs = performance.now();
    const result = await training({
      ...(stage.state && { resume: stage.state.state }),
      checkpoints: {
        isDue: () =>
          signal?.aborted === true || performance.now() - savedMs >= 1000 * this.#checkpointSeconds,
        save: async (state) => {
          savedMs = performance.now();
          await stage.save({ state, notes: record.notes });
          signal?.throwIfAborted();
        },
      },
    });
    await stage.finish({ result, notes: record.notes });
    this.#options.onProgress(evaluating);
    return result;
  }

  #tell(text: string): void {
    if (performance.now() - this.#toldMs < 1000) return;
    this.#toldMs = performance.now();
    this.#options.onProgress(text);
  }
}
