import { damagedFault } from './image-limits.js';

/** What NIfTI-1, NIfTI-2 and ANALYZE 7.5 say of a volume. */
export interface NiftiHeader {
  readonly format: 'NIfTI-1' | 'NIfTI-2' | 'ANALYZE 7.5';
  readonly isLittleEndian: boolean;
  /** Whether the samples lie in a second file, beside the header's. */
  readonly isPair: boolean;
  /** Samples along each axis, x first; as many as the file has axes. */
  readonly lengths: readonly number[];
  /** NIfTI's code of the sample type. */
  readonly typeCode: number;
  /** Steps between samples along x, y and z, as they are stored: possibly 0, negative or NaN. */
  readonly steps: readonly number[];
  /** As stored; 0 and what is not finite mean no scale. */
  readonly slope: number;
  readonly intercept: number;
  /** Where the samples begin by the header, 0 where it does not say. */
  readonly voxelOffset: number;
  /** Bytes of the header without what may follow it. */
  readonly headerBytes: number;
}

/** Most bytes that a header has. */
export const NIFTI_HEADER_BYTES = 540;

const NIFTI_1_BYTES = 348;
const MAX_AXES = 7;
/** The flag of extensions after the header, padded to four bytes. */
export const EXTENSION_FLAG_BYTES = 4;

/** Where the two layouts have their fields, and how they are read. */
interface Layout {
  readonly headerBytes: number;
  readonly type: number;
  readonly dimensions: number;
  readonly steps: number;
  readonly voxelOffset: number;
  readonly slope: number;
  /** Bytes from one dimension to the next; floats have half as many or as many. */
  readonly dimension: (view: DataView, at: number, little: boolean) => number;
  readonly dimensionBytes: number;
  readonly real: (view: DataView, at: number, little: boolean) => number;
  readonly realBytes: number;
  readonly offset: (view: DataView, at: number, little: boolean) => number;
}

const readFloat32 = (view: DataView, at: number, little: boolean) => view.getFloat32(at, little);
const readFloat64 = (view: DataView, at: number, little: boolean) => view.getFloat64(at, little);
const readInt64 = (view: DataView, at: number, little: boolean) => Number(view.getBigInt64(at, little));

const LAYOUT_1: Layout = {
  headerBytes: NIFTI_1_BYTES,
  type: 70,
  dimensions: 40,
  steps: 76,
  voxelOffset: 108,
  slope: 112,
  dimension: (view, at, little) => view.getInt16(at, little),
  dimensionBytes: 2,
  real: readFloat32,
  realBytes: 4,
  offset: readFloat32,
};

const LAYOUT_2: Layout = {
  headerBytes: NIFTI_HEADER_BYTES,
  type: 12,
  dimensions: 16,
  steps: 104,
  voxelOffset: 168,
  slope: 176,
  dimension: readInt64,
  dimensionBytes: 8,
  real: readFloat64,
  realBytes: 8,
  offset: readInt64,
};

/** Layout, name and number of files, by the magic words; ANALYZE has none and is known by its header's length. */
function recognise(
  view: DataView,
  bytes: Buffer,
): [Layout, NiftiHeader['format'], isPair: boolean] | undefined {
  const magic2 = bytes.toString('latin1', 4, 7);
  if (bytes.length >= NIFTI_HEADER_BYTES && (magic2 === 'n+2' || magic2 === 'ni2')) {
    return [LAYOUT_2, 'NIfTI-2', magic2 === 'ni2'];
  }
  if (bytes.length < NIFTI_1_BYTES) return undefined;
  const magic1 = bytes.toString('latin1', 344, 347);
  if (magic1 === 'n+1' || magic1 === 'ni1') return [LAYOUT_1, 'NIfTI-1', magic1 === 'ni1'];
  const isAnalyze = view.getInt32(0, true) === NIFTI_1_BYTES || view.getInt32(0, false) === NIFTI_1_BYTES;
  return isAnalyze ? [LAYOUT_1, 'ANALYZE 7.5', true] : undefined;
}

/**
 * Reads the header of a NIfTI or ANALYZE volume of either byte order, which the number of axes tells.
 *
 * @param start the file's first {@link NIFTI_HEADER_BYTES} bytes, or all where it has fewer.
 * @returns undefined where it is no such header.
 * @throws LgiError `media` for a number of axes that is in neither order from 1 to 7.
 */
export function parseNiftiHeader(start: Uint8Array, name: string): NiftiHeader | undefined {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const known = recognise(view, bytes);
  if (known === undefined) return undefined;
  const [layout, format, isPair] = known;
  const axesBy = (little: boolean) => layout.dimension(view, layout.dimensions, little);
  const isPossible = (axes: number) => axes >= 1 && axes <= MAX_AXES;
  const isLittleEndian = isPossible(axesBy(true));
  const axes = axesBy(isLittleEndian);
  if (!isPossible(axes)) {
    throw damagedFault(
      name,
      `its ${format} header has ${axesBy(view.getInt32(0, true) === layout.headerBytes)} axes, 1 to 7 are possible`,
    );
  }
  const realAt = (at: number) => layout.real(view, at, isLittleEndian);
  const along = (axis: number) =>
    layout.dimension(view, layout.dimensions + axis * layout.dimensionBytes, isLittleEndian);
  return {
    format,
    isLittleEndian,
    isPair,
    lengths: Array.from({ length: axes }, (_, i) => along(i + 1)),
    typeCode: view.getInt16(layout.type, isLittleEndian),
    steps: [1, 2, 3].map((axis) => realAt(layout.steps + axis * layout.realBytes)),
    slope: realAt(layout.slope),
    // ANALYZE has no intercept; SPM put the scale where NIfTI has it.
    intercept: format === 'ANALYZE 7.5' ? 0 : realAt(layout.slope + layout.realBytes),
    voxelOffset: layout.offset(view, layout.voxelOffset, isLittleEndian),
    headerBytes: layout.headerBytes,
  };
}
