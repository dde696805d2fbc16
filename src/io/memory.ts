import type { Sink } from './sink.js';
import type { Source } from './source.js';

/** Bytes in memory as a source; they are not copied. */
export class MemorySource implements Source {
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array | ArrayBuffer) {
    this.bytes = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    return this.bytes.subarray(byteOffset, byteOffset + byteLength);
  }

  knownByteLength(): number {
    return this.bytes.length;
  }
}

/** Smallest buffer of a memory sink: enough for a small picture without growing. */
const FIRST_CAPACITY_BYTES = 1 << 16;

/** A sink that keeps what is written in memory. */
export class MemorySink implements Sink {
  private buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  private byteLength = 0;
  private state: 'open' | 'closed' | 'aborted' = 'open';

  async write(byteOffset: number, bytes: Uint8Array): Promise<void> {
    if (this.state !== 'open') throw new Error(`the sink is ${this.state}`);
    const end = byteOffset + bytes.length;
    if (end > this.buffer.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.buffer.length, FIRST_CAPACITY_BYTES));
      grown.set(this.buffer.subarray(0, this.byteLength));
      this.buffer = grown;
    }
    this.buffer.set(bytes, byteOffset);
    this.byteLength = Math.max(this.byteLength, end);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    if (this.state === 'open') this.state = 'closed';
  }

  async abort(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'aborted';
    this.buffer = new Uint8Array(0);
    this.byteLength = 0;
  }

  /**
   * What was written, as a view of the sink's memory.
   *
   * @throws Error before the sink is closed, or after it was aborted.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    if (this.state !== 'closed') throw new Error(`the sink is ${this.state}, not closed`);
    return this.buffer.subarray(0, this.byteLength);
  }
}
