import { LgiError } from '../../codec/errors.js';
import type { Box, Grid } from '../../codec/grid.js';
import { SequentialWriter } from '../io/sequential-writer.js';
import type { Target } from '../io/target.js';
import { chunkLayoutOf, encodeChunkHead, nextChunkOffset, type ChunkLayout } from './chunk.js';
import { formatFor } from './content-features.js';
import { crc32c } from './crc32c.js';
import { alignUp } from './file-layout.js';
import { hilbertOrder } from './hilbert.js';
import { decodeIndex } from './decode-index.js';
import { encodeIndex } from './encode-index.js';
import { shortestColumns } from './choose-columns.js';
import { ChunkTable, type Index, type SignalIndex } from './index-table.js';
import { COPY_BUFFER_BYTES, MAX_FILE_BYTES, MAX_INDEX_BYTES } from './limits.js';
import type { Container } from './reader.js';
import { checkWritable, encodeSlot, type Superblock } from './superblock.js';
import type { NewChunk } from './writer.js';

/** What a signal becomes. */
export interface SignalGrowth {
  /** All cells, old ones and new; old ones keep their coordinates and boxes. */
  readonly grid: Grid;
  /** The visible window. */
  readonly window: Box;
  /** New partitions; where the file has one of these coordinates already, the new one takes its place. */
  readonly chunks: readonly NewChunk[];
  /** Partition coordinates of old partitions that are no part of the file any more; default none. */
  readonly left?: readonly (readonly number[])[];
}

/** What growing a file wrote. */
export interface GrowthReport {
  /** Length of the file. */
  readonly bytes: number;
  /** What of it is new: chunks and index. */
  readonly addedBytes: number;
  readonly generation: number;
}

/** A signal's index with new chunks behind the old ones, and what is to be written of it. */
interface GrownSignal {
  readonly index: SignalIndex;
  /** The new chunks in file order. */
  readonly chunks: readonly {
    readonly byteOffset: number;
    readonly box: Box;
    readonly payload: Uint8Array;
  }[];
  readonly end: number;
}

/**
 * Refuses a file whose end is missing: what is written behind it would make a hole of zeros look like chunks.
 *
 * @throws LgiError `truncated`, `io`.
 */
export async function checkWhole(container: Container, target: Target, signal?: AbortSignal): Promise<void> {
  const last = container.superblock.committedByteLength - 1;
  const { length } = await target.read(last, 1, signal);
  if (length === 0) throw container.truncated('end', last, 0);
}

/**
 * Writes new partitions and a new index behind the end of a file, then the superblock: until its first slot is written the
 * file is the old one, from then on the new one, wherever writing stops (spec/container.md, section 3).
 *
 * Nothing that the old index speaks of is overwritten, so whoever has the old file open goes on reading it.
 *
 * @param container opened from `target`, with nobody else writing since.
 * @param growth one per signal; undefined for those that stay as they are.
 * @throws LgiError `unsupported` where the file uses features that this program must know to write it; `limit`; `locked`; `io`.
 */
export async function growContainer(
  container: Container,
  target: Target,
  growth: readonly (SignalGrowth | undefined)[],
  signal?: AbortSignal,
): Promise<GrowthReport> {
  const { superblock, header, index, slots } = container;
  checkWritable(superblock.features);
  if (superblock.generation >= MAX_FILE_BYTES) {
    throw new LgiError(
      'limit',
      `the file is of generation ${superblock.generation}, and there is none after it; crop the file to a new one and append to that`,
      { section: 'superblock' },
    );
  }
  let end = superblock.committedByteLength;
  const grown = index.signals.map((old, i) => {
    const change = growth[i];
    if (change === undefined) return { index: old, chunks: [], end };
    const result = growSignal(old, change, chunkLayoutOf(header.signals[i]), end);
    end = result.end;
    return result;
  });
  const newIndex: Index = { signals: grown.map((each) => each.index), sections: index.sections };
  const columns = shortestColumns(newIndex, header);
  const indexBytes = encodeIndex(newIndex, columns, header);
  if (indexBytes.length > MAX_INDEX_BYTES) {
    throw new LgiError(
      'limit',
      `the index would have ${indexBytes.length} bytes, the limit is ${MAX_INDEX_BYTES}; append less`,
      { section: 'index' },
    );
  }
  const indexOffset = alignUp(end);
  const next: Superblock = {
    ...superblock,
    ...formatFor(header, newIndex.signals, columns, superblock),
    generation: superblock.generation + 1,
    index: { byteOffset: indexOffset, byteLength: indexBytes.length, crc: crc32c(indexBytes) },
    committedByteLength: indexOffset + indexBytes.length,
  };
  // Nothing is written that a reader would not take.
  decodeIndex(indexBytes, header, next);

  // What an append that was interrupted has left is no part of the file.
  await target.truncate(superblock.committedByteLength);
  const writer = new SequentialWriter(
    target,
    superblock.committedByteLength,
    Math.min(COPY_BUFFER_BYTES, next.committedByteLength - superblock.committedByteLength),
    signal,
  );
  for (const [i, { chunks }] of grown.entries()) {
    for (const { byteOffset, box, payload } of chunks) {
      await writer.padTo(byteOffset);
      const head = encodeChunkHead(payload, box, i, superblock.header.crc).bytes;
      await writer.write(head.subarray(0, chunkLayoutOf(header.signals[i]).headBytes));
      await writer.write(payload);
    }
  }
  await writer.padTo(indexOffset);
  await writer.write(indexBytes);
  await writer.flush();
  await target.flush();
  await target.confirmSoleWriter?.();
  signal?.throwIfAborted();
  await commit(target, next, slots.slot);
  return {
    bytes: next.committedByteLength,
    addedBytes: next.committedByteLength - superblock.committedByteLength,
    generation: next.generation,
  };
}

/**
 * Makes a superblock count: first in the slot that does not, then in the other, so that damage to one loses nothing.
 *
 * @param counting the slot that counts now; where both are the same, 0.
 */
async function commit(target: Target, superblock: Superblock, counting: number): Promise<void> {
  const slot = encodeSlot(superblock);
  for (const at of [1 - counting, counting]) {
    await target.write(at * slot.length, slot);
    await target.flush();
  }
}

function growSignal(
  old: SignalIndex,
  { grid, window, chunks, left = [] }: SignalGrowth,
  layout: ChunkLayout,
  begin: number,
): GrownSignal {
  const ordinals = chunks.map(({ coordinates }) => grid.ordinalOf(coordinates));
  const replaced = new Set([...ordinals, ...left.map((coordinates) => grid.ordinalOf(coordinates))]);
  const kept: number[] = [];
  const keptOrdinals: number[] = [];
  for (let chunk = 0; chunk < old.chunks.count; chunk++) {
    const ordinal = grid.ordinalOf(old.grid.coordinatesOf(old.chunks.ordinals[chunk]));
    if (replaced.has(ordinal)) continue;
    kept.push(chunk);
    keptOrdinals.push(ordinal);
  }
  let end = begin;
  const added = Array.from(hilbertOrder(grid, ordinals), (i) => {
    const { payload } = chunks[i];
    const byteOffset = nextChunkOffset(end, layout);
    end = byteOffset + layout.headBytes + payload.length;
    return { ordinal: ordinals[i], byteOffset, box: grid.boxOf(ordinals[i]), payload };
  });
  const table = new ChunkTable(
    Int32Array.from([...keptOrdinals, ...added.map(({ ordinal }) => ordinal)]),
    Uint32Array.from([
      ...kept.map((chunk) => old.chunks.payloadLengths[chunk]),
      ...added.map(({ payload }) => payload.length),
    ]),
    Float64Array.from([
      ...kept.map((chunk) => old.chunks.byteOffsets[chunk]),
      ...added.map(({ byteOffset }) => byteOffset),
    ]),
    layout.headBytes,
  );
  return { index: { grid, window, chunks: table }, chunks: added, end };
}
