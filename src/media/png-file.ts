import { crc32, createInflate, inflateSync } from 'node:zlib';
import { checkDensity, checkDimensions, damagedFault, mediaFault } from './image-limits.js';
import { pictureOrientation } from './picture-orientation.js';
import { pngTextMetadata } from './png-text.js';
import { SRGB, type Colour } from '../colour.js';
import type { StillFile } from './still-file.js';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Length, type and checksum around a chunk's data. */
const CHUNK_FRAME_BYTES = 12;

/** DEFLATE cannot compress better than 1032:1, so fewer bytes cannot hold the rows. */
const MAX_DEFLATE_RATIO = 1032;

/** ICC profiles of real pictures stay below 4 MB; an inflated one beyond this is a bomb. */
const MAX_PROFILE_BYTES = 2 ** 24;

/** Channels of each PNG colour type, and the bit depths it allows. */
const COLOUR_TYPES: Readonly<Record<number, { channels: number; depths: readonly number[] } | undefined>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

const PALETTE_TYPE = 3;

/** Adam7: first column, first row, column step, row step of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** The chunk with its length, type and checksum. */
  readonly whole: Uint8Array;
}

/** Puts length, type and checksum around a chunk's data. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(CHUNK_FRAME_BYTES + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** Chunks that the samples depend on; tRNS, which is ancillary by its name, has the alpha. */
const SAMPLE_CHUNKS = ['IHDR', 'PLTE', 'IDAT', 'tRNS', 'IEND'];

/** Whether a chunk of a wrong checksum carries nothing of the samples, not even under a damaged type. */
function isDispensable(type: string, data: Uint8Array, checksum: number): boolean {
  const isOther = (other: string) => crc32(data, crc32(other)) === checksum;
  return /^[a-z]/.test(type) && !SAMPLE_CHUNKS.includes(type) && !SAMPLE_CHUNKS.some(isOther);
}

/**
 * The chunks up to and with IEND, every checksum proven.
 *
 * A chunk of metadata whose checksum is wrong is left out, as libpng does.
 *
 * @param notices gets a line for each chunk that was left out.
 */
export function pngChunks(bytes: Uint8Array, name: string, notices: string[] = []): Chunk[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = PNG_SIGNATURE.length; ;) {
    if (at + CHUNK_FRAME_BYTES > buffer.length) {
      throw damagedFault(name, `the PNG ends at byte ${buffer.length}, before its end chunk`);
    }
    const length = buffer.readUInt32BE(at);
    const type = buffer.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw damagedFault(name, `no PNG chunk begins at byte ${at}`);
    const end = at + CHUNK_FRAME_BYTES + length;
    if (end > buffer.length) {
      throw damagedFault(name, `PNG chunk ${type} ends at byte ${end}, the file at ${buffer.length}`);
    }
    const data = buffer.subarray(at + 8, end - 4);
    const checksum = buffer.readUInt32BE(end - 4);
    if (crc32(buffer.subarray(at + 4, end - 4)) === checksum) {
      chunks.push({ type, data, whole: buffer.subarray(at, end) });
    } else {
      const fact = `the checksum of PNG chunk ${type} at byte ${at} is wrong`;
      if (!isDispensable(type, data, checksum)) throw damagedFault(name, fact);
      notices.push(`${name}: ${fact}; the chunk was left out`);
    }
    if (type === 'IEND') return chunks;
    at = end;
  }
}

function parseHeader(bytes: Uint8Array, name: string): PngHeader {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 33));
  if (start.length < 33) throw damagedFault(name, `the PNG ends at byte ${start.length}, inside its header`);
  const type = start.toString('latin1', 12, 16);
  if (type === 'CgBI') {
    throw mediaFault(name, "this is Apple's own variant of PNG (CgBI)", 'convert it to plain PNG first');
  }
  if (type !== 'IHDR' || start.readUInt32BE(8) !== 13) {
    throw damagedFault(name, `the PNG begins with a chunk ${JSON.stringify(type)} in place of its header`);
  }
  if (crc32(start.subarray(12, 29)) !== start.readUInt32BE(29)) {
    throw damagedFault(name, "the checksum of the PNG's header is wrong");
  }
  const [depth, colourType, compression, filter, interlace] = start.subarray(24, 29);
  const header = { width: start.readUInt32BE(16), height: start.readUInt32BE(20), depth, colourType };
  checkDimensions(name, header.width, header.height);
  if (
    !COLOUR_TYPES[colourType]?.depths.includes(depth) ||
    compression !== 0 ||
    filter !== 0 ||
    interlace > 1
  ) {
    throw mediaFault(
      name,
      `PNG has no colour type ${colourType} of ${depth} bits, compression ${compression}, filter ${filter}, ` +
        `interlace ${interlace}`,
      'export it again',
    );
  }
  return { ...header, interlaced: interlace === 1 };
}

/** Bytes of all rows with their filter bytes, what the IDAT chunks must inflate to. */
function rawByteLength({ width, height, depth, colourType, interlaced }: PngHeader): number {
  const bits = depth * (COLOUR_TYPES[colourType]?.channels ?? 0);
  const rows = (columns: number, count: number) =>
    columns > 0 ? count * (1 + Math.ceil((columns * bits) / 8)) : 0;
  if (!interlaced) return rows(width, height);
  return ADAM7.reduce((sum, [x, y, stepX, stepY]) => {
    const columns = Math.ceil((width - x) / stepX);
    const count = Math.ceil((height - y) / stepY);
    return sum + rows(Math.max(0, columns), Math.max(0, count));
  }, 0);
}

/**
 * Proves that the IDAT chunks inflate to every row: the decoder fills missing rows with zeros in silence.
 *
 * Streams, so memory stays at a few blocks; what would follow the last row is not inflated.
 */
async function checkRows(parts: readonly Uint8Array[], needed: number, name: string): Promise<void> {
  const inflate = createInflate();
  let inflated = 0;
  const writing = (async () => {
    for (const part of parts) {
      if (!inflate.write(part)) await new Promise((resolve) => inflate.once('drain', resolve));
    }
    inflate.end();
  })();
  try {
    for await (const block of inflate as AsyncIterable<Uint8Array>) {
      inflated += block.length;
      if (inflated >= needed) return;
    }
  } catch (cause) {
    throw damagedFault(
      name,
      `the PNG's compressed data is damaged after ${inflated} of ${needed} bytes`,
      cause,
    );
  } finally {
    inflate.destroy();
    void writing.catch(() => undefined);
  }
  throw damagedFault(name, `the PNG's compressed data yields ${inflated} of ${needed} bytes`);
}

function readProfile(data: Uint8Array): Uint8Array | undefined {
  const nameEnd = data.indexOf(0);
  if (nameEnd < 1 || nameEnd > 79 || data[nameEnd + 1] !== 0) return undefined;
  try {
    return new Uint8Array(inflateSync(data.subarray(nameEnd + 2), { maxOutputLength: MAX_PROFILE_BYTES }));
  } catch {
    // A broken profile is no reason to lose the picture: its samples do not depend on it.
    return undefined;
  }
}

/** Colour of the samples: cICP before iCCP before sRGB and gAMA, as the PNG specification ranks them. */
function readColour(chunks: ReadonlyMap<string, Uint8Array>, hasProfile: boolean): Colour | undefined {
  const cicp = chunks.get('cICP');
  if (cicp?.length === 4) {
    return { primaries: cicp[0], transfer: cicp[1], matrix: cicp[2], fullRange: cicp[3] === 1 };
  }
  if (hasProfile) return undefined;
  const gamma = chunks.get('gAMA');
  const linear = gamma?.length === 4 && new DataView(gamma.buffer, gamma.byteOffset).getUint32(0) === 100_000;
  if (linear && !chunks.has('sRGB')) return { primaries: 1, transfer: 8, matrix: 0, fullRange: true };
  return SRGB;
}

/** Palette entries, with the alpha of tRNS where there is one. */
function readPalette(plte: Uint8Array, trns: Uint8Array | undefined): NonNullable<StillFile['palette']> {
  if (!trns) return { entries: plte, channels: 3 };
  const count = plte.length / 3;
  const entries = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) {
    entries.set(plte.subarray(i * 3, i * 3 + 3), i * 4);
    entries[i * 4 + 3] = i < trns.length ? trns[i] : 255;
  }
  return { entries, channels: 4 };
}

function readColourKey(trns: Uint8Array, channels: number, name: string): number[] {
  if (trns.length !== channels * 2) {
    throw damagedFault(name, `PNG chunk tRNS has ${trns.length} bytes, ${channels * 2} are needed`);
  }
  return Array.from({ length: channels }, (_, c) => trns[c * 2] * 256 + trns[c * 2 + 1]);
}

/**
 * Reads a PNG's structure, proves that it is whole, and reduces it to what the decoder needs.
 *
 * Palette and colour key are taken here, exactly; the decoder sees header, palette and rows only.
 *
 * @throws LgiError `media` for anything missing, damaged, animated or unknown; `limit` for its size.
 */
export async function parsePng(bytes: Uint8Array, name: string): Promise<StillFile> {
  const header = parseHeader(bytes, name);
  const needed = rawByteLength(header);
  const size = `${header.width}x${header.height}`;
  checkDensity(name, bytes.length, needed / MAX_DEFLATE_RATIO, size);
  const notices: string[] = [];
  const all = pngChunks(bytes, name, notices);
  // Of repeated chunks the first counts, as in libpng.
  const chunks = new Map(all.map(({ type, data }) => [type, data] as const).reverse());
  const rows = all.filter(({ type }) => type === 'IDAT');
  if (rows.length === 0) throw damagedFault(name, 'the PNG has no picture data');
  const unknown = all.find(
    ({ type }) => /^[A-Z]/.test(type) && !['IHDR', 'PLTE', 'IDAT', 'IEND'].includes(type),
  );
  if (unknown)
    throw mediaFault(name, `PNG chunk ${unknown.type} is required but unknown`, 'convert it to plain PNG');

  const control = chunks.get('acTL');
  const frames =
    control && control.length >= 4 ? new DataView(control.buffer, control.byteOffset).getUint32(0) : 1;
  if (frames > 1) {
    throw mediaFault(name, `this is an animation of ${frames} frames`, 'save one frame as a still picture');
  }
  const rowBytes = rows.map(({ data }) => data);
  const compressedBytes = rowBytes.reduce((sum, part) => sum + part.length, 0);
  checkDensity(name, compressedBytes, needed / MAX_DEFLATE_RATIO, size);
  await checkRows(rowBytes, needed, name);

  const plte = chunks.get('PLTE');
  const trns = chunks.get('tRNS');
  const isPalette = header.colourType === PALETTE_TYPE;
  if (isPalette && (!plte?.length || plte.length % 3 !== 0 || plte.length > 768)) {
    throw damagedFault(
      name,
      `the PNG's palette has ${plte?.length ?? 0} bytes; 3 to 768, by threes, are possible`,
    );
  }
  const channels = COLOUR_TYPES[header.colourType]?.channels ?? 0;
  const text = pngTextMetadata(all);
  const icc = chunks.get('iCCP');
  const iccProfile = icc && readProfile(icc);
  if (icc && !iccProfile) notices.push(`${name}: its ICC profile is damaged and was left out`);
  const colour = readColour(chunks, iccProfile !== undefined);
  const kept = all.filter(
    ({ type }) => ['IHDR', 'IDAT', 'IEND'].includes(type) || (isPalette && type === 'PLTE'),
  );
  return {
    codec: 'png',
    width: header.width,
    height: header.height,
    packet: Buffer.concat([PNG_SIGNATURE, ...kept.map(({ whole }) => whole)]),
    ...pictureOrientation(chunks.get('eXIf') ?? text.exif, text.xmp),
    notices,
    ...(colour && { colour }),
    ...(iccProfile && { iccProfile }),
    ...(isPalette && plte && { palette: readPalette(plte, trns) }),
    ...((header.colourType === 0 || header.colourType === 2) &&
      trns && { colourKey: scaleKey(readColourKey(trns, channels, name), header.depth) }),
  };
}

/** Keys are given at the file's depth, decoded samples of 1, 2 and 4 bits at 8. */
function scaleKey(key: readonly number[], depth: number): number[] {
  const mask = 2 ** depth - 1;
  return key.map((value) => (depth < 8 ? ((value & mask) * 255) / mask : value & mask));
}
