import { exifOrientation } from './exif-orientation.js';
import { checkDensity, checkDimensions, damagedFault, mediaFault } from './image-limits.js';
import { SRGB } from '../colour.js';
import type { StillFile } from './still-file.js';

/** Every 8x8 block of every component costs at least one bit of Huffman code for its DC value, in every process. */
const MAX_SAMPLES_PER_BYTE = 64 * 8;

/** libjpeg-turbo's own limit: a progressive file of more scans is made to burn time, each passes over all blocks. */
const MAX_SCANS = 500;

/** Longest ICC profile in a JPEG: 255 parts of 65,519 bytes. */
const MAX_PROFILE_PARTS = 255;

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const COMMENT = 0xfe;

/** Start-of-frame markers; DHT (c4), JPG (c8) and DAC (cc) lie among them but are none. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

interface FrameHeader {
  readonly width: number;
  readonly height: number;
  readonly components: readonly number[];
  /** Least entropy-coded bytes that can hold all blocks. */
  readonly leastBytes: number;
}

function parseFrameHeader(marker: number, data: Buffer, name: string): FrameHeader {
  if (marker > 0xc2) {
    const process = marker === 0xc3 ? 'lossless' : marker > 0xc8 ? 'arithmetic-coded' : 'hierarchical';
    throw mediaFault(name, `this is a ${process} JPEG`, 'convert it to PNG first');
  }
  if (data.length < 6) throw damagedFault(name, "the JPEG's frame header is cut short");
  const [precision, count] = [data[0], data[5]];
  const [height, width] = [data.readUInt16BE(1), data.readUInt16BE(3)];
  if (precision !== 8) {
    throw mediaFault(
      name,
      `this JPEG has ${precision} bits per sample, 8 are supported`,
      'convert it to PNG first',
    );
  }
  checkDimensions(name, width, height);
  if (count !== 1 && count !== 3) {
    const what = count === 4 ? 'a CMYK JPEG' : `a JPEG of ${count} components`;
    throw mediaFault(name, `this is ${what}, grey and colour are supported`, 'convert it to RGB first');
  }
  if (data.length !== 6 + 3 * count) throw damagedFault(name, "the JPEG's frame header has a wrong length");
  const components = Array.from({ length: count }, (_, i) => data[6 + 3 * i]);
  const factors = components.map((_, i) => [data[7 + 3 * i] >> 4, data[7 + 3 * i] & 15]);
  if (factors.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)) {
    throw damagedFault(name, "the JPEG's sampling factors are impossible");
  }
  const most = factors.reduce(([h, v], [nextH, nextV]) => [Math.max(h, nextH), Math.max(v, nextV)]);
  const samplesPerPixel = factors.reduce((sum, [h, v]) => sum + (h * v) / (most[0] * most[1]), 0);
  return { width, height, components, leastBytes: (width * height * samplesPerPixel) / MAX_SAMPLES_PER_BYTE };
}

/** First byte after the entropy-coded data that begins at `at`: a marker other than restarts and stuffed zeros. */
function scanEnd(bytes: Buffer, at: number): number {
  for (let i = bytes.indexOf(0xff, at); i >= 0 && i + 1 < bytes.length; i = bytes.indexOf(0xff, i + 1)) {
    const next = bytes[i + 1];
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return i;
  }
  return bytes.length;
}

/** Puts the numbered parts of an ICC profile together; undefined unless all are there. */
function joinProfile(parts: ReadonlyMap<number, Buffer>, total: number): Uint8Array | undefined {
  if (total < 1 || total > MAX_PROFILE_PARTS || parts.size !== total) return undefined;
  const ordered: Buffer[] = [];
  for (let i = 1; i <= total; i++) {
    const part = parts.get(i);
    if (!part) return undefined;
    ordered.push(part);
  }
  return new Uint8Array(Buffer.concat(ordered));
}

/**
 * Reads a JPEG's structure, proves that it reaches its end marker with a scan for every component, and reduces it to
 * what the decoder needs.
 *
 * The decoder would fill a missing end with grey in silence. Bytes after the end marker, where phones put more
 * pictures and films, are left out.
 *
 * @throws LgiError `media` for anything missing, damaged or of a kind that cannot be read; `limit` for its size.
 */
export function parseJpeg(bytes: Uint8Array, name: string): StillFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [buffer.subarray(0, 2)];
  const profileParts = new Map<number, Buffer>();
  let profileTotal = 0;
  let orientation = 1;
  let frame: FrameHeader | undefined;
  let scans = 0;
  let codedBytes = 0;
  const scanned = new Set<number>();
  const truncated = () => damagedFault(name, `the JPEG ends at byte ${buffer.length}, before its end marker`);

  for (let at = 2; ;) {
    if (at + 2 > buffer.length) throw truncated();
    if (buffer[at] !== 0xff) throw damagedFault(name, `no JPEG marker at byte ${at}`);
    const marker = buffer[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === EOI) break;
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= SOI)) {
      throw damagedFault(name, `JPEG marker ${marker.toString(16)} at byte ${at} has no place there`);
    }
    if (at + 4 > buffer.length) throw truncated();
    const end = at + 2 + buffer.readUInt16BE(at + 2);
    if (end < at + 4) throw damagedFault(name, `the JPEG segment at byte ${at} has a wrong length`);
    if (end > buffer.length) throw truncated();
    const data = buffer.subarray(at + 4, end);

    if (isFrameHeader(marker)) {
      if (frame) throw mediaFault(name, 'this JPEG has several frames', 'convert it to PNG first');
      frame = parseFrameHeader(marker, data, name);
      checkDensity(name, buffer.length, frame.leastBytes, `${frame.width}x${frame.height}`);
    } else if (marker === APP1 && data.toString('latin1', 0, 6) === 'Exif\0\0') {
      orientation = exifOrientation(data.subarray(6));
    } else if (marker === APP2 && data.length > 14 && data.toString('latin1', 0, 12) === 'ICC_PROFILE\0') {
      profileParts.set(data[12], data.subarray(14));
      profileTotal = data[13];
    }
    let next = end;
    if (marker === SOS) {
      if (!frame) throw damagedFault(name, 'the JPEG has a scan before its frame header');
      if (++scans > MAX_SCANS) {
        throw mediaFault(
          name,
          `this JPEG has more than ${MAX_SCANS} scans`,
          'save it again as a plain JPEG or PNG',
        );
      }
      if (data.length < 4 + 2 * data[0]) throw damagedFault(name, 'a scan header of the JPEG is cut short');
      // Only scans that begin with the DC values prove that a component is there at all.
      const hasDc = data[1 + 2 * data[0]] === 0;
      for (let i = 0; hasDc && i < data[0]; i++) scanned.add(data[1 + 2 * i]);
      next = scanEnd(buffer, end);
      codedBytes += next - end;
    }
    // Application segments and comments can change how FFmpeg reads a picture; of them only JFIF and Adobe may.
    const isApplication = marker >= APP0 && marker <= 0xef && marker !== APP0 && marker !== APP14;
    if (!isApplication && marker !== COMMENT) kept.push(buffer.subarray(at, next));
    at = next;
  }

  if (!frame) throw damagedFault(name, 'the JPEG has no frame header');
  const missing = frame.components.filter((id) => !scanned.has(id)).length;
  if (missing > 0)
    throw damagedFault(name, `the JPEG has no data for ${missing} of ${frame.components.length} components`);
  checkDensity(name, codedBytes, frame.leastBytes, `${frame.width}x${frame.height}`);
  const iccProfile = joinProfile(profileParts, profileTotal);
  return {
    codec: 'mjpeg',
    width: frame.width,
    height: frame.height,
    packet: Buffer.concat([...kept, Uint8Array.of(0xff, EOI)]),
    orientation,
    ...(iccProfile ? { iccProfile } : { colour: SRGB }),
  };
}

/** Most bytes of a profile in one APP2 segment: 65,535 less the length field and the 14 bytes of label and count. */
const PROFILE_PART_BYTES = 65_519;

/** Puts an ICC profile into a JPEG, in as many segments as it needs; one that is too long stays out. */
export function withJpegProfile(jpeg: Uint8Array, profile: Uint8Array): Uint8Array {
  const total = Math.ceil(profile.length / PROFILE_PART_BYTES);
  if (total > MAX_PROFILE_PARTS) return jpeg;
  const segments = Array.from({ length: total }, (_, i) => {
    const part = profile.subarray(i * PROFILE_PART_BYTES, (i + 1) * PROFILE_PART_BYTES);
    const head = Buffer.from([0xff, APP2, 0, 0, ...Buffer.from('ICC_PROFILE\0', 'latin1'), i + 1, total]);
    head.writeUInt16BE(head.length - 2 + part.length, 2);
    return Buffer.concat([head, part]);
  });
  // JFIF wants its own segment first, directly after the start marker.
  const hasJfif = jpeg[2] === 0xff && jpeg[3] === APP0;
  const at = hasJfif ? 4 + jpeg[4] * 256 + jpeg[5] : 2;
  return Buffer.concat([jpeg.subarray(0, at), ...segments, jpeg.subarray(at)]);
}
