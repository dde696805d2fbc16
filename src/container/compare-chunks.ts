import { GAP_BUDGET_BYTES, MAX_READ_BYTES } from '../io/read-budgets.js';
import { LgiError } from '../../codec/errors.js';
import { planReads } from '../io/coalesce.js';
import type { Container } from './reader.js';

/** Chunks of one file that are compared at a time; a single larger one is taken alone. */
const BATCH_BYTES = 1 << 20;

/** A chunk of one of several files. */
export interface ChunkPlace {
  /** Place in the list of files. */
  readonly file: number;
  /** Place in that file's chunk table. */
  readonly chunk: number;
}

/** Two chunks of one partition whose bytes differ. */
export interface ChunkDifference {
  readonly first: ChunkPlace;
  readonly second: ChunkPlace;
}

/**
 * Compares chunks of two files byte for byte and yields the pairs that differ.
 *
 * Memory: about 1 MiB of each file, or one chunk.
 *
 * @param pairs from two files, the same for all.
 * @throws LgiError `io`.
 */
export async function* differingChunks(
  containers: readonly Container[],
  signalIndex: number,
  pairs: readonly ChunkDifference[],
  signal?: AbortSignal,
): AsyncGenerator<ChunkDifference> {
  for (let begin = 0, end; begin < pairs.length; begin = end) {
    let byteLength = 0;
    for (end = begin; end < pairs.length; end++) {
      const { file, chunk } = pairs[end].first;
      byteLength += containers[file].index.signals[signalIndex].chunks.byteLength(chunk);
      if (end > begin && byteLength > BATCH_BYTES) break;
    }
    const batch = pairs.slice(begin, end);
    const read = (places: ChunkPlace[]): Promise<Uint8Array[]> =>
      readRaw(containers[places[0].file], signalIndex, places, signal);
    const first = await read(batch.map((pair) => pair.first));
    // A longer chunk than its fellow differs without being read.
    const alike = batch.map(({ second: { file, chunk } }, i) => {
      return containers[file].index.signals[signalIndex].chunks.byteLength(chunk) === first[i].length;
    });
    const likely = batch.filter((_, i) => alike[i]);
    const second = likely.length === 0 ? [] : await read(likely.map((pair) => pair.second));
    let next = 0;
    for (let i = 0; i < batch.length; i++) {
      const isSame = alike[i] && equal(first[i], second[next++]);
      if (!isSame) yield batch[i];
    }
  }
}

/** Bytes of chunks as they stand in the file, shorter where it ends. */
async function readRaw(
  container: Container,
  signalIndex: number,
  places: readonly ChunkPlace[],
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const { chunks } = container.index.signals[signalIndex];
  const ranges = places.map(({ chunk }) => ({
    byteOffset: chunks.byteOffsets[chunk],
    byteLength: chunks.byteLength(chunk),
  }));
  const raw = new Array<Uint8Array>(places.length);
  for (const read of planReads(ranges, GAP_BUDGET_BYTES, MAX_READ_BYTES)) {
    const bytes = await container.readBytes(read, signal);
    for (const member of read.members) {
      const at = ranges[member].byteOffset - read.byteOffset;
      raw[member] = bytes.subarray(at, at + ranges[member].byteLength);
    }
  }
  return raw;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether a chunk is as its writer left it. */
export async function isSound(
  container: Container,
  signalIndex: number,
  chunk: number,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await container.readChunk(signalIndex, chunk, signal);
    return true;
  } catch (error) {
    if (!(error instanceof LgiError) || error.code === 'io') throw error;
    return false;
  }
}
