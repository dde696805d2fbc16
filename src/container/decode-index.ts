import { ByteBuffer } from 'flatbuffers';
import { Grid, type AxisCuts, type Box } from '../../codec/grid.js';
import { AXES } from '../../codec/signal.js';
import * as fb from '../../schema/generated/lgi.js';
import { chunkLayoutOf, hasShortHeads, nextChunkOffset, type ChunkLayout } from './chunk.js';
import { verifyFlatBuffer } from './flatbuffer-verifier.js';
import type { Header, SignalHeader } from './header.js';
import { checkPlaces, checkSections, IndexChecks } from './index-checks.js';
import { expandColumns } from './index-columns.js';
import { ChunkTable, type Index, type MetadataSection, type SignalIndex } from './index-table.js';
import { MAX_LATENT_CELL } from './limits.js';
import { unpackLengths } from './packed-lengths.js';
import { hasLocalOrigin } from './local-weights.js';
import { FEATURES, type Features, type Superblock } from './superblock.js';

/** FlatBuffers' mark of an index. */
export const INDEX_IDENTIFIER = 'LGIX';

/** Of the widest numbers in an index. */
export const INDEX_ALIGNMENT = 8;

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
  verifyFlatBuffer(sound, 'Index', INDEX_IDENTIFIER, 'index', byteOffset);
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
  const declared = (feature: bigint, has: (signal: SignalHeader) => boolean, what: string): void =>
    checks.must(
      (features.mustUnderstand & feature) !== 0n || !header.signals.some(has),
      `the header has ${what}, and the superblock does not say so`,
    );
  declared(
    FEATURES.constantPartitions,
    ({ constantPartitions }) => constantPartitions === true,
    'constant partitions',
  );
  declared(FEATURES.latentFamily, ({ latents }) => latents !== undefined, 'latents');
  declared(FEATURES.localOrigin, hasLocalOrigin, 'an origin of local weights');
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
  checks.axes(
    axes,
    header.firstShape,
    mayGoBeyond,
    header.latents === undefined ? Infinity : MAX_LATENT_CELL,
    name,
  );
  const grid = likely !== undefined && isSame(likely.axes, axes) ? likely : new Grid(axes);
  const window: Box = {
    begin: Array.from(present(table.windowBeginArray())),
    end: Array.from(present(table.windowEndArray())),
  };
  checks.window(window, grid, name);
  const written = {
    coordinates: present(table.coordinatesArray()),
    presence: table.presenceArray() ?? new Uint8Array(0),
    payloadLengths: lengthsOf(table, header, name, checks),
  };
  const layout = chunkLayoutOf(header);
  const { ordinals, payloadLengths } = expandColumns(written, grid, features, layout.headBytes, name, checks);
  const byteOffsets = decodeRuns(table, payloadLengths, layout, name, checks);
  return { grid, window, chunks: new ChunkTable(ordinals, payloadLengths, byteOffsets, layout.headBytes) };
}

/** Payload lengths as they are written: signals with short heads have them packed, all others as they are. */
function lengthsOf(
  table: fb.SignalIndex,
  header: SignalHeader,
  name: string,
  checks: IndexChecks,
): Uint32Array {
  const [plain, packed] = [
    present(table.payloadLengthsArray()),
    table.packedLengthsArray() ?? new Uint8Array(0),
  ];
  const isPacked = hasShortHeads(header);
  checks.must(
    isPacked ? plain.length === 0 : packed.length === 0,
    `${name} has payload lengths as another family has them`,
  );
  return isPacked ? unpackLengths(packed, name, checks) : plain;
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
  layout: ChunkLayout,
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
    if (nextChunkOffset(at, layout) !== at) {
      checks.fail(`${name}'s run ${i} begins at byte ${at}, where its floats are not aligned`);
    }
    for (let chunk = first; chunk < next; chunk++) {
      at = nextChunkOffset(at, layout);
      byteOffsets[chunk] = at;
      at += layout.headBytes + payloadLengths[chunk];
    }
  }
  return byteOffsets;
}
