/** Where bytes come from: a file, memory, a blob, a server. */
export interface Source {
  /**
   * Reads `[byteOffset, byteOffset + byteLength)`; only what lies beyond the end is left out, so a shorter answer, down
   * to 0 bytes, says where the end is.
   *
   * The caller does not change the bytes; they may be a view of the source's own.
   *
   * @throws LgiError `io` when reading fails; `signal.reason` when aborted.
   */
  read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Gives back what the source holds open. */
  close?(): void | Promise<void>;
}
