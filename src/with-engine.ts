import { createEngine, type EngineName } from '../codec/engine/choose.js';
import type { Engine } from '../codec/engine/engine.js';

/** Which engine does the work. */
export interface EngineChoice {
  /** An engine of the caller's, or the name of one to be made. Default `auto`. */
  readonly engine?: Engine | EngineName;
  /** Threads of an engine that is made here; default what the machine runs at once. */
  readonly threads?: number;
}

/** Works with the caller's engine, or with one that is made for it and disposed afterwards. */
export async function withEngine<T>(
  { engine, threads }: EngineChoice,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  if (engine !== undefined && typeof engine !== 'string') return work(engine);
  const own = createEngine(engine ?? 'auto', threads);
  try {
    return await work(own);
  } finally {
    await own.dispose();
  }
}
