import { OptionError } from '../../codec/errors.js';
import { BlobSource } from './blob.js';
import { parseHttpUrl } from './http-url.js';
import { MemorySource } from './memory.js';
import { RemoteSource } from './remote-source.js';
import type { Source } from './source.js';

/** What a file's bytes come from; a string is an http or https URL. */
export type Openable = Source | Blob | URL | string | Uint8Array | ArrayBuffer;

/**
 * What is opened, as a source.
 *
 * @throws OptionError for anything else.
 */
export function asSource(source: Openable): Source {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return new MemorySource(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return new BlobSource(source);
  if (typeof source === 'string' || source instanceof URL) {
    if (parseHttpUrl(source) === null) {
      throw new OptionError('source', 'is no http or https URL; of a file of this machine open a FileSource');
    }
    return new RemoteSource(source);
  }
  if (typeof (source as Source | undefined)?.read !== 'function') {
    throw new OptionError('source', 'is neither a source, a URL, a Blob nor bytes; give one of them');
  }
  return source as Source;
}
