import { placeTile } from '../../decode.js';
import type { Model } from '../../model.js';
import { allocateSamples, outputsToSamples, type SampleFormat } from '../../signal.js';
import type { EvaluationTask, Evaluator, SampleTask } from '../engine.js';
import { withinMemory } from './memory-fault.js';
import { networkPoints } from './network-points.js';
import { ROLES, TensorNetwork } from './tensor-network.js';
import type { TensorFlow } from './tensorflow.js';

/** Positions that are evaluated at a time: features of all levels are held for them. */
const MOST_POSITIONS = 1 << 15;

/** Some positions of a task. */
interface Piece {
  readonly task: EvaluationTask;
  readonly begin: number;
  readonly length: number;
  /** Of the whole task. */
  readonly result: Float32Array;
}

/** Evaluation by TensorFlow: pieces of several tasks at a time, since an operation takes its time however small it is. */
export class TensorEvaluator implements Evaluator {
  readonly #tf: TensorFlow;
  readonly #model: Model;
  readonly #global: Float32Array;

  constructor(tf: TensorFlow, model: Model, global: Float32Array) {
    this.#tf = tf;
    this.#model = model;
    this.#global = global.slice();
  }

  /** @throws LgiError `limit` where TensorFlow has not enough memory. */
  async evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { outputs } = this.#model.architecture;
    const results = tasks.map(({ positions }) => new Float32Array(countOf(positions) * outputs));
    let group: Piece[] = [];
    let most = 0;
    for (const piece of piecesOf(tasks, results)) {
      const longest = Math.max(most, piece.length);
      if ((group.length + 1) * longest > MOST_POSITIONS) {
        await this.#evaluateGroup(group, signal);
        group = [];
        most = 0;
      }
      group.push(piece);
      most = Math.max(most, piece.length);
    }
    await this.#evaluateGroup(group, signal);
    return results;
  }

  async decode(tasks: readonly SampleTask[], format: SampleFormat, signal?: AbortSignal): Promise<void> {
    for (let begin = 0; begin < tasks.length;) {
      // As many as are evaluated at a time: outputs of all would take as much memory as the samples.
      let end = begin;
      for (let count = 0; end < tasks.length && (end === begin || count < MOST_POSITIONS); end++) {
        count += countOf(tasks[end].positions);
      }
      const some = tasks.slice(begin, end);
      const results = await this.evaluate(some, signal);
      some.forEach(({ at, positions, target }, i) => {
        const samples = allocateSamples(format.sampleType, results[i].length);
        outputsToSamples(results[i], format.mapping, samples);
        const box = { begin: at, end: at.map((first, axis) => first + positions[axis].length) };
        placeTile(samples, box, format.channels, target.data, target.shape);
      });
      begin = end;
    }
  }

  async dispose(): Promise<void> {}

  async #evaluateGroup(group: readonly Piece[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (group.length === 0) return;
    const { outputs } = this.#model.architecture;
    const values = await withinMemory(() => this.#outputs(group));
    const stride = values.length / group.length;
    group.forEach(({ begin, length, result }, i) => {
      result.set(values.subarray(i * stride, i * stride + length * outputs), begin * outputs);
    });
  }

  /** f32 [pieces, positions of the longest, outputs]. */
  async #outputs(group: readonly Piece[]): Promise<Float32Array> {
    const tf = this.#tf;
    const { architecture } = this.#model;
    const parts = group.map(({ task: { box, positions }, begin, length }) => ({
      box,
      positions: Array.from({ length }, (_, i) => positionAt(positions, begin + i)),
    }));
    const points = networkPoints(tf, this.#model, parts);
    const outputs = tf.tidy(() => {
      const { length } = group[0].task.weights;
      const local = new Float32Array(group.length * length);
      group.forEach(({ task }, i) => local.set(task.weights, i * length));
      const scalars = ROLES.flatMap((role) => {
        const { a, b, c, d } = architecture.activations[role];
        return [a, b, c, d];
      });
      const tensors = {
        local: tf.tensor2d(local, [group.length, length]),
        global: tf.tensor1d(this.#global),
        activations: tf.tensor2d(scalars, [ROLES.length, 4]),
      };
      return new TensorNetwork(tf, architecture).outputs(tensors, points);
    });
    try {
      return await outputs.data<'float32'>();
    } finally {
      outputs.dispose();
      points.dispose();
    }
  }
}

function countOf(positions: readonly Float64Array[]): number {
  return positions.reduce((product, { length }) => product * length, 1);
}

function piecesOf(tasks: readonly EvaluationTask[], results: readonly Float32Array[]): Piece[] {
  return tasks.flatMap((task, i) => {
    const count = countOf(task.positions);
    const pieces = Math.ceil(count / MOST_POSITIONS);
    return Array.from({ length: pieces }, (_, piece) => {
      const begin = piece * MOST_POSITIONS;
      return { task, begin, length: Math.min(MOST_POSITIONS, count - begin), result: results[i] };
    });
  });
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
