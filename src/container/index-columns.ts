import type { Grid } from '../../codec/grid.js';
import { CHUNK_HEAD_BYTES, isAligned } from './chunk.js';
import type { Header } from './header.js';
import { hilbertCells, hilbertOrder } from './hilbert.js';
import type { IndexChecks } from './index-checks.js';
import { ChunkTable, type Index, type SignalIndex } from './index-table.js';
import { countPresent, presenceByteLength, presenceOf, presentCells } from './presence.js';
import { FEATURES, type Features } from './superblock.js';

/** Bytes of a `Run` in the schema. */
const RUN_BYTES = 16;

/** Bytes of a partition coordinate. */
const COORDINATE_BYTES = 4;

/** A signal's chunks as an index has them, in columns that may leave out what follows (spec/lgi-format.md, section 5.1). */
export interface IndexColumns {
  /** In the order of the columns. */
  readonly chunks: ChunkTable;
  /** i32 [chunks, axes], or empty where the chunks are along the Hilbert curve. */
  readonly coordinates: Int32Array;
  /** A bit for every cell along the curve, each byte's lowest first; empty where all have chunks, or coordinates say which. */
  readonly presence: Uint8Array;
  /** u32 [chunks], or [1] where all are the same. */
  readonly payloadLengths: Uint32Array;
  /** Whether anything is left out: only who knows that finds the chunks. */
  readonly isImplied: boolean;
}

/** As they stand in the file. */
type WrittenColumns = Pick<IndexColumns, 'coordinates' | 'presence' | 'payloadLengths'>;

/** Columns with an entry of every chunk, which readers of version 1.0 know. */
export function listedColumns({ signals }: Index): IndexColumns[] {
  return signals.map(listed);
}

/** Columns of fewest bytes: what follows from the grid, or is the same for all, is left out. */
export function shortestColumns({ signals }: Index, header: Header): IndexColumns[] {
  return signals.map((signal, i) => shortest(signal, isAligned(header.signals[i])));
}

/** The same columns once the chunks of the index have got other places. */
export function columnsAt(
  columns: readonly IndexColumns[],
  before: Index,
  after: Index,
  header: Header,
): IndexColumns[] {
  return columns.map((column, i) =>
    column.chunks === before.signals[i].chunks
      ? { ...column, chunks: after.signals[i].chunks }
      : shortest(after.signals[i], isAligned(header.signals[i])),
  );
}

function listed({ grid, chunks }: SignalIndex): IndexColumns {
  const { ordinals, payloadLengths } = chunks;
  const coordinates = grid.coordinatesOfAll(ordinals);
  return { chunks, coordinates, presence: new Uint8Array(0), payloadLengths, isImplied: false };
}

function shortest(signal: SignalIndex, aligned: boolean): IndexColumns {
  const { grid, chunks } = signal;
  const { count, payloadLengths } = chunks;
  const isShared = count > 1 && payloadLengths.every((length) => length === payloadLengths[0]);
  const lengthsOf = (table: ChunkTable): Uint32Array =>
    isShared ? payloadLengths.slice(0, 1) : table.payloadLengths;
  const isWhole = count === grid.count;
  const presenceBytes = isWhole ? 0 : presenceByteLength(grid);
  const coordinateBytes = count * grid.shape.length * COORDINATE_BYTES;
  const along = presenceBytes < coordinateBytes ? alongCurve(signal) : undefined;
  const runBytes = (table: ChunkTable): number => table.runStarts(aligned).length * RUN_BYTES;
  const isShorter = (table: ChunkTable): boolean =>
    table === chunks || presenceBytes + runBytes(table) < coordinateBytes + runBytes(chunks);
  if (along !== undefined && isShorter(along)) {
    return {
      chunks: along,
      coordinates: new Int32Array(0),
      presence: isWhole ? new Uint8Array(0) : presenceOf(grid, along.ordinals),
      payloadLengths: lengthsOf(along),
      isImplied: true,
    };
  }
  return { ...listed(signal), payloadLengths: lengthsOf(chunks), isImplied: isShared };
}

/** The chunks in the order of their cells along the curve; undefined for chunks that no reader takes. */
function alongCurve({ grid, chunks }: SignalIndex): ChunkTable | undefined {
  const order = hilbertOrder(grid, chunks.ordinals);
  if (order.length !== chunks.count) return undefined;
  if (isAscending(order)) return chunks;
  return new ChunkTable(
    Int32Array.from(order, (chunk) => chunks.ordinals[chunk]),
    Uint32Array.from(order, (chunk) => chunks.payloadLengths[chunk]),
    Float64Array.from(order, (chunk) => chunks.byteOffsets[chunk]),
  );
}

/** Whether the numbers from 0 on, each once, are in their order. */
function isAscending(order: Int32Array): boolean {
  for (let i = 0; i < order.length; i++) if (order[i] !== i) return false;
  return true;
}

/**
 * Which cells have chunks, and how long those are, from columns that were read.
 *
 * A grid of 2^20 cells takes a few bytes to write: nothing is allocated before it is known that the file has room for chunks.
 *
 * @returns i32 and u32 [chunks], in the order of the columns.
 * @throws LgiError `damaged` or `limit`, section `index`.
 */
export function expandColumns(
  written: WrittenColumns,
  grid: Grid,
  { mustUnderstand }: Features,
  name: string,
  checks: IndexChecks,
): { readonly ordinals: Int32Array; readonly payloadLengths: Uint32Array } {
  const { coordinates, presence, payloadLengths: lengths } = written;
  const mayImply = (mustUnderstand & FEATURES.impliedChunks) !== 0n;
  for (let i = 0; i < lengths.length; i++) checks.payloadLength(lengths[i], name);
  const isListed = !mayImply || coordinates.length > 0 || lengths.length === 0;
  const count = isListed
    ? checkListed(written, grid, mayImply, name, checks)
    : checkPresence(presence, grid, name, checks);
  checks.must(
    lengths.length === count || (mayImply && lengths.length === 1),
    `${name} has ${lengths.length} payload lengths for ${count} chunks`,
  );
  const isShared = lengths.length !== count;
  checks.chunks(count, count * (CHUNK_HEAD_BYTES + (isShared ? lengths[0] : 0)), name);
  return {
    ordinals: isListed
      ? listedCells(coordinates, grid, name, checks)
      : presence.length === 0
        ? hilbertCells(grid)
        : presentCells(grid, presence, count),
    payloadLengths: isShared ? new Uint32Array(count).fill(lengths[0]) : lengths.slice(),
  };
}

/** @returns number of chunks. */
function checkListed(
  { coordinates, presence, payloadLengths }: WrittenColumns,
  grid: Grid,
  mayImply: boolean,
  name: string,
  checks: IndexChecks,
): number {
  const axisCount = grid.shape.length;
  const count = coordinates.length / axisCount;
  checks.must(
    Number.isInteger(count) && (mayImply || count === payloadLengths.length),
    `${name} has ${coordinates.length} partition coordinates for ${payloadLengths.length} chunks of ${axisCount} axes`,
  );
  checks.must(
    presence.length === 0,
    `${name} has ${presence.length} bytes for which partitions have chunks, and coordinates that say it`,
  );
  checks.must(count <= grid.count, `${name} has ${count} chunks for ${grid.count} partitions`);
  return count;
}

/** @returns number of chunks. */
function checkPresence(presence: Uint8Array, grid: Grid, name: string, checks: IndexChecks): number {
  if (presence.length === 0) return grid.count;
  const byteLength = presenceByteLength(grid);
  checks.must(
    presence.length === byteLength,
    `${name} has ${presence.length} bytes for which of ${grid.count} partitions have chunks, not ${byteLength}`,
  );
  const unused = 8 * byteLength - grid.count;
  checks.must(
    presence[byteLength - 1] < 1 << (8 - unused),
    `${name} has chunks of more partitions than the ${grid.count} that there are`,
  );
  const count = countPresent(presence);
  checks.must(count > 0, `${name} has a payload length and no chunk`);
  return count;
}

function listedCells(coordinates: Int32Array, grid: Grid, name: string, checks: IndexChecks): Int32Array {
  const axisCount = grid.shape.length;
  const ordinals = grid.ordinalsOfAll(coordinates);
  const foreign = ordinals.indexOf(-1);
  if (foreign >= 0) {
    const cell = coordinates.subarray(foreign * axisCount, (foreign + 1) * axisCount);
    checks.fail(`${name} has a chunk for partition ${cell.join(',')}, which its cuts do not make`);
  }
  const duplicate = duplicateIn(ordinals);
  if (duplicate >= 0) {
    checks.fail(`${name} has two chunks for partition ${grid.coordinatesOf(duplicate).join(',')}`);
  }
  return ordinals;
}

/** An ordinal that two chunks claim, or -1. */
function duplicateIn(ordinals: Int32Array): number {
  // A bit for each cell: every index that is listed passes here, and sorting would take longer than all else.
  let most = 0;
  for (let i = 0; i < ordinals.length; i++) if (ordinals[i] > most) most = ordinals[i];
  const seen = new Int32Array((most >>> 5) + 1);
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i];
    const bit = 1 << (ordinal & 31);
    const word = seen[ordinal >>> 5];
    if ((word & bit) !== 0) return ordinal;
    seen[ordinal >>> 5] = word | bit;
  }
  return -1;
}
