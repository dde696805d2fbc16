import { LgiError } from '../../errors.js';
import type { Engine } from '../engine.js';

/** @throws LgiError `unavailable`: pages decode and encode by the cpu engine. */
export function createTensorflowEngine(): Engine {
  throw new LgiError('unavailable', 'the tensorflow engine runs in Node; use cpu or auto');
}
