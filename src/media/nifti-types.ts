import type { SampleArray } from '../../codec/signal.js';

/** How a sample type of NIfTI is read. */
export interface NiftiType {
  readonly name: string;
  /** Of one sample, or of one channel where there are several. */
  readonly bytes: number;
  /** Channels of a voxel; 3 and 4 are colours. */
  readonly channels: 1 | 3 | 4;
  readonly at: (view: DataView, byteOffset: number, isLittleEndian: boolean) => number;
  /** Of samples without a scale. */
  readonly array: 'uint8' | 'uint16' | 'float32';
}

const byteAt: NiftiType['at'] = (view, at) => view.getUint8(at);

function numbers(
  name: string,
  bytes: number,
  at: NiftiType['at'],
  array: NiftiType['array'] = 'float32',
): NiftiType {
  return { name, bytes, channels: 1, at, array };
}

/** By NIfTI's codes. */
export const NIFTI_TYPES: Readonly<Record<number, NiftiType | undefined>> = {
  2: numbers('uint8', 1, byteAt, 'uint8'),
  4: numbers('int16', 2, (view, at, little) => view.getInt16(at, little)),
  8: numbers('int32', 4, (view, at, little) => view.getInt32(at, little)),
  16: numbers('float32', 4, (view, at, little) => view.getFloat32(at, little)),
  64: numbers('float64', 8, (view, at, little) => view.getFloat64(at, little)),
  128: { name: 'RGB24', bytes: 1, channels: 3, at: byteAt, array: 'uint8' },
  256: numbers('int8', 1, (view, at) => view.getInt8(at)),
  512: numbers('uint16', 2, (view, at, little) => view.getUint16(at, little), 'uint16'),
  768: numbers('uint32', 4, (view, at, little) => view.getUint32(at, little)),
  1024: numbers('int64', 8, (view, at, little) => Number(view.getBigInt64(at, little))),
  1280: numbers('uint64', 8, (view, at, little) => Number(view.getBigUint64(at, little))),
  2304: { name: 'RGBA32', bytes: 1, channels: 4, at: byteAt, array: 'uint8' },
};

/** Types that have no form here, for messages. */
export const FOREIGN_TYPES: Readonly<Record<number, string | undefined>> = {
  0: 'no type at all',
  1: 'single bits',
  32: 'complex64',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
};

/** An array of a type's samples, of zeros. */
export function arrayOf(array: NiftiType['array'], length: number): SampleArray {
  if (array === 'uint8') return new Uint8Array(length);
  return array === 'uint16' ? new Uint16Array(length) : new Float32Array(length);
}
