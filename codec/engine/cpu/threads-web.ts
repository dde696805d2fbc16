import type { Thread } from './thread.js';

/** Starts a thread of the pool on a web worker. */
export function spawnThread(): Thread {
  const worker = new Worker(new URL('./thread-web.js', import.meta.url), { type: 'module' });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.addEventListener('message', (event) => handler(event.data)),
    onError: (handler) =>
      worker.addEventListener('error', (event) =>
        handler(new Error(event.message || 'the worker did not start')),
      ),
    terminate: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
}

/** Threads that this machine can run at once. */
export function parallelism(): number {
  return navigator.hardwareConcurrency || 1;
}
