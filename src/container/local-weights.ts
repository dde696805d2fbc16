import { elementCount, localTensors } from '../../codec/architecture.js';
import { decodeWeights, encodeWeights, largestPayloadByteLength } from '../../codec/coder/payload.js';
import { LgiError } from '../../codec/errors.js';
import type { SignalHeader } from './header.js';

/** What says how a chunk's payload is read. */
export type PayloadFormat = Pick<
  SignalHeader,
  'model' | 'quantiser' | 'coder' | 'format' | 'constantPartitions'
>;

/** Bytes of an output: binary32. */
const OUTPUT_BYTES = 4;

/** Length of the payload of a constant partition. */
export function constantPayloadByteLength(channels: number): number {
  return OUTPUT_BYTES * channels;
}

/**
 * Whether networks may have payloads that read as constants. Under DEFLATE a writer avoids it, where it happens at all, by an empty
 * block in front.
 */
export function isAmbiguous({ model, quantiser, coder, format }: PayloadFormat): boolean {
  if (coder !== 'none') return false;
  const tensors = localTensors(model.architecture);
  const byteLength = largestPayloadByteLength(tensors, quantiser.local, quantiser.format, coder);
  return byteLength === constantPayloadByteLength(format.channels);
}

/** Whether a payload of this length is that of a constant partition. */
export function isConstantPayload(
  { constantPartitions, format }: PayloadFormat,
  byteLength: number,
): boolean {
  return constantPartitions === true && byteLength === constantPayloadByteLength(format.channels);
}

/** Chunks that hold networks, which constant ones do not. */
export function countNetworks(header: PayloadFormat, payloadLengths: Uint32Array): number {
  if (header.constantPartitions !== true) return payloadLengths.length;
  return payloadLengths.reduce((count, length) => (isConstantPayload(header, length) ? count : count + 1), 0);
}

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
  );
  if (coder === 'none' || !isConstantPayload(header, payload.length)) return payload;
  const longer = new Uint8Array(EMPTY_BLOCK.length + payload.length);
  longer.set(EMPTY_BLOCK);
  longer.set(payload, EMPTY_BLOCK.length);
  return longer;
}

/** The payload of a partition whose network outputs are these everywhere. */
export function encodeConstant(outputs: Float32Array): Uint8Array {
  const bytes = new Uint8Array(OUTPUT_BYTES * outputs.length);
  const view = new DataView(bytes.buffer);
  outputs.forEach((output, channel) => view.setFloat32(OUTPUT_BYTES * channel, output, true));
  return bytes;
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
    return decodeWeights(payload, tensors, quantiser.local, quantiser.format, coder, section);
  }
  const weights = new Float32Array(elementCount(tensors));
  // The output layer's biases are the last tensor.
  weights.set(decodeConstant(payload, section), weights.length - model.architecture.outputs);
  return weights;
}
