import type { AxisCuts, Box } from '../../codec/grid.js';
import { crc32c, type Checksums } from './crc32c.js';
import type { SignalHeader } from './header.js';

/** Bytes of the struct before every payload (`ChunkHead` in schema/lgi.fbs). */
export const CHUNK_HEAD_BYTES = 36;

/** The checksum comes first and covers what follows. */
const CRC_BYTES = 4;

/** Axes that the struct has room for. */
const AXIS_SLOTS = 3;

/** What a chunk's payload is, by its number in the schema. */
export const WEIGHTS_KIND = 0;

/** Float payloads begin at multiples of this, so that a reader may map them as arrays. */
const PAYLOAD_ALIGNMENT = 16;

/** What the struct before a payload says. */
export interface ChunkHead {
  /** CRC-32C of the header's bytes, the struct without this field, and the payload. */
  readonly crc: number;
  readonly payloadLength: number;
  /** The partition's samples. */
  readonly box: Box;
  /** Whether the axes that the signal has not are given as they have to be: one position, 0. */
  readonly otherAxesAreUnused: boolean;
  /** Place of the signal in the header. */
  readonly signal: number;
  readonly kind: number;
}

/** How a signal's chunks lie in a file. */
export interface ChunkLayout {
  /** Bytes before every payload: {@link CHUNK_HEAD_BYTES}, or {@link SHORT_HEAD_BYTES} where the index says everything else. */
  readonly headBytes: number;
  /** Whether payloads are aligned: floats that no coder has packed. */
  readonly isAligned: boolean;
}

/** Chunks that are to be small may have a hundred bytes: of their heads nothing is left but the checksum, which covers it all the same. */
export const SHORT_HEAD_BYTES = 4;

/** Whether a signal is one that is to be small: of the latent family, or under the range coder. Its index has packed lengths. */
export function hasShortHeads(header: SignalHeader): boolean {
  return header.latents !== undefined || header.coder === 'range';
}

/** How a signal's chunks lie. */
export function chunkLayoutOf(header: SignalHeader): ChunkLayout {
  if (header.latents !== undefined || header.coder === 'range')
    return { headBytes: SHORT_HEAD_BYTES, isAligned: false };
  const { quantiser, coder } = header;
  return { headBytes: CHUNK_HEAD_BYTES, isAligned: quantiser.format !== 'integer' && coder === 'none' };
}

/** Where the head of a chunk begins that follows `end` at once: there, or, aligned, so that its payload is. */
export function nextChunkOffset(end: number, { isAligned, headBytes }: ChunkLayout): number {
  if (!isAligned) return end;
  return Math.ceil((end + headBytes) / PAYLOAD_ALIGNMENT) * PAYLOAD_ALIGNMENT - headBytes;
}

/** The struct for a payload; of one with a short head only the first {@link SHORT_HEAD_BYTES} bytes are written. */
export function encodeChunkHead(
  payload: Uint8Array,
  box: Box,
  signal: number,
  headerCrc: number,
): { bytes: Uint8Array; crc: number } {
  const bytes = new Uint8Array(CHUNK_HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, payload.length, true);
  for (let axis = 0; axis < AXIS_SLOTS; axis++) {
    const isUsed = axis < box.begin.length;
    view.setInt32(8 + 4 * axis, isUsed ? box.begin[axis] : 0, true);
    view.setUint32(20 + 4 * axis, isUsed ? box.end[axis] - box.begin[axis] : 1, true);
  }
  view.setUint8(32, signal);
  view.setUint8(33, WEIGHTS_KIND);
  const crc = crc32c(payload, crc32c(bytes.subarray(CRC_BYTES), headerCrc));
  view.setUint32(0, crc, true);
  return { bytes, crc };
}

/** @param axes of the signal; those beyond are left out of the box. */
export function decodeChunkHead(bytes: Uint8Array, axes: number): ChunkHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, CHUNK_HEAD_BYTES);
  const beginOf = (axis: number): number => view.getInt32(8 + 4 * axis, true);
  const sizeOf = (axis: number): number => view.getUint32(20 + 4 * axis, true);
  const begin = Array.from({ length: axes }, (_, axis) => beginOf(axis));
  const others = Array.from({ length: AXIS_SLOTS - axes }, (_, i) => axes + i);
  return {
    crc: view.getUint32(0, true),
    payloadLength: view.getUint32(4, true),
    box: { begin, end: begin.map((at, axis) => at + sizeOf(axis)) },
    otherAxesAreUnused: others.every((axis) => beginOf(axis) === 0 && sizeOf(axis) === 1),
    signal: view.getUint8(32),
    kind: view.getUint8(33),
  };
}

/**
 * Whether the struct at a place says what is known of a chunk; {@link decodeChunkHead} tells what it says instead, but makes
 * objects, and whole files are looked through.
 *
 * @param at where it begins; all of it is there.
 * @param coordinates i32 [chunks, axes], partition coordinates.
 * @param chunk which of them is the chunk's.
 */
export function isChunkHead(
  view: DataView,
  at: number,
  payloadLength: number,
  signal: number,
  axes: readonly AxisCuts[],
  coordinates: Int32Array,
  chunk: number,
): boolean {
  if (view.getUint32(at + 4, true) !== payloadLength) return false;
  if (view.getUint8(at + 32) !== signal || view.getUint8(at + 33) !== WEIGHTS_KIND) return false;
  for (let axis = 0; axis < AXIS_SLOTS; axis++) {
    let [begin, size] = [0, 1];
    if (axis < axes.length) {
      const { cuts, firstCell } = axes[axis];
      const cell = coordinates[chunk * axes.length + axis] - firstCell;
      begin = cuts[cell];
      size = cuts[cell + 1] - begin;
    }
    if (view.getInt32(at + 8 + 4 * axis, true) !== begin) return false;
    if (view.getUint32(at + 20 + 4 * axis, true) !== size) return false;
  }
  return true;
}

/**
 * The checksum of a chunk; seeded with the header's, so that a chunk of another family never passes.
 *
 * @param chunk head and payload.
 */
export function chunkCrc(chunk: Uint8Array, headerCrc: number): number {
  return crc32c(chunk.subarray(CRC_BYTES), headerCrc);
}

/** {@link chunkCrc} of one of many chunks among the same bytes, from `begin` up to but without `end`. */
export function chunkCrcWithin(checksums: Checksums, begin: number, end: number, headerCrc: number): number {
  return checksums.crc32c(begin + CRC_BYTES, end, headerCrc);
}
