import type { Tensor } from '../architecture.js';
import { LgiError } from '../errors.js';
import { quantise } from '../quantise.js';
import { largestInteger, type TensorQuantiser } from '../quantiser.js';
import { IntegerModel, MOST_LENGTH } from './adaptive-integers.js';
import { MODEL_COUNT, splitModels } from './integer-models.js';
import { RangeDecoder, RangeEncoder } from './range-coder.js';

/**
 * What a header says of the integers of local tensors, so that a payload need not begin by learning it: per tensor a number `n` of
 * bytes, then for magnitudes of at least 0, 1, ... `n - 1` bits how many of {@link MODEL_COUNT} have no more.
 *
 * @param weights of some partitions: f32 [elements of the tensors] each.
 */
export function integerModels(
  weights: readonly Float32Array[],
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
): Uint8Array {
  return Uint8Array.from(
    tensors.flatMap(({ rows, columns, offset }, tensor) => {
      const counts = new Float64Array(MOST_LENGTH);
      for (const each of weights)
        for (let i = offset; i < offset + rows * columns; i++)
          counts[32 - Math.clz32(Math.abs(quantise(each[i], quantisers[tensor])))]++;
      const longest = counts.findLastIndex((count) => count > 0);
      let rest = counts.reduce((sum, count) => sum + count, 0);
      const shares = Array.from(counts.subarray(0, longest + 1), (count) => {
        const share = Math.round((MODEL_COUNT * count) / rest);
        rest -= count;
        return share;
      });
      return [shares.length, ...shares];
    }),
  );
}

/** A new model for every tensor: that of the header, or one that knows nothing where there is none. */
function freshModels(models: Uint8Array | undefined, tensors: readonly Tensor[]): (() => IntegerModel)[] {
  const known = models && splitModels(models, tensors.length);
  if (models && !known) throw new Error('models of the header that were not checked');
  return tensors.map((_, tensor) => () => new IntegerModel(known?.[tensor], MODEL_COUNT));
}

/**
 * Integers of weights as a stream of the range coder, in the order of the tensors.
 *
 * @param models of {@link integerModels}; absent where the stream itself is all that there is, as for global weights.
 */
export function encodeRangeWeights(
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  models?: Uint8Array,
): Uint8Array {
  const encoder = new RangeEncoder();
  const fresh = freshModels(models, tensors);
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const model = fresh[tensor]();
    for (let i = offset; i < offset + rows * columns; i++)
      model.encode(encoder, quantise(weights[i], quantisers[tensor]));
  });
  return encoder.finish();
}

/**
 * The inverse of {@link encodeRangeWeights}, for bytes from outside.
 *
 * @param weights f32 [elements of the tensors], filled in.
 * @throws LgiError `damaged`: an integer that its bits do not have, or bytes that no coder ends with.
 */
export function decodeRangeWeights(
  bytes: Uint8Array,
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  models: Uint8Array | undefined,
  section?: string,
): void {
  const decoder = new RangeDecoder(bytes);
  const fresh = freshModels(models, tensors);
  const damaged = (fact: string): LgiError =>
    new LgiError('damaged', `${fact}; fetch the file again`, { section });
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const { bits, step } = quantisers[tensor];
    const largest = largestInteger(bits);
    const model = fresh[tensor]();
    for (let i = offset; i < offset + rows * columns; i++) {
      const integer = model.decode(decoder);
      if (Math.abs(integer) > largest) {
        throw damaged(`weight ${i} is ${integer} steps, which ${bits} bits do not have`);
      }
      weights[i] = integer * step;
    }
  });
  if (!decoder.isAtEnd()) throw damaged(`the ${bytes.length} bytes of weights do not end where they do`);
}
