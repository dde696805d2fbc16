import { Builder, ByteBuffer } from 'flatbuffers';
import * as fb from '../../schema/generated/lgi.js';
import { chunkLayoutOf, hasShortHeads } from './chunk.js';
import type { Header, SignalHeader } from './header.js';
import { type IndexColumns } from './index-columns.js';
import { type Index, type SignalIndex } from './index-table.js';
import { MAX_SECTION_NAME_BYTES } from './limits.js';
import { packLengths } from './packed-lengths.js';
import { INDEX_ALIGNMENT, INDEX_IDENTIFIER } from './decode-index.js';

/**
 * Bytes of an index.
 *
 * @param columns of its signals' chunks; the superblock says whether they leave anything out.
 */
export function encodeIndex(index: Index, columns: readonly IndexColumns[], header: Header): Uint8Array {
  const builder = new Builder(capacityFor(index));
  const sections = index.sections.map(({ name, byteOffset, byteLength, crc }) => {
    const nameAt = builder.createString(name);
    fb.Section.startSection(builder);
    fb.Section.addName(builder, nameAt);
    fb.Section.addSpan(builder, fb.Span.createSpan(builder, BigInt(byteOffset), byteLength, crc));
    return fb.Section.endSection(builder);
  });
  const sectionsAt = fb.Index.createSectionsVector(builder, sections);
  const signals = index.signals.map((signal, i) =>
    encodeSignalIndex(builder, signal, columns[i], header.signals[i]),
  );
  const signalsAt = fb.Index.createSignalsVector(builder, signals);
  fb.Index.startIndex(builder);
  fb.Index.addSignals(builder, signalsAt);
  fb.Index.addSections(builder, sectionsAt);
  builder.finish(fb.Index.endIndex(builder), INDEX_IDENTIFIER);
  return builder.asUint8Array();
}

/** Bytes that an index takes, or a little more: a builder that has to grow copies all it has. */
function capacityFor({ signals, sections }: Index): number {
  const [perSignal, perSection] = [256, 64 + MAX_SECTION_NAME_BYTES];
  let byteLength = perSignal * signals.length + perSection * sections.length;
  for (const { grid, chunks } of signals) {
    byteLength += 4 * chunks.count * (grid.shape.length + 1);
    for (const { cuts } of grid.axes) byteLength += 4 * cuts.length;
  }
  // As a whole number of the widest ones, so that the result is aligned in memory.
  return Math.ceil(byteLength / INDEX_ALIGNMENT + 32) * INDEX_ALIGNMENT;
}

/**
 * A vector of 32-bit numbers as the generated code makes it, by one copy: the builder takes numbers one by one, byte by byte.
 */
function createNumbers(builder: Builder, numbers: Int32Array | Uint32Array): number {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const vector = builder.createByteVector(bytes);
  // Before a vector stands how many elements it has.
  const buffer = builder.dataBuffer();
  buffer.writeInt32(buffer.capacity() - vector, numbers.length);
  return vector;
}

/**
 * Writes an index's offsets over those of the index that the bytes are of: the same one before its places were known.
 *
 * A new index says where things are, and where they are depends on its length.
 */
export function overwriteOffsets(
  bytes: Uint8Array,
  index: Index,
  columns: readonly IndexColumns[],
  header: Header,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = fb.Index.getRootAsIndex(new ByteBuffer(bytes));
  index.sections.forEach(({ byteOffset }, i) => {
    view.setBigUint64(present(present(table.sections(i)).span()).bb_pos, BigInt(byteOffset), true);
  });
  columns.forEach(({ chunks }, i) => {
    const signal = present(table.signals(i));
    const starts = chunks.runStarts(chunkLayoutOf(header.signals[i]));
    if (signal.runsLength() !== starts.length) throw new Error('places have changed the runs of an index');
    starts.forEach((first, run) => {
      view.setBigUint64(present(signal.runs(run)).bb_pos, BigInt(chunks.byteOffsets[first]), true);
    });
  });
}

function encodeSignalIndex(
  builder: Builder,
  { grid, window }: SignalIndex,
  { chunks, coordinates, presence, payloadLengths }: IndexColumns,
  header: SignalHeader,
): number {
  const starts = chunks.runStarts(chunkLayoutOf(header));
  fb.SignalIndex.startRunsVector(builder, starts.length);
  for (const first of starts.reverse()) {
    fb.Run.createRun(builder, BigInt(chunks.byteOffsets[first]), first);
  }
  const runsAt = builder.endVector();
  const presenceAt = presence.length > 0 ? fb.SignalIndex.createPresenceVector(builder, presence) : undefined;
  const isPacked = hasShortHeads(header);
  const packedAt = isPacked
    ? fb.SignalIndex.createPackedLengthsVector(builder, packLengths(payloadLengths))
    : undefined;
  const lengthsAt = createNumbers(builder, isPacked ? new Uint32Array(0) : payloadLengths);
  const coordinatesAt = createNumbers(builder, coordinates);
  const windowEndAt = fb.SignalIndex.createWindowEndVector(builder, [...window.end]);
  const windowBeginAt = fb.SignalIndex.createWindowBeginVector(builder, [...window.begin]);
  const axes = grid.axes.map(({ cuts, firstCell }) => {
    const cutsAt = fb.Axis.createCutsVector(builder, [...cuts]);
    fb.Axis.startAxis(builder);
    fb.Axis.addCuts(builder, cutsAt);
    fb.Axis.addFirstCell(builder, firstCell);
    return fb.Axis.endAxis(builder);
  });
  const axesAt = fb.SignalIndex.createAxesVector(builder, axes);
  fb.SignalIndex.startSignalIndex(builder);
  fb.SignalIndex.addAxes(builder, axesAt);
  fb.SignalIndex.addWindowBegin(builder, windowBeginAt);
  fb.SignalIndex.addWindowEnd(builder, windowEndAt);
  fb.SignalIndex.addCoordinates(builder, coordinatesAt);
  fb.SignalIndex.addPayloadLengths(builder, lengthsAt);
  fb.SignalIndex.addRuns(builder, runsAt);
  if (presenceAt !== undefined) fb.SignalIndex.addPresence(builder, presenceAt);
  if (packedAt !== undefined) fb.SignalIndex.addPackedLengths(builder, packedAt);
  return fb.SignalIndex.endSignalIndex(builder);
}

/** What the verifier has found to be there. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error('the verifier let an absent field pass');
  return value;
}
