import { elementCount, type Tensor } from '../architecture.js';
import { LgiError } from '../errors.js';
import { largestInteger, quantise, type TensorQuantiser, type WeightFormat } from '../quantise.js';
import { BitReader, BitWriter } from './bit-packing.js';
import { deflatePlanes, inflatePlanes } from './deflate.js';
import { fromFloat16Bits, LARGEST_FLOAT16, toFloat16Bits } from './float16.js';

/** What is done to the elements after quantisation. */
export type Coder = 'none' | 'deflate';

/** Signed to unsigned, small magnitudes first: 0, -1, 1, -2, 2 ... become 0, 1, 2, 3, 4 ... */
function zigzag(integer: number): number {
  return integer >= 0 ? 2 * integer : -2 * integer - 1;
}

/** Bytes of one element where elements are whole bytes: the fewest that hold every tensor's integers. */
function elementBytes(quantisers: readonly TensorQuantiser[], format: WeightFormat): number {
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
 * Most bytes that a payload may take; a reader refuses longer ones before it decodes.
 *
 * With coder `none` the exact length. With `deflate`, of `n` bytes before compression, `n + ceil(n / 128) + 64`: more
 * than stored blocks need, and little enough that a stream cannot keep a reader busy.
 */
export function largestPayloadByteLength(
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
): number {
  if (coder === 'none') return packedByteLength(tensors, quantisers, format);
  const plain = elementCount(tensors) * elementBytes(quantisers, format);
  return plain + Math.ceil(plain / 128) + 64;
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
 *
 * @param weights f32 [elements of the tensors]
 * @param quantisers parallel to `tensors`; empty for float formats.
 * @throws LgiError `diverged` where a weight is not finite; `limit` where one overflows float16.
 */
export function encodeWeights(
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
): Uint8Array {
  refuseUnstorable(weights, format);
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

/**
 * The weights of a payload; the inverse of {@link encodeWeights}, for bytes from outside.
 *
 * Allocates in proportion to the tensors' elements, never to what the bytes claim.
 *
 * @param quantisers parallel to `tensors` and checked (`checkQuantiser`); empty for float formats.
 * @param section names the part of the file in errors, as `chunk 3,4`.
 * @returns f32 [elements of the tensors]
 * @throws LgiError `damaged` when the length is not exact, DEFLATE is unsound, a code is out of range, a float is not
 *   finite, or padding is not zero.
 */
export function decodeWeights(
  bytes: Uint8Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
  section?: string,
): Float32Array {
  const damaged = (fact: string): LgiError =>
    new LgiError('damaged', `${fact}; fetch the file again`, { section });
  const count = elementCount(tensors);
  const width = elementBytes(quantisers, format);
  const largest = largestPayloadByteLength(tensors, quantisers, format, coder);
  if (bytes.length > largest || (coder === 'none' && bytes.length < largest)) {
    const expected = coder === 'none' ? `${largest}` : `at most ${largest}`;
    throw damaged(`the weights take ${bytes.length} bytes, ${expected} are expected`);
  }
  const elements = coder === 'none' ? bytes : inflatePlanes(bytes, width, count * width, section);
  const weights = new Float32Array(count);
  if (format !== 'integer') {
    const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
    for (let i = 0; i < count; i++) {
      const weight =
        format === 'float32' ? view.getFloat32(4 * i, true) : fromFloat16Bits(view.getUint16(2 * i, true));
      if (!Number.isFinite(weight)) throw damaged(`weight ${i} is ${weight}`);
      weights[i] = weight;
    }
    return weights;
  }
  const codes = new Uint16Array(count);
  if (coder !== 'none') {
    for (let i = 0; i < count; i++) {
      codes[i] = width === 2 ? elements[2 * i] | (elements[2 * i + 1] << 8) : elements[i];
    }
  } else {
    const reader = new BitReader(elements);
    tensors.forEach(({ rows, columns, offset }, tensor) =>
      reader.readInto(codes.subarray(offset, offset + rows * columns), quantisers[tensor].bits),
    );
    if (!reader.restIsZero()) throw damaged('the padding after the weights is not zero');
  }
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const { bits, step } = quantisers[tensor];
    const largestCode = 2 * largestInteger(bits);
    for (let at = offset; at < offset + rows * columns; at++) {
      const code = codes[at];
      if (code > largestCode) {
        throw damaged(`weight ${at} has code ${code}, which ${bits} bits do not have`);
      }
      // Even codes are 0, 1, 2 ..., odd ones -1, -2, ...
      weights[at] = ((code >>> 1) ^ -(code & 1)) * step;
    }
  });
  return weights;
}
