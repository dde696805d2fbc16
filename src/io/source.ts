/** Where bytes come from: a file, memory, a blob, a server. */
export interface Source {
  /**
   * Reads `[byteOffset, byteOffset + byteLength)`; only what lies beyond the end is left out, so a shorter answer, down
   * to 0 bytes, says where the end is.
   *
   * The caller does not change the bytes; they may be a view of the source's own.
   *
   * @throws LgiError `io` when reading fails; `replaced` when the bytes would be of another version of the file than those
   * before; `signal.reason` when aborted.
   */
  read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Forgets which version of the file was met, and what was kept of it; reads that begin afterwards take what is there
   * then. Absent where versions cannot be told apart.
   */
  renew?(): void;
  /**
   * Says that what was kept before the last {@link Source.renew} still is what the file has from a byte on: it has only grown. Absent
   * where nothing is kept.
   */
  confirm?(byteOffset: number): void;
  /**
   * Whether every read costs a round trip, as over a network: reads are then planned to be few, and go side by side.
   * Absent: no.
   */
  readonly isRemote?: boolean;
  /**
   * As {@link Source.read}, into memory of the caller's, from its first byte to its last.
   *
   * Sources that are near and would have to allocate what they read should have it: copying then needs two buffers
   * however much it copies, and reads through longer gaps, which costs less than another read. Absent, `read` is used.
   *
   * @returns the bytes that were read; fewer than fit only at the end.
   * @throws as `read`.
   */
  readInto?(byteOffset: number, target: Uint8Array, signal?: AbortSignal): Promise<number>;
  /**
   * Bytes of the whole as far as the source has met its end, undefined where it has not: no read is made for it. Errors name it;
   * what is there is for reads to say. Absent where that is never known.
   */
  knownByteLength?(): number | undefined;
  /** Gives back what the source holds open. */
  close?(): void | Promise<void>;
}
