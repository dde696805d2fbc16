import { localCoordinates } from '../../coordinates.js';
import { placeTile } from '../../decode.js';
import type { LatentDecoder, LatentDecoderSetup } from '../../latent/decoder.js';
import { ReferenceLatentDecoder } from '../../latent/reference/reference-decoder.js';
import { ReferenceLatentSession } from '../../latent/reference/reference-session.js';
import type { LatentSession, LatentSetup } from '../../latent/session.js';
import type { Model } from '../../model.js';
import type {
  Engine,
  EvaluationTask,
  Evaluator,
  SampleTask,
  TrainingSession,
  TrainingSetup,
} from '../engine.js';
import { allocateSamples, outputsToSamples, type SampleFormat } from '../../signal.js';
import { DescentSession } from './descent-session.js';
import { GlobalField } from './global-field.js';
import { gradients } from './gradients.js';
import { Network } from './network.js';

class ReferenceEvaluator implements Evaluator {
  private readonly network: Network;
  private readonly global: Float64Array;

  constructor(
    private readonly model: Model,
    global: Float32Array,
  ) {
    this.network = new Network(model.architecture);
    this.global = Float64Array.from(global);
  }

  async evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    return tasks.map((task) => {
      signal?.throwIfAborted();
      return this.evaluateTask(task);
    });
  }

  async decode(tasks: readonly SampleTask[], format: SampleFormat, signal?: AbortSignal): Promise<void> {
    const results = await this.evaluate(tasks, signal);
    tasks.forEach(({ target, at, positions }, i) => {
      const samples = allocateSamples(format.sampleType, results[i].length);
      outputsToSamples(results[i], format.mapping, samples);
      const end = at.map((first, axis) => first + positions[axis].length);
      placeTile(samples, { begin: at, end }, format.channels, target.data, target.shape);
    });
  }

  private evaluateTask({ box, weights, positions }: EvaluationTask): Float32Array {
    const { model, network, global } = this;
    const { outputs } = model.architecture;
    const local = Float64Array.from(weights);
    const field = new GlobalField(network, model, global);
    const count = positions.reduce((product, list) => product * list.length, 1);
    const result = new Float32Array(count * outputs);
    for (let i = 0; i < count; i++) {
      const position = new Array<number>(positions.length);
      let rest = i;
      for (let axis = positions.length - 1; axis >= 0; axis--) {
        position[axis] = positions[axis][rest % positions[axis].length];
        rest = Math.floor(rest / positions[axis].length);
      }
      const x = localCoordinates(model, box, position);
      result.set(network.localForward(local, global, x, field.taps(position)).output, i * outputs);
    }
    return result;
  }

  async dispose(): Promise<void> {}
}

/** The oracle: the plain equations in f64, one position at a time, on one thread. Far too slow for anything but tests. */
export class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly threads = 1;

  async createTrainingSession(setup: TrainingSetup): Promise<TrainingSession> {
    return new DescentSession(setup, { of: gradients });
  }

  async createEvaluator(model: Model, global: Float32Array): Promise<Evaluator> {
    return new ReferenceEvaluator(model, global);
  }

  async createLatentSession(setup: LatentSetup): Promise<LatentSession> {
    return new ReferenceLatentSession(setup);
  }

  async createLatentDecoder(setup: LatentDecoderSetup): Promise<LatentDecoder> {
    return new ReferenceLatentDecoder(setup);
  }

  async dispose(): Promise<void> {}
}
