import type { Target } from './target.js';

/** A file in memory that is changed in place, as appending does. */
export class MemoryTarget implements Target {
  #buffer: Uint8Array<ArrayBuffer>;
  #byteLength: number;

  /** @param bytes the file, which is copied. */
  constructor(bytes: Uint8Array | ArrayBuffer) {
    this.#buffer = new Uint8Array(bytes).slice();
    this.#byteLength = this.#buffer.length;
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    // A copy: later writes must not change what a reader was given.
    return this.bytes().slice(byteOffset, byteOffset + byteLength);
  }

  async write(byteOffset: number, bytes: Uint8Array): Promise<void> {
    const end = byteOffset + bytes.length;
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#buffer.length));
      grown.set(this.bytes());
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, byteOffset);
    this.#byteLength = Math.max(this.#byteLength, end);
  }

  knownByteLength(): number {
    return this.#byteLength;
  }

  async flush(): Promise<void> {}

  async truncate(byteLength: number): Promise<void> {
    if (byteLength >= this.#byteLength) return;
    this.#buffer.fill(0, byteLength, this.#byteLength);
    this.#byteLength = byteLength;
  }

  /** The file as it is, as a view of the target's memory. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#byteLength);
  }
}
