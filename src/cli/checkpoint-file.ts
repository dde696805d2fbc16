import { readFile, stat, unlink } from 'node:fs/promises';
import { LgiError, OptionError } from '../../codec/errors.js';
import type { CheckpointOptions } from '../checkpoint.js';
import { fileError } from '../io/file-error-node.js';
import { FileSink } from '../io/file-sink-node.js';
import { namedOpening } from './named-opening.js';

/** What one array of this runtime holds. */
const MAX_BYTES = 2 ** 32;

/** What the options of an encode say of checkpoints. */
export interface CheckpointFlags {
  /** Seconds between two. */
  readonly checkpoint?: number;
  /** The file to go on from. */
  readonly resume?: string;
}

/** The checkpoint of an encode, beside its output: written anew as a whole, and removed when the output is there. */
export class CheckpointFile {
  private isKept: boolean;

  private constructor(
    /** Where the next checkpoint goes. */
    readonly path: string,
    readonly options: CheckpointOptions,
    resumes: boolean,
  ) {
    this.isKept = resumes;
  }

  /**
   * @param output the file that is encoded.
   * @param note tells of a checkpoint that is there and not asked for.
   * @returns undefined where no checkpoints are asked for.
   * @throws OptionError for an interval that is none, and where a checkpoint is there that would be lost; LgiError `io`.
   */
  static async open(
    output: string,
    { checkpoint: everySeconds, resume }: CheckpointFlags,
    note: (text: string) => void,
  ): Promise<CheckpointFile | undefined> {
    const path = resume ?? `${output}.checkpoint`;
    const there = await stat(path).catch(() => undefined);
    if (everySeconds === undefined && resume === undefined) {
      if (there !== undefined)
        note(`${path} of an earlier encode is there; --resume ${path} goes on from it`);
      return undefined;
    }
    if (everySeconds !== undefined && !(everySeconds >= 0)) {
      throw new OptionError('checkpoint', `${everySeconds} is no number of seconds from 0`);
    }
    if (resume === undefined && there !== undefined) {
      throw new OptionError(
        'checkpoint',
        `would replace ${path}, which an earlier encode has left; go on from it by --resume ${path}, or remove it`,
      );
    }
    if (there !== undefined && there.size > MAX_BYTES) {
      throw new LgiError('limit', `${path} has ${there.size} bytes, a checkpoint at most ${MAX_BYTES}`);
    }
    const bytes =
      resume === undefined
        ? undefined
        : await readFile(path).catch((cause: unknown) => {
            throw fileError('read', path, cause);
          });
    const file: CheckpointFile = new CheckpointFile(
      path,
      {
        ...(everySeconds !== undefined && { everySeconds }),
        save: (checkpoint) => file.save(checkpoint),
        ...(bytes && { resume: bytes }),
      },
      bytes !== undefined,
    );
    return file;
  }

  /** Names the checkpoint in errors that are about it. */
  named<T>(encoding: Promise<T>): Promise<T> {
    return encoding.catch((error: unknown) => {
      if (!(error instanceof LgiError) || error.section !== 'checkpoint') throw error;
      return namedOpening(this.path, Promise.reject(error), () => '');
    });
  }

  /** How to go on after a failure, where there is something to go on from and it is not what failed. */
  adviceAfter(error: unknown): string | undefined {
    if (error instanceof LgiError && error.section === 'checkpoint') return undefined;
    return this.isKept ? `what was trained is in ${this.path}; go on by --resume ${this.path}` : undefined;
  }

  /** The output is there, nothing is left to go on with. */
  async remove(): Promise<void> {
    this.isKept = false;
    await unlink(this.path).catch(() => undefined);
  }

  private async save(checkpoint: Uint8Array): Promise<void> {
    const sink = await FileSink.open(this.path);
    try {
      await sink.write(0, checkpoint);
      await sink.close();
      this.isKept = true;
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }
}
