import { MAX_READ_BYTES } from '../io/read-budgets.js';
import { LgiError } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { verifyFlatBuffer } from './flatbuffer-verifier.js';
import { MAX_HEADER_BYTES, MAX_INDEX_BYTES } from './limits.js';

/** Places with the right letters that are looked at; sound files have one, and one more for every append. */
const MAX_CANDIDATES = 16;

/** Sections begin at multiples of this. */
const ALIGNMENT = 8;

/** Bytes of a FlatBuffer that nobody vouches for, found by its letters. */
export interface FoundBuffer {
  readonly byteOffset: number;
  /** From its beginning on, beyond its own end where the file goes on. */
  readonly bytes: Uint8Array;
  /** Where its last object ends; padding may follow. */
  readonly leastByteLength: number;
}

/** Where FlatBuffers of a kind may begin. */
export interface Marks {
  /** Ascending; at most 16: the first ones. */
  readonly headers: readonly number[];
  /** Ascending; at most 16: the last ones, since what is appended later counts. */
  readonly indexes: readonly number[];
}

/**
 * Looks through a range for the letters of headers and indexes.
 *
 * @param range begins at a multiple of 8 and may reach beyond the file's end.
 * @throws LgiError `io`.
 */
export async function findMarks(
  source: Pick<Source, 'read'>,
  range: { readonly begin: number; readonly end: number },
  signal?: AbortSignal,
): Promise<Marks> {
  const headers: number[] = [];
  const indexes: number[] = [];
  for (let at = range.begin; at < range.end; at += MAX_READ_BYTES) {
    const wanted = Math.min(MAX_READ_BYTES, range.end - at);
    const bytes = await source.read(at, wanted, signal);
    for (let i = 0; i + ALIGNMENT <= bytes.length; i += ALIGNMENT) {
      // "LGI", then H or X.
      if (bytes[i + 4] !== 0x4c || bytes[i + 5] !== 0x47 || bytes[i + 6] !== 0x49) continue;
      if (bytes[i + 7] === 0x48 && headers.length < MAX_CANDIDATES) headers.push(at + i);
      if (bytes[i + 7] === 0x58) {
        indexes.push(at + i);
        if (indexes.length > MAX_CANDIDATES) indexes.shift();
      }
    }
    if (bytes.length < wanted) break;
  }
  return { headers, indexes };
}

/**
 * The FlatBuffer at a place, if there is one whose structure is sound.
 *
 * @throws LgiError `io`.
 */
export async function readFlatBufferAt(
  source: Pick<Source, 'read'>,
  byteOffset: number,
  section: 'header' | 'index',
  signal?: AbortSignal,
): Promise<FoundBuffer | undefined> {
  const [root, letters, most] =
    section === 'header'
      ? (['Header', 'LGIH', MAX_HEADER_BYTES] as const)
      : (['Index', 'LGIX', MAX_INDEX_BYTES] as const);
  const bytes = await source.read(byteOffset, most, signal);
  try {
    const leastByteLength = verifyFlatBuffer(bytes, root, letters, section, byteOffset);
    return { byteOffset, bytes, leastByteLength };
  } catch (error) {
    if (!(error instanceof LgiError)) throw error;
    return undefined;
  }
}
