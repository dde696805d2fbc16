import type { FileHandle } from 'node:fs/promises';
import { damagedFault, mediaFault } from './image-limits.js';

/** Where the samples of a WAV file lie and how they are stored. */
export interface WavHeader {
  readonly isBigEndian: boolean;
  /** What a sample is: integers, floats, or something else, which FFmpeg reads. */
  readonly encoding: 'integer' | 'float' | 'other';
  readonly channels: number;
  readonly rateHz: number;
  /** Bytes of a sample of one channel. */
  readonly bytes: number;
  readonly dataBegin: number;
  readonly dataBytes: number;
  /** False where the writer could not go back to fill in the length. */
  readonly isLengthStated: boolean;
}

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rateHz: number;
  readonly blockBytes: number;
  readonly bits: number;
  readonly validBits: number | undefined;
}

interface Sizes64 {
  readonly form: bigint;
  readonly data: bigint;
}

const TAG_INTEGER = 1;
const TAG_FLOAT = 3;
const TAG_EXTENSIBLE = 0xfffe;
const FORMS: ReadonlySet<string> = new Set(['RIFF', 'RIFX', 'RF64', 'BW64']);

/** The format chunk with its extension; what follows says nothing about plain samples. */
const MAX_FORMAT_BYTES = 40;

/** The two 64-bit sizes at the beginning of the chunk `ds64`. */
const SIZES_BYTES = 16;

/** Chunk headers before the samples: far more than any writer makes, few enough for a hostile file to end soon. */
const MAX_CHUNKS = 4096;

/**
 * Sizes that writers to a pipe leave, instead of a length: around 2^31 (SoX 7FFFF000 and its header, recorders 7FFFFFFF and
 * 80000000) and just below 2^32 (FFFFFFFF, GStreamer's FFFF1000, and either less a header).
 */
export function isPlaceholder(size: number): boolean {
  return size >= 0xffff0000 || (size >= 0x7fffe000 && size <= 0x80001000);
}

/**
 * Reads the header of a RIFF, RIFX, RF64 or BW64 file of the type WAVE; undefined for anything else.
 *
 * @throws LgiError `media` where its numbers contradict each other or the file is shorter than it says.
 */
export async function readWavHeader(
  file: FileHandle,
  name: string,
  byteLength: number,
): Promise<WavHeader | undefined> {
  const bytesAt = async (position: number, count: number): Promise<Buffer> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(count), 0, count, position);
    return buffer.subarray(0, bytesRead);
  };
  const head = await bytesAt(0, 12);
  const form = head.toString('latin1', 0, 4);
  if (head.length < 12 || !FORMS.has(form) || head.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  const isBigEndian = form === 'RIFX';
  const u32 = (buffer: Buffer, at: number): number =>
    isBigEndian ? buffer.readUInt32BE(at) : buffer.readUInt32LE(at);
  let format: Format | undefined;
  let sizes: Sizes64 | undefined;
  let position = 12;
  for (let i = 0; i < MAX_CHUNKS && position + 8 <= byteLength; i++) {
    const chunk = await bytesAt(position, 8);
    const id = chunk.toString('latin1', 0, 4);
    const size = u32(chunk, 4);
    const begin = position + 8;
    if (id === 'data') {
      if (format === undefined) throw damagedFault(name, 'its samples come before their format');
      const data = await dataLength(bytesAt, u32, begin, byteLength, size, sizes);
      // A form's stated size that is not there is a cut, but for the byte of padding that some writers leave out.
      const formBytes = sizes === undefined ? u32(head, 4) : Number(BigInt.asUintN(64, sizes.form));
      const isFormStated =
        sizes === undefined
          ? formBytes !== 0 && !isPlaceholder(formBytes)
          : formBytes !== 0 && formBytes < 2 ** 53;
      const present = byteLength + ((data ?? 0) % 2);
      if (isFormStated && 8 + formBytes > present) {
        throw damagedFault(name, `its header says ${8 + formBytes} bytes, ${byteLength} are there`);
      }
      const there = byteLength - begin;
      if (data !== undefined && data > there) {
        throw damagedFault(name, `its header says ${data} bytes of samples, ${there} are there`);
      }
      return {
        ...storage(name, format),
        isBigEndian,
        channels: format.channels,
        rateHz: format.rateHz,
        dataBegin: begin,
        dataBytes: data ?? there,
        isLengthStated: data !== undefined,
      };
    }
    if (id === 'fmt ') {
      format = readFormat(await bytesAt(begin, Math.min(size, MAX_FORMAT_BYTES)), name, isBigEndian);
    }
    if (id === 'ds64') {
      const fields = await bytesAt(begin, SIZES_BYTES);
      if (fields.length < SIZES_BYTES) throw damagedFault(name, 'its chunk ds64 is cut off');
      sizes = { form: fields.readBigUInt64LE(0), data: fields.readBigUInt64LE(8) };
    }
    position = begin + size + (size % 2);
  }
  return undefined;
}

/** The stated length of the samples; undefined where none is stated. */
async function dataLength(
  bytesAt: (position: number, count: number) => Promise<Buffer>,
  u32: (buffer: Buffer, at: number) => number,
  begin: number,
  byteLength: number,
  size: number,
  sizes: Sizes64 | undefined,
): Promise<number | undefined> {
  const stated = size === 0xffffffff && sizes !== undefined ? sizes.data : BigInt(size);
  if (stated === 2n ** 64n - 1n) return undefined;
  const there = byteLength - begin;
  if (stated === 0n) {
    return there === 0 || (await areChunks(bytesAt, u32, begin, byteLength)) ? 0 : undefined;
  }
  if (stated === BigInt(size) && isPlaceholder(size) && size > there) return undefined;
  return Number(stated);
}

/** Whether chunks with names of letters fill the rest of a file: then no samples do. */
async function areChunks(
  bytesAt: (position: number, count: number) => Promise<Buffer>,
  u32: (buffer: Buffer, at: number) => number,
  begin: number,
  byteLength: number,
): Promise<boolean> {
  let position = begin;
  for (let i = 0; i < MAX_CHUNKS && position < byteLength; i++) {
    const chunk = await bytesAt(position, 8);
    if (chunk.length < 8 || !/^[A-Za-z0-9_ ]{4}$/.test(chunk.toString('latin1', 0, 4))) return false;
    const size = u32(chunk, 4);
    position += 8 + size + (size % 2);
  }
  return position === byteLength || position === byteLength + 1;
}

function readFormat(bytes: Buffer, name: string, isBigEndian: boolean): Format {
  if (bytes.length < 16)
    throw damagedFault(name, `its format chunk has ${bytes.length} bytes of at least 16`);
  const u16 = (at: number): number => (isBigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const u32 = (at: number): number => (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const isExtended = u16(0) === TAG_EXTENSIBLE && bytes.length >= MAX_FORMAT_BYTES;
  return {
    tag: isExtended ? u32(24) : u16(0),
    channels: u16(2),
    rateHz: u32(4),
    blockBytes: u16(12),
    bits: u16(14),
    validBits: isExtended ? u16(18) : undefined,
  };
}

/** The block decides how many bytes a sample has; its bits are the high ones. */
function storage(name: string, format: Format): Pick<WavHeader, 'encoding' | 'bytes'> {
  const { tag, channels, blockBytes, bits, validBits = 0 } = format;
  if (tag !== TAG_INTEGER && tag !== TAG_FLOAT) return { encoding: 'other', bytes: 0 };
  const bytes = (blockBytes || Math.ceil(bits / 8) * channels) / channels;
  const encoding = tag === TAG_INTEGER ? 'integer' : 'float';
  const isPossible = encoding === 'integer' ? [1, 2, 3, 4, 8].includes(bytes) : bytes === 4 || bytes === 8;
  const isFilled = encoding === 'integer' ? bits >= 1 && bits <= bytes * 8 : bits === bytes * 8;
  if (isPossible && isFilled && validBits <= bytes * 8) return { encoding, bytes };
  throw mediaFault(
    name,
    `its header says ${encoding} samples of ${bits} bits${validBits > 0 ? `, ${validBits} of them valid,` : ''} in blocks of ` +
      `${blockBytes} bytes for ${channels} channels, which do not fit together`,
    'export it again as 16-bit, 24-bit or float',
  );
}
