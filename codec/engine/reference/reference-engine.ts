import { localCoordinates } from '../../coordinates.js';
import { placeTile } from '../../decode.js';
import { boxSize } from '../../grid.js';
import type { Model, Weights } from '../../model.js';
import type {
  Engine,
  EvaluationTask,
  Evaluator,
  SampleTask,
  Snapshot,
  Step,
  StepReport,
  TrainingSession,
  TrainingSetup,
} from '../engine.js';
import { checkStep } from '../check-step.js';
import {
  elementCount,
  globalTensors,
  localTensors,
  outputLayerOffset,
  type Tensor,
} from '../../architecture.js';
import type { Optimiser } from '../../optimiser.js';
import { allocateSamples, outputsToSamples, type SampleFormat } from '../../signal.js';
import { Adam } from './adam.js';
import { GlobalField } from './global-field.js';
import { gradients, type DoubleWeights } from './gradients.js';
import { Network } from './network.js';
import { Soap } from './soap.js';

/** The samples of a batch in a partition of `size` samples. */
function batchOf(
  { orders, batches }: Step,
  batch: number,
  partition: number,
  size: number,
  hasOwnOrder: boolean,
): Uint32Array {
  const order =
    orders?.get(hasOwnOrder ? partition : size) ?? Uint32Array.from({ length: size }, (_, i) => i);
  const slice = (batch + partition) % batches;
  return order.subarray(Math.floor((slice * size) / batches), Math.floor(((slice + 1) * size) / batches));
}

function startOptimiser(optimiser: Optimiser, tensors: readonly Tensor[], length: number): Adam | Soap {
  return optimiser.kind === 'soap' ? new Soap(optimiser, tensors) : new Adam(optimiser, length);
}

class ReferenceSession implements TrainingSession {
  private current: DoubleWeights;
  private globalOptimiser: Adam | Soap;
  private readonly localOptimisers: (Adam | Soap)[];

  constructor(private readonly setup: TrainingSetup) {
    const { weights } = setup;
    this.current = {
      global: Float64Array.from(weights.global),
      local: weights.local.map((w) => Float64Array.from(w)),
    };
    this.globalOptimiser = this.startGlobal();
    this.localOptimisers = weights.local.map(() => this.startLocal());
  }

  private startGlobal(): Adam | Soap {
    const { weights, optimiser, model } = this.setup;
    return startOptimiser(optimiser, globalTensors(model.architecture), weights.global.length);
  }

  private startLocal(): Adam | Soap {
    const tensors = localTensors(this.setup.model.architecture);
    return startOptimiser(this.setup.optimiser, tensors, elementCount(tensors));
  }

  async step(step: Step): Promise<StepReport> {
    checkStep(step, this.setup.boxes.length);
    const squaredErrors = new Float64Array(this.setup.boxes.length);
    const counts = new Float64Array(this.setup.boxes.length);
    step.localRates.forEach((rate, i) => {
      const seen = this.takeBatch(step, step.batch + i, rate);
      seen.squaredErrors.forEach((error, p) => (squaredErrors[p] += error));
      seen.counts.forEach((count, p) => (counts[p] += count));
    });
    return { squaredErrors, counts };
  }

  private takeBatch(step: Step, batch: number, localRate: number): StepReport {
    const factors = step.rateFactors;
    const { boxes, hasOwnOrders = false } = this.setup;
    const chosen = boxes.map((box, p) =>
      factors?.[p] === 0 ? [] : batchOf(step, batch, p, boxSize(box), hasOwnOrders),
    );
    const { squaredErrors, counts, weights } = gradients(this.setup, this.current, chosen);
    const frozen = step.globalRate === 0;
    const output = outputLayerOffset(this.setup.model.architecture);
    const samples = chosen.reduce((sum, list) => sum + list.length, 0);
    this.current.local.forEach((local, p) => {
      if (factors?.[p] === 0) return;
      const ownMean = frozen ? samples / Math.max(1, chosen[p].length) : 1;
      const gradient = weights.local[p].map((value) => value * ownMean);
      const rate = localRate * (factors?.[p] ?? 1);
      const outputRate = rate * (step.outputRateFactor ?? 1);
      this.localOptimisers[p].step(local, gradient, (index) => (index < output ? rate : outputRate));
      this.setup.localBounds?.forEach((bound, i) => {
        local[i] = Math.max(-bound, Math.min(bound, local[i]));
      });
    });
    if (!frozen) this.globalOptimiser.step(this.current.global, weights.global, () => step.globalRate);
    return { squaredErrors, counts };
  }

  async snapshot(): Promise<Snapshot> {
    return {
      global: Float64Array.from(this.current.global),
      local: this.current.local.map((w) => Float64Array.from(w)),
    };
  }

  async restore(snapshot: Snapshot, partitions?: readonly number[]): Promise<void> {
    const taken = new Set(partitions ?? this.current.local.keys());
    const { global, local } = this.current;
    this.current = {
      global: partitions === undefined ? Float64Array.from(snapshot.global) : global,
      local: local.map((old, p) => (taken.has(p) ? Float64Array.from(snapshot.local[p]) : old)),
    };
    for (const p of taken) this.localOptimisers[p] = this.startLocal();
    if (partitions === undefined) this.globalOptimiser = this.startGlobal();
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
    return new ReferenceSession(setup);
  }

  async createEvaluator(model: Model, global: Float32Array): Promise<Evaluator> {
    return new ReferenceEvaluator(model, global);
  }

  async dispose(): Promise<void> {}
}
