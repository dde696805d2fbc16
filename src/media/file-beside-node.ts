import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { mediaFault } from './image-limits.js';

/**
 * Reads a file that another one names, from that one's folder or below it, links followed.
 *
 * @param uri relative and percent-encoded.
 * @param maxBytes largest file.
 * @throws LgiError `media` for a place elsewhere, `limit` beyond `maxBytes`, `io` when it cannot be read.
 */
export async function readFileBeside(
  path: string,
  uri: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const elsewhere = () =>
    mediaFault(
      path,
      `its data is in '${uri.replace(/[?#].*$/s, '').slice(0, 100)}', which is not in its folder`,
      'put both into one folder and name it by its relative path, or export it as GLB',
    );
  let decoded: string;
  try {
    decoded = decodeURIComponent(uri);
  } catch {
    throw elsewhere();
  }
  if (/^[a-z][a-z0-9+.-]*:|\0/i.test(decoded) || isAbsolute(decoded) || decoded === '') throw elsewhere();
  const folder = dirname(resolve(path));
  const beside = resolve(folder, decoded);
  const isBelow = (parent: string, child: string) => {
    const way = relative(parent, child);
    return way !== '' && !/^\.\.([\\/]|$)/.test(way) && !isAbsolute(way);
  };
  if (!isBelow(folder, beside)) throw elsewhere();
  try {
    const real = await realpath(beside);
    if (!isBelow(await realpath(folder), real)) throw elsewhere();
    const status = await stat(real);
    if (!status.isFile()) throw elsewhere();
    if (status.size > maxBytes) {
      throw new LgiError('limit', `${beside}: the file has ${status.size} bytes, the limit is ${maxBytes}`);
    }
    return await readFile(real, { signal });
  } catch (cause) {
    if (cause instanceof LgiError) throw cause;
    signal?.throwIfAborted();
    throw fileError('read', beside, cause);
  }
}
