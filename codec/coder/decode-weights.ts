import { elementCount, type Tensor } from '../architecture.js';
import { LgiError } from '../errors.js';
import { largestInteger, type LocalForecast, type TensorQuantiser, type WeightFormat } from '../quantiser.js';
import { BitReader } from './bit-packing.js';
import { fromFloat16Bits } from './float16.js';
import { inflatePlanes } from './inflate.js';
import { rangeWeights } from './load-coder.js';
import { elementBytes, largestPayloadByteLength, type Coder } from './payload.js';

/**
 * The weights of a payload; the inverse of `encodeWeights` (encode-weights.ts), for bytes from outside.
 *
 * Allocates in proportion to the tensors' elements, never to what the bytes claim.
 *
 * @param quantisers parallel to `tensors` and checked (`checkQuantiser`); empty for float formats.
 * @param section names the part of the file in errors, as `chunk 3,4`.
 * @param forecast of coder `range`, as `encodeWeights` had it.
 * @returns f32 [elements of the tensors]
 * @throws LgiError `damaged` when the length is not exact, DEFLATE is unsound, a code is out of range, a float is not
 *   finite, padding is not zero, or a range coder's stream does not end where its weights do.
 */
export function decodeWeights(
  bytes: Uint8Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  format: WeightFormat,
  coder: Coder,
  section?: string,
  forecast?: LocalForecast,
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
  if (coder === 'range') {
    const weights = new Float32Array(count);
    if (rangeWeights === undefined) throw new Error('loadCoder was not called');
    rangeWeights(bytes, weights, tensors, quantisers, forecast, section);
    return weights;
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
