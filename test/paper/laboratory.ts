import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Engine } from '../../codec/engine/engine.js';
import type { SavedState } from '../../codec/saved-state.js';
import { train, type TrainingOptions, type TrainingResult } from '../../codec/train.js';
import type { Media } from '../../src/media/media.js';
import { readMedia } from '../../src/media/read-media.js';
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
  /** Folder of the checkpoints of the run under way. */
  readonly checkpoints: string;
  /** Tells what is under way. */
  readonly onProgress: (text: string) => void;
}

/** Seconds of training that a kill loses at most. */
const CHECKPOINT_SECONDS = 60;

/** Where experiments get media and trainings from. */
export class Laboratory {
  readonly engine: Engine;
  readonly #options: LaboratoryOptions;
  readonly #media = new Map<string, Promise<Media>>();

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

  /**
   * Trains, going on where a run of this name was interrupted.
   *
   * @param name of the training, the same in every attempt at the same run.
   */
  async train(
    name: string,
    options: Omit<TrainingOptions, 'checkpoints' | 'resume'>,
  ): Promise<TrainingResult> {
    const { checkpoints: folder, onProgress } = this.#options;
    const path = join(folder, `${name.replace(/[^\w-]+/g, '-')}.checkpoint`);
    await mkdir(folder, { recursive: true });
    const resume = await readCheckpoint(path);
    let savedMs = performance.now();
    let toldMs = 0;
    const result = await train(this.engine, {
      ...options,
      ...(resume && { resume }),
      checkpoints: {
        isDue: () => performance.now() - savedMs > 1000 * CHECKPOINT_SECONDS,
        save: async (state) => {
          savedMs = performance.now();
          await writeFile(`${path}.new`, serialize(state));
          await rename(`${path}.new`, path);
        },
      },
      onProgress: (progress) => {
        options.onProgress?.(progress);
        if (performance.now() - toldMs < 1000) return;
        toldMs = performance.now();
        const { iteration, iterations, psnr, secondsLeft } = progress;
        onProgress(
          `${name}: ${iteration} of ${iterations}, ${psnr.toFixed(2)} dB, ${Math.ceil(secondsLeft / 60)} min left`,
        );
      },
    });
    await rm(path, { force: true });
    return result;
  }
}

async function readCheckpoint(path: string): Promise<SavedState | undefined> {
  try {
    return deserialize(await readFile(path)) as SavedState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
