import { OptionError } from '../../codec/errors.js';
import type { Box, Grid } from '../../codec/grid.js';
import { SequentialWriter } from '../io/sequential-writer.js';
import type { Sink } from '../io/sink.js';
import { encodeChunkHead } from './chunk.js';
import { PLAIN_FORMAT } from './content-features.js';
import { crc32c } from './crc32c.js';
import { familyIdOf, fileIdOf, hexadecimal } from './file-ids.js';
import { layOutFile, type FileLayout } from './file-layout.js';
import { encodeHeader } from './encode-header.js';
import type { Header } from './header.js';
import { hilbertOrder } from './hilbert.js';
import { COPY_BUFFER_BYTES } from './limits.js';
import { encodeSuperblock } from './superblock.js';

/** One partition for a new file. */
export interface NewChunk {
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  /** Local weights as `encodeWeights` made them. */
  readonly payload: Uint8Array;
}

/** One signal's partitions for a new file, in any order; cells without one are holes. */
export interface NewSignal {
  readonly grid: Grid;
  /** The visible window; default the grid's extent. */
  readonly window?: Box;
  readonly chunks: readonly NewChunk[];
}

/** What a new file shall hold. */
export interface NewContainer {
  readonly header: Header;
  /** The header's bytes where it stands in a file already, whose family the new one is to be of; default encoded anew. */
  readonly headerBytes?: Uint8Array;
  /** As many as the header's, in the same order. */
  readonly signals: readonly NewSignal[];
  readonly metadata?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** What was written. */
export interface WriteReport {
  /** Length of the file. */
  readonly bytes: number;
  readonly headerBytes: number;
  readonly indexBytes: number;
  /** Heads, payloads and the padding between them. */
  readonly chunkBytes: number;
  /** 32 hexadecimal digits. */
  readonly fileId: string;
  /** 32 hexadecimal digits. */
  readonly familyId: string;
}

/**
 * Writes a file: superblock, header, index, metadata, then the chunks along a Hilbert curve. The same content gives the
 * same bytes. The sink is closed on success and aborted on failure.
 *
 * @throws LgiError `limit` or `damaged` for content that no reader takes, `io` from the sink.
 * @throws OptionError for chunks that the grid has no cells for, or two of one.
 */
export async function writeContainer(
  sink: Sink,
  content: NewContainer,
  options: { readonly signal?: AbortSignal } = {},
): Promise<WriteReport> {
  return finishSink(sink, () => write(sink, content, options.signal));
}

/** Closes the sink after success and aborts it after failure. */
export async function finishSink<T>(sink: Sink, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    await sink.close();
    return result;
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
}

async function write(sink: Sink, content: NewContainer, signal?: AbortSignal): Promise<WriteReport> {
  const { header, metadata = [] } = content;
  if (content.signals.length !== header.signals.length) {
    throw new OptionError(
      'signals',
      `${content.signals.length} given, the header has ${header.signals.length}`,
    );
  }
  const headerBytes = content.headerBytes ?? encodeHeader(header);
  const ordered = content.signals.map(orderChunks);
  const layout = layOutFile({
    header,
    headerBytes,
    headerCrc: crc32c(headerBytes),
    format: PLAIN_FORMAT,
    sections: metadata.map(({ name, bytes }) => ({ name, byteLength: bytes.length, crc: crc32c(bytes) })),
    signals: ordered.map(({ grid, window, ordinals, payloads }) => ({
      grid,
      window,
      ordinals,
      payloadLengths: Uint32Array.from(payloads, (payload) => payload.length),
    })),
  });
  const bufferBytes = Math.min(COPY_BUFFER_BYTES, layout.superblock.committedByteLength);
  const writer = await beginFile(sink, headerBytes, layout, bufferBytes, signal);
  for (const { bytes } of metadata) await writer.write(bytes);
  const chunkCrcs: Uint32Array[] = [];
  for (let i = 0; i < ordered.length; i++) {
    const { grid, ordinals, payloads } = ordered[i];
    const { chunks } = layout.index.signals[i];
    const crcs = new Uint32Array(payloads.length);
    for (let chunk = 0; chunk < payloads.length; chunk++) {
      const box = grid.boxOf(ordinals[chunk]);
      const head = encodeChunkHead(payloads[chunk], box, i, layout.superblock.header.crc);
      crcs[chunk] = head.crc;
      let waits = writer.padTo(chunks.byteOffsets[chunk]);
      if (waits) await waits;
      waits = writer.write(head.bytes.subarray(0, chunks.headBytes));
      if (waits) await waits;
      waits = writer.write(payloads[chunk]);
      if (waits) await waits;
    }
    chunkCrcs.push(crcs);
  }
  await writer.flush();
  return endFile(sink, writer.position, await familyIdOf(headerBytes), layout, chunkCrcs);
}

/** A signal's chunks along the curve. */
function orderChunks({ grid, window = grid.extent, chunks }: NewSignal): {
  grid: Grid;
  window: Box;
  ordinals: Int32Array;
  payloads: Uint8Array[];
} {
  const ordinals = chunks.map(({ coordinates }) => {
    const ordinal = grid.ordinalOf(coordinates);
    if (ordinal >= 0) return ordinal;
    throw new OptionError(
      'chunks',
      `partition ${coordinates.join(',')} is none of a grid of ${grid.shape.join('x')}`,
    );
  });
  const order = hilbertOrder(grid, ordinals);
  if (order.length < chunks.length) throw new OptionError('chunks', 'two are of one partition');
  return {
    grid,
    window,
    ordinals: Int32Array.from(order, (i) => ordinals[i]),
    payloads: Array.from(order, (i) => chunks[i].payload),
  };
}

/**
 * Writes header and index; the superblock comes last, so that nothing unfinished looks finished.
 *
 * @param bufferBytes of the writer that is returned, for what follows.
 */
export async function beginFile(
  sink: Sink,
  headerBytes: Uint8Array,
  layout: FileLayout,
  bufferBytes: number,
  signal?: AbortSignal,
): Promise<SequentialWriter> {
  const { header, index } = layout.superblock;
  const writer = new SequentialWriter(sink, header.byteOffset, bufferBytes, signal);
  await writer.write(headerBytes);
  await writer.padTo(index.byteOffset);
  await writer.write(layout.indexBytes);
  return writer;
}

/**
 * Writes the superblock of a file that has everything else.
 *
 * @param position up to where it is written.
 */
export async function endFile(
  sink: Sink,
  position: number,
  familyId: Uint8Array,
  layout: FileLayout,
  chunkCrcs: readonly Uint32Array[],
): Promise<WriteReport> {
  const { superblock, index } = layout;
  if (position !== superblock.committedByteLength) throw new Error('the layout is not what was written');
  const fileId = await fileIdOf(familyId, layout.indexBytes, chunkCrcs);
  await sink.write(0, encodeSuperblock({ ...superblock, fileId }));
  const metadataBytes = index.sections.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return {
    bytes: superblock.committedByteLength,
    headerBytes: superblock.header.byteLength,
    indexBytes: superblock.index.byteLength,
    chunkBytes:
      superblock.committedByteLength -
      superblock.index.byteOffset -
      superblock.index.byteLength -
      metadataBytes,
    fileId: hexadecimal(fileId),
    familyId: hexadecimal(familyId),
  };
}
