import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip } from 'node:zlib';
import { fileError } from '../../io/file-error-node.js';
import { KNOWN_FORMATS } from './known-formats.js';
import type { FileStart, MediaFormat } from './media-format.js';
import { READ_FORMATS } from './read-formats.js';

/** As much as tells formats apart: comments and tags may come before what does. */
const START_BYTES = 65_536;

/** A ZIP archive's directory stands at its end. */
const DIRECTORY_BYTES = 65_536;

/** What the beginning of a file says, from its bytes alone. */
export function startOf(
  bytes: Uint8Array,
  byteLength = bytes.length,
  entries: readonly string[] = [],
): FileStart {
  const start = bytes.subarray(0, START_BYTES);
  const buffer = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  return { bytes: start, text: buffer.toString('latin1'), plain: plainText(buffer), entries, byteLength };
}

/** The format of a file by its beginning; undefined for one that is not known. */
export function formatOf(start: FileStart): MediaFormat | undefined {
  return (
    READ_FORMATS.find(({ matches }) => matches(start)) ?? KNOWN_FORMATS.find(({ matches }) => matches(start))
  );
}

/**
 * The format of a file by its content; undefined for one that is not known. Of a packed file it is that of what is packed, where
 * volumes are usually packed.
 *
 * @throws LgiError `io` when the file cannot be read.
 */
export async function recogniseFile(
  path: string,
): Promise<{ start: FileStart; format: MediaFormat | undefined }> {
  const start = await readStart(path);
  if (start.text.startsWith('\x1f\x8b')) {
    const inner = await unpackedStart(start.bytes);
    const packed = inner && formatOf(startOf(inner, Infinity));
    if (packed?.reader === 'volume') return { start, format: packed };
  }
  return { start, format: formatOf(start) };
}

async function readStart(path: string): Promise<FileStart> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const head = await file.read(
        Buffer.alloc(Math.min(size, START_BYTES)),
        0,
        Math.min(size, START_BYTES),
        0,
      );
      const bytes = head.buffer.subarray(0, head.bytesRead);
      let entries: readonly string[] = [];
      if (bytes.toString('latin1', 0, 4) === 'PK\x03\x04') {
        const length = Math.min(size, DIRECTORY_BYTES);
        const tail = await file.read(Buffer.alloc(length), 0, length, size - length);
        entries = entryNames(tail.buffer.subarray(0, tail.bytesRead));
      }
      return startOf(bytes, size, entries);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

/** Names in a ZIP archive's directory, as far as it lies in the archive's last bytes. */
export function entryNames(tail: Buffer): string[] {
  const names: string[] = [];
  for (let at = tail.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0 && at + 46 <= tail.length;) {
    if (tail.readUInt32LE(at) !== 0x02014b50) break;
    const [name, extra, comment] = [28, 30, 32].map((field) => tail.readUInt16LE(at + field));
    names.push(tail.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}

async function unpackedStart(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  // The bytes end where the beginning does, which is no fault.
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 26 };
  return promisify(gunzip)(bytes, options).catch(() => undefined);
}

/** Text without a byte-order mark and leading space; empty where there are bytes that text does not have. */
function plainText(bytes: Buffer): string {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isWide) {
    const even = Buffer.from(bytes.subarray(0, bytes.length & ~1));
    const text = (bytes[0] === 0xff ? even : even.swap16()).toString('utf16le');
    return text.replace(/^\ufeff?\s*/, '');
  }
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) return '';
  return bytes.toString('utf8').replace(/^\ufeff?\s*/, '');
}
