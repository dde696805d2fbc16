import type { Source } from './source.js';

/** A file that is changed in place: bytes that are read, and written at any place. */
export interface Target extends Source {
  /**
   * Writes at any place; a gap that is never written holds zeros.
   *
   * @throws LgiError `io` when there is no space or no permission.
   */
  write(byteOffset: number, bytes: Uint8Array): Promise<void>;
  /** What was written so far survives a crash of the machine, and is written before anything that comes later. */
  flush(): Promise<void>;
  /** Cuts off everything from a place on, where there is something. */
  truncate(byteLength: number): Promise<void>;
  /**
   * Makes sure that nobody else writes; called before what was written begins to count.
   *
   * @throws LgiError `locked` where somebody else has taken the file over.
   */
  confirmSoleWriter?(): Promise<void>;
}
