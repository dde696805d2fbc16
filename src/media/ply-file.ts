import { damagedFault, mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { MeshBuilder } from './mesh-builder.js';
import { byteOrderMarkBytes, textLines } from './text-lines.js';

type Scalar = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64';

const SCALARS: Readonly<Record<string, Scalar>> = {
  char: 'int8',
  uchar: 'uint8',
  short: 'int16',
  ushort: 'uint16',
  int: 'int32',
  uint: 'uint32',
  float: 'float32',
  double: 'float64',
  ...Object.fromEntries(
    (['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'] as const).map((type) => [
      type,
      type,
    ]),
  ),
};

const BYTES: Readonly<Record<Scalar, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  float64: 8,
};

interface Property {
  readonly name: string;
  readonly type: Scalar;
  /** Type of the length before a list; absent for a single value. */
  readonly length?: Scalar;
}

interface Element {
  readonly name: string;
  readonly count: number;
  readonly properties: Property[];
}

interface Header {
  readonly format: string;
  readonly elements: readonly Element[];
  readonly end: number;
}

const NEXT_STEP = 'the file is damaged or of another kind, export it again';

const CR = 13;
const LF = 10;

/** Whether the first line, `ply`, ends in CR alone, and so all lines of the header. */
function endsInCrAlone(bytes: Uint8Array): boolean {
  const at = bytes.indexOf(CR);
  return at >= 0 && at <= byteOrderMarkBytes(bytes) + 'ply'.length + 1 && bytes[at + 1] !== LF;
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  const elements: Element[] = [];
  let format = '';
  for (const { text, end } of textLines(bytes)) {
    const words = text.split(/\s+/);
    const fault = () => mediaFault(name, `the PLY header has the line '${text.slice(0, 60)}'`, NEXT_STEP);
    const scalar = (word: string): Scalar => {
      if (!Object.hasOwn(SCALARS, word)) throw fault();
      return SCALARS[word];
    };
    switch (words[0]) {
      case 'format':
        format = words[1] ?? '';
        break;
      case 'element': {
        const count = Number(words[2]);
        if (!Number.isSafeInteger(count) || count < 0) throw fault();
        elements.push({ name: words[1], count, properties: [] });
        break;
      }
      case 'property': {
        const properties = elements.at(-1)?.properties;
        if (!properties) throw fault();
        properties.push(
          words[1] === 'list'
            ? { name: words[4] ?? '', type: scalar(words[3]), length: scalar(words[2]) }
            : { name: words[2] ?? '', type: scalar(words[1]) },
        );
        break;
      }
      case 'end_header':
        if (!['ascii', 'binary_little_endian', 'binary_big_endian'].includes(format)) {
          throw mediaFault(
            name,
            `the PLY format is '${format.slice(0, 40)}', ascii, binary_little_endian and binary_big_endian are read`,
            'export it as one of them',
          );
        }
        // The first byte of a binary body may be an LF that is no part of a line end.
        return { format, elements, end: endsInCrAlone(bytes) && bytes[end - 2] === CR ? end - 1 : end };
    }
  }
  throw damagedFault(name, `the PLY header has no 'end_header' in ${bytes.length} bytes`);
}

/** Gives the next value of a type; undefined where the file ends. */
type NextValue = (type: Scalar) => number | undefined;

function binaryValues(bytes: Uint8Array, from: number, isLittle: boolean): NextValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = from;
  return (type) => {
    const begin = at;
    if (begin + BYTES[type] > bytes.length) return undefined;
    at += BYTES[type];
    switch (type) {
      case 'int8':
        return view.getInt8(begin);
      case 'uint8':
        return view.getUint8(begin);
      case 'int16':
        return view.getInt16(begin, isLittle);
      case 'uint16':
        return view.getUint16(begin, isLittle);
      case 'int32':
        return view.getInt32(begin, isLittle);
      case 'uint32':
        return view.getUint32(begin, isLittle);
      case 'float32':
        return view.getFloat32(begin, isLittle);
      case 'float64':
        return view.getFloat64(begin, isLittle);
    }
  };
}

function textValues(bytes: Uint8Array, from: number): NextValue {
  const lines = textLines(bytes, from);
  let words: string[] = [];
  let at = 0;
  return () => {
    while (at === words.length) {
      const next = lines.next();
      if (next.done) return undefined;
      words = next.value.text === '' ? [] : next.value.text.split(/\s+/);
      at = 0;
    }
    return Number(words[at++]);
  };
}

/** Values of a list of vertices that are read into an array; longer ones are damage, no file has such faces. */
const MAX_LIST_VERTICES = 2 ** 26;

/**
 * The vertices and faces of a PLY file, ASCII or binary; polygons are cut into fans and strips into triangles, all else
 * is passed over. Faces of fewer than 3 different vertices are left out, with a notice.
 *
 * @throws LgiError `media` for one that is incomplete or cannot be read.
 */
export function parsePly(bytes: Uint8Array, name: string): Mesh {
  const { format, elements, end } = parseHeader(bytes, name);
  const next =
    format === 'ascii' ? textValues(bytes, end) : binaryValues(bytes, end, format === 'binary_little_endian');
  const builder = new MeshBuilder();
  for (const element of elements) {
    // An element without properties takes no bytes, however many there are said to be.
    if (element.properties.length === 0) continue;
    const isStrip = element.name === 'tristrips';
    const hasFaces = isStrip || element.name === 'face';
    for (let row = 0; row < element.count; row++) {
      const cut = () =>
        damagedFault(
          name,
          `the PLY file ends in '${element.name}' ${row} of ${element.count} (${bytes.length} bytes)`,
        );
      const point = [NaN, NaN, NaN];
      for (const property of element.properties) {
        const value = next(property.length ?? property.type);
        if (value === undefined) throw cut();
        if (!property.length) {
          const axis = element.name === 'vertex' ? ['x', 'y', 'z'].indexOf(property.name) : -1;
          if (axis >= 0) point[axis] = value;
          continue;
        }
        const isList = hasFaces && /^vertex_(index|indices)$/.test(property.name);
        if (!Number.isInteger(value) || value < 0 || (isList && value > MAX_LIST_VERTICES)) {
          throw mediaFault(name, `'${element.name}' ${row} has a list of ${value} entries`, NEXT_STEP);
        }
        let vertices: number[] = [];
        for (let k = 0; k < value; k++) {
          const entry = next(property.type);
          if (entry === undefined) throw cut();
          if (!isList) continue;
          // -1 ends a strip, and the next one begins.
          if (isStrip && entry === -1) {
            if (vertices.length > 0) builder.strip(vertices);
            vertices = [];
            continue;
          }
          if (!Number.isInteger(entry) || entry < 0 || entry >= 2 ** 32) {
            throw mediaFault(name, `'${element.name}' ${row} has the vertex ${entry}`, NEXT_STEP);
          }
          vertices.push(entry);
        }
        if (!isList) continue;
        if (!isStrip) builder.polygon(vertices);
        else if (vertices.length > 0) builder.strip(vertices);
      }
      if (element.name === 'vertex') builder.vertex(point[0], point[1], point[2]);
    }
  }
  return builder.mesh(name);
}
