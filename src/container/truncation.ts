import { LgiError } from '../../codec/errors.js';

/** How much there is of a file that ends before what its superblock promises. */
export interface FileEnd {
  /** What the superblock promises: the committed length. */
  readonly promised: number;
  /** What there is, where that is known. */
  readonly known?: number | undefined;
}

/**
 * For a read at `byteOffset` that gave `byteLength` bytes, fewer than wanted: there the file ends, unless it gave none.
 *
 * @param section what ends too early, or is not there at all.
 */
export function truncated(
  { promised, known }: FileEnd,
  section: string,
  byteOffset: number,
  byteLength: number,
): LgiError {
  // A file that lost its end after it was opened may still be known as longer.
  const isKnown = known !== undefined && known < promised;
  const end = isKnown ? known : byteOffset + byteLength;
  const where = isKnown || byteLength > 0 ? 'after' : 'at or before';
  const loss = SECTIONS_OF_ALL.has(section) ? `its ${section}` : section;
  const without = section === 'superblock' || section === 'end' ? '' : `, without all of ${loss}`;
  return new LgiError(
    'truncated',
    `the file ends ${where} ${end} of the ${promised} bytes that its superblock promises${without}; fetch it again`,
    { section, byteOffset: end },
  );
}

/** Every file has one; others have names of their own. */
const SECTIONS_OF_ALL: ReadonlySet<string> = new Set(['header', 'index']);
