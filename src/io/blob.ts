import { LgiError } from '../../codec/errors.js';
import type { Source } from './source.js';

/** A Blob or File, as a browser's file picker gives them, as a source; only the ranges asked for are read. */
export class BlobSource implements Source {
  constructor(private readonly blob: Blob) {}

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    let buffer: ArrayBuffer;
    try {
      buffer = await this.blob.slice(byteOffset, byteOffset + byteLength).arrayBuffer();
    } catch (cause) {
      throw new LgiError(
        'io',
        'the file behind the blob cannot be read, it may have been moved or changed since it was chosen; choose it again',
        { byteOffset, cause },
      );
    }
    signal?.throwIfAborted();
    return new Uint8Array(buffer);
  }

  knownByteLength(): number {
    return this.blob.size;
  }
}
