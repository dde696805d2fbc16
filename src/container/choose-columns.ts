import { chunkLayoutOf, hasShortHeads } from './chunk.js';
import type { Header, SignalHeader } from './header.js';
import { hilbertOrder } from './hilbert.js';
import { ChunkTable, type Index, type SignalIndex } from './index-table.js';
import { presenceByteLength, presenceOf } from './presence.js';

import type { IndexColumns } from './index-columns.js';

/** Bytes of a `Run` in the schema. */
const RUN_BYTES = 16;

/** Bytes of a partition coordinate. */
const COORDINATE_BYTES = 4;

/** Columns with an entry of every chunk, which readers of version 1.0 know. */
export function listedColumns({ signals }: Index): IndexColumns[] {
  return signals.map(listed);
}

/** Columns of fewest bytes: what follows from the grid, or is the same for all, is left out. */
export function shortestColumns({ signals }: Index, header: Header): IndexColumns[] {
  return signals.map((signal, i) => shortest(signal, header.signals[i]));
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
      : shortest(after.signals[i], header.signals[i]),
  );
}

function listed({ grid, chunks }: SignalIndex): IndexColumns {
  const { ordinals, payloadLengths } = chunks;
  const coordinates = grid.coordinatesOfAll(ordinals);
  return { chunks, coordinates, presence: new Uint8Array(0), payloadLengths, isImplied: false };
}

function shortest(signal: SignalIndex, header: SignalHeader): IndexColumns {
  const { grid, chunks } = signal;
  const { count, payloadLengths } = chunks;
  const layout = chunkLayoutOf(header);
  // Packed lengths are a byte or two each, and never all the same.
  const isShared =
    !hasShortHeads(header) && count > 1 && payloadLengths.every((length) => length === payloadLengths[0]);
  const lengthsOf = (table: ChunkTable): Uint32Array =>
    isShared ? payloadLengths.slice(0, 1) : table.payloadLengths;
  const isWhole = count === grid.count;
  const presenceBytes = isWhole ? 0 : presenceByteLength(grid);
  const coordinateBytes = count * grid.shape.length * COORDINATE_BYTES;
  const along = presenceBytes < coordinateBytes ? alongCurve(signal) : undefined;
  const runBytes = (table: ChunkTable): number => table.runStarts(layout).length * RUN_BYTES;
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
    chunks.headBytes,
  );
}

/** Whether the numbers from 0 on, each once, are in their order. */
function isAscending(order: Int32Array): boolean {
  for (let i = 0; i < order.length; i++) if (order[i] !== i) return false;
  return true;
}
