import { LgiError } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { crc32c } from './crc32c.js';
import { readFlatBufferAt, type FoundBuffer } from './find-flatbuffer.js';
import { decodeHeader } from './decode-header.js';
import type { Header } from './header.js';
import { MAX_FILE_BYTES } from './limits.js';
import { scanChunks, type FoundChunk, type Scan } from './scan-chunks.js';
import { SHORT_SLOT_BYTES } from './superblock.js';

/** Sound headers for which the file is scanned; files have one, and each costs a reading of the file. */
const MAX_SCANS = 4;

/** What may follow the last object that this program knows: padding, and what later versions add. */
const MAX_UNKNOWN_BYTES = 1 << 12;

/** A header that was found without the superblock. */
export interface FoundHeader {
  readonly header: Header;
  readonly byteOffset: number;
  /** u8, as long as the chunks say. */
  readonly bytes: Uint8Array;
  readonly crc: number;
  /** Of the whole file behind the superblock; its chunks are those of this header. */
  readonly scan: Scan;
}

/**
 * The header, when the superblock that says where it is has been lost.
 *
 * A header does not say its own length, and its checksum stood in the superblock. But every chunk's checksum continues the
 * header's: of the lengths that are possible, the one counts by which chunks are right, and then it is the header for certain.
 *
 * @param places where a header may begin.
 * @returns undefined where no chunk belongs to any of them.
 * @throws LgiError `unsupported` or `limit` for a header that this program cannot use; `io`.
 */
export async function findHeader(
  source: Pick<Source, 'read'>,
  places: readonly number[],
  signal?: AbortSignal,
): Promise<FoundHeader | undefined> {
  let refused: LgiError | undefined;
  let scans = 0;
  for (const place of places) {
    const buffer = await readFlatBufferAt(source, place, 'header', signal);
    if (buffer === undefined) continue;
    let header: Header;
    try {
      header = decodeHeader(buffer.bytes.subarray(0, buffer.leastByteLength), place);
    } catch (error) {
      if (!(error instanceof LgiError)) throw error;
      if (error.code !== 'damaged') refused = error;
      continue;
    }
    if (scans++ === MAX_SCANS) break;
    const lengths = possibleLengths(buffer);
    const range = { begin: 2 * SHORT_SLOT_BYTES, end: MAX_FILE_BYTES };
    const scan = await scanChunks(source, header, new Set(lengths.keys()), range, signal);
    const crc = mostFrequent(scan.chunks);
    if (crc === undefined) continue;
    const bytes = buffer.bytes.slice(0, lengths.get(crc));
    const chunks = scan.chunks.filter(({ headerCrc }) => headerCrc === crc);
    return { header, byteOffset: place, bytes, crc, scan: { ...scan, chunks } };
  }
  if (refused !== undefined) throw refused;
  return undefined;
}

/** Lengths that a header may have, by the checksum that it then has. */
function possibleLengths({ bytes, leastByteLength }: FoundBuffer): Map<number, number> {
  const lengths = new Map<number, number>();
  const most = Math.min(bytes.length, leastByteLength + MAX_UNKNOWN_BYTES);
  let crc = crc32c(bytes.subarray(0, leastByteLength));
  for (let length = leastByteLength; length <= most; length++) {
    if (!lengths.has(crc)) lengths.set(crc, length);
    crc = crc32c(bytes.subarray(length, length + 1), crc);
  }
  return lengths;
}

/** One chunk in a million may fit a wrong length by chance; then the others outvote it. */
function mostFrequent(chunks: readonly FoundChunk[]): number | undefined {
  const votes = new Map<number, number>();
  for (const { headerCrc } of chunks) votes.set(headerCrc, (votes.get(headerCrc) ?? 0) + 1);
  let [best, most] = [undefined as number | undefined, 0];
  for (const [crc, count] of votes) if (count > most) [best, most] = [crc, count];
  return best;
}
