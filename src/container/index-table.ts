import type { Grid, Box } from '../../codec/grid.js';
import type { SectionSpan } from './superblock.js';
import { CHUNK_HEAD_BYTES, nextChunkOffset } from './chunk.js';

/** What crop and append do change: where everything is. */
export interface Index {
  /** As many as the header's, in the same order. */
  readonly signals: readonly SignalIndex[];
  readonly sections: readonly MetadataSection[];
}

/** Which partitions of a signal there are, and where. */
export interface SignalIndex {
  /** All cells between the cuts, present or not; its extent is the signal's. */
  readonly grid: Grid;
  /** The visible window, inside the extent, in positions of the first encode's axes. */
  readonly window: Box;
  readonly chunks: ChunkTable;
}

/** Bytes about the file that decoding does not need, as an ICC profile. */
export interface MetadataSection extends SectionSpan {
  readonly name: string;
}

/** The chunks of one signal in columns, in the order in which the index names them. */
export class ChunkTable {
  readonly count: number;
  /** Per chunk `ordinal * 2^21 + chunk`, ascending, so that a search finds it; both are below 2^21. */
  private keys: Float64Array | null = null;

  /**
   * @param ordinals i32 [count], the cell of each chunk in the signal's grid, distinct.
   * @param payloadLengths u32 [count], bytes.
   * @param byteOffsets f64 [count], where each chunk's head begins.
   */
  constructor(
    readonly ordinals: Int32Array,
    readonly payloadLengths: Uint32Array,
    readonly byteOffsets: Float64Array,
  ) {
    this.count = ordinals.length;
  }

  /** The chunk of the cell with this ordinal, or -1 where the partition is absent. */
  find(ordinal: number): number {
    const keys = this.sortedKeys();
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle] < ordinal * CHUNK_KEY) low = middle + 1;
      else high = middle;
    }
    if (low === keys.length || Math.floor(keys[low] / CHUNK_KEY) !== ordinal) return -1;
    return keys[low] % CHUNK_KEY;
  }

  /** An ordinal that two chunks claim, or -1. */
  duplicate(): number {
    // A bit for each cell: every index that is read passes here, and sorting would take longer than all else.
    const { ordinals, count } = this;
    let most = 0;
    for (let chunk = 0; chunk < count; chunk++) if (ordinals[chunk] > most) most = ordinals[chunk];
    const seen = new Int32Array((most >>> 5) + 1);
    for (let chunk = 0; chunk < count; chunk++) {
      const ordinal = ordinals[chunk];
      const bit = 1 << (ordinal & 31);
      const word = seen[ordinal >>> 5];
      if ((word & bit) !== 0) return ordinal;
      seen[ordinal >>> 5] = word | bit;
    }
    return -1;
  }

  /** Made when first needed: writing and copying never search. */
  private sortedKeys(): Float64Array {
    if (this.keys !== null) return this.keys;
    const keys = new Float64Array(this.count);
    for (let chunk = 0; chunk < keys.length; chunk++) keys[chunk] = this.ordinals[chunk] * CHUNK_KEY + chunk;
    this.keys = keys.sort();
    return this.keys;
  }

  /** Bytes of a chunk, head and payload. */
  byteLength(chunk: number): number {
    return CHUNK_HEAD_BYTES + this.payloadLengths[chunk];
  }

  /** The byte after a chunk's last. */
  end(chunk: number): number {
    return this.byteOffsets[chunk] + this.byteLength(chunk);
  }

  /** First chunks of the runs: chunks that do not lie where the alignment rule puts them after their predecessor. */
  runStarts(isAligned: boolean): number[] {
    const { byteOffsets, payloadLengths, count } = this;
    const starts: number[] = [];
    let next = -1;
    for (let chunk = 0; chunk < count; chunk++) {
      const byteOffset = byteOffsets[chunk];
      if (byteOffset !== next) starts.push(chunk);
      next = nextChunkOffset(byteOffset + CHUNK_HEAD_BYTES + payloadLengths[chunk], isAligned);
    }
    return starts;
  }
}

const CHUNK_KEY = 2 ** 21;
