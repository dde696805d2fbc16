import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { SampleArray } from '../../codec/signal.js';
import { fileError } from '../io/file-error-node.js';
import { rangeMapping } from './content-mapping.js';
import { damagedFault, MAX_FILE_BYTES, mediaFault } from './image-limits.js';
import { memoryMedia, type Media } from './media.js';

/** Bytes that a header of either version may have, with its extension flag; small files are shorter. */
const HEADER_BYTES = 544;

/** How NIfTI's data types are read: bytes of a sample, and one at a place. */
interface SampleReader {
  readonly bytes: number;
  readonly at: (view: DataView, byteOffset: number, isLittleEndian: boolean) => number;
}

/** By NIfTI's codes. */
const READERS: Readonly<Record<number, SampleReader>> = {
  2: { bytes: 1, at: (view, at) => view.getUint8(at) },
  4: { bytes: 2, at: (view, at, little) => view.getInt16(at, little) },
  8: { bytes: 4, at: (view, at, little) => view.getInt32(at, little) },
  16: { bytes: 4, at: (view, at, little) => view.getFloat32(at, little) },
  64: { bytes: 8, at: (view, at, little) => view.getFloat64(at, little) },
  256: { bytes: 1, at: (view, at) => view.getInt8(at) },
  512: { bytes: 2, at: (view, at, little) => view.getUint16(at, little) },
  768: { bytes: 4, at: (view, at, little) => view.getUint32(at, little) },
};

const UINT8 = 2;
const UINT16 = 512;

/**
 * Reads a NIfTI volume (`.nii`, `.nii.gz`; versions 1 and 2) as `[z, y, x]`: unsigned integers of 8 and 16 bits without a scale as they
 * are, all else as float32 with the header's scale, exact up to 24 bits. The voxel size becomes the placement; orientation is not kept.
 *
 * @throws LgiError `io`; `media` for what is none, is cut off, has another type or more than three axes, or values that are not finite.
 */
export async function readNifti(path: string, signal?: AbortSignal): Promise<Media> {
  const bytes = await readBytes(path);
  signal?.throwIfAborted();
  const nifti = await import('nifti-reader-js');
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const start = new Uint8Array(HEADER_BYTES);
  start.set(bytes.subarray(0, HEADER_BYTES));
  const header = nifti.isNIFTI(start.buffer) ? nifti.readHeader(start.buffer) : null;
  if (header === null) {
    throw mediaFault(
      path,
      'it is no NIfTI file by its header',
      'fetch or export it again, or convert it to .npy',
    );
  }
  const { dims, datatypeCode, littleEndian, vox_offset: begin, scl_slope: slope, scl_inter: offset } = header;
  const reader = READERS[datatypeCode];
  if (reader === undefined) {
    throw mediaFault(
      path,
      `its samples have NIfTI's type ${datatypeCode}, which is not read`,
      'convert it to int16 or float32',
    );
  }
  const [axes, width, height, depth] = [dims[0], dims[1], dims[2], axes3(dims)];
  const further = dims.slice(4, axes + 1).filter((length) => length > 1);
  if (axes < 2 || further.length > 0) {
    throw mediaFault(
      path,
      `it has ${axes} axes: ${dims.slice(1, axes + 1).join('x')}`,
      'save one volume of three axes',
    );
  }
  const count = width * height * depth;
  const isWhole = [width, height, depth].every((length) => Number.isInteger(length) && length >= 1);
  if (!isWhole || !(begin >= 0) || begin + count * reader.bytes > buffer.byteLength) {
    throw damagedFault(
      path,
      `${width}x${height}x${depth} samples of ${reader.bytes} bytes from ${begin} on do not lie in its ${buffer.byteLength} bytes`,
    );
  }
  const view = new DataView(buffer);
  const isScaled = slope !== 0 && Number.isFinite(slope) && (slope !== 1 || offset !== 0);
  const data = samplesOf(datatypeCode, isScaled, count);
  for (let i = 0; i < count; i++) {
    const stored = reader.at(view, begin + i * reader.bytes, littleEndian);
    const value = isScaled ? stored * slope + offset : stored;
    if (!Number.isFinite(value)) {
      const place = [Math.floor(i / (width * height)), Math.floor(i / width) % height, i % width];
      throw mediaFault(
        path,
        `the sample at z, y, x = ${place.join(', ')} is ${value}`,
        'replace values that are not finite',
      );
    }
    data[i] = value;
  }
  const spacing = [3, 2, 1]
    .map((axis) => Math.abs(header.pixDims[axis]))
    .map((step) => (step > 0 ? step : 1));
  return memoryMedia({
    kind: 'volume',
    data,
    shape: [depth, height, width],
    channels: 1,
    ...(data instanceof Float32Array && { mapping: rangeMapping(data) }),
    placement: { origin: [0, 0, 0], spacing },
  });
}

/** Slices; a file of two axes has one. */
function axes3(dims: readonly number[]): number {
  return dims[0] < 3 ? 1 : dims[3];
}

function samplesOf(datatypeCode: number, isScaled: boolean, count: number): SampleArray {
  if (isScaled) return new Float32Array(count);
  if (datatypeCode === UINT8) return new Uint8Array(count);
  return datatypeCode === UINT16 ? new Uint16Array(count) : new Float32Array(count);
}

/** The file, unpacked where it is packed, but no further than a volume may be large. */
async function readBytes(path: string): Promise<Uint8Array> {
  const failed = (cause: unknown): never => {
    throw fileError('read', path, cause);
  };
  const { size } = await stat(path).catch(failed);
  if (size > MAX_FILE_BYTES) {
    throw mediaFault(
      path,
      `the file has ${size} bytes, the limit is ${MAX_FILE_BYTES}`,
      'convert it to .npy, which is read in parts',
    );
  }
  const bytes = await readFile(path).catch(failed);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return promisify(gunzip)(bytes, { maxOutputLength: MAX_FILE_BYTES }).catch((cause: unknown) => {
    throw damagedFault(path, 'it cannot be unpacked', cause);
  });
}
