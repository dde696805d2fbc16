import { LgiError } from '../../codec/errors.js';
import { placeName } from './places.js';

/**
 * What opening gives, its errors with the file's path or URL in front.
 *
 * @param advice what is added to a message; default the way to `lgi repair` where that may help.
 * @throws LgiError of the opening's code.
 */
export async function namedOpening<T>(
  place: string,
  opening: Promise<T>,
  advice: (error: LgiError) => string = adviceFor,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    // Failures of reading name the path themselves.
    if (!(error instanceof LgiError) || error.code === 'io' || error.code === 'replaced') throw error;
    const { code, section, byteOffset } = error;
    throw new LgiError(code, `${placeName(place)}: ${error.message}${advice(error)}`, {
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
