import { access, constants, open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sink } from './sink.js';
import { fileError, folderError } from './file-error-node.js';
import { FileLock } from './file-lock-node.js';
import { forget, removeAbandoned, removeAtExit, temporaryPath } from './temporary-file-node.js';

/**
 * A file of this machine as a sink: a temporary file in the same folder, renamed to its name when it is closed. What a killed
 * process has left is removed by the next one that writes to the same place.
 *
 * A device such as /dev/null is written directly, since a rename would put a file in its place.
 */
export class FileSink implements Sink {
  private handle: FileHandle | null;

  private constructor(
    readonly path: string,
    private readonly target: string,
    private readonly temporary: string | null,
    handle: FileHandle,
  ) {
    this.handle = handle;
  }

  /**
   * Makes the temporary file, so that a place that cannot be written is known before any work is done.
   *
   * @throws LgiError `io` when the folder or an existing file of that name cannot be written; `locked` while another process
   *   changes that file in place.
   */
  static async open(path: string): Promise<FileSink> {
    let temporary: string | null = null;
    try {
      const existing = await stat(path).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return null;
        throw cause;
      });
      if (existing?.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
      if (existing?.isFIFO() || existing?.isSocket()) {
        throw Object.assign(new Error('is a pipe'), { code: 'EPIPE' });
      }
      if (existing) await access(path, constants.W_OK);
      if (existing && !existing.isFile()) return new FileSink(path, path, null, await open(path, 'r+'));
      // Of a symbolic link the file that it points to is replaced, not the link.
      const target = existing ? await realpath(path) : path;
      await FileLock.refuseOthers(target);
      await removeAbandoned(target);
      temporary = temporaryPath(target);
      const handle = await open(temporary, 'wx', existing ? existing.mode & 0o777 : 0o666);
      removeAtExit(temporary);
      return new FileSink(path, target, temporary, handle);
    } catch (cause) {
      // A temporary file has nothing to fail by but its folder.
      throw temporary === null
        ? fileError('write', path, cause)
        : folderError(path, dirname(temporary), cause);
    }
  }

  async write(byteOffset: number, bytes: Uint8Array): Promise<void> {
    const handle = this.opened();
    try {
      let written = 0;
      while (written < bytes.length) {
        const rest = bytes.length - written;
        const { bytesWritten } = await handle.write(bytes, written, rest, byteOffset + written);
        written += bytesWritten;
      }
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  async flush(): Promise<void> {
    const handle = this.opened();
    try {
      await handle.datasync();
    } catch (cause) {
      // Devices and some network file systems cannot sync.
      if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw fileError('write', this.path, cause);
    }
  }

  async close(): Promise<void> {
    if (this.handle === null) return;
    try {
      await this.flush();
      await this.handle.close();
      this.handle = null;
      if (this.temporary === null) return;
      // What somebody has begun to change meanwhile must not be lost.
      await FileLock.refuseOthers(this.target);
      await rename(this.temporary, this.target);
      forget(this.temporary);
    } catch (cause) {
      await this.discard();
      throw fileError('write', this.path, cause);
    }
    await syncFolder(dirname(this.target));
  }

  async abort(): Promise<void> {
    if (this.handle !== null) await this.discard();
  }

  private opened(): FileHandle {
    if (this.handle === null) throw new Error(`${this.path} is already closed`);
    return this.handle;
  }

  private async discard(): Promise<void> {
    const handle = this.handle;
    this.handle = null;
    await handle?.close().catch(() => undefined);
    if (this.temporary === null || !forget(this.temporary)) return;
    await unlink(this.temporary).catch(() => undefined);
  }
}

/** Makes a rename survive a crash, where the platform lets folders be synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
