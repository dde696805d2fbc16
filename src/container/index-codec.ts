import { Builder, ByteBuffer } from 'flatbuffers';
import { Grid, type AxisCuts, type Box } from '../../codec/grid.js';
import { AXES } from '../../codec/signal.js';
import * as fb from '../../schema/generated/lgi.js';
import { CHUNK_HEAD_BYTES, isAligned, nextChunkOffset } from './chunk.js';
import { verifyFlatBuffer } from './flatbuffer-verifier.js';
import type { Header, SignalHeader } from './header.js';
import { checkPlaces, checkSections, IndexChecks } from './index-checks.js';
import { expandColumns, type IndexColumns } from './index-columns.js';
import { ChunkTable, type Index, type MetadataSection, type SignalIndex } from './index-table.js';
import { MAX_SECTION_NAME_BYTES } from './limits.js';
import { FEATURES, type Features, type Superblock } from './superblock.js';

const IDENTIFIER = 'LGIX';
/** Of the widest numbers in an index. */
const INDEX_ALIGNMENT = 8;

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
    encodeSignalIndex(builder, signal, columns[i], isAligned(header.signals[i])),
  );
  const signalsAt = fb.Index.createSignalsVector(builder, signals);
  fb.Index.startIndex(builder);
  fb.Index.addSignals(builder, signalsAt);
  fb.Index.addSections(builder, sectionsAt);
  builder.finish(fb.Index.endIndex(builder), IDENTIFIER);
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
    const starts = chunks.runStarts(isAligned(header.signals[i]));
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
  aligned: boolean,
): number {
  const starts = chunks.runStarts(aligned);
  fb.SignalIndex.startRunsVector(builder, starts.length);
  for (const first of starts.reverse()) {
    fb.Run.createRun(builder, BigInt(chunks.byteOffsets[first]), first);
  }
  const runsAt = builder.endVector();
  const presenceAt = presence.length > 0 ? fb.SignalIndex.createPresenceVector(builder, presence) : undefined;
  const lengthsAt = createNumbers(builder, payloadLengths);
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
  return fb.SignalIndex.endSignalIndex(builder);
}

/**
 * The index that these bytes hold, checked in every respect and against header and superblock.
 *
 * @param bytes whose checksum was right; nothing of them is kept.
 * @param likely grids that the signals may have: those that they do have are used, with all that was made of them.
 * @throws LgiError `damaged` or `limit`, section `index`.
 */
export function decodeIndex(
  bytes: Uint8Array,
  header: Header,
  superblock: Superblock,
  likely: readonly Grid[] = [],
): Index {
  const { features, committedByteLength } = superblock;
  const { byteOffset } = superblock.index;
  // Columns are read in place where they are aligned in memory and no other thread can change them after they were verified.
  const isSafe = bytes.byteOffset % INDEX_ALIGNMENT === 0 && bytes.buffer instanceof ArrayBuffer;
  const sound = isSafe ? bytes : new Uint8Array(bytes);
  verifyFlatBuffer(sound, 'Index', IDENTIFIER, 'index', byteOffset);
  const table = fb.Index.getRootAsIndex(new ByteBuffer(sound));
  const checks: IndexChecks = new IndexChecks(byteOffset, committedByteLength);
  checks.must(
    table.signalsLength() === header.signals.length,
    `it has ${table.signalsLength()} signals, the header ${header.signals.length}`,
  );
  const sections: MetadataSection[] = [];
  for (let i = 0; i < table.sectionsLength(); i++) {
    const section = present(table.sections(i));
    const span = present(section.span());
    sections.push({
      name: present(section.name()),
      byteOffset: checks.wholeNumber(span.byteOffset(), "section's offset"),
      byteLength: span.byteLength(),
      crc: span.crc(),
    });
  }
  checkSections(sections, checks);
  checks.must(
    (features.mustUnderstand & FEATURES.constantPartitions) !== 0n ||
      header.signals.every(({ constantPartitions }) => constantPartitions !== true),
    'the header has constant partitions, and the superblock does not say so',
  );
  const signals = header.signals.map((signal, i) =>
    decodeSignalIndex(present(table.signals(i)), signal, features, `signal ${i}`, checks, likely[i]),
  );
  const index: Index = { signals, sections };
  checkPlaces(index, header, superblock, checks);
  return index;
}

/** What the verifier has found to be there. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error('the verifier let an absent field pass');
  return value;
}

function decodeSignalIndex(
  table: fb.SignalIndex,
  header: SignalHeader,
  features: Features,
  name: string,
  checks: IndexChecks,
  likely: Grid | undefined,
): SignalIndex {
  const axisCount = AXES[header.kind].length;
  checks.must(
    table.axesLength() === axisCount,
    `${name} has ${table.axesLength()} axes, ${header.kind} has ${axisCount}`,
  );
  const axes: AxisCuts[] = Array.from({ length: axisCount }, (_, axis) => {
    const axisTable = present(table.axes(axis));
    return { cuts: Array.from(present(axisTable.cutsArray())), firstCell: axisTable.firstCell() };
  });
  const mayGoBeyond = (features.mustUnderstand & FEATURES.extentBeyondFirst) !== 0n;
  checks.axes(axes, header.firstShape, mayGoBeyond, name);
  const grid = likely !== undefined && isSame(likely.axes, axes) ? likely : new Grid(axes);
  const window: Box = {
    begin: Array.from(present(table.windowBeginArray())),
    end: Array.from(present(table.windowEndArray())),
  };
  checks.window(window, grid, name);
  const written = {
    coordinates: present(table.coordinatesArray()),
    presence: table.presenceArray() ?? new Uint8Array(0),
    payloadLengths: present(table.payloadLengthsArray()),
  };
  const { ordinals, payloadLengths } = expandColumns(written, grid, features, name, checks);
  const byteOffsets = decodeRuns(table, payloadLengths, isAligned(header), name, checks);
  return { grid, window, chunks: new ChunkTable(ordinals, payloadLengths, byteOffsets) };
}

function isSame(one: readonly AxisCuts[], other: readonly AxisCuts[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ cuts, firstCell }, axis) =>
        firstCell === other[axis].firstCell &&
        cuts.length === other[axis].cuts.length &&
        cuts.every((cut, i) => cut === other[axis].cuts[i]),
    )
  );
}

function decodeRuns(
  table: fb.SignalIndex,
  payloadLengths: Uint32Array,
  aligned: boolean,
  name: string,
  checks: IndexChecks,
): Float64Array {
  const count = payloadLengths.length;
  const byteOffsets = new Float64Array(count);
  const runCount = table.runsLength();
  checks.must(runCount > 0 === count > 0, `${name} has ${runCount} runs for ${count} chunks`);
  const run = new fb.Run();
  const firstOf = (i: number): number => (i < runCount ? present(table.runs(i, run)).firstChunk() : count);
  // There may be as many runs as chunks: messages are made only where they are needed.
  for (let i = 0; i < runCount; i++) {
    const first = firstOf(i);
    const next = firstOf(i + 1);
    if (i === 0 && first !== 0) checks.fail(`${name}'s first run begins with chunk ${first}`);
    if (!(first < next && next <= count)) {
      checks.fail(`${name}'s run ${i} begins with chunk ${first} and ends before ${next}`);
    }
    let at = checks.wholeNumber(present(table.runs(i, run)).byteOffset(), "run's offset");
    if (nextChunkOffset(at, aligned) !== at) {
      checks.fail(`${name}'s run ${i} begins at byte ${at}, where its floats are not aligned`);
    }
    for (let chunk = first; chunk < next; chunk++) {
      at = nextChunkOffset(at, aligned);
      byteOffsets[chunk] = at;
      at += CHUNK_HEAD_BYTES + payloadLengths[chunk];
    }
  }
  return byteOffsets;
}
