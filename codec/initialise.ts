import { elementCount, globalTensors, localTensors, type Architecture, type Tensor } from './architecture.js';
import { OptionError } from './errors.js';
import type { Weights } from './model.js';
import { RandomStream } from './random.js';

/** How initial weights are drawn. */
export interface InitialisationOptions {
  /** Whole number from 0 to 2^53 - 1; the same seed gives the same weights. */
  readonly seed: number;
  /**
   * Factor on the local networks' first-layer weights. Default 1, as SIREN, and what recipe.ts measured best.
   */
  readonly localFirstFactor?: number;
  /**
   * Biases of the output layers: drawn as SIREN's (default), or the mean of the partition's samples, so that no steps are
   * spent on getting there.
   */
  readonly outputBias?: 'drawn' | 'mean';
}

/** Inputs of the layer that a tensor belongs to; a bias is preceded by its weight. */
function layerInputs(tensors: readonly Tensor[], at: number): number {
  return tensors[at].part === 'weight' ? tensors[at].rows : tensors[at - 1].rows;
}

/** Largest magnitude that SIREN's initialisation draws for a tensor. */
function bound(architecture: Architecture, tensors: readonly Tensor[], at: number): number {
  const { role, level, part } = tensors[at];
  const inputs = layerInputs(tensors, at);
  if (part === 'bias') return 1 / Math.sqrt(inputs);
  if (level === 1 && role !== 'merge') return 1 / inputs;
  return Math.sqrt(6 / inputs) / architecture.activations[role].omegaHidden;
}

function draw(
  architecture: Architecture,
  tensors: readonly Tensor[],
  random: RandomStream,
  firstFactor: number,
): Float32Array {
  const weights = new Float32Array(elementCount(tensors));
  tensors.forEach((tensor, at) => {
    const isFirstWeight = tensor.level === 1 && tensor.role !== 'merge' && tensor.part === 'weight';
    const magnitude = bound(architecture, tensors, at) * (isFirstWeight ? firstFactor : 1);
    const end = tensor.offset + tensor.rows * tensor.columns;
    for (let i = tensor.offset; i < end; i++) weights[i] = random.symmetric(magnitude);
  });
  return weights;
}

/**
 * Initial weights as the SIREN paper draws them (Sitzmann et al. 2020, section 3.2) and the Local-Global paper's code does.
 *
 * Uniform over `[-b, b)`, `in` being the layer's inputs: first levels b = 1 / in; every other level, the merge and the
 * output layer b = sqrt(6 / in) / omegaHidden of their role; all biases b = 1 / sqrt(in). The global numbers depend
 * on the seed alone, a partition's on seed and ordinal, so adding partitions changes none of the others.
 *
 * @param partitions ordinals of the local networks, or how many there are from 0.
 * @throws OptionError when the seed or the factor is no number of its range.
 */
export function initialWeights(
  architecture: Architecture,
  partitions: number | readonly number[],
  options: InitialisationOptions,
): Weights {
  const { seed, localFirstFactor = 1 } = options;
  if (!(localFirstFactor > 0 && localFirstFactor < Infinity)) {
    throw new OptionError('localFirstFactor', `${localFirstFactor} is no positive number`);
  }
  const tensors = localTensors(architecture);
  const ordinals =
    typeof partitions === 'number' ? Array.from({ length: partitions }, (_, p) => p) : partitions;
  const local = ordinals.map((ordinal) =>
    draw(architecture, tensors, new RandomStream(seed, 'local-weights', ordinal), localFirstFactor),
  );
  const global = draw(architecture, globalTensors(architecture), new RandomStream(seed, 'global-weights'), 1);
  return { global, local };
}
