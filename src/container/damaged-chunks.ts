import type { LgiError } from '../../codec/errors.js';
import type { ByteRange } from '../io/coalesce.js';
import { readAhead } from '../io/read-ahead.js';
import { GAP_BUDGET_BYTES, MAX_READ_BYTES } from '../io/read-budgets.js';
import { chunkFault } from './check-chunk.js';
import { CHUNK_HEAD_BYTES, chunkCrcWithin, isChunkHead } from './chunk.js';
import { Checksums } from './crc32c.js';
import type { ChunkTable } from './index-table.js';
import type { Container } from './reader.js';

/** One read is looked at while the next is under way. */
const READS_AT_A_TIME = 2;

/** Some chunks that come by one read. */
interface ChunkRead extends ByteRange {
  /** Of the list of chunks by ascending offset: the first, and the one after the last. */
  readonly first: number;
  readonly end: number;
}

/**
 * Reads all chunks of a signal and yields what is wrong with them, by ascending offset.
 *
 * @throws LgiError `io`.
 */
export async function* damagedChunks(
  container: Container,
  signalIndex: number,
  signal?: AbortSignal,
): AsyncGenerator<LgiError> {
  const { chunks, grid } = container.index.signals[signalIndex];
  const headerCrc = container.superblock.header.crc;
  const coordinates = grid.coordinatesOfAll(chunks.ordinals);
  const order = byOffset(chunks);
  const reads = planReads(chunks, order);
  for await (const { range, bytes } of readAhead(reads, readerOf(container), READS_AT_A_TIME, signal)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const checksums = new Checksums(bytes);
    for (let i = range.first; i < range.end; i++) {
      const chunk = order[i];
      const payloadLength = chunks.payloadLengths[chunk];
      const begin = chunks.byteOffsets[chunk] - range.byteOffset;
      const end = begin + chunks.byteLength(chunk);
      const isSound =
        chunks.headBytes === CHUNK_HEAD_BYTES &&
        end <= bytes.length &&
        isChunkHead(view, begin, payloadLength, signalIndex, grid.axes, coordinates, chunk) &&
        chunkCrcWithin(checksums, begin, end, headerCrc) === view.getUint32(begin, true);
      if (isSound) continue;
      const fault = chunkFault(container, signalIndex, chunk, bytes.subarray(begin, end));
      if (fault !== null) yield fault;
    }
  }
}

/** Mostly they are in the order of their offsets already. */
function byOffset({ byteOffsets, count }: ChunkTable): Uint32Array {
  const order = new Uint32Array(count);
  let isAscending = true;
  for (let chunk = 0; chunk < count; chunk++) {
    order[chunk] = chunk;
    if (chunk > 0 && byteOffsets[chunk] < byteOffsets[chunk - 1]) isAscending = false;
  }
  return isAscending ? order : order.sort((a, b) => byteOffsets[a] - byteOffsets[b]);
}

/** Neighbours by common reads; as `planReads` of src/io, for as many chunks as a file may have. */
function planReads(chunks: ChunkTable, order: Uint32Array): ChunkRead[] {
  const { byteOffsets } = chunks;
  const reads: ChunkRead[] = [];
  for (let first = 0; first < order.length;) {
    const byteOffset = byteOffsets[order[first]];
    let readEnd = byteOffset;
    let end = first;
    for (; end < order.length; end++) {
      const at = byteOffsets[order[end]];
      const chunkEnd = chunks.end(order[end]);
      const isTogether = at - readEnd <= GAP_BUDGET_BYTES && chunkEnd - byteOffset <= MAX_READ_BYTES;
      if (end > first && !isTogether) break;
      readEnd = Math.max(readEnd, chunkEnd);
    }
    reads.push({ byteOffset, byteLength: readEnd - byteOffset, first, end });
    first = end;
  }
  return reads;
}

/** From near into two buffers in turn, since memory that is touched for the first time costs as much as reading. */
function readerOf(container: Container): (range: ByteRange, signal?: AbortSignal) => Promise<Uint8Array> {
  if (container.source.readInto === undefined) return (range, signal) => container.readBytes(range, signal);
  const capacity = Math.min(MAX_READ_BYTES, container.superblock.committedByteLength);
  const buffers = Array.from({ length: READS_AT_A_TIME }, () => new Uint8Array(capacity));
  return async (range, signal) => {
    const { byteOffset, byteLength } = range;
    if (byteLength > capacity) return container.readBytes(range, signal);
    const buffer = buffers.shift()!;
    buffers.push(buffer);
    const bytes = buffer.subarray(0, byteLength);
    return bytes.subarray(0, await container.readInto(byteOffset, bytes, signal));
  };
}
