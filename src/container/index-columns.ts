import type { Grid } from '../../codec/grid.js';
import { SHORT_HEAD_BYTES } from './chunk.js';
import { hilbertCells } from './hilbert.js';
import type { IndexChecks } from './index-checks.js';
import type { ChunkTable } from './index-table.js';
import { countPresent, presenceByteLength, presentCells } from './presence.js';
import { FEATURES, type Features } from './superblock.js';

/** A signal's chunks as an index has them, in columns that may leave out what follows (spec/container.md, section 5.1). */
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

/**
 * Which cells have chunks, and how long those are, from columns that were read.
 *
 * A grid of 2^20 cells takes a few bytes to write: nothing is allocated before it is known that the file has room for chunks.
 *
 * @param headBytes of every chunk's head.
 * @returns i32 and u32 [chunks], in the order of the columns.
 * @throws LgiError `damaged` or `limit`, section `index`.
 */
export function expandColumns(
  written: WrittenColumns,
  grid: Grid,
  { mustUnderstand }: Features,
  headBytes: number,
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
    // Packed lengths are never one for all.
    lengths.length === count || (mayImply && headBytes > SHORT_HEAD_BYTES && lengths.length === 1),
    `${name} has ${lengths.length} payload lengths for ${count} chunks`,
  );
  const isShared = lengths.length !== count;
  checks.chunks(count, count * (headBytes + (isShared ? lengths[0] : 0)), name);
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
