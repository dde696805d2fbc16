import type { SharedWork } from './shared-work.js';

/** What an answer says of the version of the file that it is of; null where it says nothing, or CORS hides it. */
export interface VersionSigns {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Bytes of the whole file. */
  readonly byteLength: number | null;
}

/** Which version of a file is read, by the answers so far. */
export class FileVersion {
  #signs: VersionSigns = { etag: null, lastModified: null, byteLength: null };
  /** The whole file, where its server gives nothing less. */
  whole: SharedWork<Uint8Array> | undefined;

  get byteLength(): number | null {
    return this.#signs.byteLength;
  }

  /**
   * Whether an answer may be of this version; what it says besides is remembered.
   *
   * A strong ETag has the last word: servers behind one name may give one file several dates. A weak one does not promise
   * the same bytes and counts only where nothing else is known.
   */
  accepts(signs: VersionSigns): boolean {
    const known = this.#signs;
    const differ = (a: string | number | null, b: string | number | null): boolean =>
      a !== null && b !== null && a !== b;
    if (differ(known.byteLength, signs.byteLength)) return false;
    const strong = [known.etag, signs.etag].every((etag) => etag !== null && !etag.startsWith('W/'));
    if (strong) {
      if (known.etag !== signs.etag) return false;
    } else if (known.lastModified !== null && signs.lastModified !== null) {
      if (known.lastModified !== signs.lastModified) return false;
    } else if (differ(known.etag, signs.etag)) return false;
    this.#signs = {
      etag: known.etag ?? signs.etag,
      lastModified: known.lastModified ?? signs.lastModified,
      byteLength: known.byteLength ?? signs.byteLength,
    };
    return true;
  }
}
