import type { LatentDecoder, LatentDecoderSetup } from '../../latent/decoder.js';
import type { LatentSession, LatentSetup } from '../../latent/session.js';
import type { Model } from '../../model.js';
import type { Engine, Evaluator, TrainingSession, TrainingSetup } from '../engine.js';
import { DescentSession } from '../reference/descent-session.js';
import { TensorEvaluator } from './tensor-evaluator.js';
import { TensorGradients } from './tensor-gradients.js';
import type { TensorFlow } from './tensorflow.js';

/** A TensorFlow.js that is ready to be used. */
export interface LoadedTensorFlow {
  readonly tf: TensorFlow;
}

/**
 * TensorFlow.js: gradients by its own differentiation, optimisers in f64 beside it. For research and as an oracle; it runs on CUDA
 * where `@tensorflow/tfjs-node-gpu` is installed.
 */
export class TensorflowEngine implements Engine {
  readonly name = 'tensorflow';
  readonly threads: number;
  readonly #load: () => Promise<LoadedTensorFlow>;

  /** @param load of the library, when something is first computed. */
  constructor(load: () => Promise<LoadedTensorFlow>, threads: number) {
    let loading: Promise<LoadedTensorFlow> | undefined;
    this.#load = () => (loading ??= load());
    this.threads = threads;
  }

  async createTrainingSession(setup: TrainingSetup): Promise<TrainingSession> {
    const { tf } = await this.#load();
    return new DescentSession(setup, new TensorGradients(tf));
  }

  async createEvaluator(model: Model, global: Float32Array): Promise<Evaluator> {
    const { tf } = await this.#load();
    return new TensorEvaluator(tf, model, global);
  }

  /** Of latents every value has a probability by those before it: nothing that tensors would make quicker. The reference trains them. */
  async createLatentSession(setup: LatentSetup): Promise<LatentSession> {
    const { ReferenceLatentSession } = await import('../../latent/reference/reference-session.js');
    return new ReferenceLatentSession(setup);
  }

  async createLatentDecoder(setup: LatentDecoderSetup): Promise<LatentDecoder> {
    const { ReferenceLatentDecoder } = await import('../../latent/reference/reference-decoder.js');
    return new ReferenceLatentDecoder(setup);
  }

  async dispose(): Promise<void> {}
}
