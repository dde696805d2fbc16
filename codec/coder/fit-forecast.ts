import type { Tensor } from '../architecture.js';
import { quantise } from '../quantise.js';
import type { LocalForecast, TensorQuantiser } from '../quantiser.js';
import { MOST_LENGTH } from './adaptive-integers.js';
import { MODEL_COUNT } from './integer-models.js';
import { decodeOrigin, encodeRangeWeights } from './range-weights.js';

/** Networks by which it is decided whether an origin is of use: enough to tell, whatever a file has. */
const TRIED_NETWORKS = 256;

/**
 * What makes payloads shortest, the header's own bytes counted in: models of their integers, or of the differences from where they began.
 *
 * Networks that began alike (`alike` of initialise.ts) are still near there, above all in their first layers: differences took 12 % off
 * a sound's file, 10 % off a shape's, and 23 % off a video's that was trained shortly. Those from the mean of what they became would be
 * 0.2 to 2 % shorter, but a header with a mean of few partitions tells what one of them was to whoever has the others.
 *
 * @param local weights of some partitions, by which those of all are foretold: f32 [elements of the tensors] each.
 * @param origin where all of them began, if they began alike: f32 [elements of the tensors].
 */
export function fitForecast(
  local: readonly Float32Array[],
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  origin?: Float32Array,
): LocalForecast {
  const plain = { models: integerModels(local, tensors, quantisers) };
  if (origin === undefined) return plain;
  const stream = encodeRangeWeights(origin, tensors, quantisers);
  // Of mostly zeros, which readers refuse: nothing would be gained by it.
  if (8 * stream.length < origin.length) return plain;
  const integers = decodeOrigin({ origin: stream }, tensors, quantisers);
  const differing = { models: integerModels(local, tensors, quantisers, integers), origin: stream };
  const tried = spread(local, TRIED_NETWORKS);
  const byteLength = (forecast: LocalForecast): number => {
    const payloads = tried.reduce(
      (sum, weights) => sum + encodeRangeWeights(weights, tensors, quantisers, forecast).length,
      0,
    );
    const header = forecast.models.length + (forecast.origin?.length ?? 0);
    return (payloads * local.length) / tried.length + header;
  };
  return byteLength(differing) < byteLength(plain) ? differing : plain;
}

/** So many of a list, evenly from all of it; the list itself where it has no more. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]);
}

/**
 * What a header says of the integers of local tensors, so that a payload need not begin by learning it: per tensor a number `n` of
 * bytes, then for magnitudes of at least 0, 1, ... `n - 1` bits how many of {@link MODEL_COUNT} have no more.
 */
function integerModels(
  local: readonly Float32Array[],
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  origin?: Int16Array,
): Uint8Array {
  return Uint8Array.from(
    tensors.flatMap(({ rows, columns, offset }, tensor) => {
      const counts = new Float64Array(MOST_LENGTH);
      for (const each of local)
        for (let i = offset; i < offset + rows * columns; i++) {
          const integer = quantise(each[i], quantisers[tensor]) - (origin?.[i] ?? 0);
          counts[32 - Math.clz32(Math.abs(integer))]++;
        }
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
