import { stat } from 'node:fs/promises';
import { LgiError, OptionError } from '../../codec/errors.js';
import { FileSource } from '../io/file-source-node.js';

/**
 * Refuses inputs that are no paths.
 *
 * @throws LgiError `unavailable` for a URL, whose query is left out of the message: it may be a signature.
 */
export function checkInput(place: string): void {
  const url = /^([a-z][a-z0-9+.-]+:\/\/[^?#]*)/i.exec(place)?.[1];
  if (url !== undefined) {
    throw new LgiError(
      'unavailable',
      `this version reads files of this machine, not ${url.replace(/\/\/[^/]*@/, '//')}; download it first`,
    );
  }
  if (place === '-') {
    throw new LgiError(
      'unavailable',
      'standard input cannot be read, files are not read front to back; save it first',
    );
  }
}

/** @throws OptionError for a place that cannot be written as a file. */
export function checkOutput(place: string): void {
  if (place === '') throw new OptionError('output', 'is empty; name a file');
  if (place === '-') {
    throw new OptionError(
      'output',
      'standard output cannot be written, files are not written front to back; name a file',
    );
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(place))
    throw new OptionError('output', 'URLs cannot be written; name a file');
}

/** Names that programs open by, and that an LGI file under them would mislead. */
const MEDIA_EXTENSION =
  /\.(png|jpe?g|webp|gif|avif|hei[cf]|jxl|tiff?|bmp|svg|pdf|mp[34]|mov|mkv|webm|wav|flac|ogg)$/i;

/** @throws OptionError for the name of another medium, where an LGI file is to be written. */
export function checkLgiName(place: string): void {
  const extension = MEDIA_EXTENSION.exec(place)?.[0];
  if (extension === undefined) return;
  throw new OptionError(
    'output',
    `${place} ends in ${extension}; what is written is an LGI file, name it .lgi`,
  );
}

/** @throws OptionError where writing would replace what is read, by whatever name. */
export async function checkDistinct(input: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([input, output].map((path) => stat(path).catch(() => undefined)));
  if (from === undefined || to === undefined || from.dev !== to.dev || from.ino !== to.ino) return;
  throw new OptionError('output', `${output} is the input itself; name another file`);
}

/** A file as a source. */
export function openSource(place: string): Promise<FileSource> {
  checkInput(place);
  return FileSource.open(place);
}
