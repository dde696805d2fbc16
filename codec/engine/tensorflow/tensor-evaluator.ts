import { placeTile } from '../../decode.js';
import type { Model } from '../../model.js';
import { allocateSamples, outputsToSamples, type SampleFormat } from '../../signal.js';
import type { EvaluationTask, Evaluator, SampleTask } from '../engine.js';
import { networkPoints } from './network-points.js';
import { ROLES, TensorNetwork } from './tensor-network.js';
import type { TensorFlow } from './tensorflow.js';

/** Positions of a task that are evaluated at a time: features of all levels are held for them. */
const MOST_POSITIONS = 1 << 15;

/** Evaluation by TensorFlow, one task at a time. */
export class TensorEvaluator implements Evaluator {
  readonly #tf: TensorFlow;
  readonly #model: Model;
  readonly #global: Float32Array;

  constructor(tf: TensorFlow, model: Model, global: Float32Array) {
    this.#tf = tf;
    this.#model = model;
    this.#global = global.slice();
  }

  async evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    for (const task of tasks) results.push(await this.#evaluateTask(task, signal));
    return results;
  }

  async decode(tasks: readonly SampleTask[], format: SampleFormat, signal?: AbortSignal): Promise<void> {
    for (const task of tasks) {
      const outputs = await this.#evaluateTask(task, signal);
      const samples = allocateSamples(format.sampleType, outputs.length);
      outputsToSamples(outputs, format.mapping, samples);
      const { at, positions, target } = task;
      const end = at.map((first, axis) => first + positions[axis].length);
      placeTile(samples, { begin: at, end }, format.channels, target.data, target.shape);
    }
  }

  async #evaluateTask(
    { box, weights, positions }: EvaluationTask,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { architecture } = this.#model;
    const count = positions.reduce((product, { length }) => product * length, 1);
    const result = new Float32Array(count * architecture.outputs);
    for (let from = 0; from < count; from += MOST_POSITIONS) {
      signal?.throwIfAborted();
      const part = Array.from({ length: Math.min(MOST_POSITIONS, count - from) }, (_, i) =>
        positionAt(positions, from + i),
      );
      result.set(await this.#outputs({ box, positions: part }, weights), from * architecture.outputs);
    }
    return result;
  }

  async #outputs(
    part: Parameters<typeof networkPoints>[2][number],
    weights: Float32Array,
  ): Promise<Float32Array> {
    const tf = this.#tf;
    const { architecture } = this.#model;
    const points = networkPoints(tf, this.#model, [part]);
    const outputs = tf.tidy(() => {
      const scalars = ROLES.flatMap((role) => {
        const { a, b, c, d } = architecture.activations[role];
        return [a, b, c, d];
      });
      const tensors = {
        local: tf.tensor2d(weights, [1, weights.length]),
        global: tf.tensor1d(this.#global),
        activations: tf.tensor2d(scalars, [ROLES.length, 4]),
      };
      return new TensorNetwork(tf, architecture).outputs(tensors, points);
    });
    try {
      return (await outputs.data()) as Float32Array;
    } finally {
      outputs.dispose();
      points.dispose();
    }
  }

  async dispose(): Promise<void> {}
}

/** The position of a row-major number in a product of axes. */
function positionAt(positions: readonly Float64Array[], number: number): number[] {
  const position = new Array<number>(positions.length);
  let rest = number;
  for (let axis = positions.length - 1; axis >= 0; axis--) {
    const { length } = positions[axis];
    position[axis] = positions[axis][rest % length];
    rest = Math.floor(rest / length);
  }
  return position;
}
