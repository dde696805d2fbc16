// Mutations that mean something: what an index says, which chunk is where, what a payload inflates to.
import { deflateRawSync } from 'node:zlib';
import { deflateSync } from 'fflate';
import { Grid, type AxisCuts } from '../../codec/grid.js';
import type { Header } from '../../src/container/header.js';
import { encodeIndex } from '../../src/container/encode-index.js';
import { listedColumns, shortestColumns } from '../../src/container/choose-columns.js';
import { type IndexColumns } from '../../src/container/index-columns.js';
import {
  ChunkTable,
  type Index,
  type MetadataSection,
  type SignalIndex,
} from '../../src/container/index-table.js';
import { MAX_CELLS } from '../../src/container/limits.js';
import { FEATURES } from '../../src/container/superblock.js';
import type { Choices } from './choices.js';
import { appendBytes, draftOf, readDraft, type Draft } from './draft.js';
import { interesting } from './interesting.js';

/** Another number near or far from one that is there; exact, since writers hold numbers of 53 bits. */
function near(value: number, size: 4 | 8, choices: Choices): number {
  return Number(interesting(size, BigInt.asUintN(8 * size, BigInt(Math.trunc(value))), choices));
}

function asInt32(value: number): number {
  return value | 0;
}

type SignalEdit = (signal: SignalIndex, choices: Choices, index: Index) => Partial<SignalIndex>;

function withAxis(grid: Grid, choices: Choices, edit: (axis: AxisCuts) => AxisCuts): { grid: Grid } {
  const chosen = choices.below(grid.axes.length);
  return { grid: new Grid(grid.axes.map((axis, i) => (i === chosen ? edit(axis) : axis))) };
}

function withChunks(
  { chunks }: SignalIndex,
  edit: (columns: { ordinals: Int32Array; lengths: Uint32Array; offsets: Float64Array }) => void,
): Partial<SignalIndex> {
  const ordinals = chunks.ordinals.slice();
  const lengths = chunks.payloadLengths.slice();
  const offsets = chunks.byteOffsets.slice();
  if (ordinals.length > 0) edit({ ordinals, lengths, offsets });
  return { chunks: new ChunkTable(ordinals, lengths, offsets, chunks.headBytes) };
}

const SIGNAL_EDITS: Readonly<Record<string, SignalEdit>> = {
  'a cut moved': ({ grid }, choices) =>
    withAxis(grid, choices, ({ cuts, firstCell }) => {
      const at = choices.below(cuts.length);
      return { cuts: cuts.map((cut, i) => (i === at ? asInt32(near(cut, 4, choices)) : cut)), firstCell };
    }),
  'many cuts': ({ grid }, choices) =>
    withAxis(grid, choices, ({ firstCell }) => ({
      cuts: Array.from({ length: choices.pick([100, 3000]) }, (_, i) => i),
      firstCell,
    })),
  'a cut more or less': ({ grid }, choices) =>
    withAxis(grid, choices, ({ cuts, firstCell }) => ({
      cuts: choices.chance(0.5) ? cuts.slice(1) : [...cuts, cuts[cuts.length - 1] + 1],
      firstCell,
    })),
  'another first cell': ({ grid }, choices) =>
    withAxis(grid, choices, ({ cuts, firstCell }) => ({
      cuts,
      firstCell: asInt32(near(firstCell, 4, choices)),
    })),
  'an axis more or less': ({ grid }, choices) => ({
    grid: new Grid(choices.chance(0.5) ? grid.axes.slice(1) : [...grid.axes, grid.axes[0]]),
  }),
  'another window': ({ window }, choices) => {
    const change = (corner: readonly number[]) =>
      corner.map((at) => (choices.chance(0.5) ? asInt32(near(at, 4, choices)) : at));
    return { window: { begin: change(window.begin), end: change(window.end) } };
  },
  'another payload length': (signal, choices) =>
    withChunks(signal, ({ lengths }) => {
      const chunk = choices.below(lengths.length);
      lengths[chunk] = near(lengths[chunk], 4, choices);
    }),
  'a chunk elsewhere': (signal, choices, index) =>
    withChunks(signal, ({ offsets }) => {
      const others = index.signals.flatMap(({ chunks }) => [...chunks.byteOffsets]);
      const target = choices.chance(0.5) ? choices.pick(others) : near(choices.pick(others), 8, choices);
      offsets[choices.below(offsets.length)] = Math.min(target, 2 ** 63);
    }),
  'two chunks exchanged': (signal, choices) =>
    withChunks(signal, ({ ordinals }) => {
      const [a, b] = [choices.below(ordinals.length), choices.below(ordinals.length)];
      [ordinals[a], ordinals[b]] = [ordinals[b], ordinals[a]];
    }),
  'one partition twice': (signal, choices) =>
    withChunks(signal, ({ ordinals }) => {
      ordinals[choices.below(ordinals.length)] = ordinals[choices.below(ordinals.length)];
    }),
  'chunks left out': ({ chunks }, choices) => {
    const kept = Array.from({ length: chunks.count }, (_, chunk) => chunk).filter(() => choices.chance(0.5));
    return {
      chunks: new ChunkTable(
        Int32Array.from(kept, (chunk) => chunks.ordinals[chunk]),
        Uint32Array.from(kept, (chunk) => chunks.payloadLengths[chunk]),
        Float64Array.from(kept, (chunk) => chunks.byteOffsets[chunk]),
        chunks.headBytes,
      ),
    };
  },
};

function changeSections(sections: readonly MetadataSection[], choices: Choices): MetadataSection[] {
  if (sections.length === 0 || choices.chance(0.2)) {
    const count = choices.pick([1, 3, 1024, 1025]);
    return Array.from({ length: count }, (_, i) => ({
      name: `user.${i}`,
      byteOffset: 0,
      byteLength: 0,
      crc: 0,
    }));
  }
  const chosen = choices.below(sections.length);
  return sections.map((section, i) => {
    if (i !== chosen) return section;
    const { byteOffset, byteLength } = section;
    return choices.pick<() => MetadataSection>([
      () => ({ ...section, byteOffset: Math.min(near(byteOffset, 8, choices), 2 ** 63) }),
      () => ({ ...section, byteLength: near(byteLength, 4, choices) }),
      () => ({ ...section, name: choices.pick(['', 'a b', '\u001b[2J', 'x'.repeat(256), '\u00e9', 'icc']) }),
      () => ({ ...section, byteLength: 0, byteOffset: 2 ** 53 - 1 }),
    ])();
  });
}

type ColumnsEdit = (columns: IndexColumns, choices: Choices) => Partial<IndexColumns>;

const COLUMN_EDITS: Readonly<Record<string, ColumnsEdit>> = {
  'coordinates left out': () => ({ coordinates: new Int32Array(0) }),
  'presence left out': () => ({ presence: new Uint8Array(0) }),
  'another presence': ({ presence, chunks }, choices) => ({
    presence: presence.length > 0 ? otherPayload(presence, choices) : choices.bytes(1 + (chunks.count >> 3)),
  }),
  'one length': ({ payloadLengths }, choices) => ({
    payloadLengths: Uint32Array.of(near(payloadLengths[0] ?? 0, 4, choices)),
  }),
  'the first length for all': ({ payloadLengths }) => ({ payloadLengths: payloadLengths.slice(0, 1) }),
  'no lengths': () => ({ payloadLengths: new Uint32Array(0) }),
  'lengths one by one': ({ chunks }) => ({ payloadLengths: chunks.payloadLengths }),
};

/** Writes an index in one of the forms that there are, now and then with a column of another. */
function writeIndex(draft: Draft, index: Index, header: Header, choices: Choices): void {
  // What no file may have is not worth its bits.
  const isSmall = index.signals.every(({ grid }) => grid.count <= MAX_CELLS);
  const isShort = isSmall && choices.chance(0.6);
  let columns = isShort ? shortestColumns(index, header) : listedColumns(index);
  if (choices.chance(0.2)) {
    const name = choices.pick(Object.keys(COLUMN_EDITS));
    const chosen = choices.below(columns.length);
    columns = columns.map((one, i) => (i === chosen ? { ...one, ...COLUMN_EDITS[name](one, choices) } : one));
    draft.notes.push(`columns of signal ${chosen}: ${name}`);
  }
  if (choices.chance(0.95)) {
    const { superblock } = draft;
    const mustUnderstand = superblock.features.mustUnderstand | FEATURES.impliedChunks;
    draft.superblock = { ...superblock, features: { ...superblock.features, mustUnderstand } };
  }
  draft.index = encodeIndex(index, columns, header);
}

/** An index that says something else, written as a writer would. */
export function changeIndex(draft: Draft, choices: Choices): void {
  const read = readDraft(draft);
  if (read === null) return;
  const { header, index } = read;
  if (choices.chance(0.15)) {
    writeIndex(draft, { ...index, sections: changeSections(index.sections, choices) }, header, choices);
    draft.notes.push('index: other metadata sections');
    return;
  }
  const chosen = choices.below(index.signals.length);
  const name = choices.pick(Object.keys(SIGNAL_EDITS));
  const edited = { ...index.signals[chosen], ...SIGNAL_EDITS[name](index.signals[chosen], choices, index) };
  const signals = index.signals.map((signal, i) => (i === chosen ? edited : signal));
  writeIndex(draft, { ...index, signals }, header, choices);
  draft.notes.push(`index of signal ${chosen}: ${name}`);
}

/** The list of signals of header and index no longer agree, or the index has another file's. */
export function exchangeSections(draft: Draft, choices: Choices, other: Uint8Array): void {
  const foreign = draftOf(other);
  if (foreign === null) return;
  const section = choices.pick(['header', 'index'] as const);
  draft[section] = foreign[section];
  draft.notes.push(`another file's ${section}`);
}

/** Bytes that an inflater has trouble with. */
function hostileDeflate(plain: Uint8Array, choices: Choices): Uint8Array {
  const stream = deflateSync(plain);
  return choices.pick<() => Uint8Array>([
    () => deflateSync(plain.subarray(1)),
    () => deflateSync(Uint8Array.from([...plain, 0])),
    () => Uint8Array.from(deflateRawSync(new Uint8Array(choices.pick([1 << 16, 1 << 22])))),
    () => Uint8Array.from([...stream, choices.below(256)]),
    () => stream.subarray(0, -1),
    // Empty stored blocks, each of five bytes, before the stream.
    () => Uint8Array.from([...new Array(20).fill([0, 0, 0, 255, 255]).flat(), ...stream]),
    () => new Uint8Array(0),
    () => choices.bytes(stream.length),
    () => {
      const copy = stream.slice();
      copy[choices.below(copy.length)] ^= 1 << choices.below(8);
      return copy;
    },
  ])();
}

function otherPayload(payload: Uint8Array, choices: Choices): Uint8Array {
  return choices.pick<() => Uint8Array>([
    () => payload.map((byte) => (choices.chance(0.1) ? choices.below(256) : byte)),
    () => payload.map(() => 255),
    () => payload.map(() => 0),
    () => choices.bytes(payload.length),
    () => payload.slice(0, choices.below(payload.length + 1)),
    () => Uint8Array.from([...payload, ...choices.bytes(choices.between(1, 20))]),
    // Infinity and NaN, in every float format.
    () => payload.map((byte, i) => (i % 4 === 3 ? 0x7f : i % 4 === 2 ? 0xc0 : byte)),
    () => hostileDeflate(payload, choices),
    () => hostileDeflate(new Uint8Array(choices.pick([10, 100, 1000, 4000])), choices),
  ])();
}

/** A chunk with another payload, at the file's end. */
export function changePayload(draft: Draft, choices: Choices): void {
  const read = readDraft(draft);
  if (read === null) return;
  const { header, index } = read;
  const signal = choices.below(index.signals.length);
  const { chunks } = index.signals[signal];
  if (chunks.count === 0) return;
  const chunk = choices.below(chunks.count);
  const begin = chunks.byteOffsets[chunk];
  const whole = draft.bytes.slice(begin, chunks.end(chunk));
  const payload = otherPayload(whole.subarray(chunks.headBytes), choices);
  const at = appendBytes(
    draft,
    Uint8Array.from([...whole.subarray(0, chunks.headBytes), ...payload]),
    chunks.headBytes,
  );
  const changed = withChunks(index.signals[signal], ({ lengths, offsets }) => {
    lengths[chunk] = payload.length;
    offsets[chunk] = at;
  });
  writeIndex(draft, withSignal(index, signal, changed), header, choices);
  draft.notes.push(`signal ${signal}: chunk ${chunk} has another payload of ${payload.length} bytes`);
}

function withSignal(index: Index, at: number, changes: Partial<SignalIndex>): Index {
  return { ...index, signals: index.signals.map((one, i) => (i === at ? { ...one, ...changes } : one)) };
}

/** Chunks of this file, or of another one, in the places of others. */
export function exchangeChunks(draft: Draft, choices: Choices, other: Uint8Array): void {
  const read = readDraft(draft);
  const foreign = draftOf(other);
  const donor: { header: Header; index: Index } | null =
    foreign !== null && choices.chance(0.5) ? readDraft(foreign) : null;
  if (read === null) return;
  const from =
    donor === null ? { bytes: draft.bytes, index: read.index } : { bytes: other, index: donor.index };
  const source = choices.pick(from.index.signals).chunks;
  const target = choices.pick(read.index.signals).chunks;
  if (source.count === 0 || target.count === 0) return;
  const [a, b] = [choices.below(source.count), choices.below(target.count)];
  const bytes = from.bytes.slice(source.byteOffsets[a], source.end(a));
  draft.bytes.set(
    bytes.subarray(0, Math.max(0, draft.bytes.length - target.byteOffsets[b])),
    target.byteOffsets[b],
  );
  draft.notes.push(`chunk ${a} of ${donor === null ? 'this' : 'another'} file over chunk ${b}`);
}
