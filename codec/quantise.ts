import { globalTensors, localTensors, type Architecture, type Tensor } from './architecture.js';
import { roundToFloat16 } from './coder/float16.js';
import { LgiError, OptionError } from './errors.js';
import type { Weights } from './model.js';

/** How weights are held in the file. */
export type WeightFormat = 'float32' | 'float16' | 'integer';

/**
 * How one tensor becomes integers: `q = round(w / step)`, `|q| <= 2^(bits - 1) - 1`, and back: `w = f32(q * step)`.
 *
 * The product is rounded to f32 once; `step` is itself an f32, so an f32 multiplication of the two gives just that.
 */
export interface TensorQuantiser {
  /** Bits of one integer, {@link MIN_BITS} to {@link MAX_BITS}. */
  readonly bits: number;
  /** Finite and positive, exactly representable as f32. */
  readonly step: number;
}

/** How all weights of a signal are held; one quantiser serves all partitions, also appended ones. */
export interface Quantiser {
  readonly format: WeightFormat;
  /** Parallel to `localTensors(architecture)`; empty for float formats. */
  readonly local: readonly TensorQuantiser[];
  /** Parallel to `globalTensors(architecture)`; empty for float formats. */
  readonly global: readonly TensorQuantiser[];
}

/** Two bits hold -1, 0 and 1, the least that a weight can do with. */
export const MIN_BITS = 2;

/** Integers are coded in at most two bytes; finer than that, `float32` is the format. */
export const MAX_BITS = 16;

/**
 * First levels and biases act before a sine of high frequency and get this many bits more.
 *
 * Measured on a trained picture of 39.5 dB with 10 bits elsewhere: 0 more lose 1.85 dB, 2 lose 0.19, 3 lose 0.08, 4
 * lose 0.05; a local network has 57 such numbers of 687.
 */
const SENSITIVE_EXTRA_BITS = 3;

/** A weight format as asked for: `bits` are those of hidden and output tensors, and 0 for float formats. */
export interface WeightPrecision {
  readonly format: WeightFormat;
  readonly bits: number;
}

/** Measured: loses 0.01 dB on a picture of 39.5 dB, where float16 loses 0.10, at 0.36 of the size of float32. */
export const DEFAULT_WEIGHT_PRECISION: WeightPrecision = { format: 'integer', bits: 11 };

/**
 * Reads `float32`, `float16` or `int2` ... `int16`; the number is the bits of hidden layers.
 *
 * @throws OptionError naming `weights` for anything else.
 */
export function parseWeightPrecision(text: string): WeightPrecision {
  if (text === 'float32' || text === 'float16') return { format: text, bits: 0 };
  const bits = /^int([1-9][0-9]?)$/.exec(text)?.[1];
  if (bits !== undefined && +bits >= MIN_BITS && +bits <= MAX_BITS) return { format: 'integer', bits: +bits };
  throw new OptionError(
    'weights',
    `'${text}' is no weight format; give float32, float16, or int${MIN_BITS} to int${MAX_BITS}`,
  );
}

/**
 * Bits of a tensor whose network has `bits` bits in its hidden layers.
 *
 * The global network's first level gets all there are: its few hundred numbers meet the highest frequency of all
 * (omega 120), in every sample, and at 9 bits they alone lost 4 of 39.5 dB.
 */
export function tensorBits(tensor: Tensor, bits: number): number {
  const { role, sensitivity } = tensor;
  if (sensitivity === 'first' && role === 'global') return MAX_BITS;
  const isSensitive = sensitivity === 'first' || sensitivity === 'bias';
  return Math.min(MAX_BITS, bits + (isSensitive ? SENSITIVE_EXTRA_BITS : 0));
}

/** Largest integer of a tensor's quantiser; the smallest is its negative. */
export function largestInteger(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/** The integer that stands for a weight, clamped to the quantiser's range. */
export function quantise(weight: number, { bits, step }: TensorQuantiser): number {
  const limit = largestInteger(bits);
  return Math.max(-limit, Math.min(limit, Math.round(weight / step)));
}

function refuseNonFinite(magnitude: number): void {
  if (magnitude < Infinity) return;
  throw new LgiError(
    'diverged',
    'a weight is not finite, so training has diverged; encode with a lower rate',
  );
}

/** Largest magnitude of a tensor over all arrays; Infinity where any element is not finite. */
function largestMagnitude(tensor: Tensor, arrays: readonly Float32Array[]): number {
  const end = tensor.offset + tensor.rows * tensor.columns;
  let largest = 0;
  for (const weights of arrays) {
    for (let i = tensor.offset; i < end; i++) {
      const magnitude = Math.abs(weights[i]);
      if (!(magnitude <= largest)) largest = magnitude < Infinity ? magnitude : Infinity;
    }
  }
  return largest;
}

/** Whether every integer of a quantiser decodes to a finite f32. */
function isRepresentable(bits: number, step: number): boolean {
  return Math.fround(largestInteger(bits) * step) < Infinity;
}

function fitTensor(tensor: Tensor, bits: number, arrays: readonly Float32Array[]): TensorQuantiser {
  const ownBits = tensorBits(tensor, bits);
  const magnitude = largestMagnitude(tensor, arrays);
  refuseNonFinite(magnitude);
  const step = Math.fround(magnitude / largestInteger(ownBits));
  // A tensor of zeros (or of numbers so small that the step underflows) is stored exactly, or as zeros, by any step.
  if (step === 0) return { bits: ownBits, step: 1 };
  // Rounded up, the step of a magnitude at the end of f32's range would decode to infinity.
  const isBounded = isRepresentable(ownBits, step);
  return { bits: ownBits, step: isBounded ? step : Math.fround(step * (1 - 2 ** -23)) };
}

/**
 * The quantiser of trained weights: per tensor one step, from the largest magnitude over all partitions.
 *
 * @param bits of hidden and output tensors, {@link MIN_BITS} to {@link MAX_BITS}; first levels and biases get more
 *   ({@link tensorBits}). Not used by float formats.
 * @throws LgiError `diverged` where a weight is not finite.
 * @throws OptionError when the bits are out of range.
 */
export function fitQuantiser(
  format: WeightFormat,
  bits: number,
  architecture: Architecture,
  weights: Weights,
): Quantiser {
  if (format !== 'integer') return { format, local: [], global: [] };
  if (!(Number.isInteger(bits) && bits >= MIN_BITS && bits <= MAX_BITS)) {
    throw new OptionError('weights', `int${bits} is out of range; give int${MIN_BITS} to int${MAX_BITS}`);
  }
  return {
    format,
    local: localTensors(architecture).map((tensor) => fitTensor(tensor, bits, weights.local)),
    global: globalTensors(architecture).map((tensor) => fitTensor(tensor, bits, [weights.global])),
  };
}

function quantisedArray(
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
): Float32Array {
  if (format === 'float32') return weights.slice();
  if (format === 'float16') return weights.map(roundToFloat16);
  const result = new Float32Array(weights.length);
  tensors.forEach((tensor, at) => {
    const end = tensor.offset + tensor.rows * tensor.columns;
    // Adding 0 turns the -0 of a small negative weight into the 0 that the integer decodes to.
    for (let i = tensor.offset; i < end; i++) {
      result[i] = (quantise(weights[i], quantisers[at]) + 0) * quantisers[at].step;
    }
  });
  return result;
}

/** What a decoder will see of the weights: exactly what encoding and decoding them gives. */
export function quantisedWeights(
  architecture: Architecture,
  weights: Weights,
  quantiser: Quantiser,
): Weights {
  const { format } = quantiser;
  const tensors = localTensors(architecture);
  return {
    global: quantisedArray(weights.global, globalTensors(architecture), quantiser.global, format),
    local: weights.local.map((array) => quantisedArray(array, tensors, quantiser.local, format)),
  };
}

/**
 * Checks a quantiser that was read from a file against its architecture.
 *
 * @throws LgiError `damaged`, section `header`: lists of the wrong length, bits or a step out of range.
 */
export function checkQuantiser(quantiser: Quantiser, architecture: Architecture): void {
  for (const [name, list, tensors] of [
    ['local', quantiser.local, localTensors(architecture)],
    ['global', quantiser.global, globalTensors(architecture)],
  ] as const) {
    const expected = quantiser.format === 'integer' ? tensors.length : 0;
    if (list.length !== expected) {
      throw new LgiError(
        'damaged',
        `the header has ${list.length} ${name} quantisers, its network needs ${expected}; fetch the file again`,
        { section: 'header' },
      );
    }
    for (const { bits, step } of list) {
      const bitsAreValid = Number.isInteger(bits) && bits >= MIN_BITS && bits <= MAX_BITS;
      if (!bitsAreValid || !(step > 0 && isRepresentable(bits, step))) {
        throw new LgiError(
          'damaged',
          `the header has a ${name} quantiser of ${bits} bits and step ${step}; ` +
            `${MIN_BITS} to ${MAX_BITS} bits and a positive step, whose product is finite, are valid; fetch the file again`,
          { section: 'header' },
        );
      }
    }
  }
}
