import { LgiError } from '../../codec/errors.js';
import { FailedRequest, type HttpFault } from './http-answer.js';

/** A request that failed, for those who decide whether to repeat it. */
export interface HttpFailure {
  /** 1 for the first request of a read. */
  readonly attempt: number;
  /** What is thrown unless the request is repeated. */
  readonly error: LgiError;
  /** The answer's status, where there was an answer. */
  readonly status?: number;
  /** What happens without a decision: ms until the request is repeated, null where it is not. */
  readonly delayMs: number | null;
}

const FIRST_DELAY_MS = 250;

/** A server that asks for more time than that is not waited for: people would take the program for stuck. */
const MAX_DELAY_MS = 10_000;

/** Repeats requests that failed, where that may help. */
export class HttpRepeats {
  readonly #name: string;
  readonly #retries: number;
  readonly #onFailure: (failure: HttpFailure) => number | null | undefined;

  /**
   * @param name the file's, for messages.
   * @param retries how often one request is repeated at most.
   * @param onFailure decides instead of the default: ms to wait, null to give up, undefined for the default.
   */
  constructor(name: string, retries: number, onFailure: (failure: HttpFailure) => number | null | undefined) {
    this.#name = name;
    this.#retries = retries;
    this.#onFailure = onFailure;
  }

  /**
   * What a request brings, which says by {@link FailedRequest} that it failed; other errors are passed on.
   *
   * @param signals what ends the waiting.
   * @throws LgiError `io` where it goes on failing.
   */
  async run<T>(request: () => Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (thrown) {
        if (!(thrown instanceof FailedRequest)) throw thrown;
        for (const signal of signals) signal?.throwIfAborted();
        const error = faultError(this.#name, thrown.fault, attempt);
        const delayMs = this.#delayMs(thrown.fault, attempt, error);
        if (delayMs === null) throw error;
        await pause(delayMs, signals);
      }
    }
  }

  /** Null where the request is not repeated. */
  #delayMs(
    { isTransient, status, retryAfterMs }: HttpFault,
    attempt: number,
    error: LgiError,
  ): number | null {
    if (attempt > this.#retries) return null;
    const backoffMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), MAX_DELAY_MS);
    const wantedMs = Math.max(backoffMs, retryAfterMs ?? 0);
    const delayMs = isTransient && wantedMs <= MAX_DELAY_MS ? wantedMs : null;
    const failure = { attempt, error, delayMs, ...(status !== undefined && { status }) };
    const decision = this.#onFailure(failure);
    return decision === undefined ? delayMs : decision;
  }
}

/** @throws the reason of a signal that is aborted meanwhile. */
async function pause(ms: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  const live = signals.filter((signal) => signal !== undefined);
  for (const signal of live) signal.throwIfAborted();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: ((event: Event) => void) | undefined;
  try {
    await new Promise<void>((fulfil, reject) => {
      timer = setTimeout(fulfil, ms);
      stop = ({ target }) => reject((target as AbortSignal).reason as Error);
      for (const signal of live) signal.addEventListener('abort', stop);
    });
  } finally {
    clearTimeout(timer);
    if (stop) for (const signal of live) signal.removeEventListener('abort', stop);
  }
}

/** A fault of a request for a file as the error that people see. */
export function faultError(
  name: string,
  { fact, nextStep, cause, retryAfterMs }: HttpFault,
  attempts = 1,
): LgiError {
  const asks = retryAfterMs === undefined ? '' : `, it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
  const tried = attempts > 1 ? ` (tried ${attempts} times)` : '';
  return new LgiError('io', `cannot read ${name}: ${fact}${asks}${tried}; ${nextStep}`, { cause });
}
