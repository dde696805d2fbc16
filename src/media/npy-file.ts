import { LgiError } from '../../codec/errors.js';
import type { SampleType } from '../../codec/signal.js';
import { damagedFault, mediaFault } from './image-limits.js';
import { foreignType, npyTypeOf, type NpyType } from './npy-types.js';

/** What begins a file of NumPy's array format. */
export const NPY_MAGIC = '\x93NUMPY';

/** Bytes before the header's text: magic, version and a length of 16 or 32 bits. */
const PREAMBLE_BYTES = { 1: 10, 2: 12, 3: 12 } as const;

/**
 * Bytes from the file's start that the header has to lie within: as much as version 1.0 can say, which NumPy leaves only for
 * structured types of very many fields.
 */
export const NPY_HEADER_BYTES = 10 + 0xffff;

/** NumPy's own: samples begin at a multiple of it, so that they can be mapped into memory. */
const ALIGNMENT_BYTES = 64;

/** A volume in NumPy's array format. */
export interface NpyHeader {
  readonly type: NpyType;
  readonly isBigEndian: boolean;
  /** `[z, y, x]`, all from 1. */
  readonly shape: readonly number[];
  /** As the file has them, where they are not three. */
  readonly axes: readonly number[];
  /** Whether the first axis is the one whose samples lie side by side. */
  readonly isFortran: boolean;
  /** Where the samples begin, from the file's start. */
  readonly byteOffset: number;
  /** Of the whole file, as the header has it. */
  readonly byteLength: number;
}

const DTYPES: Readonly<Record<SampleType, string>> = { uint8: '|u1', uint16: '<u2', float32: '<f4' };

/** Bytes of one sample. */
export const SAMPLE_BYTES: Readonly<Record<SampleType, number>> = { uint8: 1, uint16: 2, float32: 4 };

/** What Python prints of the three values, and nothing else that it would take. */
const KEY = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*/y;
const VALUES: Readonly<Record<string, RegExp>> = {
  descr: /(['"])([^'"\\]*)\1/y,
  fortran_order: /()(True|False)/y,
  // Python 2 marked long integers with an L.
  shape: /()\(([0-9L,\s]*)\)/y,
};

function at(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

/** The header's dictionary as text by key, or what is wrong with it. */
function parseDictionary(text: string): Map<string, string> | string {
  const values = new Map<string, string>();
  let position = at(/\s*\{/y, text, 0)?.[0].length ?? -1;
  if (position < 0) return 'it does not begin with {';
  for (;;) {
    const key = at(KEY, text, position);
    if (key === null) break;
    position += key[0].length;
    // A list of fields is a structured type; it is named below, where types are refused.
    if (key[2] === 'descr' && text[position] === '[') return values.set('descr', 'structured');
    const value = at(VALUES[key[2]], text, position);
    if (value === null) return `the value of ${key[2]} at byte ${position} of its text is no plain value`;
    if (values.has(key[2])) return `it has ${key[2]} twice`;
    values.set(key[2], value[2]);
    position += value[0].length;
    const comma = at(/\s*,/y, text, position);
    if (comma === null) break;
    position += comma[0].length;
  }
  if (at(/\s*\}\s*$/y, text, position) === null) return `byte ${position} of its text is not expected`;
  const absent = ['descr', 'fortran_order', 'shape'].find((key) => !values.has(key));
  return absent === undefined ? values : `it has no ${absent}`;
}

function parseShape(text: string): number[] | null {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  if (!parts.every((part) => /^\d{1,15}L?$/.test(part))) return null;
  return parts.map((part) => Number.parseInt(part, 10));
}

/** Two axes are a slice; of more than three, those of one sample are left out from the first on. */
function volumeShape(axes: readonly number[]): number[] {
  if (axes.length === 2) return [1, ...axes];
  const shape = [...axes];
  while (shape.length > 3 && shape.includes(1)) shape.splice(shape.indexOf(1), 1);
  return shape;
}

function headerText(bytes: Uint8Array, name: string): readonly [text: string, byteOffset: number] {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start.length === 0) throw mediaFault(name, 'the file is empty', 'fetch or export it again');
  if (start.toString('latin1', 0, NPY_MAGIC.length) !== NPY_MAGIC) {
    throw mediaFault(name, 'this is no NumPy array file', 'write it with np.save(path, array)');
  }
  const [major, minor] = [start[6] ?? 0, start[7] ?? 0];
  if ((major !== 1 && major !== 2 && major !== 3) || minor !== 0) {
    throw mediaFault(
      name,
      `the file is of the NumPy format ${major}.${minor}, 1.0 to 3.0 are read`,
      'load it in NumPy and save it with np.save(path, array)',
    );
  }
  const preamble = PREAMBLE_BYTES[major];
  if (start.length < preamble) throw damagedFault(name, `the file ends after ${start.length} bytes`);
  const textBytes = major === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  const byteOffset = preamble + textBytes;
  if (byteOffset > NPY_HEADER_BYTES) {
    throw mediaFault(
      name,
      `the header has ${textBytes} bytes, a volume's needs at most ${NPY_HEADER_BYTES - preamble}`,
      'save only the array itself with np.save(path, array)',
    );
  }
  if (start.length < byteOffset) {
    throw damagedFault(name, `the header needs ${byteOffset} bytes, the file has ${start.length}`);
  }
  return [start.toString('latin1', preamble, byteOffset), byteOffset];
}

/**
 * Reads the header of a volume in NumPy's array format: versions 1.0 to 3.0, integers, floats and truth values of either byte
 * order, three axes in C or Fortran order. Two axes are one slice; further axes may have one sample.
 *
 * @param bytes the file's first {@link NPY_HEADER_BYTES} bytes, or all where it has fewer.
 * @throws LgiError `media` for anything else, with how NumPy converts it.
 */
export function parseNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const [text, byteOffset] = headerText(bytes, name);
  const values = parseDictionary(text);
  if (typeof values === 'string') throw damagedFault(name, `the header cannot be read: ${values}`);
  const dtype = values.get('descr') ?? '';
  const known = npyTypeOf(dtype);
  if (known === undefined) throw mediaFault(name, ...foreignType(dtype));
  const axes = parseShape(values.get('shape') ?? '');
  if (axes === null) throw damagedFault(name, `the header's shape (${values.get('shape')}) is invalid`);
  const shape = volumeShape(axes);
  if (shape.length !== 3) {
    const count = axes.length === 1 ? '1 axis' : `${axes.length} axes`;
    throw mediaFault(
      name,
      `the array has ${count}${axes.length > 0 ? ` (${axes.slice(0, 8).join('x')})` : ''}, a volume has 3: z, y, x`,
      shape.length < 3
        ? 'save array.reshape(z, y, x) with the lengths of your axes'
        : 'save one part of it, such as array[0] or array[..., 0]',
    );
  }
  if (shape.includes(0)) {
    throw mediaFault(name, `the array is ${shape.join('x')}, it has no sample`, 'export it again');
  }
  const { type, isBigEndian } = known;
  const byteLength = byteOffset + shape.reduce((product, length) => product * length, type.bytes);
  if (!Number.isSafeInteger(byteLength)) {
    throw new LgiError(
      'limit',
      `${name}: the array is ${shape.join('x')}, more bytes than any file has; the file is damaged, export it again`,
    );
  }
  const isFortran = values.get('fortran_order') === 'True';
  return { type, isBigEndian, shape, axes, isFortran, byteOffset, byteLength };
}

/** The header of a file of format 1.0, little-endian in C order, as NumPy writes it. */
export function npyHeader(sampleType: SampleType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${DTYPES[sampleType]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const end = PREAMBLE_BYTES[1] + text.length + 1;
  const byteLength = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const header = Buffer.alloc(byteLength, ' ');
  header.write(NPY_MAGIC, 0, 'latin1');
  header.set([1, 0], 6);
  header.writeUInt16LE(byteLength - PREAMBLE_BYTES[1], 8);
  header.write(text, PREAMBLE_BYTES[1], 'latin1');
  header.write('\n', byteLength - 1, 'latin1');
  return header;
}

const IS_BIG_ENDIAN_MACHINE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** Turns samples between a file's byte order and the machine's, in place. */
export function orderBytes(bytes: Uint8Array, sampleType: SampleType, isBigEndian: boolean): void {
  if (isBigEndian === IS_BIG_ENDIAN_MACHINE || sampleType === 'uint8') return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (sampleType === 'uint16') buffer.swap16();
  else buffer.swap32();
}
