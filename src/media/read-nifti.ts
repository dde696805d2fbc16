import type { SampleArray } from '../../codec/signal.js';
import { rangeMapping } from './content-mapping.js';
import { beyondFloat32 } from './float32-samples.js';
import { damagedFault, mediaFault } from './image-limits.js';
import { memoryMedia, type Media } from './media.js';
import { readNiftiFiles, type NiftiFiles } from './nifti-files.js';
import { EXTENSION_FLAG_BYTES, type NiftiHeader } from './nifti-header.js';
import { arrayOf, FOREIGN_TYPES, NIFTI_TYPES, type NiftiType } from './nifti-types.js';

/** An extension's length and code, before its content. */
const EXTENSION_HEADER_BYTES = 8;

function typeOf({ typeCode }: NiftiHeader, path: string): NiftiType {
  const type = NIFTI_TYPES[typeCode];
  if (type) return type;
  const name = FOREIGN_TYPES[typeCode];
  throw mediaFault(
    path,
    `its samples have NIfTI's type ${typeCode}${name === undefined ? '' : ` (${name})`}, which is not read`,
    name?.startsWith('complex')
      ? 'save the magnitude as float32'
      : 'convert it to a type such as int16 or float32',
  );
}

/** `[z, y, x]`; axes of one sample beyond the third do not count. */
function shapeOf({ lengths, format }: NiftiHeader, path: string): readonly [number, number, number] {
  const text = `${lengths.length} ${lengths.length === 1 ? 'axis' : 'axes'}: ${lengths.join('x')}`;
  if (lengths.some((length) => !Number.isSafeInteger(length) || length < 1)) {
    throw damagedFault(path, `its ${format} header has ${text}, and no length can be below 1`);
  }
  if (lengths.length < 2 || lengths.slice(3).some((length) => length > 1)) {
    throw mediaFault(path, `it has ${text}`, 'save one volume of three axes');
  }
  return [lengths[2] ?? 1, lengths[1], lengths[0]];
}

/**
 * Where the samples begin when the header says 0: after the header and whatever extensions follow it.
 *
 * @param sampleBytes of all samples, which no extension can take the place of.
 */
function afterExtensions({ header, bytes }: NiftiFiles, sampleBytes: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = header.headerBytes + EXTENSION_FLAG_BYTES;
  if (at > bytes.length || bytes[header.headerBytes] === 0) return at;
  while (at + EXTENSION_HEADER_BYTES <= bytes.length) {
    const length = view.getInt32(at, header.isLittleEndian);
    // The list has no end of its own: what is no extension are the samples.
    if (length < EXTENSION_HEADER_BYTES || length % 16 !== 0 || at + length + sampleBytes > bytes.length) {
      break;
    }
    at += length;
  }
  return at;
}

function beginOf(files: NiftiFiles, sampleBytes: number): number {
  const { header, path } = files;
  const begin = Math.trunc(header.voxelOffset);
  // Many writers leave the field at 0 and mean the place where samples of such a file always begin.
  if (begin === 0) return header.isPair ? 0 : afterExtensions(files, sampleBytes);
  const least = header.isPair ? 0 : header.headerBytes + EXTENSION_FLAG_BYTES;
  if (!Number.isSafeInteger(begin) || begin < least) {
    throw damagedFault(
      path,
      `its header says that samples begin at byte ${header.voxelOffset}, they cannot before ${least}`,
    );
  }
  return begin;
}

/** The header's scale, or null where it has none. */
function scaleOf(
  { slope, intercept, format }: NiftiHeader,
  type: NiftiType,
  path: string,
): { slope: number; intercept: number } | null {
  if (slope === 0 || !Number.isFinite(slope) || type.channels > 1) return null;
  if (!Number.isFinite(intercept)) {
    throw damagedFault(path, `its ${format} header scales by ${slope} and adds ${intercept}`);
  }
  return slope === 1 && intercept === 0 ? null : { slope, intercept };
}

/** All samples, `[z, y, x, channels]`, and how many were rounded. */
function readSamples(
  { header, bytes, path }: NiftiFiles,
  type: NiftiType,
  shape: readonly number[],
): { data: SampleArray; rounded: number } {
  const count = shape.reduce((product, length) => product * length, type.channels);
  const begin = beginOf({ header, bytes, path }, count * type.bytes);
  if (begin + count * type.bytes > bytes.length) {
    throw damagedFault(
      path,
      `${[...shape].reverse().join('x')} samples of ${type.bytes * type.channels} bytes from ${begin} on do not lie in its ${bytes.length} bytes`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scale = scaleOf(header, type, path);
  const data = arrayOf(scale ? 'float32' : type.array, count);
  let rounded = 0;
  for (let i = 0; i < count; i++) {
    const stored = type.at(view, begin + i * type.bytes, header.isLittleEndian);
    const value = scale ? stored * scale.slope + scale.intercept : stored;
    const kept = Math.fround(value);
    if (!Number.isFinite(kept)) throw beyondFloat32(path, value, i, shape);
    if (kept !== value) rounded++;
    data[i] = value;
  }
  return { data, rounded: scale ? 0 : rounded };
}

/**
 * Reads a NIfTI or ANALYZE volume (`.nii`, `.hdr` with `.img`, packed by gzip or not; NIfTI-1 and -2, ANALYZE 7.5) as `[z, y, x]`: unsigned
 * integers of 8 and 16 bits without a scale and colours as they are, all else as float32 with the header's scale, exact up to 24 bits. The
 * voxel size becomes the placement; orientation is not kept.
 *
 * @throws LgiError `io`; `media` for what is none, is cut off, has another type or more than three axes, or values that are not finite or
 * beyond float32.
 */
export async function readNifti(path: string, signal?: AbortSignal): Promise<Media> {
  const files = await readNiftiFiles(path);
  signal?.throwIfAborted();
  const { header } = files;
  const type = typeOf(header, files.path);
  const shape = shapeOf(header, files.path);
  const { data, rounded } = readSamples(files, type, shape);
  const spacing = [...header.steps]
    .reverse()
    .map(Math.abs)
    .map((step) => (step > 0 && Number.isFinite(step) ? step : 1));
  return memoryMedia({
    kind: 'volume',
    data,
    shape,
    channels: type.channels,
    ...(data instanceof Float32Array && { mapping: rangeMapping(data) }),
    placement: { origin: [0, 0, 0], spacing },
    ...(rounded > 0 && {
      notices: [
        `${path}: ${rounded} of ${data.length} samples of ${type.name} were rounded to the 24 bits of float32`,
      ],
    }),
  });
}
