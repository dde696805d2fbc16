import { boxShape, type Grid } from '../codec/grid.js';
import type { TargetPartition } from '../codec/latent/encode-partitions.js';
import { alphaChannel, peakOf, type SampleArray, type SampleFormat } from '../codec/signal.js';

/** A partition's samples as the latent family trains on them: planes in units of the amplitude, and how much of them is seen. */
export function latentTarget(
  samples: SampleArray,
  shape: readonly [height: number, width: number],
  format: SampleFormat,
  amplitude: number,
): TargetPartition {
  const { channels, mapping } = format;
  const count = shape[0] * shape[1];
  const target = new Float32Array(count * channels);
  const factor = 1 / (mapping.scale * amplitude);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < count; i++) {
      target[channel * count + i] = (samples[i * channels + channel] - mapping.offset) * factor;
    }
  }
  const alpha = alphaChannel(format);
  if (alpha < 0) return { shape, target };
  const opaque = peakOf(format.sampleType);
  return {
    shape,
    target,
    opacity: Float32Array.from({ length: count }, (_, i) => samples[i * channels + alpha] / opaque),
  };
}

/** Rows and columns of a partition. */
export function partitionShape(grid: Grid, ordinal: number): readonly [height: number, width: number] {
  const [height, width] = boxShape(grid.boxOf(ordinal));
  return [height, width];
}
