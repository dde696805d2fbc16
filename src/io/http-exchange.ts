/** One request and its answer, which ends when it is aborted, or when nothing arrives for too long. */
export class HttpExchange {
  readonly #controller = new AbortController();
  readonly #idleMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #followed: AbortSignal[] = [];
  readonly #abort = (event: Event): void => this.#end((event.target as AbortSignal).reason);

  /** @param idleMs ms without a byte after which it ends. */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
    this.progressed();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something arrived: the wait begins anew. */
  progressed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(new StalledError(this.#idleMs)), this.#idleMs);
  }

  /** Aborts with these, and with nothing that it followed before. */
  follow(...signals: (AbortSignal | undefined)[]): void {
    for (const signal of this.#followed) signal.removeEventListener('abort', this.#abort);
    this.#followed = signals.filter((signal) => signal !== undefined);
    for (const signal of this.#followed) {
      if (signal.aborted) this.#end(signal.reason);
      signal.addEventListener('abort', this.#abort, { once: true });
    }
  }

  /** What is waited for, unless the exchange ends before: also where a `fetch` of others takes no notice of its signal. */
  race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise<T>((fulfil, reject) => {
      const stop = (): void => reject(signal.reason as Error);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      work.then(fulfil, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  /** Done: what has not arrived is not wanted, and the connection goes where it is still busy. */
  close(): void {
    this.#end(new Error('the request is over'));
  }

  #end(reason: unknown): void {
    clearTimeout(this.#timer);
    for (const signal of this.#followed) signal.removeEventListener('abort', this.#abort);
    this.#followed = [];
    this.#controller.abort(reason);
  }

  /**
   * An answer's body, as it comes.
   *
   * @param most bytes that are taken; one more is the sign of a body that is longer.
   * @param onBytes called with the length of every piece.
   */
  async readBody(response: Response, most: number, onBytes: (byteLength: number) => void): Promise<Body> {
    const pieces: Uint8Array[] = [];
    let byteLength = 0;
    if (response.body === null) return { bytes: new Uint8Array(0), isLonger: false };
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await this.race(reader.read());
        if (done) break;
        this.progressed();
        onBytes(value.length);
        byteLength += value.length;
        if (byteLength > most) return { bytes: new Uint8Array(0), isLonger: true };
        pieces.push(value);
      }
    } finally {
      // Of no effect where the body is read; else what comes no more must not be waited for.
      reader.cancel().catch(() => undefined);
    }
    return { bytes: concatenate(pieces, byteLength), isLonger: false };
  }
}

/** What came of a body. */
export interface Body {
  readonly bytes: Uint8Array;
  /** More came than was to be taken; then there are no bytes. */
  readonly isLonger: boolean;
}

/** Nothing arrived for too long. */
export class StalledError extends Error {
  constructor(idleMs: number) {
    super(`nothing arrived for ${idleMs / 1000} s`);
  }
}

/** Pieces as one array; a single one is not copied. */
export function concatenate(pieces: readonly Uint8Array[], byteLength: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(byteLength);
  let filled = 0;
  for (const piece of pieces) {
    whole.set(piece, filled);
    filled += piece.length;
  }
  return whole;
}
