import { LgiError } from '../../codec/errors.js';
import { errorOf, type PageMessage, type PageMessages, type WorkerMessage } from './messages.js';
import type { MethodName, Methods } from './methods.js';

/** How a call is made. */
export interface CallOptions<M extends MethodName> {
  /** Rejects the call with its reason and tells the worker to stop. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Methods[M]['progress']) => void;
  /** Objects of the request that are handed over instead of copied. */
  readonly transfer?: readonly Transferable[];
}

interface Pending {
  resolve(reply: unknown): void;
  reject(reason: unknown): void;
  progress?(news: unknown): void;
}

/** The page's end of a worker: its methods as calls. */
export class WorkerChannel {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  /** Of this turn. */
  #waiting: PageMessage[] = [];
  #transfers: Transferable[] = [];
  #nextId = 0;
  #failure: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => this.#take(data));
    worker.addEventListener('error', (event) => {
      const cause = event.message || 'its script was not found or is not allowed';
      this.#end(new LgiError('unavailable', `the decoding worker failed: ${cause}; reload the page`));
    });
    worker.addEventListener('messageerror', () =>
      this.#end(
        new LgiError('unavailable', 'a message of the decoding worker was unreadable; reload the page'),
      ),
    );
  }

  /**
   * Calls a method.
   *
   * @throws LgiError and OptionError as the method; LgiError `unavailable` where the worker has failed; the signal's reason.
   */
  call<M extends MethodName>(
    method: M,
    request: Methods[M]['request'],
    { signal, onProgress, transfer = [] }: CallOptions<M> = {},
  ): Promise<Methods[M]['reply']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#pending.delete(id);
        this.#post({ id, abort: true });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: (reply) => {
          settled();
          resolve(reply as Methods[M]['reply']);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
        ...(onProgress && { progress: (news: unknown) => onProgress(news as never) }),
      });
      this.#post({ id, method, request }, transfer);
    });
  }

  /** Ends the worker; what is under way is rejected. */
  dispose(): void {
    this.#end(new LgiError('unavailable', 'the player was disposed; make a new one'));
  }

  #post(message: PageMessage, transfer: readonly Transferable[] = []): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#postAll());
    this.#waiting.push(message);
    this.#transfers.push(...transfer);
  }

  #postAll(): void {
    const [messages, transfers] = [this.#waiting, this.#transfers];
    [this.#waiting, this.#transfers] = [[], []];
    if (this.#failure === undefined) this.#worker.postMessage(messages satisfies PageMessages, transfers);
  }

  #take(message: WorkerMessage): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) {
      // What nobody waits for any more is given back at once.
      const { bitmaps } = (('reply' in message && message.reply) || {}) as { bitmaps?: ImageBitmap[] };
      bitmaps?.forEach((bitmap) => bitmap.close());
      return;
    }
    if ('progress' in message) {
      pending.progress?.(message.progress);
      return;
    }
    this.#pending.delete(message.id);
    if ('failure' in message) pending.reject(errorOf(message.failure));
    else pending.resolve(message.reply);
  }

  #end(reason: Error): void {
    this.#failure ??= reason;
    this.#worker.terminate();
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}
