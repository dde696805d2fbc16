import { parentPort } from 'node:worker_threads';
import { threadBody } from './thread.js';

if (parentPort !== null) {
  const port = parentPort;
  port.on(
    'message',
    threadBody((message) => port.postMessage(message)),
  );
}
