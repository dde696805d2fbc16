import { PAGE_BYTES, sharedMemory } from './module.js';

/**
 * Keeps the memory of the last training for the next one.
 *
 * A memory is freed once every thread has collected its kernels, and threads, which make no objects, hardly ever collect:
 * encoding 100 million samples in 24 sessions held 5.7 GB at its end, and holds what one session needs with this.
 */
export class SpareMemory {
  #spare: WebAssembly.Memory | undefined;

  /** A memory of at least so many pages; these are zero. */
  take(pages: number): WebAssembly.Memory {
    const spare = this.#spare;
    this.#spare = undefined;
    const byteLength = pages * PAGE_BYTES;
    if (spare === undefined || spare.buffer.byteLength < byteLength) return sharedMemory(pages, pages);
    new Uint8Array(spare.buffer, 0, byteLength).fill(0);
    return spare;
  }

  /** Takes back what no thread will use again. */
  give(memory: WebAssembly.Memory): void {
    this.#spare = memory;
  }

  clear(): void {
    this.#spare = undefined;
  }
}
