import { elementCount, localTensors } from '../../codec/architecture.js';
import { decodeWeights } from '../../codec/coder/decode-weights.js';
import { largestPayloadByteLength } from '../../codec/coder/payload.js';
import { LgiError } from '../../codec/errors.js';
import type { SignalHeader, SineSignal } from './header.js';

/** What says how a chunk's payload is read. */
export type PayloadFormat = Pick<
  SineSignal,
  'model' | 'quantiser' | 'coder' | 'format' | 'constantPartitions'
>;

/** Bytes of an output: binary32. */
export const OUTPUT_BYTES = 4;

/** Length of the payload of a constant partition. */
export function constantPayloadByteLength(channels: number): number {
  return OUTPUT_BYTES * channels;
}

/**
 * Whether networks may have payloads that read as constants. Under coders a writer avoids it, where it happens at all.
 */
export function isAmbiguous({ model, quantiser, coder, format }: PayloadFormat): boolean {
  if (coder !== 'none') return false;
  const tensors = localTensors(model.architecture);
  const byteLength = largestPayloadByteLength(tensors, quantiser.local, quantiser.format, coder);
  return byteLength === constantPayloadByteLength(format.channels);
}

/** Whether a payload of this length is that of a constant partition. */
export function isConstantPayload(
  { constantPartitions, format }: Pick<SignalHeader, 'constantPartitions' | 'format'>,
  byteLength: number,
): boolean {
  return constantPartitions === true && byteLength === constantPayloadByteLength(format.channels);
}

/** The byte behind the stream of a network that would have the length of a constant. */
export const RANGE_END = 0;

/** A payload without {@link RANGE_END}, which no stream of the range coder ends with. */
function withoutEnd(header: PayloadFormat, payload: Uint8Array): Uint8Array {
  const isLonger =
    header.coder === 'range' &&
    isConstantPayload(header, payload.length - 1) &&
    payload[payload.length - 1] === RANGE_END;
  return isLonger ? payload.subarray(0, -1) : payload;
}

/** Whether the integers of a signal's networks are differences from an origin in the header. */
export function hasLocalOrigin(signal: SignalHeader): boolean {
  return signal.latents === undefined && signal.quantiser.forecast?.origin !== undefined;
}

/**
 * The weights that a signal's networks are stored as differences from: f32 [local count]; undefined where they are stored as they are.
 *
 * @throws LgiError `damaged`, section `header`.
 */
export function originWeightsOf({
  model,
  quantiser,
  coder,
}: Pick<SineSignal, 'model' | 'quantiser' | 'coder'>): Float32Array | undefined {
  const origin = quantiser.forecast?.origin;
  const tensors = localTensors(model.architecture);
  return origin && decodeWeights(origin, tensors, quantiser.local, quantiser.format, coder, 'header');
}

/** Chunks that hold networks, which constant ones do not. */
export function countNetworks(
  header: Pick<SignalHeader, 'constantPartitions' | 'format'>,
  payloadLengths: Uint32Array,
): number {
  if (header.constantPartitions !== true) return payloadLengths.length;
  return payloadLengths.reduce((count, length) => (isConstantPayload(header, length) ? count : count + 1), 0);
}

/**
 * The outputs of a constant partition: f32 [channels].
 *
 * @throws LgiError `damaged` where one is not finite.
 */
export function decodeConstant(payload: Uint8Array, section: string): Float32Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return Float32Array.from({ length: payload.length / OUTPUT_BYTES }, (_, channel) => {
    const output = view.getFloat32(OUTPUT_BYTES * channel, true);
    if (Number.isFinite(output)) return output;
    throw new LgiError('damaged', `output ${channel} is ${output}; fetch the file again`, { section });
  });
}

/**
 * Local weights of a chunk: f32 [local count]; of a constant partition those of a network that is nothing but its output biases.
 *
 * @throws LgiError `damaged`.
 */
export function localWeightsOf(header: PayloadFormat, payload: Uint8Array, section: string): Float32Array {
  const { model, quantiser, coder } = header;
  const tensors = localTensors(model.architecture);
  if (!isConstantPayload(header, payload.length)) {
    return decodeWeights(
      withoutEnd(header, payload),
      tensors,
      quantiser.local,
      quantiser.format,
      coder,
      section,
      quantiser.forecast,
    );
  }
  const weights = new Float32Array(elementCount(tensors));
  // The output layer's biases are the last tensor.
  weights.set(decodeConstant(payload, section), weights.length - model.architecture.outputs);
  return weights;
}
