import { startWorker } from './start-worker-web.js';
import { threadBody, type Thread, type ThreadReply } from './thread.js';

/**
 * Whether memory can be shared with workers: only in pages that are cross-origin isolated (served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`).
 */
function canShareMemory(): boolean {
  return globalThis.crossOriginIsolated === true && typeof Worker !== 'undefined';
}

/** Runs commands where it was made, since there is no worker to give them to. */
function inlineThread(): Thread {
  const handlers: ((reply: ThreadReply) => void)[] = [];
  const body = threadBody((reply) => handlers.forEach((handler) => handler(reply)));
  return {
    // In a task of its own, so that whoever shares this thread gets a turn between commands.
    post: (command) => void setTimeout(() => body(command)),
    onMessage: (handler) => void handlers.push(handler),
    onError: () => undefined,
    terminate: () => Promise.resolve(),
  };
}

/** Starts a thread of the pool: a web worker, or the caller's own thread where memory cannot be shared. */
export function spawnThread(): Thread {
  if (!canShareMemory()) return inlineThread();
  // Bundlers look for these very words.
  const worker = startWorker(
    () => new Worker(new URL('./thread-web.js', import.meta.url), { type: 'module' }),
    new URL('./thread-web.js', import.meta.url),
  );
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.addEventListener('message', (event) => handler(event.data)),
    onError: (handler) =>
      worker.addEventListener('error', (event) => handler(new Error(event.message || 'it did not start'))),
    terminate: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
}

/** Threads that this machine can run at once. */
export function parallelism(): number {
  return canShareMemory() ? navigator.hardwareConcurrency || 1 : 1;
}

/** Threads that a pool can have: inline there is one, since several would wait for each other for ever. */
export function mostThreads(): number {
  return canShareMemory() ? Infinity : 1;
}
