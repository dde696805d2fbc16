/**
 * Where bytes go. What was there before stays untouched until {@link Sink.close} has succeeded.
 */
export interface Sink {
  /**
   * Writes at any place; a gap that is never written holds zeros.
   *
   * The sink has taken the bytes when the promise is fulfilled; the caller may then reuse their memory.
   *
   * @throws LgiError `io` when there is no space or no permission.
   */
  write(byteOffset: number, bytes: Uint8Array): Promise<void>;
  /** What was written so far survives a crash of the machine once this is fulfilled. */
  flush(): Promise<void>;
  /** Makes what was written the content; then the sink is done. */
  close(): Promise<void>;
  /** Drops what was written and leaves no trace; then the sink is done. After `close` it does nothing. */
  abort(reason?: unknown): Promise<void>;
}
