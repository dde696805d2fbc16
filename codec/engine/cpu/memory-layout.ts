import { LgiError } from '../../errors.js';
import { MAX_PAGES, PAGE_BYTES } from './module.js';

/** Hands out regions of a memory that does not exist yet, 64-byte aligned, so that no two threads share a line. */
export class MemoryLayout {
  // The first kilobyte stays free: a null pointer in the kernels must not find anything of worth.
  #end = 1024;

  /** @returns byte offset of the region */
  take(bytes: number): number {
    const at = this.#end;
    this.#end += Math.ceil(bytes / 64) * 64;
    return at;
  }

  get bytes(): number {
    return this.#end;
  }

  /**
   * Pages that hold the layout.
   *
   * @throws LgiError `limit` beyond the 4 GiB that 32-bit addresses reach.
   */
  pages(what: string): number {
    const pages = Math.ceil(this.#end / PAGE_BYTES);
    if (pages >= MAX_PAGES) {
      const gib = (this.#end / 2 ** 30).toFixed(1);
      throw new LgiError(
        'limit',
        `${what} needs ${gib} GiB and the cpu engine has 4 GiB; use a smaller picture, fewer parameters or a smaller lattice`,
      );
    }
    return pages;
  }
}
