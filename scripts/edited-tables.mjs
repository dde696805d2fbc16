// Headers and indexes as plain objects, written again as FlatBuffers: with any number in any field, which no writer of the project makes.
import { encodeChunkHead } from '../dist/src/container/chunk.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { openContainer } from '../dist/src/container/reader.js';
import { encodeSuperblock } from '../dist/src/container/superblock.js';
import { MemorySource } from '../dist/src/index.js';

const TABLES = {
  Header: 'signals:[Signal] digest:[u8] writer:string',
  Signal:
    'kind:u8 role:u8 sampleFormat:SampleFormat colour:Colour firstShape:[u32] coordinateMaps:[CoordinateMap] nominalCell:[u32] ' +
    'architectureType:u8 architecture:Architecture quantiser:Quantiser coder:u8 globalWeights:[u8] rate:Rate startSeconds:f64 ' +
    'overviewFactor:u16 constantPartitions:u8',
  SampleFormat: 'sampleType:u8 channels:u8 layout:u8 mapping:ValueMapping',
  SineFamily:
    'levels:u8 localWidth:u16 globalWidth:u16 localCoordinates:u8 latticeStride:u16 localActivation:SineActivation ' +
    'globalActivation:SineActivation mergeActivation:SineActivation',
  LatentFamily: 'levels:u8 finestLevels:[u8] hiddenWidth:u8 amplitude:f32 defaultSet:u8',
  Quantiser:
    'format:u8 localTensors:[TensorQuantiser] globalTensors:[TensorQuantiser] localModels:[u8] localOrigin:[u8]',
  Index: 'signals:[SignalIndex] sections:[Section]',
  SignalIndex:
    'axes:[Axis] windowBegin:[i32] windowEnd:[i32] coordinates:[i32] payloadLengths:[u32] runs:[Run] presence:[u8] packedLengths:[u8]',
  Axis: 'cuts:[i32] firstCell:i32',
  Section: 'name:string span:Span',
};
/** Structs as lists of numbers, and what they are aligned to. */
const STRUCTS = {
  ValueMapping: ['f64', 'f64'],
  CoordinateMap: ['f64', 'f64'],
  Colour: ['u8', 'u8', 'u8', 'u8'],
  Rate: ['u32', 'u32'],
  SineActivation: ['f64', 'f64', 'f64', 'f64', 'f64', 'f64'],
  TensorQuantiser: ['f32', 'u8'],
  Run: ['u64', 'u32'],
  Span: ['u64', 'u32', 'u32'],
};
const SIZES = { u8: 1, u16: 2, u32: 4, i32: 4, f32: 4, f64: 8, u64: 8 };
const GET = {
  u8: (view, at) => view.getUint8(at),
  u16: (view, at) => view.getUint16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
  u64: (view, at) => Number(view.getBigUint64(at, true)),
};
const SET = {
  u8: (view, at, value) => view.setUint8(at, value),
  u16: (view, at, value) => view.setUint16(at, value, true),
  u32: (view, at, value) => view.setUint32(at, value, true),
  i32: (view, at, value) => view.setInt32(at, value, true),
  f32: (view, at, value) => view.setFloat32(at, value, true),
  f64: (view, at, value) => view.setFloat64(at, value, true),
  u64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
};

const fieldsOf = (table) => TABLES[table].split(' ').map((field) => field.split(':'));
const isInline = (kind) => kind in SIZES || kind in STRUCTS;
const alignmentOf = (kind) =>
  kind in STRUCTS ? Math.max(...STRUCTS[kind].map((part) => SIZES[part])) : (SIZES[kind] ?? 4);
const up = (at, alignment) => Math.ceil(at / alignment) * alignment;

/** Where the numbers of a struct stand in it, and its bytes. */
function layoutOf(kind) {
  const parts = STRUCTS[kind] ?? [kind];
  let at = 0;
  const places = parts.map((part) => {
    const place = up(at, SIZES[part]);
    at = place + SIZES[part];
    return [part, place];
  });
  return { places, size: up(at, alignmentOf(kind)) };
}

function readInline(view, at, kind) {
  const numbers = layoutOf(kind).places.map(([part, place]) => GET[part](view, at + place));
  return kind in STRUCTS ? numbers : numbers[0];
}

const memberOf = (type) => ['SineFamily', 'LatentFamily'][type - 1] ?? 'SineFamily';

function readTable(view, at, table) {
  const virtual = at - view.getInt32(at, true);
  const values = {};
  fieldsOf(table).forEach(([name, kind], i) => {
    const entry = 4 + 2 * i;
    const offset = entry < view.getUint16(virtual, true) ? view.getUint16(virtual + entry, true) : 0;
    if (offset === 0) return;
    const place = at + offset;
    values[name] = isInline(kind)
      ? readInline(view, place, kind)
      : readReference(
          view,
          place + view.getUint32(place, true),
          kind === 'Architecture' ? memberOf(values.architectureType) : kind,
        );
  });
  return values;
}

function readReference(view, at, kind) {
  if (kind in TABLES) return readTable(view, at, kind);
  const count = view.getUint32(at, true);
  if (kind === 'string')
    return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 4, count));
  const element = kind.slice(1, -1);
  const size = element in TABLES ? 4 : layoutOf(element).size;
  return Array.from({ length: count }, (_, i) => {
    const place = at + 4 + size * i;
    if (element in TABLES) return readTable(view, place + view.getUint32(place, true), element);
    return readInline(view, place, element);
  });
}

/**
 * Writes one buffer. An object of a table may have `$skew`, the name of a field of its own that is put off its alignment, and `$virtual`,
 * which changes the bytes of its virtual table; `$share`, two names of fields, the first of which gets the object of the other; `$size`, its bytes. A root may
 * have `$identifier`, `$cut`, the bytes that are missing at its end, and `$bytes`, which changes what was written.
 */
class TableWriter {
  constructor() {
    this.view = new DataView(new ArrayBuffer(1 << 18));
    this.end = 8;
  }

  take(size, alignment, before = 0) {
    const at = up(this.end + before, alignment) - before;
    this.end = at + size;
    return at;
  }

  inline(at, kind, value) {
    const numbers = kind in STRUCTS ? value : [value];
    layoutOf(kind).places.forEach(([part, place], i) => SET[part](this.view, at + place, numbers[i]));
  }

  table(name, values) {
    const fields = fieldsOf(name);
    const skew = values.$skew;
    const virtual = this.take(4 + 2 * fields.length + 2, 2);
    const at = this.take(4, 8);
    const places = new Map();
    fields.forEach(([field, kind], i) => {
      if (values[field] === undefined || values[field] === null) return;
      const alignment = alignmentOf(kind);
      const size = isInline(kind) ? layoutOf(kind).size : 4;
      let place = this.take(size, alignment);
      if (field === skew && isInline(kind)) place = this.take(size, alignment, alignment / 2);
      places.set(field, place);
      this.view.setUint16(virtual + 4 + 2 * i, place - at, true);
      if (isInline(kind)) this.inline(place, kind, values[field]);
    });
    if (values.$size !== undefined) this.end = at + values.$size;
    this.view.setInt32(at, at - virtual, true);
    this.view.setUint16(virtual, 4 + 2 * fields.length, true);
    this.view.setUint16(virtual + 2, this.end - at, true);
    values.$virtual?.(this.view, virtual, at, places);
    for (const [field, kind] of fields) {
      if (!places.has(field) || isInline(kind)) continue;
      const place = places.get(field);
      const target = this.reference(
        kind === 'Architecture' ? memberOf(values.architectureType) : kind,
        values[field],
        field === skew,
      );
      this.view.setUint32(place, target - place, true);
    }
    if (values.$share) {
      const [one, other] = values.$share.map((field) => places.get(field));
      this.view.setUint32(one, other + this.view.getUint32(other, true) - one, true);
    }
    return at;
  }

  reference(kind, value, isSkewed = false) {
    if (kind in TABLES) return this.table(kind, value);
    if (kind === 'string') {
      const bytes = new TextEncoder().encode(value);
      const at = this.take(4 + bytes.length + 1, 4, isSkewed ? 2 : 0);
      this.view.setUint32(at, bytes.length, true);
      new Uint8Array(this.view.buffer, at + 4).set(bytes);
      return at;
    }
    const element = kind.slice(1, -1);
    const isTable = element in TABLES;
    const { size } = isTable ? { size: 4 } : layoutOf(element);
    const alignment = Math.max(4, isTable ? 4 : alignmentOf(element));
    const at = this.take(
      4 + size * value.length,
      alignment,
      isSkewed && alignment > 4 ? 0 : alignment > 4 ? 4 : 0,
    );
    this.view.setUint32(at, value.length, true);
    value.forEach((item, i) => {
      const place = at + 4 + size * i;
      if (isTable) this.view.setUint32(place, this.table(element, item) - place, true);
      else this.inline(place, element, item);
    });
    return at;
  }
}

function encode(root, values) {
  const writer = new TableWriter();
  const at = writer.table(root, values);
  writer.view.setUint32(0, at, true);
  const identifier = values.$identifier ?? { Header: 'LGIH', Index: 'LGIX' }[root];
  [...identifier].forEach((character, i) => writer.view.setUint8(4 + i, character.charCodeAt(0)));
  const end = values.$cut === undefined ? up(writer.end, 8) : writer.end - values.$cut;
  const bytes = new Uint8Array(writer.view.buffer, 0, end).slice();
  values.$bytes?.(new DataView(bytes.buffer));
  return bytes;
}

/**
 * The file with another header or index, behind everything else, and every checksum right.
 *
 * @param edit changes the two objects; may return changes of the superblock, with `mustUnderstand` for features besides.
 */
export async function withTables(file, edit) {
  const { superblock, index: read } = await openContainer(new MemorySource(file));
  const tables = {};
  for (const [name, root] of [
    ['header', 'Header'],
    ['index', 'Index'],
  ]) {
    const { byteOffset, byteLength } = superblock[name];
    const view = new DataView(file.buffer, file.byteOffset + byteOffset, byteLength);
    tables[name] = readTable(view, view.getUint32(0, true), root);
  }
  const { mustUnderstand = 0n, extra = [], ...changes } = edit(tables.header, tables.index, superblock) ?? {};
  const parts = [file, ...extra];
  const spans = {};
  let end = file.length;
  for (const { length } of extra) end += length;
  for (const [name, root] of [
    ['header', 'Header'],
    ['index', 'Index'],
  ]) {
    const bytes = encode(root, tables[name]);
    const byteOffset = up(end, 16);
    parts.push(new Uint8Array(byteOffset - end), bytes);
    end = byteOffset + bytes.length;
    spans[name] = { byteOffset, byteLength: bytes.length, crc: crc32c(bytes) };
  }
  const bytes = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  read.signals.forEach(({ grid, chunks }, signal) => {
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const begin = chunks.byteOffsets[chunk];
      const payload = bytes.subarray(begin + chunks.headBytes, chunks.end(chunk));
      const head = encodeChunkHead(
        payload,
        grid.boxOf(chunks.ordinals[chunk]),
        signal,
        spans.header.crc,
      ).bytes;
      bytes.set(head.subarray(0, chunks.headBytes), begin);
    }
  });
  const { features } = superblock;
  bytes.set(
    encodeSuperblock({
      ...superblock,
      features: { ...features, mustUnderstand: features.mustUnderstand | mustUnderstand },
      ...spans,
      committedByteLength: bytes.length,
      ...changes,
    }),
  );
  return bytes;
}
