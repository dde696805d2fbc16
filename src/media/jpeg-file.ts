import { checkDensity, checkDimensions, damagedFault, mediaFault } from './image-limits.js';
import { isRgbJpeg, noteColour, replacedIds, RGB_SEGMENT, type JpegColourMarks } from './jpeg-colour.js';
import { tablesOf, type TableNames } from './jpeg-tables.js';
import { pictureOrientation } from './picture-orientation.js';
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
const COMMENT = 0xfe;

/** Start-of-frame markers; DHT (c4), JPG (c8) and DAC (cc) lie among them but are none. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

interface FrameHeader {
  readonly width: number;
  readonly height: number;
  readonly components: readonly number[];
  /** Quantisation table of each component. */
  readonly tables: readonly number[];
  readonly isProgressive: boolean;
  /** Whether all components have as many samples. */
  readonly isFull: boolean;
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
  return {
    width,
    height,
    components,
    tables: components.map((_, i) => data[8 + 3 * i]),
    isProgressive: marker === 0xc2,
    isFull: factors.every(([h, v]) => h === factors[0][0] && v === factors[0][1]),
    leastBytes: (width * height * samplesPerPixel) / MAX_SAMPLES_PER_BYTE,
  };
}

/** First byte after the entropy-coded data that begins at `at`: a marker other than restarts and stuffed zeros. */
function scanEnd(bytes: Buffer, at: number): number {
  for (let i = bytes.indexOf(0xff, at); i >= 0 && i + 1 < bytes.length; i = bytes.indexOf(0xff, i + 1)) {
    const next = bytes[i + 1];
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return i;
  }
  return bytes.length;
}

/** The numbered parts of an ICC profile, in whatever order they come. */
class ProfileParts {
  private readonly parts = new Map<number, Buffer>();
  private readonly totals = new Set<number>();

  add(data: Buffer): void {
    this.parts.set(data[12], data.subarray(14));
    this.totals.add(data[13]);
  }

  /** The whole profile; undefined where there is none, or a notice where parts are missing. */
  join(name: string, notices: string[]): Uint8Array | undefined {
    const [total] = this.totals;
    if (total === undefined) return undefined;
    const ordered = Array.from({ length: total }, (_, i) => this.parts.get(i + 1));
    const found = ordered.filter((part) => part !== undefined);
    if (this.totals.size === 1 && total > 0 && found.length === total) {
      return new Uint8Array(Buffer.concat(found));
    }
    notices.push(
      `${name}: its ICC profile is incomplete, ${found.length} of ${total} parts are there, and was left out`,
    );
    return undefined;
  }
}

/** A segment, or what stands alone, such as the start marker. */
interface Segment {
  readonly marker: number;
  /** Without marker and length. */
  readonly data: Buffer;
  /** All of it, with the coded data that follows a scan's header. */
  readonly whole: Buffer;
}

/** Markers without a segment that may stand before the first scan and mean nothing there: TEM and the restarts. */
function isIdle(marker: number): boolean {
  return marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7);
}

/** Whether bytes that no marker begins are a segment whose marker was damaged: its length ends where a marker is. */
function isDamagedSegment(buffer: Buffer, at: number): boolean {
  if (at + 4 > buffer.length) return true;
  const end = at + 2 + buffer.readUInt16BE(at + 2);
  return end + 1 < buffer.length && buffer[end] === 0xff && buffer[end + 1] >= 0xc0;
}

/**
 * Where the next marker begins, at `at` or after bytes that belong to nothing, which libjpeg skips, too.
 *
 * Only before the first scan: later such bytes are coded data that was damaged.
 *
 * @param previous the segment before; one of tables must be whole, or the bytes could be its rest.
 */
function skipJunk(buffer: Buffer, at: number, previous: Segment | undefined, name: string): number {
  let next = at;
  while (next + 1 < buffer.length && (buffer[next] !== 0xff || isIdle(buffer[next + 1]))) {
    next = buffer[next] === 0xff ? next + 2 : buffer.indexOf(0xff, next);
    if (next < 0) return buffer.length;
  }
  const isWhole = !previous || tablesOf(previous.marker, previous.data) !== undefined;
  if (next > at && (!isWhole || isDamagedSegment(buffer, at))) {
    throw damagedFault(name, `no JPEG marker at byte ${at}`);
  }
  return next;
}

/** The segments up to the end marker. */
function* segmentsOf(buffer: Buffer, name: string, notices: string[]): Generator<Segment, void> {
  const truncated = () => damagedFault(name, `the JPEG ends at byte ${buffer.length}, before its end marker`);
  let previous: Segment | undefined;
  let hasScan = false;
  for (let at = 2; ;) {
    if (!hasScan) {
      const next = skipJunk(buffer, at, previous, name);
      if (next > at && next < buffer.length) {
        notices.push(
          `${name}: ${next - at} bytes from byte ${at} on belong to no JPEG segment and were skipped`,
        );
      }
      at = next;
    }
    if (at + 2 > buffer.length) throw truncated();
    if (buffer[at] !== 0xff) throw damagedFault(name, `no JPEG marker at byte ${at}`);
    const marker = buffer[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === EOI) return;
    if (isIdle(marker) || marker === SOI) {
      throw damagedFault(name, `JPEG marker ${marker.toString(16)} at byte ${at} has no place there`);
    }
    if (at + 4 > buffer.length) throw truncated();
    const end = at + 2 + buffer.readUInt16BE(at + 2);
    if (end < at + 4) throw damagedFault(name, `the JPEG segment at byte ${at} has a wrong length`);
    if (end > buffer.length) throw truncated();
    hasScan ||= marker === SOS;
    const next = marker === SOS ? scanEnd(buffer, end) : end;
    previous = { marker, data: buffer.subarray(at + 4, end), whole: buffer.subarray(at, next) };
    yield previous;
    at = next;
  }
}

/** A frame's or scan's header with other component ids; the ids lie `stride` bytes apart. */
function withIds(whole: Buffer, first: number, stride: number, ids: ReadonlyMap<number, number>): Buffer {
  const copy = Buffer.from(whole);
  const count = copy[first - 1];
  for (let i = 0, at = first; i < count; i++, at += stride) copy[at] = ids.get(copy[at]) ?? copy[at];
  return copy;
}

/** The Huffman codes that a scan is read by, from its header; corrections of DC values in progressive files have none. */
function codesOf(scan: Buffer, isProgressive: boolean): string[] {
  const count = scan[0];
  const isAc = scan[1 + 2 * count] > 0;
  const isCorrection = scan[3 + 2 * count] >> 4 > 0;
  return Array.from({ length: count }, (_, i) => scan[2 + 2 * i]).flatMap((numbers) => [
    ...(isProgressive && (isAc || isCorrection) ? [] : [`d${numbers >> 4}`]),
    ...(isProgressive && !isAc ? [] : [`a${numbers & 15}`]),
  ]);
}

/** Refuses a picture that needs tables which the file does not define: the decoder would take others in silence. */
function checkTables(needed: Iterable<string>, defined: TableNames, name: string): void {
  // Motion JPEG leaves the standard's Huffman codes out, which decoders know; where any are given, all have to be.
  const hasHuffman = [...defined].some((table) => !table.startsWith('q'));
  const absent = [...needed].filter((table) => !defined.has(table) && (hasHuffman || table.startsWith('q')));
  if (absent.length > 0)
    throw damagedFault(name, `the JPEG lacks tables that its data needs: ${absent.join(', ')}`);
}

const EXIF_LABEL = /^Exif\0/;
const XMP_LABEL = 'http://ns.adobe.com/xap/1.0/\0';

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
  const notices: string[] = [];
  const kept: Segment[] = [];
  const profile = new ProfileParts();
  const marks: JpegColourMarks = { hasJfif: false, adobeTransform: undefined };
  let exif: Buffer | undefined;
  let xmp: Buffer | undefined;
  let frame: FrameHeader | undefined;
  let scans = 0;
  let codedBytes = 0;
  const scanned = new Set<number>();
  const defined = new Set<string>();
  const needed = new Set<string>();

  for (const segment of segmentsOf(buffer, name, notices)) {
    const { marker, data, whole } = segment;
    if (isFrameHeader(marker)) {
      if (frame) throw mediaFault(name, 'this JPEG has several frames', 'convert it to PNG first');
      frame = parseFrameHeader(marker, data, name);
      checkDensity(name, buffer.length, frame.leastBytes, `${frame.width}x${frame.height}`);
      frame.tables.forEach((table) => needed.add(`q${table}`));
    } else if (marker === APP1 && EXIF_LABEL.test(data.toString('latin1', 0, 6))) {
      // Of several blocks the first counts, as in browsers and libvips.
      exif ??= data;
    } else if (marker === APP1 && data.toString('latin1', 0, XMP_LABEL.length) === XMP_LABEL) {
      xmp ??= data;
    } else if (marker === APP2 && data.length > 14 && data.toString('latin1', 0, 12) === 'ICC_PROFILE\0') {
      profile.add(data);
    }
    noteColour(marks, marker, data);
    tablesOf(marker, data)?.forEach((table) => defined.add(table));
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
      codesOf(data, frame.isProgressive).forEach((table) => needed.add(table));
      codedBytes += whole.length - 4 - data.length;
    }
    // Application segments and comments can change how FFmpeg reads a picture; what they say of colours is told below.
    if (!(marker >= APP0 && marker <= 0xef) && marker !== COMMENT) kept.push(segment);
  }

  if (!frame) throw damagedFault(name, 'the JPEG has no frame header');
  const { width, height, components } = frame;
  const missing = components.filter((id) => !scanned.has(id)).length;
  if (missing > 0)
    throw damagedFault(name, `the JPEG has no data for ${missing} of ${components.length} components`);
  checkDensity(name, codedBytes, frame.leastBytes, `${width}x${height}`);
  checkTables(needed, defined, name);
  const isRgb = isRgbJpeg(marks, components);
  if (isRgb && !frame.isFull) {
    throw mediaFault(name, 'this is an RGB JPEG of channels that differ in size', 'convert it to PNG first');
  }
  const ids = replacedIds(isRgb, components);
  const wholes = kept.map(({ marker, whole }) => {
    if (ids && isFrameHeader(marker)) return withIds(whole, 10, 3, ids);
    return ids && marker === SOS ? withIds(whole, 5, 2, ids) : whole;
  });
  const iccProfile = profile.join(name, notices);
  return {
    codec: 'mjpeg',
    width,
    height,
    packet: Buffer.concat([
      buffer.subarray(0, 2),
      ...(isRgb ? [RGB_SEGMENT] : []),
      ...wholes,
      Uint8Array.of(0xff, EOI),
    ]),
    ...pictureOrientation(exif, xmp),
    notices,
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
