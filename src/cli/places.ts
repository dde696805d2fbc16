import { stat } from 'node:fs/promises';
import { LgiError, OptionError } from '../../codec/errors.js';
import { FileSource } from '../io/file-source-node.js';
import { httpName, parseHttpUrl } from '../io/http-url.js';
import { RemoteSource } from '../io/remote-source.js';

/** A URL that is read by requests, or null. */
function httpUrl(place: string): URL | null {
  return /^https?:/i.test(place) ? parseHttpUrl(place) : null;
}

/** An input as messages have it: of a URL without user and query, which may be secrets. */
export function placeName(place: string): string {
  const url = httpUrl(place);
  return url === null ? place : httpName(url);
}

/** What looks like a URL without user and query. */
function withoutSecrets(place: string): string {
  return place.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//');
}

/**
 * Refuses inputs that are no paths.
 *
 * @throws LgiError `unavailable` for a URL, whose query is left out of the message: it may be a signature.
 */
export function checkPath(place: string): void {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(place)) {
    const what = /^https?:/i.test(place)
      ? 'pictures are read from files of this machine'
      : 'LGI files are read from this machine or by http and https';
    throw new LgiError('unavailable', `${what}, not ${withoutSecrets(place)}; download it first`);
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
  if (httpUrl(input) !== null) return;
  const [from, to] = await Promise.all([input, output].map((path) => stat(path).catch(() => undefined)));
  if (from === undefined || to === undefined || from.dev !== to.dev || from.ino !== to.ino) return;
  throw new OptionError('output', `${output} is the input itself; name another file`);
}

/** What a command reads: a file of this machine, or one behind a URL. */
export type InputSource = FileSource | RemoteSource;

/**
 * A path or an http or https URL as a source.
 *
 * @throws LgiError `unavailable` for other URLs and standard input; `io` for a path that is no readable file.
 */
export async function openSource(place: string): Promise<InputSource> {
  const url = httpUrl(place);
  if (url !== null) return new RemoteSource(url);
  if (/^https?:\/\//i.test(place)) {
    throw new LgiError(
      'unavailable',
      `${withoutSecrets(place)} is no URL that can be read; check its host and port`,
    );
  }
  checkPath(place);
  return FileSource.open(place);
}
