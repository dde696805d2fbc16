import { LgiError } from '../../codec/errors.js';
import { GAP_BUDGET_BYTES } from '../io/read-budgets.js';
import type { Box, Grid } from '../../codec/grid.js';
import type { SequentialWriter } from '../io/sequential-writer.js';
import type { Sink } from '../io/sink.js';
import { layOutFile, type FileLayout } from './file-layout.js';
import type { MetadataSection } from './index-table.js';
import { COPY_BUFFER_BYTES } from './limits.js';
import type { Container } from './reader.js';
import type { Features } from './superblock.js';
import { beginFile, endFile, type WriteReport } from './writer.js';

/** One signal of a joined file, its chunks in the order of the new file. */
export interface JoinedSignal {
  readonly grid: Grid;
  readonly window: Box;
  /** i32 [chunks], cells of the grid. */
  readonly ordinals: Int32Array;
  /** i32 [chunks], places in the list of files. */
  readonly files: Int32Array;
  /** i32 [chunks], places in that file's chunk table. */
  readonly chunks: Int32Array;
}

/** What goes into a joined file. */
export interface JoinedContent {
  /** What errors call the files. */
  readonly names: readonly string[];
  readonly signals: readonly JoinedSignal[];
  readonly sections: readonly { readonly file: number; readonly section: MetadataSection }[];
}

/**
 * Writes a new file of the chunks of several, which have one header. Chunks and metadata are copied byte for byte; nothing is
 * decoded or hashed again. The sink stays open. Memory: two buffers of 1 MiB, and the index.
 *
 * @throws LgiError `truncated`; `limit`; `io`.
 */
export async function copyJoined(
  containers: readonly Container[],
  sink: Sink,
  { signals, sections, names }: JoinedContent,
  signal?: AbortSignal,
): Promise<WriteReport> {
  const [{ header, headerBytes, superblock, familyIdBytes }] = containers;
  const layout = layOutFile({
    header,
    headerBytes,
    headerCrc: superblock.header.crc,
    format: {
      version: {
        major: superblock.version.major,
        minor: Math.max(...containers.map((container) => container.superblock.version.minor)),
      },
      features: union(containers.map((container) => container.superblock.features)),
    },
    sections: sections.map(({ section }) => section),
    signals: signals.map((joined, i) => ({
      grid: joined.grid,
      window: joined.window,
      ordinals: joined.ordinals,
      payloadLengths: payloadLengthsOf(containers, joined, i),
    })),
  });
  const bufferBytes = Math.min(COPY_BUFFER_BYTES, layout.superblock.committedByteLength);
  const writer = await beginFile(sink, headerBytes, layout, bufferBytes, signal);
  for (const { file, section } of sections) {
    const bytes = await containers[file].readBytes(section, signal);
    if (bytes.length < section.byteLength)
      throw named(names[file], containers[file].truncated(section.name, section.byteOffset, bytes.length));
    await writer.write(bytes);
  }
  const chunkCrcs: Uint32Array[] = [];
  for (let i = 0; i < signals.length; i++) {
    chunkCrcs.push(await copyChunks(containers, names, i, signals[i], layout, writer, signal));
  }
  await writer.flush();
  return endFile(sink, writer.position, familyIdBytes, layout, chunkCrcs);
}

/** The error with the file in front that it is about, one of several. */
function named(name: string, { code, message, section, byteOffset }: LgiError): LgiError {
  return new LgiError(code, `${name}: ${message}`, {
    ...(section !== undefined && { section }),
    ...(byteOffset !== undefined && { byteOffset }),
  });
}

/** u32 [chunks], bytes of a joined signal's payloads. */
export function payloadLengthsOf(
  containers: readonly Container[],
  { files, chunks }: JoinedSignal,
  signalIndex: number,
): Uint32Array {
  return Uint32Array.from(
    chunks,
    (chunk, at) => containers[files[at]].index.signals[signalIndex].chunks.payloadLengths[chunk],
  );
}

function union(all: readonly Features[]): Features {
  return all.reduce((a, b) => ({
    mustUnderstand: a.mustUnderstand | b.mustUnderstand,
    mustUnderstandToWrite: a.mustUnderstandToWrite | b.mustUnderstandToWrite,
    mayIgnore: a.mayIgnore | b.mayIgnore,
  }));
}

/** @returns u32 [chunks], the checksums that the chunks carry. */
async function copyChunks(
  containers: readonly Container[],
  names: readonly string[],
  signalIndex: number,
  { files, chunks }: JoinedSignal,
  layout: FileLayout,
  writer: SequentialWriter,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const { byteOffsets } = layout.index.signals[signalIndex].chunks;
  const crcs = new Uint32Array(chunks.length);
  for (let first = 0, next; first < chunks.length; first = next) {
    const container = containers[files[first]];
    const table = container.index.signals[signalIndex].chunks;
    const begin = table.byteOffsets[chunks[first]];
    let end = table.end(chunks[first]);
    // What follows in the new file and lies near in the old one comes by the same read.
    for (next = first + 1; next < chunks.length && files[next] === files[first]; next++) {
      const at = table.byteOffsets[chunks[next]];
      const nextEnd = table.end(chunks[next]);
      if (at < end || at > end + GAP_BUDGET_BYTES || nextEnd - begin > COPY_BUFFER_BYTES) break;
      end = nextEnd;
    }
    const bytes = await container.readBytes({ byteOffset: begin, byteLength: end - begin }, signal);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = first; i < next; i++) {
      const at = table.byteOffsets[chunks[i]] - begin;
      const chunkEnd = at + table.byteLength(chunks[i]);
      if (chunkEnd > bytes.length) {
        const fault = container.truncated(container.chunkName(signalIndex, chunks[i]), begin, bytes.length);
        throw named(names[files[i]], fault);
      }
      crcs[i] = view.getUint32(at, true);
      let waits = writer.padTo(byteOffsets[i]);
      if (waits) await waits;
      waits = writer.write(bytes.subarray(at, chunkEnd));
      if (waits) await waits;
    }
  }
  return crcs;
}
