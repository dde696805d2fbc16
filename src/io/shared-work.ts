/** Work that several callers wait for; it is aborted only when the last of them has left. */
export class SharedWork<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  readonly #onFailure: () => void;
  #callers = 0;

  /**
   * Starts the work at once; whoever makes it joins it in the same turn.
   *
   * @param onFailure called once the work has failed or nobody waits for it any more, so that it is not kept for the next.
   */
  constructor(work: (signal: AbortSignal) => Promise<T>, onFailure: () => void = () => undefined) {
    this.#onFailure = onFailure;
    this.#result = work(this.#controller.signal);
    this.#result.catch(onFailure);
  }

  /**
   * Waits for the result.
   *
   * @throws what the work throws; `signal.reason` when this caller leaves.
   */
  join(signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) {
      if (this.#callers === 0) this.#abandon(signal.reason);
      return Promise.reject(signal.reason as Error);
    }
    this.#callers++;
    return new Promise<T>((fulfil, reject) => {
      const leave = (): void => {
        reject(signal?.reason as Error);
        if (--this.#callers === 0) this.#abandon(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      const settled = (): void => signal?.removeEventListener('abort', leave);
      this.#result.then(
        (value) => (settled(), fulfil(value)),
        (error: Error) => (settled(), reject(error)),
      );
    });
  }

  /** Whoever comes from now on must begin anew: this one ends in an abort that is not theirs. */
  #abandon(reason: unknown): void {
    this.#onFailure();
    this.#controller.abort(reason);
  }
}
