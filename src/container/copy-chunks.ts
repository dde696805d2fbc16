import type { LgiError } from '../../codec/errors.js';
import { GAP_BUDGET_BYTES, NEAR_GAP_BUDGET_BYTES } from '../io/read-budgets.js';
import type { Sink } from '../io/sink.js';
import { WriteBehind } from '../io/write-behind.js';
import type { ChunkTable } from './index-table.js';
import { COPY_BUFFER_BYTES } from './limits.js';
import type { Container } from './reader.js';

/** Chunks of one signal on their way into a new file. */
export interface ChunkMove {
  readonly signalIndex: number;
  /** Places in the source's chunk table, by ascending offset: u32 [chunks]. */
  readonly chunks: Uint32Array;
  /** Where each begins in the new file, ascending, as close as its alignment allows: f64 [chunks]. */
  readonly byteOffsets: Float64Array;
}

/** Some chunks that come by one read. */
interface PlannedRead {
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The chunk after the last one. */
  readonly end: number;
}

/**
 * Copies chunks of a file into another, byte for byte, in buffers of 1 MiB: while one is written, the next is read.
 *
 * What is read with chunks but not kept is taken out inside the buffer. New files have no gaps that alignment does not ask
 * for, so chunks only ever move towards the buffer's beginning, and whole stretches that keep their distances move at once.
 */
export class ChunkCopy {
  private readonly out: WriteBehind;
  private readonly capacity: number;
  private readonly gapBytes: number;
  /** Where the buffer's first byte goes, and how many of its bytes are in place. */
  private base: number;
  private filled = 0;

  /** @param byteOffset up to where the new file is written. */
  constructor(
    private readonly container: Container,
    sink: Sink,
    byteOffset: number,
    private readonly signal?: AbortSignal,
  ) {
    this.capacity = Math.min(COPY_BUFFER_BYTES, container.superblock.committedByteLength);
    this.out = new WriteBehind(sink, this.capacity);
    this.gapBytes = container.source.readInto ? NEAR_GAP_BUDGET_BYTES : GAP_BUDGET_BYTES;
    this.base = byteOffset;
  }

  /** Up to where the new file is written or about to be. */
  get position(): number {
    return this.base + this.filled;
  }

  /**
   * Copies; what is written is there after {@link ChunkCopy.end}.
   *
   * @returns u32 [chunks], the checksums that the chunks carry.
   * @throws LgiError `truncated` where the source ends inside a chunk; `io`.
   */
  async copy(move: ChunkMove): Promise<Uint32Array> {
    const source = this.container.index.signals[move.signalIndex].chunks;
    const { chunks, byteOffsets } = move;
    const crcs = new Uint32Array(chunks.length);
    for (let first = 0; first < chunks.length;) {
      const wanted = source.byteLength(chunks[first]);
      let room = this.base + this.capacity - byteOffsets[first];
      // What is left of a buffer is not worth a read of its own.
      if (this.filled > 0 && (wanted > room || this.filled > this.capacity / 2)) {
        await this.send();
        room = this.base + this.capacity - byteOffsets[first];
      }
      this.padTo(byteOffsets[first]);
      if (wanted > room) {
        await this.copyLong(move, first, crcs);
        first++;
      } else {
        const read = this.plan(source, chunks, first, room);
        const at = this.filled;
        const bytes = this.out.buffer.subarray(at, at + read.byteLength);
        const byteLength = await this.container.readInto(read.byteOffset, bytes, this.signal);
        this.pack(move, first, read, byteLength, crcs);
        first = read.end;
      }
    }
    return crcs;
  }

  /** Waits until everything is written. */
  async end(): Promise<void> {
    await this.send();
    await this.out.end();
  }

  /** Waits until nothing is being written, after a failure. */
  rest(): Promise<void> {
    return this.out.rest();
  }

  private async send(): Promise<void> {
    this.signal?.throwIfAborted();
    if (this.filled === 0) return;
    await this.out.send(this.base, this.filled);
    this.base += this.filled;
    this.filled = 0;
  }

  private padTo(byteOffset: number): void {
    const end = byteOffset - this.base;
    this.out.buffer.fill(0, this.filled, end);
    this.filled = end;
  }

  /** As many chunks from the first one on as one read brings into the room. */
  private plan(source: ChunkTable, chunks: Uint32Array, first: number, room: number): PlannedRead {
    const { byteOffsets } = source;
    const byteOffset = byteOffsets[chunks[first]];
    let readEnd = byteOffset;
    let end = first;
    for (; end < chunks.length; end++) {
      const chunk = chunks[end];
      const chunkEnd = source.end(chunk);
      const isNear = byteOffsets[chunk] - readEnd <= this.gapBytes;
      if (!isNear || chunkEnd - byteOffset > room) break;
      readEnd = chunkEnd;
    }
    return { byteOffset, byteLength: readEnd - byteOffset, end };
  }

  /** Takes out what lies between the chunks that were read to the end of the buffer's filled part. */
  private pack(
    { signalIndex, chunks, byteOffsets }: ChunkMove,
    first: number,
    read: PlannedRead,
    byteLength: number,
    crcs: Uint32Array,
  ): void {
    const source = this.container.index.signals[signalIndex].chunks;
    const { buffer } = this.out;
    const view = new DataView(buffer.buffer, buffer.byteOffset);
    const toBuffer = this.filled - read.byteOffset;
    const readEnd = this.filled + byteLength;
    // The stretch of chunks of equal distances that is being gathered, in places of the buffer.
    let begin = this.filled;
    let end = begin;
    let moves = 0;
    for (let i = first; i < read.end; i++) {
      const chunk = chunks[i];
      const at = source.byteOffsets[chunk] + toBuffer;
      const chunkEnd = at + source.byteLength(chunk);
      if (chunkEnd > readEnd) throw this.truncated(signalIndex, chunk, read.byteOffset, byteLength);
      crcs[i] = view.getUint32(at, true);
      const place = byteOffsets[i] - this.base;
      if (at - place === moves) {
        // What aligns them is zeros, whatever it is in the source. Mostly nothing, and never enough for a call.
        for (let pad = end; pad < at; pad++) buffer[pad] = 0;
      } else {
        if (moves > 0) buffer.copyWithin(begin - moves, begin, end);
        for (let pad = end - moves; pad < place; pad++) buffer[pad] = 0;
        begin = at;
        moves = at - place;
      }
      end = chunkEnd;
    }
    if (moves > 0) buffer.copyWithin(begin - moves, begin, end);
    this.filled = end - moves;
  }

  /** A chunk that is longer than the buffer, which is empty but for padding. */
  private async copyLong(
    { signalIndex, chunks }: ChunkMove,
    which: number,
    crcs: Uint32Array,
  ): Promise<void> {
    const chunk = chunks[which];
    const source = this.container.index.signals[signalIndex].chunks;
    const end = source.end(chunk);
    for (let at = source.byteOffsets[chunk]; at < end;) {
      const { buffer } = this.out;
      const bytes = buffer.subarray(this.filled, Math.min(this.capacity, this.filled + end - at));
      const byteLength = await this.container.readInto(at, bytes, this.signal);
      if (byteLength < bytes.length) throw this.truncated(signalIndex, chunk, at, byteLength);
      if (at === source.byteOffsets[chunk]) {
        crcs[which] = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      }
      at += byteLength;
      this.filled += byteLength;
      await this.send();
    }
  }

  private truncated(signalIndex: number, chunk: number, byteOffset: number, byteLength: number): LgiError {
    const name = this.container.chunkName(signalIndex, chunk);
    return this.container.truncated(name, byteOffset, byteLength);
  }
}
