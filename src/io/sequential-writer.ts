import type { Sink } from './sink.js';

/** Pieces from here on go to the sink as they are: a system call costs less than copying them. */
const DIRECT_BYTES = 1 << 18;

/** Writes pieces one after the other into a sink, put together to large writes. */
export class SequentialWriter {
  private readonly buffer: Uint8Array;
  private filled = 0;

  /**
   * @param byteOffset where the first piece goes.
   * @param bufferBytes what small pieces are put together to.
   */
  constructor(
    private readonly sink: Pick<Sink, 'write'>,
    private byteOffset: number,
    bufferBytes: number,
    private readonly signal?: AbortSignal,
  ) {
    this.buffer = new Uint8Array(bufferBytes);
  }

  /** Where the next piece goes. */
  get position(): number {
    return this.byteOffset + this.filled;
  }

  /** A promise only where the sink has to be waited for: files have many small pieces, and every wait costs a microtask. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length >= DIRECT_BYTES || this.filled + bytes.length > this.buffer.length) {
      return this.writeThrough(bytes);
    }
    this.buffer.set(bytes, this.filled);
    this.filled += bytes.length;
    return undefined;
  }

  /** Zeros up to a place. */
  padTo(position: number): Promise<void> | undefined {
    const byteLength = position - this.position;
    return byteLength > 0 ? this.write(new Uint8Array(byteLength)) : undefined;
  }

  private async writeThrough(bytes: Uint8Array): Promise<void> {
    await this.flush();
    if (bytes.length < DIRECT_BYTES && bytes.length <= this.buffer.length) {
      this.buffer.set(bytes, 0);
      this.filled = bytes.length;
    } else {
      await this.sink.write(this.byteOffset, bytes);
      this.byteOffset += bytes.length;
    }
  }

  /** Hands everything to the sink. */
  async flush(): Promise<void> {
    this.signal?.throwIfAborted();
    if (this.filled === 0) return;
    await this.sink.write(this.byteOffset, this.buffer.subarray(0, this.filled));
    this.byteOffset += this.filled;
    this.filled = 0;
  }
}
