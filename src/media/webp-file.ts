import { checkDimensions, damagedFault, mediaFault } from './image-limits.js';
import { pictureOrientation } from './picture-orientation.js';
import { SRGB } from '../colour.js';
import type { StillFile } from './still-file.js';

/** `RIFF`, length, `WEBP`. */
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** VP8X: flags, canvas width - 1 and height - 1 in 24 bits each. */
const EXTENDED_HEADER_BYTES = 10;
/** ANMF: place, size, duration and flags, before the frame's own chunks. */
const FRAME_HEADER_BYTES = 16;
const ALPHA_FLAG = 0x10;
const PROFILE_FLAG = 0x20;

type Chunks = ReadonlyMap<string, Buffer>;

function riffBody(buffer: Buffer, name: string): Buffer {
  if (buffer.length < RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES) {
    throw damagedFault(name, `the WebP ends at byte ${buffer.length}, inside its header`);
  }
  const end = buffer.readUInt32LE(4) + 8;
  if (end > buffer.length)
    throw damagedFault(name, `the WebP should have ${end} bytes, the file has ${buffer.length}`);
  return buffer.subarray(RIFF_HEADER_BYTES, end);
}

function readChunks(body: Buffer, name: string): { chunks: Chunks; frames: number } {
  const chunks = new Map<string, Buffer>();
  let frames = 0;
  for (let at = 0; at + CHUNK_HEADER_BYTES <= body.length;) {
    const type = body.toString('latin1', at, at + 4);
    const length = body.readUInt32LE(at + 4);
    const dataEnd = at + CHUNK_HEADER_BYTES + length;
    if (dataEnd > body.length) {
      throw damagedFault(
        name,
        `WebP chunk ${JSON.stringify(type)} needs ${length} bytes, the file has fewer`,
      );
    }
    // Of repeated chunks the first counts, as the container's specification says.
    if (!chunks.has(type)) chunks.set(type, body.subarray(at + CHUNK_HEADER_BYTES, dataEnd));
    if (type === 'ANMF') frames++;
    at = dataEnd + (length & 1);
  }
  return { chunks, frames };
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(CHUNK_HEADER_BYTES + data.length + (data.length & 1));
  out.write(type, 0, 'latin1');
  out.writeUInt32LE(data.length, 4);
  out.set(data, CHUNK_HEADER_BYTES);
  return out;
}

function extendedHeader(
  picture: { readonly width: number; readonly height: number; readonly hasAlpha: boolean },
  flags: number,
): Buffer {
  const header = Buffer.alloc(EXTENDED_HEADER_BYTES);
  header[0] = flags | (picture.hasAlpha ? ALPHA_FLAG : 0);
  header.writeUIntLE(picture.width - 1, 4, 3);
  header.writeUIntLE(picture.height - 1, 7, 3);
  return chunk('VP8X', header);
}

/** Size from the lossy bitstream's key frame header. */
function lossySize(data: Buffer, name: string): { width: number; height: number } {
  if (data.length < 10 || (data[0] & 1) !== 0 || data.readUIntBE(3, 3) !== 0x9d012a) {
    throw damagedFault(name, 'the WebP has no key frame');
  }
  const firstPartitionBytes = data.readUIntLE(0, 3) >> 5;
  if (10 + firstPartitionBytes > data.length) {
    throw damagedFault(
      name,
      `the WebP's first partition has ${firstPartitionBytes} bytes, ${data.length - 10} are there`,
    );
  }
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
}

/** Size and alpha from the lossless bitstream's header. */
function losslessSize(data: Buffer, name: string): { width: number; height: number; hasAlpha: boolean } {
  if (data.length < 5 || data[0] !== 0x2f) throw damagedFault(name, 'the lossless WebP has no header');
  const bits = data.readUInt32LE(1);
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    hasAlpha: ((bits >>> 28) & 1) === 1,
  };
}

/**
 * Reads a WebP's structure, proves that it is whole, and reduces it to what the decoder needs.
 *
 * @throws LgiError `media` for anything missing, damaged or animated; `limit` for its size.
 */
export function parseWebp(bytes: Uint8Array, name: string): StillFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { chunks, frames } = readChunks(riffBody(buffer, name), name);
  if (frames > 1) {
    throw mediaFault(name, `this is an animation of ${frames} frames`, 'save one frame as a still picture');
  }
  // An animation of one frame holds an ordinary picture behind the frame's header.
  const only = chunks.get('ANMF');
  const picture = only ? readChunks(only.subarray(FRAME_HEADER_BYTES), name).chunks : chunks;
  const lossless = picture.get('VP8L');
  const lossy = picture.get('VP8 ');
  const alpha = lossless ? undefined : picture.get('ALPH');
  if (!lossless && !lossy) throw damagedFault(name, 'the WebP has no picture data');
  const { width, height, hasAlpha } = lossless
    ? losslessSize(lossless, name)
    : { ...lossySize(lossy ?? Buffer.alloc(0), name), hasAlpha: alpha !== undefined };
  checkDimensions(name, width, height);

  const extended = chunks.get('VP8X');
  if (extended) {
    if (extended.length < EXTENDED_HEADER_BYTES)
      throw damagedFault(name, "the WebP's extended header is cut short");
    const [canvasWidth, canvasHeight] = [extended.readUIntLE(4, 3) + 1, extended.readUIntLE(7, 3) + 1];
    if (canvasWidth !== width || canvasHeight !== height) {
      throw damagedFault(
        name,
        `the WebP promises ${canvasWidth}x${canvasHeight} and holds ${width}x${height}`,
      );
    }
  }
  const body: Uint8Array[] = [Buffer.from('WEBP', 'latin1')];
  if (alpha) {
    body.push(extendedHeader({ width, height, hasAlpha }, 0), chunk('ALPH', alpha));
  }
  body.push(lossless ? chunk('VP8L', lossless) : chunk('VP8 ', lossy ?? Buffer.alloc(0)));
  const iccProfile = chunks.get('ICCP');
  return {
    codec: 'webp',
    width,
    height,
    packet: chunk('RIFF', Buffer.concat(body)),
    ...pictureOrientation(chunks.get('EXIF'), chunks.get('XMP ')),
    hasAlpha,
    ...(iccProfile ? { iccProfile: new Uint8Array(iccProfile) } : { colour: SRGB }),
  };
}

/** Puts an ICC profile into a WebP of one picture. */
export function withWebpProfile(
  webp: Uint8Array,
  profile: Uint8Array,
  picture: { readonly width: number; readonly height: number; readonly hasAlpha: boolean },
): Uint8Array {
  const { chunks } = readChunks(riffBody(Buffer.from(webp), 'the encoded WebP'), 'the encoded WebP');
  const body: Uint8Array[] = [
    Buffer.from('WEBP', 'latin1'),
    extendedHeader(picture, PROFILE_FLAG),
    chunk('ICCP', profile),
  ];
  for (const type of ['ALPH', 'VP8 ', 'VP8L']) {
    const data = chunks.get(type);
    if (data) body.push(chunk(type, data));
  }
  return chunk('RIFF', Buffer.concat(body));
}
