import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that keeps what a run of a name could go on from, until it is done. */
export class CheckpointFile {
  readonly #path: string;
  /** What an interrupted run has left. */
  readonly before: Uint8Array | undefined;

  private constructor(path: string, before: Uint8Array | undefined) {
    this.#path = path;
    this.before = before;
  }

  static async open(folder: string, name: string): Promise<CheckpointFile> {
    const path = join(folder, `${name.replace(/[^\w-]+/g, '-')}.checkpoint`);
    await mkdir(folder, { recursive: true });
    const before = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return new CheckpointFile(path, before);
  }

  /** Takes the place of what was kept before; a kill leaves one or the other. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeFile(`${this.#path}.new`, bytes);
    await rename(`${this.#path}.new`, this.#path);
  }

  remove(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}
