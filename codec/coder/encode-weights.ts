import type { Tensor } from '../architecture.js';
import { LgiError } from '../errors.js';
import { quantise } from '../quantise.js';
import { type LocalForecast, type TensorQuantiser, type WeightFormat } from '../quantiser.js';
import { BitWriter } from './bit-packing.js';
import { deflatePlanes } from './deflate.js';
import { LARGEST_FLOAT16, toFloat16Bits } from './float16.js';
import { elementBytes, packedByteLength, type Coder } from './payload.js';
import { encodeRangeWeights } from './range-weights.js';

/** Signed to unsigned, small magnitudes first: 0, -1, 1, -2, 2 ... become 0, 1, 2, 3, 4 ... */
function zigzag(integer: number): number {
  return integer >= 0 ? 2 * integer : -2 * integer - 1;
}

/** Calls back for every element in order, with its tensor's quantiser. */
function forEachElement(
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  visit: (at: number, quantiser: TensorQuantiser) => void,
): void {
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    for (let i = offset; i < offset + rows * columns; i++) visit(i, quantisers[tensor]);
  });
}

function refuseUnstorable(weights: Float32Array, format: WeightFormat): void {
  for (const weight of weights) {
    if (!Number.isFinite(weight)) {
      throw new LgiError(
        'diverged',
        `a weight is ${weight}, so training has diverged; encode with a lower rate`,
      );
    }
    if (format === 'float16' && Math.abs(toFloat16Bits(weight) & 0x7fff) === 0x7c00) {
      throw new LgiError(
        'limit',
        `a weight of ${weight} exceeds ${LARGEST_FLOAT16}, the largest float16; take float32 or int12 weights`,
      );
    }
  }
}

function floatElements(weights: Float32Array, format: 'float32' | 'float16'): Uint8Array {
  const width = format === 'float32' ? 4 : 2;
  const bytes = new Uint8Array(weights.length * width);
  const view = new DataView(bytes.buffer);
  weights.forEach((weight, i) => {
    if (format === 'float32') view.setFloat32(4 * i, weight, true);
    else view.setUint16(2 * i, toFloat16Bits(weight), true);
  });
  return bytes;
}

/**
 * Weights to the bytes of a payload. Elements stand in the order of the flat array, tensor after tensor.
 *
 * Element, by format:
 * - `float32`, `float16`: IEEE 754 binary32 or binary16 (nearest, ties to even), little-endian.
 * - `integer`: `q` of the tensor's quantiser as the unsigned code `c = q >= 0 ? 2 q : -2 q - 1`, from 0 to
 *   `2^bits - 2`; the code `2^bits - 1` is never written.
 *
 * Payload, by coder:
 * - `none`: float elements as they are; integer codes bit-packed, `bits` each of their tensor: the lowest bit first,
 *   bytes filled from their lowest bit, no padding between elements or tensors, zero bits up to the last byte's end.
 * - `deflate`: every element in W bytes, little-endian: 4 for float32, 2 for float16, for integers 1 where all bits of
 *   the list are at most 8, else 2. Byte planes: byte 0 of every element, then byte 1 of every element, up to
 *   byte W - 1. This is compressed as one raw DEFLATE stream (RFC 1951), no header or checksum, no preset dictionary.
 * - `range`, for integers alone: `encodeRangeWeights` (range-weights.ts).
 *
 * @param weights f32 [elements of the tensors]
 * @param quantisers parallel to `tensors`; empty for float formats.
 * @param forecast of coder `range`: what the header says of the integers; absent for global weights.
 * @throws LgiError `diverged` where a weight is not finite; `limit` where one overflows float16.
 */
export function encodeWeights(
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
  forecast?: LocalForecast,
): Uint8Array {
  refuseUnstorable(weights, format);
  if (coder === 'range') return encodeRangeWeights(weights, tensors, quantisers, forecast);
  const width = elementBytes(quantisers, format);
  if (format !== 'integer') {
    const bytes = floatElements(weights, format);
    return coder === 'none' ? bytes : deflatePlanes(bytes, width);
  }
  if (coder === 'none') {
    const writer = new BitWriter(packedByteLength(tensors, quantisers, format) * 8);
    forEachElement(tensors, quantisers, (at, quantiser) =>
      writer.write(zigzag(quantise(weights[at], quantiser)), quantiser.bits),
    );
    return writer.finish();
  }
  const bytes = new Uint8Array(weights.length * width);
  forEachElement(tensors, quantisers, (at, quantiser) => {
    const code = zigzag(quantise(weights[at], quantiser));
    bytes[width * at] = code;
    if (width === 2) bytes[width * at + 1] = code >>> 8;
  });
  return deflatePlanes(bytes, width);
}
