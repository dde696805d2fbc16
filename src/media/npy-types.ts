import type { SampleType } from '../../codec/signal.js';

/** How samples of one of NumPy's types are kept. */
export interface NpyType {
  /** NumPy's name, such as `int16`. */
  readonly name: string;
  /** Of one sample in the file. */
  readonly bytes: number;
  /** What the samples become; float32 where there is {@link NpyType.at}. */
  readonly sampleType: SampleType;
  /** The number at a place; absent where the bytes are the samples, but for their order. */
  readonly at?: (view: DataView, byteOffset: number, isLittleEndian: boolean) => number;
}

const FLOAT16_FRACTION_BITS = 10;

/** IEEE 754 half precision, every value of which float32 holds. */
function float16At(view: DataView, byteOffset: number, isLittleEndian: boolean): number {
  const bits = view.getUint16(byteOffset, isLittleEndian);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> FLOAT16_FRACTION_BITS) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

function converted(name: string, bytes: number, at: NonNullable<NpyType['at']>): NpyType {
  return { name, bytes, sampleType: 'float32', at };
}

/** By kind and bytes, as type texts end. */
const TYPES: Readonly<Record<string, NpyType | undefined>> = {
  u1: { name: 'uint8', bytes: 1, sampleType: 'uint8' },
  u2: { name: 'uint16', bytes: 2, sampleType: 'uint16' },
  f4: { name: 'float32', bytes: 4, sampleType: 'float32' },
  // Floats take the network's range to 0 and 1; bytes of 0 and 1 would differ by 1/255 of it.
  b1: converted('bool', 1, (view, at) => (view.getUint8(at) === 0 ? 0 : 1)),
  i1: converted('int8', 1, (view, at) => view.getInt8(at)),
  i2: converted('int16', 2, (view, at, little) => view.getInt16(at, little)),
  i4: converted('int32', 4, (view, at, little) => view.getInt32(at, little)),
  i8: converted('int64', 8, (view, at, little) => Number(view.getBigInt64(at, little))),
  u4: converted('uint32', 4, (view, at, little) => view.getUint32(at, little)),
  u8: converted('uint64', 8, (view, at, little) => Number(view.getBigUint64(at, little))),
  f2: converted('float16', 2, float16At),
  f8: converted('float64', 8, (view, at, little) => view.getFloat64(at, little)),
};

/** The type and byte order of a type text such as `<i2`; undefined for types that are not read. */
export function npyTypeOf(descr: string): { type: NpyType; isBigEndian: boolean } | undefined {
  const match = /^([<>|=]?)([biuf]\d)$/.exec(descr);
  const type = match && Object.hasOwn(TYPES, match[2]) ? TYPES[match[2]] : undefined;
  return type && { type, isBigEndian: match?.[1] === '>' && type.bytes > 1 };
}

/** NumPy's names of kinds that are not read, by the letter of their type text. */
const FOREIGN_KINDS: Readonly<Record<string, string | undefined>> = {
  c: 'complex numbers',
  f: 'floats of this length',
  S: 'bytes',
  U: 'text',
  O: 'Python objects',
  M: 'dates',
  m: 'time spans',
  V: 'raw records',
};

/** What a type that is not read is, and how NumPy converts it. */
export function foreignType(descr: string): readonly [fact: string, nextStep: string] {
  const kind = FOREIGN_KINDS[/^[<>|=]?([A-Za-z])\d*/.exec(descr)?.[1] ?? ''];
  const fact =
    `samples are of type ${descr.slice(0, 32)}${kind === undefined ? '' : ` (${kind})`}, ` +
    'volumes are of integers, floats or truth values';
  return /^[<>|=]?c/.test(descr)
    ? [fact, 'save the magnitude with np.save(path, np.abs(array).astype(np.float32))']
    : [fact, 'convert it with np.save(path, array.astype(np.float32))'];
}
