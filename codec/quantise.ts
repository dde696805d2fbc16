import { elementCount, globalTensors, localTensors, type Architecture, type Tensor } from './architecture.js';
import type { Coder } from './coder/payload.js';
import { roundToFloat16 } from './coder/float16.js';
import { LgiError, OptionError } from './errors.js';
import type { Weights } from './model.js';
import {
  type WeightFormat,
  type TensorQuantiser,
  type Quantiser,
  MIN_BITS,
  MAX_BITS,
  largestInteger,
  isRepresentable,
} from './quantiser.js';

/** A weight format as asked for. */
export interface WeightPrecision {
  readonly format: WeightFormat;
  /** Of integers of so many bits: those of the least sensitive layers ({@link tensorBits}); otherwise 0. */
  readonly bits: number;
  /**
   * Of integers as fine as each tensor needs (fit-quantiser.ts): squared error that rounding may add, as a part of what training
   * has left.
   */
  readonly roundingShare?: number;
}

/** What rounding may add under the names that ask for it: 0.13 dB and 1 dB. */
export const FINE: WeightPrecision = { format: 'integer', bits: 0, roundingShare: 0.03 };
export const COARSE: WeightPrecision = { format: 'integer', bits: 0, roundingShare: 0.25 };

/**
 * Reads `float32`, `float16`, `fine`, `coarse` or `int2` ... `int16`; the number is the bits of the least sensitive layers.
 *
 * @throws OptionError naming `weights` for anything else.
 */
export function parseWeightPrecision(text: string): WeightPrecision {
  if (text === 'float32' || text === 'float16') return { format: text, bits: 0 };
  if (text === 'fine') return FINE;
  if (text === 'coarse') return COARSE;
  const bits = /^int([1-9][0-9]?)$/.exec(text)?.[1];
  if (bits !== undefined && +bits >= MIN_BITS && +bits <= MAX_BITS) return { format: 'integer', bits: +bits };
  throw new OptionError(
    'weights',
    `'${text}' is no weight format; give fine, coarse, float32, float16, or int${MIN_BITS} to int${MAX_BITS}`,
  );
}

/**
 * Bits of a tensor where the least sensitive layers have `bits`; {@link MAX_BITS} at most.
 *
 * Bits go where an error costs most per number stored. Loss of one tensor at 10 bits, all others at 16, on the
 * 512x512 camera of 39.4 dB (H=14, G=84, 16x16 partitions, global first omega 120):
 *
 * | tensor                              | loss, dB                | numbers       | bits   |
 * |-------------------------------------|-------------------------|---------------|--------|
 * | global first level                  | 3.6 weight, 6.2 bias    | 252           | 16     |
 * | local first level                   | 0.09 weight, 0.79 bias  | 256 times 42  | + 3    |
 * | further biases, the merge's too     | 0.01 to 0.05            | 256 times 43  | + 3    |
 * | merge weight                        | 0.11                    | 1,372         | + 3    |
 * | global weights of levels 2 to 4     | 0.06, 0.02, 0.02        | 21,168        | + 1    |
 * | local weight of level 2             | 0.09                    | 256 times 196 | + 1    |
 * | local weights of levels 3, 4, output | 0.05, 0.02, 0.02       | 256 times 406 | + 0    |
 */
export function tensorBits({ role, level, sensitivity }: Tensor, bits: number): number {
  if (sensitivity === 'first' && role === 'global') return MAX_BITS;
  const isSensitive = sensitivity === 'first' || sensitivity === 'bias' || role === 'merge';
  const extra = isSensitive ? 3 : role === 'global' || level === 2 ? 1 : 0;
  return Math.min(MAX_BITS, bits + extra);
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
export function largestMagnitude(tensor: Tensor, arrays: readonly Float32Array[]): number {
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
 * The quantiser of a tensor by a step as near to one that is wished for as bits allow, of the fewest bits that hold all arrays.
 *
 * @param wish the step; 0 for the finest.
 * @throws LgiError `diverged` where a weight is not finite.
 */
export function fitStep(tensor: Tensor, wish: number, arrays: readonly Float32Array[]): TensorQuantiser {
  const magnitude = largestMagnitude(tensor, arrays);
  refuseNonFinite(magnitude);
  // No finer than the most bits hold, no coarser than -1, 0 and 1.
  const step = Math.fround(Math.min(magnitude, Math.max(magnitude / largestInteger(MAX_BITS), wish)));
  if (step === 0) return { bits: MIN_BITS, step: 1 };
  let bits = MIN_BITS;
  while (bits < MAX_BITS && largestInteger(bits) < Math.round(magnitude / step)) bits++;
  return isRepresentable(bits, step) ? { bits, step } : { bits, step: Math.fround(step * (1 - 2 ** -23)) };
}

/**
 * The quantiser of trained weights: per tensor one step, from the largest magnitude over all partitions.
 *
 * @param bits of the least sensitive layers, {@link MIN_BITS} to {@link MAX_BITS}; others get more ({@link tensorBits}).
 *   Not used by float formats.
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

/**
 * The precision that a file's weights were asked for by, as far as it can be told: integers whose bits are not those of a number
 * ({@link tensorBits}) were measured, coarsely where they are meant to be small.
 */
export function precisionOf(
  { format, local, global }: Quantiser,
  architecture: Architecture,
  coder: Coder,
): WeightPrecision {
  if (format !== 'integer') return { format, bits: 0 };
  const least = Math.min(MAX_BITS, ...[...local, ...global].map(({ bits }) => bits));
  const isTable = (tensors: readonly Tensor[], quantisers: readonly TensorQuantiser[]): boolean =>
    quantisers.every(({ bits }, at) => bits === tensorBits(tensors[at], least));
  if (isTable(localTensors(architecture), local) && isTable(globalTensors(architecture), global)) {
    return { format, bits: least };
  }
  return coder === 'range' ? COARSE : FINE;
}

/**
 * Largest magnitude of each local weight that a quantiser holds without clamping: f32 [local count]; undefined where float
 * formats hold all that training comes to.
 */
export function localBounds(architecture: Architecture, quantiser: Quantiser): Float32Array | undefined {
  if (quantiser.format !== 'integer') return undefined;
  const tensors = localTensors(architecture);
  const bounds = new Float32Array(elementCount(tensors));
  tensors.forEach(({ offset, rows, columns }, at) => {
    const { bits, step } = quantiser.local[at];
    bounds.fill(largestInteger(bits) * step, offset, offset + rows * columns);
  });
  return bounds;
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
