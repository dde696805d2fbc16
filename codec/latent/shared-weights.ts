import { IntegerModel } from '../coder/adaptive-integers.js';
import { RangeDecoder, RangeEncoder } from '../coder/range-coder.js';
import { LgiError } from '../errors.js';
import { DEFAULT_WEIGHTS, defaultWeightsKey } from './default-weights.js';
import { CONTEXT_ONE, MAX_CONTEXT_WEIGHT } from './entropy-model.js';
import {
  latentTensors,
  latentWeightCount,
  type LatentArchitecture,
  type LatentTensor,
} from './latent-architecture.js';
import { UNIT_SCALE } from './probability-tables.js';

/** Shared weights as they stand in a header: whole numbers, of which those of `synthesis` have steps. */
export interface StoredWeights {
  /** i32, in the order of `latentTensors`. */
  readonly numbers: Int32Array;
  /** Per tensor of role `synthesis`, in order: `e` of its step, `2^-e`. */
  readonly exponents: readonly number[];
}

/** Largest `e` of a step, and bits that it takes. */
export const MAX_EXPONENT = 31;
const EXPONENT_BITS = 5;

/** Largest magnitudes of whole numbers; of `scale` for offset and gain, both times a step of the table far beyond its ends. */
const LARGEST: Record<LatentTensor['name'], number> = {
  hiddenWeight: 2 ** 20,
  hiddenBias: 2 ** 20,
  outputWeight: 2 ** 20,
  outputBias: 2 ** 20,
  bypass: 2 ** 20,
  taps: 2 ** 20,
  mean: MAX_CONTEXT_WEIGHT,
  spread: MAX_CONTEXT_WEIGHT,
  scale: 2 ** 19,
  presence: 255,
};

/** By set and shape of networks. */
const knownDefaults = new Map<string, StoredWeights>();

/**
 * The built-in weights that an architecture's are differences from; undefined where it names none.
 *
 * @throws LgiError `unsupported` for a set, or a shape of networks in it, that this program does not know.
 */
export function defaultWeights(architecture: LatentArchitecture): StoredWeights | undefined {
  const { defaultSet, ...shape } = architecture;
  if (defaultSet === undefined) return undefined;
  const key = defaultWeightsKey(architecture);
  const known = knownDefaults.get(key);
  if (known) return known;
  const text = DEFAULT_WEIGHTS[key];
  if (text === undefined) {
    throw new LgiError(
      'unsupported',
      `latents have differences from built-in weights (${key}) that this program does not know; use a newer version of it`,
      { section: 'header' },
    );
  }
  const stored = decodeShared(
    shape,
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)),
  );
  knownDefaults.set(key, stored);
  return stored;
}

/** What a number is a difference from: the built-in one in the tensor's own steps, half up. */
function defaultNumber(
  defaults: StoredWeights | undefined,
  tensor: number,
  at: number,
  exponent: number | undefined,
): number {
  if (defaults === undefined) return 0;
  const octaves = exponent === undefined ? 0 : exponent - defaults.exponents[tensor];
  return Math.floor(defaults.numbers[at] * 2 ** octaves + 0.5);
}

function isAllowed(name: LatentTensor['name'], value: number): boolean {
  if (name === 'presence') return value >= 1 && value <= LARGEST.presence;
  if (name === 'spread') return value >= 0 && value <= LARGEST.spread;
  return Math.abs(value) <= LARGEST[name];
}

/** The nearest number that a header can hold. */
function held(name: LatentTensor['name'], value: number): number {
  const least = name === 'presence' ? 1 : name === 'spread' ? 0 : -LARGEST[name];
  return Math.max(least, Math.min(LARGEST[name], Math.round(value))) + 0;
}

/**
 * Rounds trained weights.
 *
 * @param weights real numbers as in training; `presence` in its units.
 * @param exponents per tensor of role `synthesis`.
 */
export function roundShared(
  architecture: LatentArchitecture,
  weights: ArrayLike<number>,
  exponents: readonly number[],
): StoredWeights {
  const numbers = new Int32Array(latentWeightCount(architecture));
  latentTensors(architecture).forEach(({ name, role, offset, rows, columns }, at) => {
    if (name === 'scale') {
      const gain = held(name, CONTEXT_ONE * weights[offset + 1]);
      // log2 b = offset + gain log2(sum), with sums in units of 1/64 and scales in eighths of an octave from UNIT_SCALE on.
      const shift = 256 * (UNIT_SCALE + 8 * weights[offset]) - (48 * 256 * gain) / CONTEXT_ONE;
      numbers[offset] = held(name, shift);
      numbers[offset + 1] = gain;
      return;
    }
    const unit = role === 'synthesis' ? 2 ** exponents[at] : name === 'presence' ? 1 : CONTEXT_ONE;
    for (let i = offset; i < offset + rows * columns; i++) numbers[i] = held(name, unit * weights[i]);
  });
  return { numbers, exponents };
}

/** Shared weights as real numbers, as training and synthesis have them: f32. */
export function realShared(
  architecture: LatentArchitecture,
  { numbers, exponents }: StoredWeights,
): Float32Array {
  const weights = new Float32Array(numbers.length);
  latentTensors(architecture).forEach(({ name, role, offset, rows, columns }, at) => {
    if (name === 'scale') {
      const gain = numbers[offset + 1] / CONTEXT_ONE;
      weights[offset] = (numbers[offset] / 256 + 48 * gain - UNIT_SCALE) / 8;
      weights[offset + 1] = gain;
      return;
    }
    const unit = role === 'synthesis' ? 2 ** exponents[at] : name === 'presence' ? 1 : CONTEXT_ONE;
    for (let i = offset; i < offset + rows * columns; i++) weights[i] = numbers[i] / unit;
  });
  return weights;
}

/** Models that numbers are coded by: one for each kind of tensor, so that few numbers teach it much. */
function modelsByName(): (name: LatentTensor['name'], column: number) => IntegerModel {
  const models = new Map<string, IntegerModel>();
  return (name, column) => {
    const key = name === 'scale' ? `${name} ${column}` : name;
    const known = models.get(key) ?? new IntegerModel();
    models.set(key, known);
    return known;
  };
}

/** The bytes of a header's shared weights: numbers, or what they differ by from built-in ones. */
export function encodeShared(
  architecture: LatentArchitecture,
  { numbers, exponents }: StoredWeights,
): Uint8Array {
  const encoder = new RangeEncoder();
  const modelOf = modelsByName();
  const defaults = defaultWeights(architecture);
  latentTensors(architecture).forEach(({ name, role, offset, rows, columns }, at) => {
    if (role === 'synthesis') encoder.encodeEven(exponents[at], EXPONENT_BITS);
    for (let i = 0; i < rows * columns; i++) {
      const base = defaultNumber(defaults, at, offset + i, exponents[at]);
      modelOf(name, i % columns).encode(encoder, numbers[offset + i] - base);
    }
  });
  return encoder.finish();
}

/**
 * What these bytes hold.
 *
 * @throws LgiError `damaged`, section `header`: a number out of its range, or bytes that no coder ends with.
 */
export function decodeShared(architecture: LatentArchitecture, bytes: Uint8Array): StoredWeights {
  const decoder = new RangeDecoder(bytes);
  const modelOf = modelsByName();
  const numbers = new Int32Array(latentWeightCount(architecture));
  const exponents: number[] = [];
  const defaults = defaultWeights(architecture);
  latentTensors(architecture).forEach(({ name, role, offset, rows, columns }, at) => {
    if (role === 'synthesis') exponents.push(decoder.decodeEven(EXPONENT_BITS));
    for (let i = 0; i < rows * columns; i++) {
      const base = defaultNumber(defaults, at, offset + i, exponents[at]);
      const number = base + modelOf(name, i % columns).decode(decoder);
      if (!isAllowed(name, number)) {
        throw damaged(`a shared weight (${name}) is ${number}, beyond what there can be`);
      }
      numbers[offset + i] = number;
    }
  });
  if (!decoder.isAtEnd())
    throw damaged(`the ${bytes.length} bytes of shared weights do not end where they do`);
  return { numbers, exponents };
}

function damaged(fact: string): LgiError {
  return new LgiError('damaged', `${fact}; fetch the file again`, { section: 'header' });
}
