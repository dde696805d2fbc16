import { elementCount, type Tensor } from '../architecture.js';
import type { TensorQuantiser, WeightFormat } from '../quantiser.js';

/** What is done to the elements after quantisation. */
export type Coder = 'none' | 'deflate' | 'range';

/** Bytes of one element where elements are whole bytes: the fewest that hold every tensor's integers. */
export function elementBytes(quantisers: readonly TensorQuantiser[], format: WeightFormat): number {
  if (format === 'float32') return 4;
  if (format === 'float16') return 2;
  return quantisers.some(({ bits }) => bits > 8) ? 2 : 1;
}

/**
 * Exact bytes of a payload with coder `none`.
 *
 * Floats: 4 or 2 an element. Integers: `ceil(sum over tensors of elements * bits / 8)`.
 */
export function packedByteLength(
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
): number {
  if (format !== 'integer') return elementCount(tensors) * elementBytes(quantisers, format);
  const bits = tensors.reduce((sum, { rows, columns }, at) => sum + rows * columns * quantisers[at].bits, 0);
  return Math.ceil(bits / 8);
}

/**
 * Bytes of an integer under the range coder, at most: 16 bits, each told by a model that has seen nothing but the contrary 255 times
 * (9 bits), a sign and 15 bits.
 */
const MOST_RANGE_BYTES = 20;

/** And of its end. */
const RANGE_END_BYTES = 4;

/**
 * Most bytes that a payload may take; a reader refuses longer ones before it decodes.
 *
 * With coder `none` the exact length. With `deflate`, of `n` bytes before compression, `n + ceil(n / 128) + 64`: more
 * than stored blocks need, and little enough that a stream cannot keep a reader busy. With `range` {@link MOST_RANGE_BYTES} an element.
 */
export function largestPayloadByteLength(
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
): number {
  if (coder === 'none') return packedByteLength(tensors, quantisers, format);
  if (coder === 'range') return MOST_RANGE_BYTES * elementCount(tensors) + RANGE_END_BYTES;
  const plain = elementCount(tensors) * elementBytes(quantisers, format);
  return plain + Math.ceil(plain / 128) + 64;
}
