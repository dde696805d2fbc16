import { boxSize } from './grid.js';
import type { Box, Grid } from './grid.js';
import { psnrOf } from './metrics.js';
import { allocateSamples, peakOf } from './signal.js';
import type { SampleArray, SampleFormat } from './signal.js';

/**
 * What is fitted: the mean squared error between outputs and samples, colour weighted by alpha.
 *
 * Losses that are no sum over samples (sinograms, say) would be further members; every engine fits this one.
 */
export interface Objective {
  /** Boxes of the partitions, in ordinal order. */
  readonly boxes: readonly Box[];
  readonly format: SampleFormat;
  /**
   * Samples in their source type, partition-major: the partitions' samples one after the other, inside a partition
   * row-major `[...box, channels]`.
   */
  readonly samples: SampleArray;
}

/**
 * Gathers a signal's samples by partition.
 *
 * @param read gives the samples of a box, row-major `[...box, channels]`
 */
export async function sampleObjective(
  grid: Grid,
  format: SampleFormat,
  read: (box: Box) => Promise<SampleArray>,
): Promise<Objective> {
  const boxes = Array.from({ length: grid.count }, (_, ordinal) => grid.boxOf(ordinal));
  const samples = allocateSamples(format.sampleType, boxSize(grid.extent) * format.channels);
  let offset = 0;
  for (const box of boxes) {
    const part = await read(box);
    samples.set(part, offset);
    offset += part.length;
  }
  return { boxes, format, samples };
}

/**
 * PSNR in dB of a mean squared error in output units.
 *
 * The peak is the sample type's (2^bits - 1, or 1 for floats) seen through the value mapping.
 */
export function psnrOfError(meanSquaredError: number, format: SampleFormat): number {
  return psnrOf(meanSquaredError, peakOf(format.sampleType) / format.mapping.scale);
}
