import { localCoordinates } from '../../coordinates.js';
import { boxSize } from '../../grid.js';
import type { Model, Weights } from '../../model.js';
import type {
  Engine,
  EvaluationTask,
  Evaluator,
  Step,
  StepReport,
  TrainingSession,
  TrainingSetup,
} from '../engine.js';
import { globalTensors, localTensors, type Tensor } from '../../architecture.js';
import type { Optimiser } from '../../optimiser.js';
import { Adam } from './adam.js';
import { GlobalField } from './global-field.js';
import { gradients, type DoubleWeights } from './gradients.js';
import { Network } from './network.js';
import { Soap } from './soap.js';

/** The samples of a step's batch in a partition of `size` samples; undefined for all in order. */
function batchOf(step: Step, partition: number, size: number): Uint32Array {
  const order = step.orders?.get(size) ?? Uint32Array.from({ length: size }, (_, i) => i);
  const slice = (step.batch + partition) % step.batches;
  return order.subarray(
    Math.floor((slice * size) / step.batches),
    Math.floor(((slice + 1) * size) / step.batches),
  );
}

function startOptimiser(optimiser: Optimiser, tensors: readonly Tensor[], length: number): Adam | Soap {
  return optimiser.kind === 'soap' ? new Soap(optimiser, tensors) : new Adam(optimiser, length);
}

class ReferenceSession implements TrainingSession {
  private readonly current: DoubleWeights;
  private readonly globalOptimiser: Adam | Soap;
  private readonly localOptimisers: readonly (Adam | Soap)[];

  constructor(private readonly setup: TrainingSetup) {
    const { weights, optimiser } = setup;
    this.current = {
      global: Float64Array.from(weights.global),
      local: weights.local.map((w) => Float64Array.from(w)),
    };
    const { architecture } = setup.model;
    const [global, local] = [globalTensors(architecture), localTensors(architecture)];
    this.globalOptimiser = startOptimiser(optimiser, global, weights.global.length);
    this.localOptimisers = weights.local.map((w) => startOptimiser(optimiser, local, w.length));
  }

  async step(step: Step): Promise<StepReport> {
    const takesPart = (p: number): boolean => step.partitions?.[p] !== 0;
    const batch = this.setup.boxes.map((box, p) => (takesPart(p) ? batchOf(step, p, boxSize(box)) : []));
    const { squaredError, count, weights } = gradients(this.setup, this.current, batch);
    this.current.local.forEach((local, p) => {
      if (takesPart(p)) this.localOptimisers[p].step(local, weights.local[p], step.localRate);
    });
    if (step.globalRate !== 0)
      this.globalOptimiser.step(this.current.global, weights.global, step.globalRate);
    return { squaredError, count };
  }

  async weights(): Promise<Weights> {
    return {
      global: Float32Array.from(this.current.global),
      local: this.current.local.map((w) => Float32Array.from(w)),
    };
  }

  async dispose(): Promise<void> {}
}

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
    return new ReferenceSession(setup);
  }

  async createEvaluator(model: Model, global: Float32Array): Promise<Evaluator> {
    return new ReferenceEvaluator(model, global);
  }

  async dispose(): Promise<void> {}
}
