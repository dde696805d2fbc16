import { LgiError } from '../../codec/errors.js';
import type { Box, Grid } from '../../codec/grid.js';
import { chunkLayoutOf, nextChunkOffset, type ChunkLayout } from './chunk.js';
import { formatFor, newFileFormat, type Format } from './content-features.js';
import { crc32c } from './crc32c.js';
import type { Header } from './header.js';
import { decodeIndex } from './decode-index.js';
import { encodeIndex, overwriteOffsets } from './encode-index.js';
import { columnsAt, shortestColumns } from './choose-columns.js';
import { ChunkTable, type Index } from './index-table.js';
import { MAX_HEADER_BYTES, MAX_INDEX_BYTES } from './limits.js';
import { superblockBytesOf, type Superblock } from './superblock.js';

/** Header and index begin at multiples of this, so that a reader may map what is in them. */
const SECTION_ALIGNMENT = 16;

/** What goes into a new file, as far as its layout depends on it. */
export interface FilePlan {
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  /** CRC-32C of the header's bytes. */
  readonly headerCrc: number;
  /** What the files that this one comes from say; what the content needs is added. */
  readonly format: Format;
  readonly sections: readonly { readonly name: string; readonly byteLength: number; readonly crc: number }[];
  readonly signals: readonly {
    readonly grid: Grid;
    readonly window: Box;
    /** i32 [chunks], in file order. */
    readonly ordinals: Int32Array;
    /** u32 [chunks], bytes. */
    readonly payloadLengths: Uint32Array;
  }[];
}

/** Where everything goes. */
export interface FileLayout {
  readonly index: Index;
  readonly indexBytes: Uint8Array;
  /** All but the file id, which depends on the chunks' checksums. */
  readonly superblock: Omit<Superblock, 'fileId'>;
}

/**
 * Lays out a new file: superblock, header, index, metadata, chunks; the order that one request opens.
 *
 * @throws LgiError `limit` where a reader would refuse the file.
 */
export function layOutFile(plan: FilePlan): FileLayout {
  const headerBytes = checkSize('header', plan.headerBytes.length, MAX_HEADER_BYTES);
  const format = newFileFormat(plan.header, plan.format);
  const superblockBytes = superblockBytesOf(format.features);
  const indexOffset = alignUp(superblockBytes + headerBytes);
  const draft = place(plan, 0).index;
  const drafted = shortestColumns(draft, plan.header);
  const indexBytes = encodeIndex(draft, drafted, plan.header);
  checkSize('index', indexBytes.length, MAX_INDEX_BYTES);
  const { index, end } = place(plan, indexOffset + indexBytes.length);
  const columns = columnsAt(drafted, draft, index, plan.header);
  overwriteOffsets(indexBytes, index, columns, plan.header);
  const superblock = {
    ...formatFor(plan.header, index.signals, columns, format),
    generation: 1,
    header: { byteOffset: superblockBytes, byteLength: headerBytes, crc: plan.headerCrc },
    index: { byteOffset: indexOffset, byteLength: indexBytes.length, crc: crc32c(indexBytes) },
    committedByteLength: end,
  };
  // Nothing is written that a reader would not take.
  const grids = plan.signals.map(({ grid }) => grid);
  decodeIndex(indexBytes, plan.header, { ...superblock, fileId: new Uint8Array(16) }, grids);
  return { index, indexBytes, superblock };
}

/** Where a section begins that follows a place. */
export function alignUp(byteOffset: number): number {
  return Math.ceil(byteOffset / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
}

function checkSize(section: string, byteLength: number, most: number): number {
  if (byteLength <= most) return byteLength;
  throw new LgiError(
    'limit',
    `the ${section} would have ${byteLength} bytes, the limit is ${most}; use a smaller network or larger cells`,
    { section },
  );
}

/** Metadata and chunks one after the other from a place on. */
function place(plan: FilePlan, begin: number): { index: Index; end: number } {
  let at = begin;
  const sections = plan.sections.map((section) => {
    const byteOffset = at;
    at += section.byteLength;
    return { ...section, byteOffset };
  });
  const signals = plan.signals.map(({ grid, window, ordinals, payloadLengths }, signal) => {
    const layout = chunkLayoutOf(plan.header.signals[signal]);
    const byteOffsets = new Float64Array(ordinals.length);
    at = placeChunks(byteOffsets, payloadLengths, at, layout);
    return { grid, window, chunks: new ChunkTable(ordinals, payloadLengths, byteOffsets, layout.headBytes) };
  });
  return { index: { signals, sections }, end: at };
}

/** Fills in where chunks are that follow each other from a place on; where the last one ends. */
function placeChunks(
  byteOffsets: Float64Array,
  payloadLengths: Uint32Array,
  begin: number,
  layout: ChunkLayout,
): number {
  let at = begin;
  for (let chunk = 0; chunk < byteOffsets.length; chunk++) {
    at = nextChunkOffset(at, layout);
    byteOffsets[chunk] = at;
    at += layout.headBytes + payloadLengths[chunk];
  }
  return at;
}
