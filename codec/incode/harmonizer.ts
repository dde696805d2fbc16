import { affine, affineBackward, type Layer } from '../engine/reference/affine.js';
import { Adam } from '../engine/reference/adam.js';
import { ADAM } from '../presets/optimisers.js';
import { RandomStream } from '../random.js';
import { partOf, type SavedState } from '../saved-state.js';

/** What a harmonizer is made of. */
export interface HarmonizerShape {
  /** Features that it is given. */
  readonly inputs: number;
  /** Features of its hidden layers; the authors of INCODE take 64 and 32, for noisy pictures 32, 16 and 12. */
  readonly hidden: readonly number[];
  /** Numbers that it gives: four for each role. */
  readonly outputs: number;
  /** Whether hidden layers are normalised, as for noisy pictures. */
  readonly isNormalised: boolean;
  /** Of all biases at first; the authors take 0.312, for noisy pictures 0.0005. */
  readonly initialBias: number;
}

/** Standard deviation of initial weights. */
const INITIAL_DEVIATION = 0.001;

/** Added to variances, as PyTorch's LayerNorm does. */
const NORMALISATION_EPSILON = 1e-5;

/** A normalisation's scale and shift in the flat parameters. */
interface Normalisation {
  readonly scale: number;
  readonly shift: number;
  readonly width: number;
}

/** One evaluation of a hidden layer, with what its backward pass needs. */
interface LayerTrace {
  readonly input: Float64Array;
  /** Normalised argument, before scale and shift; as it was without normalisation. */
  readonly normal: Float64Array;
  /** 1 / deviation. */
  readonly factor: number;
  /** Argument of SiLU. */
  readonly z: Float64Array;
}

/**
 * The network of INCODE (Kazerouni et al. 2024) that makes the activations' scalars from features of the signal: linear layers with
 * SiLU between them. Its input is constant for a signal, so that a file needs its outputs alone.
 */
export class Harmonizer {
  readonly #shape: HarmonizerShape;
  readonly #layers: Layer[] = [];
  readonly #normalisations: Normalisation[] = [];
  readonly #parameters: Float64Array;
  readonly #gradients: Float64Array;
  readonly #adam: Adam;
  #trace: { readonly hidden: readonly LayerTrace[]; readonly last: Float64Array } | undefined;

  /** @param seed whole number; the same seed draws the same weights. */
  constructor(shape: HarmonizerShape, seed: number) {
    this.#shape = shape;
    const widths = [...shape.hidden, shape.outputs];
    let offset = 0;
    let inputs = shape.inputs;
    for (const [i, outputs] of widths.entries()) {
      this.#layers.push({ inputs, outputs, weight: offset, bias: offset + inputs * outputs });
      offset += (inputs + 1) * outputs;
      if (shape.isNormalised && i < shape.hidden.length) {
        this.#normalisations.push({ scale: offset, shift: offset + outputs, width: outputs });
        offset += 2 * outputs;
      }
      inputs = outputs;
    }
    this.#parameters = new Float64Array(offset);
    this.#gradients = new Float64Array(offset);
    this.#adam = new Adam(ADAM, offset);
    const random = new RandomStream(seed, 'harmonizer');
    for (const { weight, bias } of this.#layers) {
      const biasAt = bias ?? 0;
      for (let i = weight; i < biasAt; i++) this.#parameters[i] = INITIAL_DEVIATION * random.normal();
    }
    for (const { bias, outputs } of this.#layers) {
      this.#parameters.fill(shape.initialBias, bias ?? 0, (bias ?? 0) + outputs);
    }
    for (const { scale, width } of this.#normalisations) this.#parameters.fill(1, scale, scale + width);
  }

  /** Numbers that are trained. */
  get parameterCount(): number {
    return this.#parameters.length;
  }

  /**
   * The scalars for features, f64 [outputs].
   *
   * @param features f64 [inputs].
   */
  forward(features: Float64Array): Float64Array {
    const hidden: LayerTrace[] = [];
    let input = features;
    for (let i = 0; i < this.#shape.hidden.length; i++) {
      const argument = affine(this.#layers[i], this.#parameters, input);
      const { normal, factor } = this.#shape.isNormalised
        ? normalised(argument)
        : { normal: argument, factor: 1 };
      const z = this.#scaled(i, normal);
      hidden.push({ input, normal, factor, z });
      input = z.map((value) => value * sigmoid(value));
    }
    this.#trace = { hidden, last: input };
    return affine(this.#layers[hidden.length], this.#parameters, input);
  }

  /**
   * Takes a step of Adam against a loss's gradient.
   *
   * @param dOutputs f64 [outputs], with respect to what `forward` gave last.
   */
  step(dOutputs: Float64Array, rate: number): void {
    if (this.#trace === undefined) throw new RangeError('nothing was evaluated that a gradient could be of');
    this.#gradients.fill(0);
    const { hidden, last } = this.#trace;
    let dNext = affineBackward(
      this.#layers[hidden.length],
      this.#parameters,
      this.#gradients,
      last,
      dOutputs,
    );
    for (let i = hidden.length - 1; i >= 0; i--) {
      const { input, z } = hidden[i];
      const dZ = dNext.map((value, h) => {
        const s = sigmoid(z[h]);
        return value * s * (1 + z[h] * (1 - s));
      });
      const dArgument = this.#shape.isNormalised ? this.#normalisationBackward(i, hidden[i], dZ) : dZ;
      dNext = affineBackward(this.#layers[i], this.#parameters, this.#gradients, input, dArgument);
    }
    this.#adam.step(this.#parameters, this.#gradients, () => rate);
  }

  /** The gradients of the last step, as parameters lie: for tests. */
  get lastGradients(): Float64Array {
    return this.#gradients.slice();
  }

  /** The parameters, f64: per layer weight `[in, out]`, bias, then scale and shift where it is normalised. */
  get parameters(): Float64Array {
    return this.#parameters;
  }

  /** Weights and moments. */
  saveState(): SavedState {
    return { harmonizer: this.#parameters.slice(), ...this.#adam.saveState('harmonizer') };
  }

  /** @throws LgiError `damaged`, section `checkpoint`, for a state of another harmonizer. */
  loadState(state: SavedState): void {
    this.#parameters.set(partOf(state, 'harmonizer', this.#parameters));
    this.#adam.loadState(state, 'harmonizer');
  }

  #scaled(i: number, normal: Float64Array): Float64Array {
    if (!this.#shape.isNormalised) return normal;
    const { scale, shift } = this.#normalisations[i];
    return normal.map((value, h) => value * this.#parameters[scale + h] + this.#parameters[shift + h]);
  }

  #normalisationBackward(i: number, { normal, factor }: LayerTrace, dZ: Float64Array): Float64Array {
    const { scale, shift, width } = this.#normalisations[i];
    const dNormal = dZ.map((value, h) => {
      this.#gradients[scale + h] += value * normal[h];
      this.#gradients[shift + h] += value;
      return value * this.#parameters[scale + h];
    });
    const mean = dNormal.reduce((sum, value) => sum + value, 0) / width;
    const along = dNormal.reduce((sum, value, h) => sum + value * normal[h], 0) / width;
    return dNormal.map((value, h) => factor * (value - mean - normal[h] * along));
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Values with mean 0 and variance 1. */
function normalised(values: Float64Array): { normal: Float64Array; factor: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const factor = 1 / Math.sqrt(variance + NORMALISATION_EPSILON);
  return { normal: values.map((value) => (value - mean) * factor), factor };
}
