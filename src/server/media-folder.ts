import { realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { Stats } from 'node:fs';

/** Something in a served folder. */
export interface FolderEntry {
  /** Absolute, links resolved. */
  readonly path: string;
  readonly stats: Stats;
}

/** A folder as a server gives it out: nothing outside it, and nothing hidden. */
export class MediaFolder {
  private constructor(readonly root: string) {}

  /** @throws NodeJS.ErrnoException where there is nothing of that name; Error where it is no folder. */
  static async open(folder: string): Promise<MediaFolder> {
    const root = await realpath(folder);
    if (!(await stat(root)).isDirectory()) throw new Error('it is no folder');
    return new MediaFolder(root);
  }

  /**
   * What a URL's path names, undefined for nothing that is given out: what is not there, hidden, or by links outside the folder.
   *
   * @param urlPath decoded or not, from the server's root.
   */
  async find(urlPath: string): Promise<FolderEntry | undefined> {
    let name: string;
    try {
      name = decodeURIComponent(urlPath);
    } catch {
      return undefined;
    }
    const parts = name.split('/').filter((part) => part !== '');
    // Backslashes separate on some systems only; no name that is given out has one, nor a null.
    if (parts.some((part) => part.startsWith('.') || /[\\\0]/.test(part))) return undefined;
    try {
      const path = await realpath(resolve(join(this.root, ...parts)));
      if (path !== this.root && !path.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) {
        return undefined;
      }
      // A link may lead from a name that is shown to one that is hidden.
      if (
        relative(this.root, path)
          .split(sep)
          .some((part) => part.startsWith('.'))
      )
        return undefined;
      return { path, stats: await stat(path) };
    } catch {
      return undefined;
    }
  }
}
