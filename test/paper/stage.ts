import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { LgiError } from '../../codec/errors.js';
import { fileError, folderError } from '../../src/io/file-error-node.js';
import { replaceFile } from './replace-file.js';

/** What the file of a stage holds: one of both. */
interface Contents<State, Result> {
  readonly state?: State;
  readonly result?: Result;
}

/** One training of a run, in a file: what it could go on from and, once it is done, what it has come to. */
export class Stage<State, Result> {
  readonly #path: string;
  /** What an interrupted training has left. */
  readonly state: State | undefined;
  /** What a training that is done has come to. */
  readonly result: Result | undefined;

  private constructor(path: string, { state, result }: Contents<State, Result>) {
    this.#path = path;
    this.state = state;
    this.result = result;
  }

  /**
   * @param name of the training; every name has a file of its own.
   * @throws LgiError `damaged` for a file that no stage has written, `io` for one that cannot be read.
   */
  static async open<State, Result>(folder: string, name: string): Promise<Stage<State, Result>> {
    const file = name.replace(/[^\w-]/g, (sign) => `~${sign.charCodeAt(0).toString(16)}`);
    const path = join(folder, `${file}.checkpoint`);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Stage(path, {});
      throw fileError('read', path, error);
    }
    try {
      return new Stage(path, deserialize(bytes) as Contents<State, Result>);
    } catch (cause) {
      throw new LgiError('damaged', `${path} is no checkpoint; remove it, and the run begins anew`, {
        cause,
      });
    }
  }

  /**
   * Keeps what the training could go on from.
   *
   * @throws LgiError `io` where it cannot be written.
   */
  save(state: State): Promise<void> {
    return this.#write({ state });
  }

  /** Keeps what the training has come to. */
  finish(result: Result): Promise<void> {
    return this.#write({ result });
  }

  remove(): Promise<void> {
    return rm(this.#path, { force: true });
  }

  async #write(contents: Contents<State, Result>): Promise<void> {
    const folder = dirname(this.#path);
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw folderError(this.#path, folder, cause);
    });
    await replaceFile(this.#path, serialize(contents));
  }
}
