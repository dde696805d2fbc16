import { threadBody } from './thread.js';
import type { ThreadCommand } from './thread.js';

const body = threadBody((message) => self.postMessage(message));
self.addEventListener('message', (event: MessageEvent<ThreadCommand>) => body(event.data));
