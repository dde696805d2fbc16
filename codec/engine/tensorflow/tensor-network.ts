import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { globalTensors, localTensors, type Architecture, type Role } from '../../architecture.js';
import { layersOf, type Layer } from '../reference/affine.js';
import type { TensorFlow } from './tensorflow.js';
import type { NetworkPoints } from './network-points.js';

/** What a network's outputs depend on, as tensors; gradients come back in the same layouts. */
export interface NetworkTensors {
  /** f32 [partitions, local count], in the order of `architecture.ts`. */
  readonly local: Tensor2D;
  /** f32 [global count]. */
  readonly global: Tensor1D;
  /** f32 [3, 4]: (a, b, c, d) of the local, global and merge role. */
  readonly activations: Tensor2D;
}

export const ROLES: readonly Role[] = ['local', 'global', 'merge'];

/** The equations of the format (spec/sine.md, 7.2) as operations of TensorFlow. */
export class TensorNetwork {
  readonly #tf: TensorFlow;
  readonly #architecture: Architecture;
  readonly #local: readonly Layer[];
  readonly #global: readonly Layer[];

  constructor(tf: TensorFlow, architecture: Architecture) {
    this.#tf = tf;
    this.#architecture = architecture;
    this.#local = layersOf(localTensors(architecture));
    this.#global = layersOf(globalTensors(architecture));
  }

  /** f32 [partitions, samples, channels]: outputs of each partition at as many points of its own. */
  outputs(tensors: NetworkTensors, points: NetworkPoints): Tensor3D {
    const tf = this.#tf;
    const { levels, localWidth, globalWidth, merge } = this.#architecture;
    const globals = globalWidth === 0 ? [] : this.#globalFeatures(tensors, points);
    let features: Tensor3D = points.local;
    for (let level = 1; level <= levels; level++) {
      const z = this.#localLayer(tensors.local, this.#local[level - 1], features);
      const u = this.#sine(tensors, 'local', level, z);
      if (globalWidth === 0) {
        features = u;
      } else if (merge === 'fc-add') {
        const projected = points.interpolate(
          this.#globalLayer(tensors.global, this.#global[levels + level - 1], globals[level - 1]),
        );
        features = tf.add(u, this.#sine(tensors, 'merge', level, projected));
      } else {
        const layer = this.#global[levels];
        const [locals, rest] = [
          this.#rows(tensors.global, layer, 0, localWidth),
          this.#rows(tensors.global, layer, localWidth, localWidth + globalWidth),
        ];
        const projected = points.interpolate(tf.matMul(globals[level - 1], rest));
        const flat = tf.matMul<Tensor2D>(tf.reshape(u, [-1, localWidth]), locals);
        const argument = tf.add<Tensor3D>(tf.reshape(flat, u.shape), projected);
        features = this.#sine(tensors, 'merge', level, tf.add(argument, this.#bias(tensors.global, layer)));
      }
    }
    return this.#localLayer(tensors.local, this.#local[levels], features);
  }

  /** Per level g_i [points, G] at the points where the global network is evaluated. */
  #globalFeatures(tensors: NetworkTensors, points: NetworkPoints): Tensor2D[] {
    const { levels } = this.#architecture;
    const features: Tensor2D[] = [];
    let input = points.global;
    for (let level = 1; level <= levels; level++) {
      input = this.#sine(
        tensors,
        'global',
        level,
        this.#globalLayer(tensors.global, this.#global[level - 1], input),
      );
      features.push(input);
    }
    return features;
  }

  #sine<T extends Tensor>({ activations }: NetworkTensors, role: Role, level: number, z: T): T {
    const tf = this.#tf;
    const { omegaFirst, omegaHidden } = this.#architecture.activations[role];
    const omega = level === 1 && role !== 'merge' ? omegaFirst : omegaHidden;
    const [a, b, c, d] = [0, 1, 2, 3].map((i) =>
      tf.reshape(tf.slice(activations, [ROLES.indexOf(role), i], [1, 1]), []),
    );
    const argument = tf.add(tf.mul(tf.mul(tf.exp(b), omega), z), c);
    return tf.add(tf.mul(tf.exp(a), tf.sin(argument)), d);
  }

  #localLayer(local: Tensor2D, { inputs, outputs, weight, bias }: Layer, input: Tensor3D): Tensor3D {
    const tf = this.#tf;
    const [partitions] = local.shape;
    const part = (from: number, rows: number): Tensor3D =>
      tf.reshape(tf.slice(local, [0, from], [partitions, rows * outputs]), [partitions, rows, outputs]);
    return tf.add(tf.matMul(input, part(weight, inputs)), part(bias ?? 0, 1));
  }

  #globalLayer(global: Tensor1D, layer: Layer, input: Tensor2D): Tensor2D {
    const tf = this.#tf;
    return tf.add(tf.matMul(input, this.#rows(global, layer, 0, layer.inputs)), this.#bias(global, layer));
  }

  #rows(global: Tensor1D, { weight, outputs }: Layer, begin: number, end: number): Tensor2D {
    const tf = this.#tf;
    const size = (end - begin) * outputs;
    return tf.reshape(tf.slice(global, [weight + begin * outputs], [size]), [end - begin, outputs]);
  }

  #bias(global: Tensor1D, { bias, outputs }: Layer): Tensor1D {
    return this.#tf.slice(global, [bias ?? 0], [outputs]);
  }
}
