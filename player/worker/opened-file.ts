import type { Source } from '../../src/io/source.js';
import type { LgiFile } from '../../src/open.js';

/** A file that is open until it was left and nothing works with it any more. */
export class OpenedFile {
  readonly file: LgiFile;
  readonly source: Source;
  #uses = 0;
  #isLeft = false;

  constructor(file: LgiFile, source: Source) {
    this.file = file;
    this.source = source;
  }

  /** Keeps the file open while something is done with it. */
  async use<T>(work: (file: LgiFile) => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await work(this.file);
    } finally {
      this.#uses--;
      await this.#disposeUnused();
    }
  }

  /** Says that no new work will begin. */
  async leave(): Promise<void> {
    this.#isLeft = true;
    await this.#disposeUnused();
  }

  async #disposeUnused(): Promise<void> {
    if (this.#isLeft && this.#uses === 0) await this.file.dispose();
  }
}
