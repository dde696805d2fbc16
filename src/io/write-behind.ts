import type { Sink } from './sink.js';

/** Two buffers before a sink: one is filled by the caller while the other is written. */
export class WriteBehind {
  /** What the caller fills; another one after every {@link WriteBehind.send}. */
  buffer: Uint8Array;
  private other: Uint8Array;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly sink: Sink,
    bufferBytes: number,
  ) {
    this.buffer = new Uint8Array(bufferBytes);
    this.other = new Uint8Array(bufferBytes);
  }

  /**
   * Begins to write the buffer's first bytes, once those before are written.
   *
   * @throws what writing those before has failed with.
   */
  async send(byteOffset: number, byteLength: number): Promise<void> {
    await this.writing;
    this.writing = this.sink.write(byteOffset, this.buffer.subarray(0, byteLength));
    // Whoever sends next, or waits for the end, hears of a failure; until then it is nobody's.
    this.writing.catch(() => undefined);
    [this.buffer, this.other] = [this.other, this.buffer];
  }

  /**
   * Waits until everything is written.
   *
   * @throws what writing has failed with.
   */
  end(): Promise<void> {
    return this.writing;
  }

  /** Waits until nothing is being written, whatever comes of it: only then may the sink be given up. */
  async rest(): Promise<void> {
    await this.writing.catch(() => undefined);
  }
}
