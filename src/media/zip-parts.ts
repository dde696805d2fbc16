import { crc32 } from 'node:zlib';
import { unzipSync } from 'fflate';
import { LgiError } from '../../codec/errors.js';
import { damagedFault } from './image-limits.js';

/** Most bytes of all parts that are unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 29;

/** DEFLATE makes no more than this of a byte: 258 bytes of a match that takes 2 bits. */
const MAX_RATIO = 1032;

const CENTRAL_ENTRY = 0x02014b50;

/**
 * Unpacks parts of a ZIP file, checked by their CRC-32.
 *
 * @param isWanted which parts, by name.
 * @throws LgiError `media` for a file that is incomplete or damaged, `limit` for parts of more than 512 MiB.
 */
export function zipParts(
  bytes: Uint8Array,
  name: string,
  isWanted: (part: string) => boolean,
): ReadonlyMap<string, Uint8Array> {
  let total = 0;
  let parts: Record<string, Uint8Array>;
  try {
    parts = unzipSync(bytes, {
      filter: (file) => {
        if (!isWanted(file.name)) return false;
        total += file.originalSize;
        // Before anything is allocated: a size that the packed bytes cannot have is damage, or meant to harm.
        if (file.size > bytes.length || file.originalSize > MAX_RATIO * (file.size + 1)) {
          throw damagedFault(
            name,
            `'${file.name}' is said to unpack from ${file.size} to ${file.originalSize} bytes`,
          );
        }
        if (total > MAX_UNPACKED_BYTES) {
          throw new LgiError(
            'limit',
            `${name}: its parts unpack to more than ${MAX_UNPACKED_BYTES} bytes; simplify the mesh first`,
          );
        }
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof LgiError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw damagedFault(name, `the ZIP file of ${bytes.length} bytes cannot be unpacked (${why})`, cause);
  }
  const sums = checksums(bytes);
  for (const [part, content] of Object.entries(parts)) {
    const stored = sums.get(part);
    if (stored !== undefined && stored !== crc32(content)) {
      throw damagedFault(name, `'${part}' does not have its checksum`);
    }
  }
  return new Map(Object.entries(parts));
}

/** CRC-32 of each part, as the directory at the end has it, which fflate does not compare. */
function checksums(bytes: Uint8Array): Map<string, number> {
  const sums = new Map<string, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0 || end + 22 > bytes.length) return sums;
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL_ENTRY) break;
    const nameBytes = view.getUint16(at + 28, true);
    const part = buffer.toString('utf8', at + 46, at + 46 + nameBytes);
    sums.set(part, view.getUint32(at + 16, true));
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return sums;
}
