import { globalTensors, localTensors, type Architecture } from './architecture.js';
import { LgiError } from './errors.js';

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
  /** Of coder `range`: what is known of local integers. */
  readonly forecast?: LocalForecast;
}

/** What a header says of the integers of local tensors, so that payloads need not (coder/range-weights.ts). */
export interface LocalForecast {
  /** How long their magnitudes are. */
  readonly models: Uint8Array;
  /** What they are the differences from, a stream of the range coder; absent: they are themselves. */
  readonly origin?: Uint8Array;
}

/** Two bits hold -1, 0 and 1, the least that a weight can do with. */
export const MIN_BITS = 2;

/** Integers are coded in at most two bytes; finer than that, `float32` is the format. */
export const MAX_BITS = 16;

/** Largest integer of a tensor's quantiser; the smallest is its negative. */
export function largestInteger(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/** Whether every integer of a quantiser decodes to a finite f32. */
export function isRepresentable(bits: number, step: number): boolean {
  return Math.fround(largestInteger(bits) * step) < Infinity;
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
