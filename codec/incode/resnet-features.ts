import type { Tensor4D } from '@tensorflow/tfjs';
import type { TensorFlow } from '../engine/tensorflow/tensorflow.js';
import { RandomStream } from '../random.js';

/** Features that the truncated network has. */
export const RESNET_FEATURES = 64;

/** Residual blocks of the first stage of a ResNet-34 (He et al. 2015). */
const BLOCKS = 3;

/** As PyTorch's BatchNorm has it. */
const EPSILON = 1e-5;

/** Parameters by their names in torchvision's `resnet34`, in its layouts. */
export interface ResnetWeights {
  /** @throws LgiError where there is no tensor of this name and so many numbers. */
  tensor(name: string, length: number): Float32Array;
}

/** Weights as torchvision draws them where no trained ones are given: normal, scaled by the outputs (He et al. 2015). */
export function randomResnetWeights(seed: number): ResnetWeights {
  const drawn = new Map<string, Float32Array>();
  return {
    tensor: (name, length) => {
      let values = drawn.get(name);
      if (values === undefined) {
        values = new Float32Array(length);
        const kernel = name === 'conv1.weight' ? 7 : 3;
        const deviation = Math.sqrt(2 / (RESNET_FEATURES * kernel * kernel));
        const random = new RandomStream(seed, 'harmonizer', 1 + drawn.size);
        if (name.includes('bn')) values.fill(name.endsWith('weight') ? 1 : 0);
        else for (let i = 0; i < length; i++) values[i] = deviation * random.normal();
        drawn.set(name, values);
      }
      return values;
    },
  };
}

/**
 * What a ResNet-34 that ends after its first stage sees of a picture, as INCODE's authors have it: means over the picture of its 64
 * features, normalised by the picture's own statistics.
 *
 * @param picture f32 `[height, width, channels]`; one channel counts as grey.
 * @param shape `[height, width]`.
 */
export async function resnetFeatures(
  tf: TensorFlow,
  picture: Float32Array,
  [height, width]: readonly [number, number],
  weights: ResnetWeights,
): Promise<Float64Array> {
  const means = tf.tidy(() => {
    const channels = picture.length / (height * width);
    const given = tf.tensor4d(picture, [1, height, width, channels]);
    const rgb = channels === 1 ? tf.tile(given, [1, 1, 1, 3]) : given;
    const convolve = (
      x: Tensor4D,
      name: string,
      inputs: number,
      kernel: number,
      stride: number,
    ): Tensor4D => {
      const length = RESNET_FEATURES * inputs * kernel * kernel;
      const filter = tf.tensor4d(weights.tensor(name, length), [RESNET_FEATURES, inputs, kernel, kernel]);
      const padding = (kernel - 1) / 2;
      return tf.conv2d(x, tf.transpose(filter, [2, 3, 1, 0]), stride, padding, 'NHWC', 1, 'floor');
    };
    const normalise = (x: Tensor4D, name: string): Tensor4D => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const scale = tf.tensor1d(weights.tensor(`${name}.weight`, RESNET_FEATURES));
      const shift = tf.tensor1d(weights.tensor(`${name}.bias`, RESNET_FEATURES));
      const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, EPSILON)));
      return tf.add(tf.mul(tf.sub(x, mean), factor), shift);
    };
    let x = tf.relu(normalise(convolve(rgb, 'conv1.weight', 3, 7, 2), 'bn1'));
    x = tf.maxPool(x, 3, 2, 1, 'floor');
    for (let block = 0; block < BLOCKS; block++) {
      const of = `layer1.${block}`;
      const inner = convolve(x, `${of}.conv1.weight`, RESNET_FEATURES, 3, 1);
      const middle = tf.relu(normalise(inner, `${of}.bn1`));
      const outer = normalise(convolve(middle, `${of}.conv2.weight`, RESNET_FEATURES, 3, 1), `${of}.bn2`);
      x = tf.relu(tf.add<Tensor4D>(outer, x));
    }
    return tf.mean(x, [0, 1, 2]);
  });
  try {
    return Float64Array.from(await means.data());
  } finally {
    means.dispose();
  }
}
