import type { Box, Grid } from '../../codec/grid.js';
import type { SequentialWriter } from '../io/sequential-writer.js';
import type { Sink } from '../io/sink.js';
import { ChunkCopy } from './copy-chunks.js';
import { RemoteChunkCopy } from './copy-remote-chunks.js';
import { layOutFile, type FileLayout } from './file-layout.js';
import type { SignalIndex } from './index-table.js';
import type { Container } from './reader.js';
import { checkWritable } from './superblock.js';
import { beginFile, endFile, finishSink, type WriteReport } from './writer.js';

/** What is written in pieces before the chunks are header, index and metadata; larger ones are not gathered at all. */
const HEAD_BUFFER_BYTES = 1 << 16;

/** Which chunks of a signal go into the new file, and how it sees them. */
export interface Selection {
  /** A grid whose cells have the same boxes and coordinates as the source's. */
  readonly grid: Grid;
  readonly window: Box;
  /** Places in the source's chunk table: u32 [chunks]. */
  readonly chunks: Uint32Array;
}

/**
 * A new file of some of a file's partitions: header, metadata and chunks byte for byte, superblock and index new.
 *
 * Nothing is decoded and no payload is hashed again; a damaged chunk arrives as it was, with the checksum that shows it.
 * The sink is closed on success and aborted on failure. Memory: two buffers of 1 MiB, or from a server reads of 1 MiB that are
 * under way, and the index.
 *
 * @param selections one per signal.
 * @throws LgiError `unsupported` where the file uses features that this program must know to write it; `truncated`; `io`.
 */
export async function copyPartitions(
  container: Container,
  sink: Sink,
  selections: readonly Selection[],
  signal?: AbortSignal,
): Promise<WriteReport> {
  return finishSink(sink, async () => {
    checkWritable(container.superblock.features);
    const { header, headerBytes, superblock, index } = container;
    const ordered = selections.map(({ chunks }, i) => byOffset(chunks, index.signals[i].chunks.byteOffsets));
    const layout = layOutFile({
      header,
      headerBytes,
      headerCrc: superblock.header.crc,
      format: superblock,
      sections: index.sections,
      signals: selections.map(({ grid, window }, i) => ({
        grid,
        window,
        ...columnsOf(index.signals[i], grid, ordered[i]),
      })),
    });
    const writer = await beginFile(sink, headerBytes, layout, HEAD_BUFFER_BYTES, signal);
    await copySections(container, writer, signal);
    await writer.flush();
    const Copy = container.source.isRemote === true ? RemoteChunkCopy : ChunkCopy;
    const copy = new Copy(container, sink, writer.position, signal);
    const chunkCrcs = await copyAll(copy, ordered, layout);
    return endFile(sink, copy.position, container.familyIdBytes, layout, chunkCrcs);
  });
}

/** @returns per signal u32 [chunks], the checksums that the chunks carry. */
async function copyAll(
  copy: ChunkCopy | RemoteChunkCopy,
  ordered: readonly Uint32Array[],
  layout: FileLayout,
): Promise<Uint32Array[]> {
  try {
    const chunkCrcs: Uint32Array[] = [];
    for (const [signalIndex, chunks] of ordered.entries()) {
      const { byteOffsets } = layout.index.signals[signalIndex].chunks;
      chunkCrcs.push(await copy.copy({ signalIndex, chunks, byteOffsets }));
    }
    await copy.end();
    return chunkCrcs;
  } catch (error) {
    await copy.rest();
    throw error;
  }
}

/** Most files have their chunks in the order of their offsets already. */
function byOffset(chunks: Uint32Array, byteOffsets: Float64Array): Uint32Array {
  for (let i = 1; i < chunks.length; i++) {
    if (byteOffsets[chunks[i - 1]] > byteOffsets[chunks[i]]) {
      return chunks.slice().sort((a, b) => byteOffsets[a] - byteOffsets[b]);
    }
  }
  return chunks;
}

/** Whether chunks, of which none is there twice, are in the order of their table. */
function isAscending(chunks: Uint32Array): boolean {
  for (let i = 1; i < chunks.length; i++) if (chunks[i - 1] > chunks[i]) return false;
  return true;
}

/** The columns of the new index; cells of the source have other ordinals in another grid. */
function columnsOf(
  source: SignalIndex,
  grid: Grid,
  chunks: Uint32Array,
): { ordinals: Int32Array; payloadLengths: Uint32Array } {
  const all = source.chunks;
  if (grid === source.grid && chunks.length === all.count && isAscending(chunks)) return all;
  const ordinals = new Int32Array(chunks.length);
  const payloadLengths = new Uint32Array(chunks.length);
  for (let i = 0; i < chunks.length; i++) {
    ordinals[i] = all.ordinals[chunks[i]];
    payloadLengths[i] = all.payloadLengths[chunks[i]];
  }
  if (grid === source.grid) return { ordinals, payloadLengths };
  return { ordinals: grid.ordinalsOfAll(source.grid.coordinatesOfAll(ordinals)), payloadLengths };
}

/** Metadata as it is, known or not, sound or not. */
async function copySections(
  container: Container,
  writer: SequentialWriter,
  signal?: AbortSignal,
): Promise<void> {
  for (const section of container.index.sections) {
    const bytes = await container.readBytes(section, signal);
    if (bytes.length < section.byteLength)
      throw container.truncated(section.name, section.byteOffset, bytes.length);
    await writer.write(bytes);
  }
}
