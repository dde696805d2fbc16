import { mostThreads, parallelism } from '#threads';
import { OptionError } from '../../errors.js';
import type { LatentDecoder, LatentDecoderSetup } from '../../latent/decoder.js';
import type { LatentSession, LatentSetup } from '../../latent/session.js';
import type { Model } from '../../model.js';
import type { Engine, Evaluator, TrainingSession, TrainingSetup } from '../engine.js';
import { CpuEvaluator } from './evaluator.js';
import { ThreadPool } from './pool.js';
import { SpareMemory } from './spare-memory.js';

/** Most threads of one engine: each has its scratch memory, and a picture has no use for more. */
const MAX_THREADS = 64;

/**
 * WebAssembly SIMD on a pool of threads over shared memory; the default, and it runs everywhere.
 *
 * @param threads defaults to what the machine runs at once; 1 where memory cannot be shared, as in pages that are not
 *   cross-origin isolated
 * @throws OptionError when `threads` is no whole number from 1 to 64
 */
export function createCpuEngine(threads: number = Math.min(parallelism(), MAX_THREADS)): Engine {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new OptionError('threads', `${threads} is no whole number from 1 to ${MAX_THREADS}`);
  }
  return new CpuEngine(new ThreadPool(Math.min(threads, mostThreads())));
}

class CpuEngine implements Engine {
  readonly name = 'cpu';
  readonly threads: number;
  readonly #pool: ThreadPool;
  readonly #spare = new SpareMemory();

  constructor(pool: ThreadPool) {
    this.#pool = pool;
    this.threads = pool.size;
  }

  async createTrainingSession(setup: TrainingSetup): Promise<TrainingSession> {
    // Who only decodes does without: a page need not load it.
    const { CpuTrainingSession } = await import('./training.js');
    return CpuTrainingSession.create(this.#pool, setup, this.#spare);
  }

  createEvaluator(model: Model, global: Float32Array): Promise<Evaluator> {
    return CpuEvaluator.create(this.#pool, model, global);
  }

  async createLatentSession(setup: LatentSetup): Promise<LatentSession> {
    const { CpuLatentSession } = await import('./latent-training.js');
    return CpuLatentSession.create(this.#pool, setup);
  }

  async createLatentDecoder(setup: LatentDecoderSetup): Promise<LatentDecoder> {
    // Who has no file of the family does without.
    const { CpuLatentDecoder } = await import('./latent-decoder.js');
    return CpuLatentDecoder.create(this.#pool, setup);
  }

  dispose(): Promise<void> {
    this.#spare.clear();
    return this.#pool.dispose();
  }
}
