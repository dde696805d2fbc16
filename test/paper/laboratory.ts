import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
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
import { CheckpointFile } from './checkpoint-file.js';
import { CurveRecorder } from './curve-recorder.js';
import type { Curve } from './experiment.js';
import { shrunken } from './shrunken.js';

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
  /** Folder of the checkpoints of the run under way. */
  readonly checkpoints: string;
  /** Tells what is under way. */
  readonly onProgress: (text: string) => void;
}

const DEFAULT_CHECKPOINT_SECONDS = 60;

/** Where experiments get media and trainings from. */
export class Laboratory {
  readonly engine: Engine;
  readonly #options: LaboratoryOptions;
  readonly #media = new Map<string, Promise<Media>>();
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

  /** Trains an INCODE, as {@link train} does. */
  async trainIncode(
    name: string,
    training: Omit<IncodeTraining, 'checkpoints' | 'resume' | 'onProgress'>,
    recorder: CurveRecorder,
  ): Promise<IncodeResult> {
    const checkpoint = await this.#checkpoint(name, recorder);
    const startMs = performance.now();
    let first: number | undefined;
    const result = await trainIncode(this.engine, {
      ...training,
      ...checkpoint.options,
      onProgress: (iteration, loss) => {
        recorder.add(iteration, training.iterations, loss);
        first ??= iteration;
        const perIteration = (performance.now() - startMs) / (iteration - first + 1) / 1000;
        const minutes = Math.ceil((perIteration * (training.iterations - iteration)) / 60);
        this.#tell(
          `${name}: ${iteration} of ${training.iterations}, loss ${loss.toPrecision(4)}, ${minutes} min left`,
        );
      },
    });
    await checkpoint.remove();
    return result;
  }

  /** Encodes a medium into a file that is not kept, as {@link train} does. */
  async encodeFile(name: string, media: Media, options: EncodeOptions): Promise<EncodeReport> {
    const { checkpoints, checkpointSeconds = DEFAULT_CHECKPOINT_SECONDS } = this.#options;
    const file = await CheckpointFile.open(checkpoints, name);
    const report = await encode(media, new MemorySink(), {
      ...options,
      engine: this.engine,
      checkpoint: {
        everySeconds: checkpointSeconds,
        save: (bytes) => file.write(bytes),
        ...(file.before && { resume: file.before }),
      },
      onProgress: ({ iteration, psnr, secondsLeft }) =>
        this.#tell(
          `${name}: iteration ${iteration}, ${psnr.toFixed(2)} dB, ${Math.ceil(secondsLeft / 60)} min left`,
        ),
    });
    await file.remove();
    return report;
  }

  #checkpoint(name: string, recorder: CurveRecorder): Promise<Checkpoint> {
    const { checkpoints, checkpointSeconds = DEFAULT_CHECKPOINT_SECONDS } = this.#options;
    return Checkpoint.open(checkpoints, name, checkpointSeconds, recorder);
  }

  #tell(text: string): void {
    if (performance.now() - this.#toldMs < 1000) return;
    this.#toldMs = performance.now();
    this.#options.onProgress(text);
  }

  /**
   * Trains, going on where a run of this name was interrupted.
   *
   * @param name of the training, the same in every attempt at the same run.
   * @param recorder gets the mean squared error, in the network's units.
   */
  async train(
    name: string,
    options: Omit<TrainingOptions, 'checkpoints' | 'resume' | 'onProgress'>,
    recorder = new CurveRecorder(),
  ): Promise<TrainingResult> {
    const checkpoint = await this.#checkpoint(name, recorder);
    const { peak, format } = options.objective;
    const result = await train(this.engine, {
      ...options,
      ...checkpoint.options,
      onProgress: ({ iteration, iterations, psnr, secondsLeft }) => {
        recorder.add(iteration, iterations, (peak / format.mapping.scale) ** 2 / 10 ** (psnr / 10));
        this.#tell(
          `${name}: ${iteration} of ${iterations}, ${psnr.toFixed(2)} dB, ${Math.ceil(secondsLeft / 60)} min left`,
        );
      },
    });
    await checkpoint.remove();
    return result;
  }
}

/** What is kept of a training under way. */
interface Kept {
  readonly state: SavedState;
  readonly curve: Curve;
}

/** What a training under way could go on from. */
class Checkpoint {
  readonly #file: CheckpointFile;
  readonly #seconds: number;
  readonly #recorder: CurveRecorder;
  readonly #before: SavedState | undefined;
  #savedMs = performance.now();

  private constructor(file: CheckpointFile, seconds: number, recorder: CurveRecorder) {
    this.#file = file;
    this.#seconds = seconds;
    this.#recorder = recorder;
    if (file.before === undefined) return;
    const { state, curve } = deserialize(file.before) as Kept;
    this.#before = state;
    recorder.restore(curve);
  }

  static async open(
    folder: string,
    name: string,
    seconds: number,
    recorder: CurveRecorder,
  ): Promise<Checkpoint> {
    return new Checkpoint(await CheckpointFile.open(folder, name), seconds, recorder);
  }

  /** For a training. */
  get options(): { readonly checkpoints: Checkpoints; readonly resume?: SavedState } {
    return {
      ...(this.#before && { resume: this.#before }),
      checkpoints: {
        isDue: () => performance.now() - this.#savedMs >= 1000 * this.#seconds,
        save: async (state) => {
          this.#savedMs = performance.now();
          const kept: Kept = { state, curve: this.#recorder.curve };
          await this.#file.write(serialize(kept));
        },
      },
    };
  }

  /** When the training is done. */
  remove(): Promise<void> {
    return this.#file.remove();
  }
}
