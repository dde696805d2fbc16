import type { Grid, Box } from '../../codec/grid.js';
import type { SectionSpan } from './superblock.js';
import { CHUNK_HEAD_BYTES, nextChunkOffset, type ChunkLayout } from './chunk.js';

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

/** The chunks of one signal in columns: of a file that was read in the order of its index, of one to be written in that of the file. */
export class ChunkTable {
  readonly count: number;
  /** By ordinal, one more than the chunk of that cell; 0 and beyond the end none. Made when first needed: copying never searches. */
  private places: Int32Array | null = null;

  /**
   * @param ordinals i32 [count], the cell of each chunk in the signal's grid, distinct.
   * @param payloadLengths u32 [count], bytes.
   * @param byteOffsets f64 [count], where each chunk's head begins.
   * @param headBytes of every chunk's head.
   */
  constructor(
    readonly ordinals: Int32Array,
    readonly payloadLengths: Uint32Array,
    readonly byteOffsets: Float64Array,
    readonly headBytes: number = CHUNK_HEAD_BYTES,
  ) {
    this.count = ordinals.length;
  }

  /** The chunk of the cell with this ordinal, or -1 where the partition is absent. */
  find(ordinal: number): number {
    this.places ??= this.placesByCell();
    return (this.places[ordinal] ?? 0) - 1;
  }

  private placesByCell(): Int32Array {
    let most = -1;
    for (const ordinal of this.ordinals) if (ordinal > most) most = ordinal;
    const places = new Int32Array(most + 1);
    for (let chunk = 0; chunk < this.count; chunk++) places[this.ordinals[chunk]] = chunk + 1;
    return places;
  }

  /** Bytes of a chunk, head and payload. */
  byteLength(chunk: number): number {
    return this.headBytes + this.payloadLengths[chunk];
  }

  /** The byte after a chunk's last. */
  end(chunk: number): number {
    return this.byteOffsets[chunk] + this.byteLength(chunk);
  }

  /** First chunks of the runs: chunks that do not lie where the alignment rule puts them after their predecessor. */
  runStarts(layout: ChunkLayout): number[] {
    const { byteOffsets, payloadLengths, count } = this;
    const starts: number[] = [];
    let next = -1;
    for (let chunk = 0; chunk < count; chunk++) {
      const byteOffset = byteOffsets[chunk];
      if (byteOffset !== next) starts.push(chunk);
      next = nextChunkOffset(byteOffset + this.headBytes + payloadLengths[chunk], layout);
    }
    return starts;
  }
}
