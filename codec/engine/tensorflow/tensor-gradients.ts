import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Role } from '../../architecture.js';
import { boxSize } from '../../grid.js';
import { lossOf, type OutputLoss } from '../../output-loss.js';
import { alphaChannel, peakOf } from '../../signal.js';
import type { GradientSource } from '../reference/descent-session.js';
import { samplePosition, type DoubleWeights, type Fit, type Gradients } from '../reference/gradients.js';
import { networkPoints, type NetworkPoints } from './network-points.js';
import { ROLES, TensorNetwork, type NetworkTensors } from './tensor-network.js';
import type { TensorFlow } from './tensorflow.js';

/** What outputs are compared with, f32 [partitions, samples, channels]; samples that partitions have not weigh 0. */
interface Targets {
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

function targetsOf({ boxes, format, samples }: Fit, batch: readonly Uint32Array[], most: number): Targets {
  const { channels, mapping } = format;
  const alpha = alphaChannel(format);
  const opaque = peakOf(format.sampleType);
  const values = new Float32Array(boxes.length * most * channels);
  const weights = new Float32Array(values.length);
  let first = 0;
  boxes.forEach((box, p) => {
    batch[p].forEach((sample, i) => {
      const from = (first + sample) * channels;
      const to = (p * most + i) * channels;
      for (let channel = 0; channel < channels; channel++) {
        values[to + channel] = (samples[from + channel] - mapping.offset) / mapping.scale;
        weights[to + channel] = alpha >= 0 && channel !== alpha ? samples[from + alpha] / opaque : 1;
      }
    });
    first += boxSize(box);
  });
  return { values, weights };
}

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

/** What of a batch stays the same from step to step. */
interface BatchTensors {
  readonly points: NetworkPoints;
  /** Samples of the partition that has most of them. */
  readonly most: number;
  /** Values of the batch. */
  readonly count: number;
  /** f32 [partitions, samples, channels]; samples that partitions have not weigh 0. */
  readonly target: Tensor3D;
  readonly weight: Tensor3D;
  /** f64 per partition, sum of its weights. */
  readonly counts: Float64Array;
}

/** Gradients by TensorFlow's own differentiation. */
export class TensorGradients implements GradientSource {
  readonly #tf: TensorFlow;
  /** The batch that was seen last, and its tensors. */
  #batch: readonly Uint32Array[] | undefined;
  #tensors: BatchTensors | undefined;

  constructor(tf: TensorFlow) {
    this.#tf = tf;
  }

  async of(fit: Fit, weights: DoubleWeights, batch: readonly Uint32Array[]): Promise<Gradients> {
    const tf = this.#tf;
    const { boxes, model } = fit;
    const seen = this.#tensorsOf(fit, batch);
    const network = new TensorNetwork(tf, model.architecture);
    const tensors = weightTensors(tf, fit, weights);
    let own: { readonly loss: number; readonly gradient: Tensor3D } | undefined;
    try {
      if (fit.outputLoss) own = await this.#ownLoss(fit, fit.outputLoss, network, tensors, seen);
      const dOutputs = own?.gradient;
      const { errors, grads } = tf.tidy(() => {
        let squares: Tensor2D | undefined;
        const loss = (local: Tensor2D, activations: Tensor2D, global = tensors.global): Scalar => {
          const outputs = network.outputs({ local, global, activations }, seen.points);
          if (dOutputs !== undefined) return tf.sum(tf.mul(outputs, dOutputs));
          const each = tf.mul(seen.weight, tf.squaredDifference(outputs, seen.target));
          // What is made in here does not outlive it otherwise.
          squares = tf.keep(tf.sum<Tensor2D>(each, 2));
          return tf.div(tf.sum(squares), Math.max(1, seen.count));
        };
        const { local, global, activations } = tensors;
        // What a loss does not depend on has no gradient to be asked for.
        const moving =
          model.architecture.globalWidth > 0 ? [local, activations, global] : [local, activations];
        const found = tf.valueAndGrads(loss as (...all: Tensor[]) => Scalar)(moving);
        return { errors: squares ?? tf.zeros([boxes.length, seen.most]), grads: found.grads };
      });
      const read = await Promise.all([errors, ...grads].map((tensor) => tensor.data<'float32'>()));
      tf.dispose([errors, ...grads]);
      const [squares, local, activations, global = new Float32Array()] = read;
      const squaredErrors = Float64Array.from(boxes, (_, p) => sum(squares, p * seen.most, seen.most));
      const length = weights.local[0].length;
      const ofRole = (role: Role): Float64Array =>
        Float64Array.from(activations.subarray(4 * ROLES.indexOf(role), 4 * ROLES.indexOf(role) + 4));
      return {
        squaredErrors,
        counts: own === undefined ? seen.counts.slice() : new Float64Array(boxes.length),
        loss: own?.loss ?? sum(squaredErrors, 0, boxes.length) / Math.max(1, seen.count),
        weights: {
          global: Float64Array.from(global),
          local: boxes.map((_, p) => Float64Array.from(local.subarray(p * length, (p + 1) * length))),
        },
        activations: { local: ofRole('local'), global: ofRole('global'), merge: ofRole('merge') },
      };
    } finally {
      own?.gradient.dispose();
      tf.dispose([tensors.local, tensors.global, tensors.activations]);
    }
  }

  dispose(): void {
    this.#tensors?.points.dispose();
    if (this.#tensors !== undefined) this.#tf.dispose([this.#tensors.target, this.#tensors.weight]);
    this.#tensors = undefined;
    this.#batch = undefined;
  }

  #tensorsOf(fit: Fit, batch: readonly Uint32Array[]): BatchTensors {
    if (this.#tensors !== undefined && this.#batch === batch) return this.#tensors;
    this.dispose();
    const tf = this.#tf;
    const { boxes, model } = fit;
    const { channels } = fit.format;
    const most = batch.reduce((length, list) => Math.max(length, list.length), 1);
    const positions = boxes.map((box, p) => ({
      box,
      positions: Array.from(batch[p], (sample) => samplePosition(box, sample)),
    }));
    const shape: [number, number, number] = [boxes.length, most, channels];
    const { values, weights } = targetsOf(fit, batch, most);
    this.#tensors = {
      points: networkPoints(tf, model, positions),
      most,
      count: batch.reduce((total, list) => total + list.length * channels, 0),
      target: tf.tensor3d(values, shape),
      weight: tf.tensor3d(weights, shape),
      counts: Float64Array.from(boxes, (_, p) => sum(weights, p * most * channels, most * channels)),
    };
    this.#batch = batch;
    return this.#tensors;
  }

  /** A loss of all outputs, and its gradient at the outputs' places. */
  async #ownLoss(
    { boxes, format }: Fit,
    outputLoss: OutputLoss,
    network: TensorNetwork,
    tensors: NetworkTensors,
    { points, most }: BatchTensors,
  ): Promise<{ loss: number; gradient: Tensor3D }> {
    const tf = this.#tf;
    const { channels } = format;
    const outputs = tf.tidy(() => network.outputs(tensors, points));
    const padded = await outputs.data<'float32'>();
    outputs.dispose();
    const sizes = boxes.map((box) => boxSize(box) * channels);
    const values = new Float32Array(sizes.reduce((total, size) => total + size, 0));
    const spread = new Float32Array(padded.length);
    const eachPartition = (visit: (from: number, to: number, size: number) => void): void => {
      let from = 0;
      sizes.forEach((size, p) => {
        visit(from, p * most * channels, size);
        from += size;
      });
    };
    eachPartition((from, to, size) => values.set(padded.subarray(to, to + size), from));
    const { loss, gradient } = lossOf(outputLoss, values);
    eachPartition((from, to, size) => spread.set(gradient.subarray(from, from + size), to));
    return { loss, gradient: tf.tensor3d(spread, [boxes.length, most, channels]) };
  }
}

function sum(values: ArrayLike<number>, from: number, count: number): number {
  let total = 0;
  for (let i = from; i < from + count; i++) total += values[i];
  return total;
}
