import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { globalCoordinates, localCoordinates } from '../../coordinates.js';
import type { Box } from '../../grid.js';
import type { Model } from '../../model.js';
import type { TensorFlow } from './tensorflow.js';

/** Positions of one partition. */
export interface PartitionPositions {
  /** The partition's whole box. */
  readonly box: Box;
  readonly positions: readonly (readonly number[])[];
}

/** Positions of several partitions as a network takes them. */
export interface NetworkPoints {
  /** f32 [partitions, samples, n]; partitions with fewer samples repeat zeros. */
  readonly local: Tensor3D;
  /** f32 [points, n]: where the global network is evaluated; every position, or the lattice points around them. */
  readonly global: Tensor2D;
  /** From values at the global points, [points, width], to those at the positions, [partitions, samples, width]. */
  interpolate(values: Tensor2D): Tensor3D;
  dispose(): void;
}

/** The lattice points that positions depend on, and their shares. */
interface Taps {
  readonly coordinates: Float32Array;
  /** Of the points, for each position all its corners. */
  readonly indices: Int32Array;
  readonly weights: Float32Array;
}

/** Finds where a network has to be evaluated for the outputs at these positions. */
export function networkPoints(
  tf: TensorFlow,
  model: Model,
  partitions: readonly PartitionPositions[],
): NetworkPoints {
  const { inputs, globalWidth, latticeStride } = model.architecture;
  // Of batches that have nothing of any partition, one position is evaluated all the same.
  const samples = partitions.reduce((most, { positions }) => Math.max(most, positions.length), 1);
  const shape: [number, number] = [partitions.length, samples];
  const local = new Float32Array(partitions.length * samples * inputs);
  const signal = new Float32Array(local.length);
  partitions.forEach(({ box, positions }, p) =>
    positions.forEach((position, i) => {
      local.set(localCoordinates(model, box, position), (p * samples + i) * inputs);
      signal.set(globalCoordinates(model, position), (p * samples + i) * inputs);
    }),
  );
  const localTensor = tf.tensor3d(local, [...shape, inputs]);
  if (globalWidth === 0 || latticeStride === 0) {
    const global = tf.tensor2d(signal, [partitions.length * samples, inputs]);
    return {
      local: localTensor,
      global,
      interpolate: (values) => tf.reshape(values, [...shape, values.shape[1]]),
      dispose: () => tf.dispose([localTensor, global]),
    };
  }
  const corners = 2 ** inputs;
  const { coordinates, indices, weights } = latticeTaps(model, partitions, samples);
  const global = tf.tensor2d(coordinates, [coordinates.length / inputs, inputs]);
  const at = tf.tensor1d(indices, 'int32');
  const shares = tf.tensor3d(weights, [partitions.length * samples, corners, 1]);
  return {
    local: localTensor,
    global,
    interpolate: (values) => {
      const [points, width] = values.shape;
      const blended = tf.customGrad((given) => {
        const taken = tf.reshape(tf.gather(given as Tensor2D, at), [-1, corners, width]);
        return {
          value: tf.sum(tf.mul(taken, shares), 1),
          // The gradient of a gather is no operation of every backend.
          gradFunc: (difference) => {
            const spread = tf.mul(tf.reshape(difference, [-1, 1, width]), shares);
            const rows = tf.reshape(spread, [-1, width]);
            return tf.scatterND(tf.reshape(at, [-1, 1]), rows, [points, width]);
          },
        };
      })(values);
      return tf.reshape(blended, [...shape, width]);
    },
    dispose: () => tf.dispose([localTensor, global, at, shares]),
  };
}

function latticeTaps(model: Model, partitions: readonly PartitionPositions[], samples: number): Taps {
  const { inputs, latticeStride: stride } = model.architecture;
  const corners = 2 ** inputs;
  const indices = new Int32Array(partitions.length * samples * corners);
  const weights = new Float32Array(indices.length);
  const numbers = new Map<string, number>();
  const coordinates: number[] = [];
  // Places without a position refer to point 0, with no weight.
  const numberOf = (point: readonly number[]): number => {
    const key = point.join();
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      coordinates.push(
        ...globalCoordinates(
          model,
          point.map((index) => index * stride),
        ),
      );
    }
    return number;
  };
  partitions.forEach(({ positions }, p) =>
    positions.forEach((position, i) => {
      for (let corner = 0; corner < corners; corner++) {
        let weight = 1;
        const point = position.map((value, axis) => {
          const below = Math.floor(value / stride);
          const fraction = value / stride - below;
          const isAbove = (corner >> axis) & 1;
          weight *= isAbove === 1 ? fraction : 1 - fraction;
          return below + isAbove;
        });
        const to = (p * samples + i) * corners + corner;
        indices[to] = numberOf(point);
        weights[to] = weight;
      }
    }),
  );
  if (numbers.size === 0) numberOf(new Array<number>(inputs).fill(0));
  return { coordinates: Float32Array.from(coordinates), indices, weights };
}
