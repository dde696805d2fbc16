import { LgiError } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { placeName } from './places.js';

/** What people take for an LGI file, by its first bytes at an offset. */
const PICTURES: readonly (readonly [format: string, offset: number, magic: string])[] = [
  ['PNG', 0, '\x89PNG'],
  ['JPEG', 0, '\xff\xd8\xff'],
  ['WebP', 8, 'WEBP'],
  ['GIF', 0, 'GIF8'],
];

const MAGIC_BYTES = 12;

/**
 * What opening gives, its errors with the file's path or URL in front.
 *
 * @param advice what is added to a message; default the way to `lgi repair` where that may help.
 * @throws LgiError of the opening's code; `not-lgi` says which kind of picture it is, where that is known.
 */
export async function namedOpening<T>(
  place: string,
  source: Source,
  opening: Promise<T>,
  advice: (error: LgiError) => string = adviceFor,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    // Failures of reading name the path themselves.
    if (!(error instanceof LgiError) || error.code === 'io' || error.code === 'replaced') throw error;
    const { code, section, byteOffset } = error;
    const format = code === 'not-lgi' ? await pictureFormat(source) : undefined;
    const fact =
      format === undefined ? `${error.message}${advice(error)}` : `this is a ${format}; encode it first`;
    throw new LgiError(code, `${placeName(place)}: ${fact}`, {
      ...(section !== undefined && { section }),
      ...(byteOffset !== undefined && { byteOffset }),
      cause: error,
    });
  }
}

/** Of a file that does not open, but may have much that is sound. */
function adviceFor({ code, section }: LgiError): string {
  const isIndex = section === 'index' && (code === 'damaged' || code === 'truncated');
  const isSuperblock = section === 'superblock' && code === 'damaged';
  return isIndex || isSuperblock ? ", or save what is sound with 'lgi repair'" : '';
}

async function pictureFormat(source: Source): Promise<string | undefined> {
  const start = String.fromCharCode(...(await source.read(0, MAGIC_BYTES)));
  return PICTURES.find(([, offset, magic]) => start.startsWith(magic, offset))?.[0];
}
