import { LgiError } from '../../codec/errors.js';
import type { Box, Grid } from '../../codec/grid.js';
import type { SequentialWriter } from '../io/sequential-writer.js';
import type { Sink } from '../io/sink.js';
import { layOutFile, type FileLayout } from './file-layout.js';
import { COPY_BUFFER_BYTES } from './limits.js';
import type { Container } from './reader.js';
import { checkWritable } from './superblock.js';
import { beginFile, endFile, finishSink, type WriteReport } from './writer.js';

/** Which chunks of a signal go into the new file, and how it sees them. */
export interface Selection {
  /** A grid whose cells have the same boxes and coordinates as the source's. */
  readonly grid: Grid;
  readonly window: Box;
  /** Places in the source's chunk table. */
  readonly chunks: readonly number[];
}

/**
 * A new file of some of a file's partitions: header, metadata and chunks byte for byte, superblock and index new.
 *
 * Nothing is decoded and no payload is hashed again; a damaged chunk arrives as it was, with the checksum that shows it.
 * The sink is closed on success and aborted on failure. Memory: two buffers of
 * 4 MiB, or from a server reads of 1 MiB that are under way, and the index.
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
    const ordered = selections.map(({ grid, window, chunks }, i) => ({
      grid,
      window,
      chunks: byOffset(chunks, index.signals[i].chunks.byteOffsets),
    }));
    const layout = layOutFile({
      header,
      headerBytes,
      headerCrc: superblock.header.crc,
      format: superblock,
      sections: index.sections,
      signals: ordered.map(({ grid, window, chunks }, i) => {
        const source = index.signals[i];
        return {
          grid,
          window,
          ordinals: Int32Array.from(chunks, (chunk) =>
            grid.ordinalOf(source.grid.coordinatesOf(source.chunks.ordinals[chunk])),
          ),
          payloadLengths: Uint32Array.from(chunks, (chunk) => source.chunks.payloadLengths[chunk]),
        };
      }),
    });
    const writer = await beginFile(sink, headerBytes, layout, signal);
    await copySections(container, writer, signal);
    const chunkCrcs: Uint32Array[] = [];
    for (let i = 0; i < ordered.length; i++) {
      chunkCrcs.push(await copyChunks(container, i, ordered[i].chunks, layout, writer, signal));
    }
    return endFile(sink, writer, container.familyIdBytes, layout, chunkCrcs);
  });
}

function byOffset(chunks: readonly number[], byteOffsets: Float64Array): number[] {
  return [...chunks].sort((a, b) => byteOffsets[a] - byteOffsets[b]);
}

function truncated(section: string, byteOffset: number): LgiError {
  return new LgiError('truncated', `the file ends inside its ${section}; fetch it again`, {
    section,
    byteOffset,
  });
}

/** Metadata as it is, known or not, sound or not. */
async function copySections(
  container: Container,
  writer: SequentialWriter,
  signal?: AbortSignal,
): Promise<void> {
  for (const section of container.index.sections) {
    const bytes = await container.readBytes(section, signal);
    if (bytes.length < section.byteLength) throw truncated(section.name, section.byteOffset + bytes.length);
    await writer.write(bytes);
  }
}

function isZero(bytes: Uint8Array, begin: number, end: number): boolean {
  for (let at = begin; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** @returns u32 [chunks], the checksums that the chunks carry. */
async function copyChunks(
  container: Container,
  signalIndex: number,
  wanted: readonly number[],
  layout: FileLayout,
  writer: SequentialWriter,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const source = container.index.signals[signalIndex].chunks;
  const target = layout.index.signals[signalIndex].chunks;
  const crcs = new Uint32Array(wanted.length);
  const ranges = wanted.map((chunk) => ({
    byteOffset: source.byteOffsets[chunk],
    byteLength: source.byteLength(chunk),
  }));
  const reads = container.planReads(ranges, COPY_BUFFER_BYTES);
  for await (const { range: read, bytes } of container.readPlanned(reads, signal)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Chunks whose distance is the same in both files move together, and padding with them where it is zero: other bytes
    // between chunks are of no partition, and do not belong into the new file.
    let segment = -1;
    let end = 0;
    for (const member of read.members) {
      const at = ranges[member].byteOffset - read.byteOffset;
      if (at + ranges[member].byteLength > bytes.length) {
        throw truncated(container.chunkName(signalIndex, wanted[member]), read.byteOffset + bytes.length);
      }
      crcs[member] = view.getUint32(at, true);
      const follows =
        segment >= 0 &&
        target.byteOffsets[member] - target.byteOffsets[segment] ===
          ranges[member].byteOffset - ranges[segment].byteOffset &&
        isZero(bytes, end, at);
      end = at + ranges[member].byteLength;
      if (!follows) {
        if (segment >= 0) await copySegment(segment, member - 1);
        segment = member;
      }
    }
    await copySegment(segment, read.members[read.members.length - 1]);

    async function copySegment(first: number, last: number): Promise<void> {
      const begin = ranges[first].byteOffset - read.byteOffset;
      const end = ranges[last].byteOffset + ranges[last].byteLength - read.byteOffset;
      await writer.padTo(target.byteOffsets[first]);
      await writer.write(bytes.subarray(begin, end));
    }
  }
  return crcs;
}
