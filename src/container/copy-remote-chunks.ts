import { SequentialWriter } from '../io/sequential-writer.js';
import type { Sink } from '../io/sink.js';
import type { ChunkMove } from './copy-chunks.js';
import { COPY_BUFFER_BYTES } from './limits.js';
import type { Container } from './reader.js';

/**
 * Copies chunks of a file that is far away into another, byte for byte, by few reads that are under way side by side: there the
 * round trips are what costs, not the copying.
 */
export class RemoteChunkCopy {
  private readonly writer: SequentialWriter;

  /** @param byteOffset up to where the new file is written. */
  constructor(
    private readonly container: Container,
    sink: Sink,
    byteOffset: number,
    private readonly signal?: AbortSignal,
  ) {
    this.writer = new SequentialWriter(sink, byteOffset, COPY_BUFFER_BYTES, signal);
  }

  /** Up to where the new file is written or about to be. */
  get position(): number {
    return this.writer.position;
  }

  /**
   * Copies; what is written is there after {@link RemoteChunkCopy.end}.
   *
   * @returns u32 [chunks], the checksums that the chunks carry.
   * @throws LgiError `truncated` where the source ends inside a chunk; `io`.
   */
  async copy({ signalIndex, chunks, byteOffsets }: ChunkMove): Promise<Uint32Array> {
    const source = this.container.index.signals[signalIndex].chunks;
    const crcs = new Uint32Array(chunks.length);
    const ranges = Array.from(chunks, (chunk) => ({
      byteOffset: source.byteOffsets[chunk],
      byteLength: source.byteLength(chunk),
    }));
    const reads = this.container.planReads(ranges, COPY_BUFFER_BYTES);
    for await (const { range, bytes } of this.container.readPlanned(reads, this.signal)) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (const member of range.members) {
        const at = ranges[member].byteOffset - range.byteOffset;
        const end = at + ranges[member].byteLength;
        if (end > bytes.length) {
          const name = this.container.chunkName(signalIndex, chunks[member]);
          throw this.container.truncated(name, range.byteOffset, bytes.length);
        }
        crcs[member] = view.getUint32(at, true);
        await this.writer.padTo(byteOffsets[member]);
        await this.writer.write(bytes.subarray(at, end));
      }
    }
    return crcs;
  }

  /** Waits until everything is written. */
  end(): Promise<void> {
    return this.writer.flush();
  }

  /** Nothing is written behind the caller's back. */
  async rest(): Promise<void> {}
}
