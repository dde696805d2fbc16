import { createTensorflowEngine } from '#tensorflow';
import { LgiError, OptionError } from '../errors.js';
import { createCpuEngine } from './cpu/cpu-engine.js';
import type { Engine } from './engine.js';

/** What users ask for; `auto` takes the fastest that needs nothing installed. */
export type EngineName = 'auto' | 'cpu' | 'webgpu' | 'tensorflow';

/**
 * Creates the engine of a name.
 *
 * @param threads for the cpu engine; default: what the machine runs at once
 * @throws LgiError `unavailable` for an engine that this version does not have, or not here; where TensorFlow.js is not installed it is
 *   what the engine first computes that throws it.
 * @throws OptionError for a name that is none.
 */
export function createEngine(name: EngineName = 'auto', threads?: number): Engine {
  if (name === 'auto' || name === 'cpu') return createCpuEngine(threads);
  if (name === 'tensorflow') return createTensorflowEngine();
  if (name === 'webgpu') {
    throw new LgiError('unavailable', `this version has no ${name} engine; use cpu or auto`);
  }
  throw new OptionError('engine', `'${String(name)}' is no engine; give auto, cpu or tensorflow`);
}
