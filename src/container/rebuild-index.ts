import { contains, Grid, intersect, type Box } from '../../codec/grid.js';
import type { Header, SignalHeader } from './header.js';
import { ChunkTable, type Index, type SignalIndex } from './index-table.js';
import { MAX_FILE_BYTES } from './limits.js';
import { rebuildGrid } from './rebuild-grid.js';
import type { FoundChunk } from './scan-chunks.js';

/** A partition without a sound chunk. */
export interface LostPartition {
  /** Place of its signal in the header. */
  readonly signal: number;
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  /** Where its chunk was, as far as known. */
  readonly byteOffset?: number;
}

/** An index made from chunks. */
export interface RebuiltIndex {
  readonly index: Index;
  /** By ascending offset as far as that is known. */
  readonly lost: readonly LostPartition[];
  /** Cells that the hint has no partition for either. */
  readonly absent: number;
  /** Whether the hint is an index of these chunks; else it says nothing of them. */
  readonly hintFits: boolean;
  /** Chunks that were left out, since no grid has their boxes together with the others. */
  readonly conflicting: number;
}

/**
 * The index that these chunks have. It has no metadata sections.
 *
 * @param chunks by ascending offset; of two with one box the later counts.
 * @param hint an index that may have been the file's: what fits it is taken to be as it says.
 * @throws LgiError `limit` where the grid would have more cells than a file may.
 */
export function rebuildIndex(header: Header, chunks: readonly FoundChunk[], hint?: Index): RebuiltIndex {
  const bySignal = header.signals.map(() => new Map<string, FoundChunk>());
  for (const chunk of chunks) {
    const { begin, end } = chunk.box;
    bySignal[chunk.signal].set(`${begin.join()}:${end.join()}`, chunk);
  }
  const lost: LostPartition[] = [];
  let [absent, conflicting] = [0, 0];
  let hintFits = hint !== undefined;
  const signals = header.signals.map((signalHeader, signal) => {
    const list = [...bySignal[signal].values()].sort((a, b) => a.byteOffset - b.byteOffset);
    const rebuilt = rebuildSignal(signalHeader, list, hint?.signals[signal]);
    conflicting += list.length - rebuilt.index.chunks.count;
    absent += rebuilt.absent;
    hintFits &&= rebuilt.hintFits;
    for (const partition of rebuilt.lost) lost.push({ signal, ...partition });
    return rebuilt.index;
  });
  return { index: { signals, sections: [] }, lost, absent, hintFits, conflicting };
}

/** One signal of a {@link RebuiltIndex}. */
interface RebuiltSignal {
  readonly index: SignalIndex;
  readonly lost: readonly Omit<LostPartition, 'signal'>[];
  readonly absent: number;
  readonly hintFits: boolean;
}

function rebuildSignal(
  header: SignalHeader,
  list: readonly FoundChunk[],
  hint: SignalIndex | undefined,
): RebuiltSignal {
  if (list.length === 0) {
    const grid = hint?.grid ?? new Grid(header.firstShape.map((end) => ({ cuts: [0, end], firstCell: 0 })));
    const index = { grid, window: hint?.window ?? grid.extent, chunks: tableOf([], grid) };
    return withHoles(index, hint);
  }
  const boxes = list.map(({ box }) => box);
  const { grid, kept, isKnown } = rebuildGrid(header, boxes, hint?.grid);
  const known = isKnown ? hint : undefined;
  const chunks = tableOf(
    kept.map((i) => list[i]),
    grid,
  );
  const window = known === undefined ? grid.extent : windowOf(known, boxes);
  const index = { grid, window, chunks };
  return withHoles(index, known);
}

function tableOf(list: readonly FoundChunk[], grid: Grid): ChunkTable {
  return new ChunkTable(
    Int32Array.from(list, ({ box }) => ordinalOf(grid, box)),
    Uint32Array.from(list, ({ payloadLength }) => payloadLength),
    Float64Array.from(list, ({ byteOffset }) => byteOffset),
  );
}

/** Of a box that is a cell. */
function ordinalOf(grid: Grid, { begin }: Box): number {
  return grid.ordinalOf(
    begin.map((position, axis) => grid.axes[axis].firstCell + grid.cellAt(axis, position)),
  );
}

/** The known window; what lies beyond the grid that it was of came later and is seen. */
function windowOf({ grid, window }: SignalIndex, boxes: readonly Box[]): Box {
  const later = boxes.filter((box) => !contains(grid.extent, box));
  return {
    begin: window.begin.map((begin, axis) => later.reduce((b, box) => Math.min(b, box.begin[axis]), begin)),
    end: window.end.map((end, axis) => later.reduce((e, box) => Math.max(e, box.end[axis]), end)),
  };
}

/**
 * Tells the cells without a chunk apart: those that the known index has a partition for, or that lie beyond its ends, are lost;
 * those that it has none for were absent before. Without a known index all count as lost.
 */
function withHoles(index: SignalIndex, known: SignalIndex | undefined): RebuiltSignal {
  const { grid, window, chunks } = index;
  const lost: Omit<LostPartition, 'signal'>[] = [];
  let absent = 0;
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    if (chunks.find(ordinal) >= 0) continue;
    const coordinates = grid.coordinatesOf(ordinal);
    const before = known?.grid.ordinalOf(coordinates) ?? -1;
    const chunk = known === undefined || before < 0 ? -1 : known.chunks.find(before);
    if (chunk >= 0) lost.push({ coordinates, byteOffset: known?.chunks.byteOffsets[chunk] });
    else if (before < 0 && intersect(grid.boxOf(ordinal), window) !== null) lost.push({ coordinates });
    else absent++;
  }
  lost.sort((a, b) => (a.byteOffset ?? MAX_FILE_BYTES) - (b.byteOffset ?? MAX_FILE_BYTES));
  return { index, lost, absent, hintFits: known !== undefined };
}
