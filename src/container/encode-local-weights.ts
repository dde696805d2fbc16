import { localTensors, type Architecture } from '../../codec/architecture.js';
import type { Coder } from '../../codec/coder/payload.js';
import { fitForecast } from '../../codec/coder/fit-forecast.js';
import type { Quantiser } from '../../codec/quantiser.js';
import { encodeWeights } from '../../codec/coder/encode-weights.js';
import { isConstantPayload, OUTPUT_BYTES, RANGE_END, type PayloadFormat } from './local-weights.js';

/** An empty block of a DEFLATE stream, which is not the last one: it changes nothing but the length. */
const EMPTY_BLOCK = Uint8Array.of(0, 0, 0, 0xff, 0xff);

/**
 * The payload of a partition's network, never of a length that reads as a constant.
 *
 * @throws LgiError `diverged` where a weight is not finite.
 */
export function encodeNetwork(weights: Float32Array, header: PayloadFormat): Uint8Array {
  const { model, quantiser, coder } = header;
  const payload = encodeWeights(
    weights,
    localTensors(model.architecture),
    quantiser.local,
    quantiser.format,
    coder,
    quantiser.forecast,
  );
  if (coder === 'none' || !isConstantPayload(header, payload.length)) return payload;
  if (coder === 'range') return Uint8Array.of(...payload, RANGE_END);
  const longer = new Uint8Array(EMPTY_BLOCK.length + payload.length);
  longer.set(EMPTY_BLOCK);
  longer.set(payload, EMPTY_BLOCK.length);
  return longer;
}

/**
 * A quantiser with what a coder has to know of the networks' integers.
 *
 * @param local weights of some partitions, by which those of all are foretold.
 * @param origin where all of them began, if they began alike: f32 [local count].
 */
export function quantiserFor(
  coder: Coder,
  quantiser: Quantiser,
  architecture: Architecture,
  local: readonly Float32Array[],
  origin?: Float32Array,
): Quantiser {
  if (coder !== 'range') return quantiser;
  return { ...quantiser, forecast: fitForecast(local, localTensors(architecture), quantiser.local, origin) };
}

/** The payload of a partition whose network outputs are these everywhere. */
export function encodeConstant(outputs: Float32Array): Uint8Array {
  const bytes = new Uint8Array(OUTPUT_BYTES * outputs.length);
  const view = new DataView(bytes.buffer);
  outputs.forEach((output, channel) => view.setFloat32(OUTPUT_BYTES * channel, output, true));
  return bytes;
}
