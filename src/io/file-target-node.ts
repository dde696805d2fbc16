import { open, stat, type FileHandle } from 'node:fs/promises';
import { fileError } from './file-error-node.js';
import { FileLock } from './file-lock-node.js';
import type { Target } from './target.js';

/** A file of this machine that is changed in place, by one program at a time; close it to let others. */
export class FileTarget implements Target {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly lock: FileLock,
    private byteLength: number,
  ) {}

  /**
   * @throws LgiError `locked` while somebody else changes the file; `io` when it is no file that can be written.
   */
  static async open(path: string): Promise<FileTarget> {
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
      if (!stats.isFile()) throw Object.assign(new Error('is a pipe'), { code: 'EPIPE' });
    } catch (cause) {
      throw fileError('write', path, cause);
    }
    const lock = await FileLock.take(path);
    try {
      const handle = await open(lock.path, 'r+');
      return new FileTarget(path, handle, lock, (await handle.stat()).size);
    } catch (cause) {
      await lock.release();
      throw fileError('write', path, cause);
    }
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    try {
      const { size } = await this.handle.stat();
      this.byteLength = size;
      const bytes = new Uint8Array(Math.max(0, Math.min(byteOffset + byteLength, size) - byteOffset));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await this.handle.read(
          bytes,
          filled,
          bytes.length - filled,
          byteOffset + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } catch (cause) {
      throw fileError('read', this.path, cause);
    }
  }

  /** At the last read. */
  knownByteLength(): number {
    return this.byteLength;
  }

  async write(byteOffset: number, bytes: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < bytes.length) {
        const rest = bytes.length - written;
        written += (await this.handle.write(bytes, written, rest, byteOffset + written)).bytesWritten;
      }
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  async flush(): Promise<void> {
    try {
      // The length is part of what must survive: a slot that promises bytes beyond it is worth nothing.
      await this.handle.sync();
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  async truncate(byteLength: number): Promise<void> {
    try {
      if ((await this.handle.stat()).size > byteLength) await this.handle.truncate(byteLength);
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  confirmSoleWriter(): Promise<void> {
    return this.lock.confirm();
  }

  async close(): Promise<void> {
    await this.handle.close();
    await this.lock.release();
  }
}
