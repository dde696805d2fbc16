import { inflateSync } from 'node:zlib';

/** XMP packets and EXIF blocks of real pictures stay far below; a longer text is a bomb. */
const MAX_TEXT_BYTES = 2 ** 24;

/** The metadata that a PNG carries as text, where its own chunks have none. */
export interface PngTextMetadata {
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
}

/** Keywords by which ImageMagick and tools after it store a profile in hexadecimal. */
const RAW_EXIF = ['Raw profile type exif', 'Raw profile type APP1'];
const RAW_XMP = 'Raw profile type xmp';
const XMP = 'XML:com.adobe.xmp';
const JPEG_XMP_PREFIX = 'http://ns.adobe.com/xap/1.0/\0';

interface TextChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function inflated(bytes: Uint8Array): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch {
    // Broken text is no reason to lose the picture.
    return undefined;
  }
}

/** The text after the keyword, unpacked; undefined where the chunk is malformed. */
function textOf({ type, data }: TextChunk, keywordEnd: number): Buffer | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const rest = bytes.subarray(keywordEnd + 1);
  if (type === 'tEXt') return rest;
  if (type === 'zTXt') return rest[0] === 0 ? inflated(rest.subarray(1)) : undefined;
  // iTXt: flag and method of compression, then language and translated keyword, each ended by a zero.
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  const text = rest.subarray(translated + 1);
  return rest[0] === 1 ? inflated(text) : text;
}

/** A profile as ImageMagick writes it: a line with its name, one with its length, then hexadecimal digits. */
function rawProfile(text: Buffer): Buffer | undefined {
  const match = /^\s*\S+\s+(\d{1,9})\s+([0-9a-fA-F\s]*)$/.exec(text.toString('latin1').replace(/\0+$/, ''));
  if (!match) return undefined;
  const bytes = Buffer.from(match[2].replace(/\s+/g, ''), 'hex');
  return bytes.length >= Number(match[1]) ? bytes.subarray(0, Number(match[1])) : undefined;
}

/**
 * EXIF and XMP out of the text chunks of a PNG; of several of a kind the first counts.
 *
 * @param chunks the file's chunks in order, of any types.
 */
export function pngTextMetadata(chunks: readonly TextChunk[]): PngTextMetadata {
  const found: { exif?: Uint8Array; xmp?: Uint8Array } = {};
  // A keyword is unpacked once: a file of many broken texts costs no more than of one.
  const seen = new Set<string>();
  for (const chunk of chunks) {
    if (!['tEXt', 'zTXt', 'iTXt'].includes(chunk.type)) continue;
    const keywordEnd = chunk.data.indexOf(0);
    if (keywordEnd < 1) continue;
    const keyword = Buffer.from(chunk.data.subarray(0, keywordEnd)).toString('latin1');
    const isRaw = RAW_EXIF.includes(keyword) || keyword === RAW_XMP;
    if ((!isRaw && keyword !== XMP) || seen.has(keyword)) continue;
    seen.add(keyword);
    const text = textOf(chunk, keywordEnd);
    const profile = text && isRaw ? rawProfile(text) : text;
    if (profile === undefined) continue;
    // APP1 holds either of the two, with what JPEG puts before it.
    const begin = profile.toString('latin1', 0, JPEG_XMP_PREFIX.length);
    if (RAW_EXIF.includes(keyword) && begin !== JPEG_XMP_PREFIX) found.exif ??= profile;
    else found.xmp ??= profile;
  }
  return found;
}
