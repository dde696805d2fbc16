import type { Source } from '../io/source.js';

/** A source that counts how long its reads take and how much they give. */
export class TimedSource implements Source {
  /** Seconds spent waiting for reads; reads one after the other, as ours are. */
  seconds = 0;
  bytes = 0;

  constructor(private readonly source: Source) {}

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    const startMs = performance.now();
    try {
      const bytes = await this.source.read(byteOffset, byteLength, signal);
      this.bytes += bytes.length;
      return bytes;
    } finally {
      this.seconds += (performance.now() - startMs) / 1000;
    }
  }

  close(): void | Promise<void> {
    return this.source.close?.();
  }
}
