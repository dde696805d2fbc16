import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Source } from './source.js';
import { fileError } from './file-error-node.js';

/** A file of this machine as a source; close it to give its handle back. */
export class FileSource implements Source {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private byteLength: number,
  ) {}

  /** @throws LgiError `io` when the path is no readable file. */
  static async open(path: string): Promise<FileSource> {
    try {
      // Before it is opened, since opening a pipe waits for its other end.
      const stats = await stat(path);
      if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
      if (stats.isFIFO() || stats.isSocket()) throw Object.assign(new Error('is a pipe'), { code: 'ESPIPE' });
      return new FileSource(path, await open(path, 'r'), stats.size);
    } catch (cause) {
      throw fileError('read', path, cause);
    }
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    let bytes: Uint8Array;
    try {
      const end = byteOffset + byteLength;
      // A file that is appended to grows; asking again only here costs nothing for all other reads.
      if (end > this.byteLength) this.byteLength = (await this.handle.stat()).size;
      // What is allocated follows the file, not the request, whose numbers may come from a hostile index.
      bytes = new Uint8Array(Math.max(0, Math.min(end, this.byteLength) - byteOffset));
    } catch (cause) {
      throw fileError('read', this.path, cause);
    }
    return bytes.subarray(0, await this.readInto(byteOffset, bytes, signal));
  }

  async readInto(byteOffset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    let filled = 0;
    try {
      while (filled < target.length) {
        const rest = target.length - filled;
        const { bytesRead } = await this.handle.read(target, filled, rest, byteOffset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw fileError('read', this.path, cause);
    }
    signal?.throwIfAborted();
    return filled;
  }

  /** As it was opened, or when a read last went beyond that. */
  knownByteLength(): number {
    return this.byteLength;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
