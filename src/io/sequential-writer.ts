import type { Sink } from './sink.js';

/** Writes pieces one after the other into a sink, put together to large writes. */
export class SequentialWriter {
  private readonly buffer: Uint8Array;
  private filled = 0;

  /**
   * @param byteOffset where the first piece goes.
   * @param bufferBytes size of the writes; larger pieces go through as they are.
   */
  constructor(
    private readonly sink: Sink,
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

  async write(bytes: Uint8Array): Promise<void> {
    if (this.filled + bytes.length > this.buffer.length) await this.flush();
    if (bytes.length > this.buffer.length) {
      this.signal?.throwIfAborted();
      await this.sink.write(this.byteOffset, bytes);
      this.byteOffset += bytes.length;
    } else {
      this.buffer.set(bytes, this.filled);
      this.filled += bytes.length;
    }
  }

  /** Zeros up to a place. */
  async padTo(position: number): Promise<void> {
    if (position > this.position) await this.write(new Uint8Array(position - this.position));
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
