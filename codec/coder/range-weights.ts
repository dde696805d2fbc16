import { elementCount, type Tensor } from '../architecture.js';
import { LgiError } from '../errors.js';
import { quantise } from '../quantise.js';
import { largestInteger, type LocalForecast, type TensorQuantiser } from '../quantiser.js';
import { IntegerModel } from './adaptive-integers.js';
import { MODEL_COUNT, splitModels } from './integer-models.js';
import { RangeDecoder, RangeEncoder } from './range-coder.js';

/** A new model for every tensor: that of the header, or one that knows nothing where there is none. */
function freshModels(models: Uint8Array | undefined, tensors: readonly Tensor[]): (() => IntegerModel)[] {
  const known = models && splitModels(models, tensors.length);
  if (models && !known) throw new Error('models of the header that were not checked');
  return tensors.map((_, tensor) => () => new IntegerModel(known?.[tensor], MODEL_COUNT));
}

/** Origins that were decoded, by their streams: every payload of a file has the same. */
const decodedOrigins = new WeakMap<Uint8Array, Int16Array>();

/**
 * What the header says that integers are the differences from: i16 [elements of the tensors]; undefined where they are themselves.
 *
 * @throws LgiError `damaged`, section `header`.
 */
export function decodeOrigin(
  { origin }: Pick<LocalForecast, 'origin'>,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
): Int16Array | undefined {
  if (origin === undefined) return undefined;
  let integers = decodedOrigins.get(origin);
  if (integers === undefined) {
    integers = decodeIntegers(origin, tensors, quantisers, undefined, 'header');
    decodedOrigins.set(origin, integers);
  }
  return integers;
}

/**
 * Integers of weights as a stream of the range coder, in the order of the tensors.
 *
 * @param forecast absent where the stream itself is all that there is, as for global weights.
 */
export function encodeRangeWeights(
  weights: Float32Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  forecast?: LocalForecast,
): Uint8Array {
  const encoder = new RangeEncoder();
  const fresh = freshModels(forecast?.models, tensors);
  const origin = forecast && decodeOrigin(forecast, tensors, quantisers);
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const model = fresh[tensor]();
    for (let i = offset; i < offset + rows * columns; i++)
      model.encode(encoder, quantise(weights[i], quantisers[tensor]) - (origin?.[i] ?? 0));
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
  forecast: LocalForecast | undefined,
  section?: string,
): void {
  const integers = decodeIntegers(bytes, tensors, quantisers, forecast, section);
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const { step } = quantisers[tensor];
    for (let i = offset; i < offset + rows * columns; i++) weights[i] = integers[i] * step;
  });
}

function decodeIntegers(
  bytes: Uint8Array,
  tensors: readonly Tensor[],
  quantisers: readonly TensorQuantiser[],
  forecast: LocalForecast | undefined,
  section?: string,
): Int16Array {
  const integers = new Int16Array(elementCount(tensors));
  const decoder = new RangeDecoder(bytes);
  const fresh = freshModels(forecast?.models, tensors);
  const origin = forecast && decodeOrigin(forecast, tensors, quantisers);
  const damaged = (fact: string): LgiError =>
    new LgiError('damaged', `${fact}; fetch the file again`, { section });
  tensors.forEach(({ rows, columns, offset }, tensor) => {
    const { bits } = quantisers[tensor];
    const largest = largestInteger(bits);
    const model = fresh[tensor]();
    for (let i = offset; i < offset + rows * columns; i++) {
      const integer = model.decode(decoder) + (origin?.[i] ?? 0);
      if (Math.abs(integer) > largest) {
        throw damaged(`weight ${i} is ${integer} steps, which ${bits} bits do not have`);
      }
      integers[i] = integer;
    }
  });
  if (!decoder.isAtEnd()) throw damaged(`the ${bytes.length} bytes of weights do not end where they do`);
  return integers;
}
