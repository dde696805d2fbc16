import type { FolderEntry } from './media-folder.js';
import { thumbnailOf } from './thumbnail.js';

/** Pictures that are kept: a few folders of them, each some ten kilobytes. */
const MOST_KEPT = 500;

/** Thumbnails of files, each made once as long as its file stays the same; one at a time, so that a full folder is no load. */
export class Thumbnails {
  readonly #made = new Map<string, Promise<Uint8Array>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @throws LgiError as {@link thumbnailOf}. */
  of({ path, stats }: FolderEntry): Promise<Uint8Array> {
    const key = `${path}\0${stats.size}\0${stats.mtimeMs}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = this.#last.then(() => thumbnailOf(path));
    this.#last = making.catch(() => undefined);
    this.#made.set(key, making);
    making.catch(() => this.#made.delete(key));
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= MOST_KEPT) break;
      this.#made.delete(oldest);
    }
    return making;
  }
}
