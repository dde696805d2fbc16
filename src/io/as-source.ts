import { OptionError } from '../../codec/errors.js';
import { BlobSource } from './blob.js';
import { MemorySource } from './memory.js';
import type { Source } from './source.js';

/** What a file's bytes come from. */
export type Openable = Source | Blob | Uint8Array | ArrayBuffer;

/**
 * What is opened, as a source.
 *
 * @throws OptionError for anything else.
 */
export function asSource(source: Openable): Source {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return new MemorySource(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return new BlobSource(source);
  if (typeof (source as Source | undefined)?.read !== 'function') {
    throw new OptionError('source', 'is neither a source, a Blob nor bytes; give one of them');
  }
  return source as Source;
}
