import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import type { FileSource } from '../io/file-source-node.js';
import { damagedFault, MAX_FILE_BYTES, mediaFault } from './image-limits.js';

/** A file in a ZIP archive, as the archive's directory has it. */
export interface ZipEntry {
  readonly name: string;
  readonly isEncrypted: boolean;
  /** 0 stored, 8 DEFLATE; others are not unpacked. */
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly headerOffset: number;
}

const END_BYTES = 22;
const END64_LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
/** A directory of 100,000 names; archives of arrays have a handful. */
const MAX_DIRECTORY_BYTES = 2 ** 23;
/** DEFLATE cannot compress better. */
const MAX_DEFLATE_RATIO = 1032;

const STORED = 0;
const DEFLATED = 8;
const ZIP64_FIELD = 1;
const IN_ZIP64 = 0xffffffff;

async function bytesAt(source: FileSource, at: number, length: number, name: string): Promise<Buffer> {
  const isInside = Number.isSafeInteger(at) && at >= 0 && at + length <= source.knownByteLength();
  const bytes = isInside ? await source.read(at, length) : new Uint8Array(0);
  if (bytes.length < length) {
    throw damagedFault(
      name,
      `the archive needs bytes ${at} to ${at + length}, the file has ${source.knownByteLength()}`,
    );
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Where the directory lies, from the record at the archive's end. */
async function directoryPlace(
  source: FileSource,
  name: string,
): Promise<readonly [at: number, bytes: number]> {
  const length = source.knownByteLength();
  const tailAt = Math.max(0, length - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await bytesAt(source, tailAt, length - tailAt, name);
  const end = tail.lastIndexOf('PK\x05\x06', tail.length - END_BYTES, 'latin1');
  if (end < 0 || tail.length < END_BYTES) throw damagedFault(name, 'the archive ends before its directory');
  const locatorAt = tailAt + end - END64_LOCATOR_BYTES;
  if (locatorAt >= 0) {
    const locator = await bytesAt(source, locatorAt, END64_LOCATOR_BYTES, name);
    if (locator.toString('latin1', 0, 4) === 'PK\x06\x07') {
      const end64 = await bytesAt(source, Number(locator.readBigUInt64LE(8)), END64_BYTES, name);
      if (end64.toString('latin1', 0, 4) !== 'PK\x06\x06') {
        throw damagedFault(name, 'the archive has no 64-bit directory where its end says');
      }
      return [Number(end64.readBigUInt64LE(48)), Number(end64.readBigUInt64LE(40))];
    }
  }
  return [tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12)];
}

/** The three numbers that lie in the 64-bit field where they are too large for their own, in the field's order. */
function withZip64(numbers: readonly number[], extra: Buffer): number[] {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== ZIP64_FIELD)
    at += 4 + extra.readUInt16LE(at + 2);
  let next = at + 4;
  return numbers.map((number) => {
    if (number !== IN_ZIP64 || next + 8 > extra.length) return number;
    next += 8;
    return Number(extra.readBigUInt64LE(next - 8));
  });
}

/**
 * The files of a ZIP archive, by its directory.
 *
 * @throws LgiError `media` where the directory is cut off or damaged.
 */
export async function zipEntries(source: FileSource, name: string): Promise<ZipEntry[]> {
  const [begin, length] = await directoryPlace(source, name);
  if (length > MAX_DIRECTORY_BYTES) {
    throw mediaFault(
      name,
      `the archive's directory has ${length} bytes, the limit is ${MAX_DIRECTORY_BYTES}`,
      'unpack it and give one file',
    );
  }
  const directory = await bytesAt(source, begin, length, name);
  const entries: ZipEntry[] = [];
  for (let at = 0; at < length;) {
    const isEntry = at + ENTRY_BYTES <= length && directory.toString('latin1', at, at + 4) === 'PK\x01\x02';
    const nameBytes = isEntry ? directory.readUInt16LE(at + 28) : 0;
    const extraAt = at + ENTRY_BYTES + nameBytes;
    const extraBytes = isEntry ? directory.readUInt16LE(at + 30) : 0;
    const end = extraAt + extraBytes + (isEntry ? directory.readUInt16LE(at + 32) : 0);
    if (!isEntry || end > length) {
      throw damagedFault(name, `the archive's directory is damaged at byte ${begin + at}`);
    }
    const [bytes, packedBytes, headerOffset] = withZip64(
      [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)],
      directory.subarray(extraAt, extraAt + extraBytes),
    );
    entries.push({
      name: directory.toString('utf8', at + ENTRY_BYTES, extraAt),
      isEncrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
      method: directory.readUInt16LE(at + 10),
      checksum: directory.readUInt32LE(at + 16),
      packedBytes,
      bytes,
      headerOffset,
    });
    at = end;
  }
  return entries;
}

/**
 * One file of the archive, unpacked, its length and checksum proven.
 *
 * Nothing is allocated beyond what the packed bytes can hold.
 *
 * @throws LgiError `media` for what is damaged, encrypted, packed by another method or too large.
 */
export async function unzipEntry(source: FileSource, entry: ZipEntry, name: string): Promise<Uint8Array> {
  const { bytes, packedBytes, method, headerOffset } = entry;
  if (entry.isEncrypted || (method !== STORED && method !== DEFLATED)) {
    const how = entry.isEncrypted ? 'encrypted' : `packed by ZIP's method ${method}`;
    throw mediaFault(name, `${JSON.stringify(entry.name)} is ${how}`, 'unpack it and give the file in it');
  }
  if (bytes > MAX_FILE_BYTES) {
    throw mediaFault(
      name,
      `${JSON.stringify(entry.name)} has ${bytes} bytes, ${MAX_FILE_BYTES} are unpacked at most`,
      'unpack it and give the .npy file in it, which is read in parts',
    );
  }
  if (method === STORED ? packedBytes !== bytes : bytes > packedBytes * MAX_DEFLATE_RATIO) {
    throw damagedFault(
      name,
      `${packedBytes} packed bytes cannot be the ${bytes} of ${JSON.stringify(entry.name)}`,
    );
  }
  const local = await bytesAt(source, headerOffset, LOCAL_BYTES, name);
  if (local.toString('latin1', 0, 4) !== 'PK\x03\x04') {
    throw damagedFault(name, `no file begins at byte ${headerOffset}, where the directory has one`);
  }
  const begin = headerOffset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = await bytesAt(source, begin, packedBytes, name);
  const unpacked =
    method === STORED
      ? packed
      : await promisify(inflateRaw)(packed, { maxOutputLength: Math.max(1, bytes) }).catch(
          (cause: unknown) => {
            throw damagedFault(name, `${JSON.stringify(entry.name)} cannot be unpacked`, cause);
          },
        );
  if (unpacked.length !== bytes || crc32(unpacked) !== entry.checksum) {
    throw damagedFault(
      name,
      `${JSON.stringify(entry.name)} has another length or checksum than the directory says`,
    );
  }
  return unpacked;
}
