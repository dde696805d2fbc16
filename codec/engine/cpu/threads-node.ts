import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Thread } from './thread.js';

/** Starts a thread of the pool on a worker thread of Node. */
export function spawnThread(): Thread {
  // Without node's own flags: `--input-type`, as programs given by `--eval` have it, ends a worker that is a file.
  const worker = new Worker(new URL('./thread-node.js', import.meta.url), { execArgv: [] });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => void worker.on('message', handler),
    onError: (handler) => void worker.on('error', handler),
    terminate: async () => void (await worker.terminate()),
  };
}

/** Threads that a pool can have. */
export function mostThreads(): number {
  return Infinity;
}

/** Threads that this machine can run at once. */
export function parallelism(): number {
  return availableParallelism();
}
