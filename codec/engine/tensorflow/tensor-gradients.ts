import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Role } from '../../architecture.js';
import { LgiError } from '../../errors.js';
import { boxSize } from '../../grid.js';
import { lossOf, type OutputLoss } from '../../output-loss.js';
import type { GradientSource } from '../reference/descent-session.js';
import type { DoubleWeights, Fit, Gradients } from '../reference/gradients.js';
import { disposeSlice, MOST_FEATURES, sliceBatch, sumOf, type BatchSlice } from './batch-slices.js';
import { withinMemory } from './memory-fault.js';
import { ROLES, TensorNetwork, type NetworkTensors } from './tensor-network.js';
import type { TensorFlow } from './tensorflow.js';

function weightTensors(tf: TensorFlow, { model }: Fit, { global, local }: DoubleWeights): NetworkTensors {
  const { activations } = model.architecture;
  const flat = new Float32Array(local.length * local[0].length);
  local.forEach((weights, p) => flat.set(weights, p * weights.length));
  return {
    local: tf.tensor2d(flat, [local.length, local[0].length]),
    global: tf.tensor1d(Float32Array.from(global)),
    activations: tf.tensor2d(
      ROLES.flatMap((role) => {
        const { a, b, c, d } = activations[role];
        return [a, b, c, d];
      }),
      [ROLES.length, 4],
    ),
  };
}

/** Sums over the slices of a batch, in f64. */
interface Sums {
  readonly squaredErrors: Float64Array;
  /** [partitions, local count]. */
  readonly local: Float64Array;
  readonly global: Float64Array;
  /** [3, 4]. */
  readonly activations: Float64Array;
}

/** Gradients by TensorFlow's own differentiation. */
export class TensorGradients implements GradientSource {
  readonly #tf: TensorFlow;
  readonly #mostFeatures: number;
  /** The batch that was seen last, and its slices. */
  #batch: readonly Uint32Array[] | undefined;
  #slices: readonly BatchSlice[] = [];

  /** @param mostFeatures that are differentiated at a time; gradients of more are sums of parts. */
  constructor(tf: TensorFlow, mostFeatures = MOST_FEATURES) {
    this.#tf = tf;
    this.#mostFeatures = mostFeatures;
  }

  /** @throws LgiError `limit` where TensorFlow has not enough memory. */
  async of(fit: Fit, weights: DoubleWeights, batch: readonly Uint32Array[]): Promise<Gradients> {
    try {
      return await withinMemory(() => this.#sum(fit, weights, batch));
    } catch (error) {
      // Where the memory ended nothing in it can be freed.
      if (error instanceof LgiError) {
        this.#slices = [];
        this.#batch = undefined;
      }
      throw error;
    }
  }

  dispose(): void {
    for (const slice of this.#slices) disposeSlice(this.#tf, slice);
    this.#slices = [];
    this.#batch = undefined;
  }

  async #sum(fit: Fit, weights: DoubleWeights, batch: readonly Uint32Array[]): Promise<Gradients> {
    const tf = this.#tf;
    const { boxes, model, format } = fit;
    const slices = this.#slicesOf(fit, batch);
    const count = Math.max(
      1,
      batch.reduce((total, list) => total + list.length * format.channels, 0),
    );
    const network = new TensorNetwork(tf, model.architecture);
    const tensors = weightTensors(tf, fit, weights);
    const length = weights.local[0].length;
    const sums: Sums = {
      squaredErrors: new Float64Array(boxes.length),
      local: new Float64Array(boxes.length * length),
      global: new Float64Array(weights.global.length),
      activations: new Float64Array(4 * ROLES.length),
    };
    try {
      const own = fit.outputLoss && (await this.#ownLoss(fit, fit.outputLoss, network, tensors, slices));
      for (const [i, slice] of slices.entries()) {
        await this.#addSlice(sums, network, tensors, slice, count, own?.gradients[i]);
      }
      const counts = new Float64Array(boxes.length);
      if (own === undefined) for (const slice of slices) add(counts, slice.counts);
      const ofRole = (role: Role): Float64Array =>
        sums.activations.slice(4 * ROLES.indexOf(role), 4 * ROLES.indexOf(role) + 4);
      return {
        squaredErrors: sums.squaredErrors,
        counts,
        loss: own?.loss ?? sumOf(sums.squaredErrors, 0, boxes.length) / count,
        weights: {
          global: sums.global,
          local: boxes.map((_, p) => sums.local.slice(p * length, (p + 1) * length)),
        },
        activations: { local: ofRole('local'), global: ofRole('global'), merge: ofRole('merge') },
      };
    } finally {
      tf.dispose([tensors.local, tensors.global, tensors.activations]);
    }
  }

  /** @param dOutputs f32 [partitions, most, channels], of a loss that is not the distance from the targets. */
  async #addSlice(
    sums: Sums,
    network: TensorNetwork,
    tensors: NetworkTensors,
    { points, most, target, weight }: BatchSlice,
    count: number,
    dOutputs: Float32Array | undefined,
  ): Promise<void> {
    const tf = this.#tf;
    const { errors, grads } = tf.tidy(() => {
      let squares: Tensor2D | undefined;
      const given = dOutputs && tf.tensor3d(dOutputs, target.shape);
      const loss = (local: Tensor2D, activations: Tensor2D, global = tensors.global): Scalar => {
        const outputs = network.outputs({ local, global, activations }, points);
        if (given !== undefined) return tf.sum(tf.mul(outputs, given));
        const each = tf.mul(weight, tf.squaredDifference(outputs, target));
        // What is made in here does not outlive it otherwise.
        squares = tf.keep(tf.sum<Tensor2D>(each, 2));
        return tf.div(tf.sum(squares), count);
      };
      const { local, global, activations } = tensors;
      // What a loss does not depend on has no gradient to be asked for.
      const moving = sums.global.length > 0 ? [local, activations, global] : [local, activations];
      const found = tf.valueAndGrads(loss as (...all: Tensor[]) => Scalar)(moving);
      return { errors: squares ?? tf.zeros([target.shape[0], most]), grads: found.grads };
    });
    const read = await Promise.all([errors, ...grads].map((tensor) => tensor.data<'float32'>()));
    tf.dispose([errors, ...grads]);
    const [squares, local, activations, global = new Float32Array()] = read;
    sums.squaredErrors.forEach((_, p) => {
      sums.squaredErrors[p] += sumOf(squares, p * most, most);
    });
    add(sums.local, local);
    add(sums.activations, activations);
    add(sums.global, global);
  }

  #slicesOf(fit: Fit, batch: readonly Uint32Array[]): readonly BatchSlice[] {
    if (this.#batch === batch) return this.#slices;
    this.dispose();
    this.#slices = sliceBatch(this.#tf, fit, batch, this.#mostFeatures);
    this.#batch = batch;
    return this.#slices;
  }

  /** A loss of all outputs, and for every slice its gradient at the outputs' places, f32 [partitions, most, channels]. */
  async #ownLoss(
    { boxes, format }: Fit,
    outputLoss: OutputLoss,
    network: TensorNetwork,
    tensors: NetworkTensors,
    slices: readonly BatchSlice[],
  ): Promise<{ loss: number; gradients: Float32Array[] }> {
    const { channels } = format;
    const sizes = boxes.map((box) => boxSize(box) * channels);
    const values = new Float32Array(sizes.reduce((total, size) => total + size, 0));
    /** Where the values of a slice lie: in those of all, and in its own. */
    const eachPartition = (
      { begin, most }: BatchSlice,
      visit: (from: number, to: number, size: number) => void,
    ): void => {
      let first = 0;
      sizes.forEach((size, p) => {
        const inSlice = Math.min(most * channels, size - begin * channels);
        if (inSlice > 0) visit(first + begin * channels, p * most * channels, inSlice);
        first += size;
      });
    };
    for (const slice of slices) {
      const outputs = this.#tf.tidy(() => network.outputs(tensors, slice.points));
      const padded = await outputs.data<'float32'>();
      outputs.dispose();
      eachPartition(slice, (from, to, size) => values.set(padded.subarray(to, to + size), from));
    }
    const { loss, gradient } = lossOf(outputLoss, values);
    const gradients = slices.map((slice) => {
      const spread = new Float32Array(boxes.length * slice.most * channels);
      eachPartition(slice, (from, to, size) => spread.set(gradient.subarray(from, from + size), to));
      return spread;
    });
    return { loss, gradients };
  }
}

function add(sums: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) sums[i] += values[i];
}
