import { allocate } from './allocate.js';

/** What a signal is; decides the names and order of its axes. */
export type SignalKind = 'image' | 'audio' | 'video' | 'volume' | 'shape';

/** Axis names in storage order, slowest first; every array of samples is row-major in this order. */
export const AXES: Readonly<Record<SignalKind, readonly string[]>> = {
  image: ['y', 'x'],
  audio: ['t'],
  video: ['t', 'y', 'x'],
  volume: ['z', 'y', 'x'],
  shape: ['z', 'y', 'x'],
};

/** How one sample is held in memory and in the source medium. */
export type SampleType = 'uint8' | 'uint16' | 'float32';

/** Samples in memory, by sample type: uint8, uint16 or float32. */
export type SampleArray = Uint8Array | Uint16Array | Float32Array;

/** What the channels mean; alpha is straight (not premultiplied) and always last. */
export type ChannelLayout = 'grey' | 'grey-alpha' | 'rgb' | 'rgb-alpha' | 'plain';

/**
 * Affine map between network output `y` and sample value `v`: `v = y * scale + offset`.
 *
 * Integers map their type's full range to [-1, 1], never by content, so that appended parts agree.
 */
export interface ValueMapping {
  readonly scale: number;
  readonly offset: number;
}

/** Everything about the samples themselves, apart from where they lie. */
export interface SampleFormat {
  readonly sampleType: SampleType;
  readonly channels: number;
  readonly layout: ChannelLayout;
  readonly mapping: ValueMapping;
}

/** The mapping of a sample type: full integer range to [-1, 1]; floats as they are. */
export function fullRangeMapping(sampleType: SampleType): ValueMapping {
  if (sampleType === 'float32') return { scale: 1, offset: 0 };
  const half = peakOf(sampleType) / 2;
  return { scale: half, offset: half };
}

/** The largest sample of a type: 2^bits - 1 for integers; 1 for floats, of which it is the usual one. */
export function peakOf(sampleType: SampleType): number {
  if (sampleType === 'uint8') return 255;
  return sampleType === 'uint16' ? 65535 : 1;
}

/**
 * The PSNR peak of a signal's samples: 2^bits - 1 for integers; of floats 1, but for volumes and shapes max - min, which their
 * mapping holds.
 */
export function signalPeak(
  kind: SignalKind,
  { sampleType, mapping }: Pick<SampleFormat, 'sampleType' | 'mapping'>,
): number {
  const isMapped = sampleType === 'float32' && (kind === 'volume' || kind === 'shape');
  return isMapped ? 2 * Math.abs(mapping.scale) : peakOf(sampleType);
}

/** Index of the alpha channel, or -1. */
export function alphaChannel(format: Pick<SampleFormat, 'layout' | 'channels'>): number {
  return format.layout.endsWith('-alpha') ? format.channels - 1 : -1;
}

/**
 * A zero-filled array of `length` samples of the type.
 *
 * @throws LgiError `limit` where they do not fit into memory.
 */
export function allocateSamples(sampleType: SampleType, length: number): SampleArray {
  return allocate(`${length} samples`, () => {
    if (sampleType === 'uint8') return new Uint8Array(length);
    return sampleType === 'uint16' ? new Uint16Array(length) : new Float32Array(length);
  });
}

/**
 * Network outputs to samples: map, clamp to the type's range, round half up.
 *
 * A clamped typed array is no substitute: it rounds half to even, and the format says half up.
 *
 * @param outputs f32, any length; `target` the same length.
 */
export function outputsToSamples(outputs: Float32Array, mapping: ValueMapping, target: SampleArray): void {
  const { scale, offset } = mapping;
  if (target instanceof Float32Array) {
    for (let i = 0; i < outputs.length; i++) target[i] = outputs[i] * scale + offset;
    return;
  }
  const peak = target instanceof Uint8Array ? 255 : 65535;
  for (let i = 0; i < outputs.length; i++) {
    const value = outputs[i] * scale + offset + 0.5;
    target[i] = value >= peak ? peak : value > 0 ? value : 0;
  }
}
