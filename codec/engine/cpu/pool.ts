import { spawnThread } from '#threads';
import { LgiError } from '../../errors.js';
import type { Thread, ThreadCommand, ThreadReply } from './thread.js';

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

/** A fixed number of threads that all run every command, each its own share of it. */
export class ThreadPool {
  readonly size: number;
  readonly #threads: Thread[] = [];
  readonly #pending: Pending[][] = [];
  #failure: LgiError | undefined;

  constructor(size: number) {
    this.size = size;
    for (let i = 0; i < size; i++) {
      const thread = spawnThread();
      const queue: Pending[] = [];
      thread.onMessage(({ error }: ThreadReply) => {
        if (error === undefined) queue.shift()?.resolve();
        else this.#fail(new Error(error));
      });
      thread.onError((error) => this.#fail(error));
      this.#threads.push(thread);
      this.#pending.push(queue);
    }
  }

  /**
   * A thread that died or whose kernel failed leaves the others in the barrier for ever; everything under way is rejected,
   * and so is all that comes, until the pool is disposed.
   */
  #fail(cause: Error): void {
    this.#failure = new LgiError(
      'unavailable',
      `a kernel thread failed: ${cause.message}; create a new engine`,
      { cause },
    );
    for (const queue of this.#pending) {
      for (const pending of queue.splice(0)) pending.reject(this.#failure);
    }
  }

  /** Posts a command to every thread and waits for all of them. */
  async run(commandOf: (thread: number) => ThreadCommand): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await Promise.all(
      this.#threads.map(
        (thread, i) =>
          new Promise<void>((resolve, reject) => {
            this.#pending[i].push({ resolve, reject });
            thread.post(commandOf(i));
          }),
      ),
    );
  }

  async dispose(): Promise<void> {
    this.#failure ??= new LgiError('unavailable', 'the engine was disposed; create a new one');
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    for (const queue of this.#pending) {
      for (const pending of queue.splice(0)) pending.reject(this.#failure);
    }
  }
}
