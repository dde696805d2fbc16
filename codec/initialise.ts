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
  /**
   * Whether local networks are drawn each for itself (`apart`, the default), or begin all `alike`, so that they can be stored as differences
   * from where they began. One draw then decides on all of them: that its first layer be a good one, it is not drawn but spread evenly, which the
   * Stanford bunny gained 1.0 dB by in 600 steps, and 7 s of a cello 0.15 in 1,920 (coordinates of cells, no global network).
   */
  readonly partitions?: 'apart' | 'alike';
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
 * Spreads weights and bias of a first layer's features evenly over the box that they are drawn from, by Roberts' sequence: multiples of the
 * powers of 1 / phi, phi^(d + 1) = phi + 1, d the box's axes (2018, "The unreasonable effectiveness of quasirandom sequences").
 */
function spreadFirstLayer(
  weights: Float32Array,
  architecture: Architecture,
  tensors: readonly Tensor[],
  firstFactor: number,
): void {
  const [weight, bias] = tensors;
  const axes = weight.rows + 1;
  const phi = generalisedGoldenRatio(axes);
  const magnitude = bound(architecture, tensors, 0) * firstFactor;
  for (let feature = 0; feature < weight.columns; feature++) {
    let turns = feature + 1;
    const next = (): number => {
      turns /= phi;
      const place = turns + 0.5;
      return 2 * (place - Math.floor(place)) - 1;
    };
    for (let axis = 0; axis < weight.rows; axis++)
      weights[weight.offset + axis * weight.columns + feature] = magnitude * next();
    weights[bias.offset + feature] = bound(architecture, tensors, 1) * next();
  }
}

/** The phi above 1 with `phi^(axes + 1) = phi + 1`, by Newton's method: sums, products and quotients alone are the same on every machine. */
function generalisedGoldenRatio(axes: number): number {
  let phi = 2;
  for (let i = 0; i < 40; i++) {
    let power = 1;
    for (let axis = 0; axis < axes; axis++) power *= phi;
    phi -= (power * phi - phi - 1) / ((axes + 1) * power - 1);
  }
  return phi;
}

/**
 * Initial weights as the SIREN paper draws them (Sitzmann et al. 2020, section 3.2) and the Local-Global paper's code does.
 *
 * Uniform over `[-b, b)`, `in` being the layer's inputs: first levels b = 1 / in; every other level, the merge and the
 * output layer b = sqrt(6 / in) / omegaHidden of their role; all biases b = 1 / sqrt(in). The global numbers depend
 * on the seed alone, a partition's on seed and ordinal (`alike`: on the seed), so adding partitions changes none of the others.
 *
 * @param partitions ordinals of the local networks, or how many there are from 0.
 * @throws OptionError when the seed or the factor is no number of its range.
 */
export function initialWeights(
  architecture: Architecture,
  partitions: number | readonly number[],
  options: InitialisationOptions,
): Weights {
  const { seed, localFirstFactor = 1, partitions: begin = 'apart' } = options;
  if (!(localFirstFactor > 0 && localFirstFactor < Infinity)) {
    throw new OptionError('localFirstFactor', `${localFirstFactor} is no positive number`);
  }
  const tensors = localTensors(architecture);
  const ordinals =
    typeof partitions === 'number' ? Array.from({ length: partitions }, (_, p) => p) : partitions;
  const drawn = (ordinal: number): Float32Array =>
    draw(architecture, tensors, new RandomStream(seed, 'local-weights', ordinal), localFirstFactor);
  let local: Float32Array[];
  if (begin === 'alike') {
    const first = drawn(0);
    spreadFirstLayer(first, architecture, tensors, localFirstFactor);
    local = ordinals.map(() => first.slice());
  } else {
    local = ordinals.map(drawn);
  }
  const global = draw(architecture, globalTensors(architecture), new RandomStream(seed, 'global-weights'), 1);
  return { global, local };
}
