import { boxShape, boxSize } from './grid.js';
import type { Box, Grid } from './grid.js';
import { psnrOf } from './metrics.js';
import { allocateSamples, alphaChannel, peakOf } from './signal.js';
import type { SampleArray, SampleFormat } from './signal.js';

/**
 * What is fitted: the mean squared error between outputs and samples, colour weighted by alpha.
 *
 * Losses that are no sum over samples (sinograms, say) would be further members; every engine fits this one.
 */
export interface Objective {
  /** Boxes of the partitions. */
  readonly boxes: readonly Box[];
  readonly format: SampleFormat;
  /** The PSNR peak, in sample units. */
  readonly peak: number;
  /**
   * Samples in their source type, partition-major: the partitions' samples one after the other, inside a partition
   * row-major `[...box, channels]`.
   */
  readonly samples: SampleArray;
}

/** What of a signal an objective takes, and how its errors are told. */
export interface ObjectiveOptions {
  /** The partitions, in this order; default all. */
  readonly ordinals?: readonly number[];
  /** The PSNR peak, in sample units; default by sample type. */
  readonly peak?: number;
  /**
   * Samples of its neighbours that a partition takes along on every side, mirrored where the signal ends; default 0. Boxes grow by as
   * much: their centres, from which cell coordinates count, stay.
   */
  readonly margin?: number;
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
  { ordinals = allOrdinals(grid), peak = peakOf(format.sampleType), margin = 0 }: ObjectiveOptions = {},
): Promise<Objective> {
  const boxes = ordinals.map((ordinal) => widened(grid.boxOf(ordinal), margin));
  const positions = boxes.reduce((sum, box) => sum + boxSize(box), 0);
  const samples = allocateSamples(format.sampleType, positions * format.channels);
  let offset = 0;
  for (const box of boxes) {
    const part = margin === 0 ? await read(box) : await readMirrored(grid.extent, format, read, box);
    samples.set(part, offset);
    offset += part.length;
  }
  return { boxes, format, peak, samples };
}

function widened({ begin, end }: Box, margin: number): Box {
  return { begin: begin.map((at) => at - margin), end: end.map((at) => at + margin) };
}

/** The samples of a box that may leave the extent: there they are those of its mirror image, as folded coordinates have it. */
async function readMirrored(
  extent: Box,
  { sampleType, channels }: SampleFormat,
  read: (box: Box) => Promise<SampleArray>,
  box: Box,
): Promise<SampleArray> {
  const inside = {
    begin: box.begin.map((at, axis) => Math.max(at, extent.begin[axis])),
    end: box.end.map((at, axis) => Math.min(at, extent.end[axis])),
  };
  const there = await read(inside);
  if (boxSize(inside) === boxSize(box)) return there;
  const samples = allocateSamples(sampleType, boxSize(box) * channels);
  const [shape, innerShape] = [boxShape(box), boxShape(inside)];
  const at = shape.map(() => 0);
  for (let to = 0; to < samples.length; to += channels) {
    const from = at.reduce((offset, step, axis) => {
      const position = step + box.begin[axis] - inside.begin[axis];
      const length = innerShape[axis];
      // Margins are shorter than what they are the mirror image of.
      const mirrored =
        position < 0 ? -1 - position : position >= length ? 2 * length - 1 - position : position;
      return offset * length + mirrored;
    }, 0);
    for (let channel = 0; channel < channels; channel++)
      samples[to + channel] = there[from * channels + channel];
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
  return samples;
}

function allOrdinals({ count }: Grid): number[] {
  return Array.from({ length: count }, (_, ordinal) => ordinal);
}

/** PSNR in dB of a mean squared error in output units: the peak is seen through the value mapping. */
export function psnrOfError(
  meanSquaredError: number,
  { format, peak }: Pick<Objective, 'format' | 'peak'>,
): number {
  return psnrOf(meanSquaredError, peak / format.mapping.scale);
}

/** Mean of each partition's samples by channel, in output units, colour weighted by alpha: f64 [partitions][channels]. */
export function partitionMeans({ boxes, format, samples }: Omit<Objective, 'peak'>): Float64Array[] {
  const { channels, mapping } = format;
  const alpha = alphaChannel(format);
  const opaque = peakOf(format.sampleType);
  let at = 0;
  return boxes.map((box) => {
    const sums = new Float64Array(channels);
    const weights = new Float64Array(channels);
    for (const end = at + boxSize(box) * channels; at < end; at += channels) {
      const colourWeight = alpha < 0 ? 1 : samples[at + alpha] / opaque;
      for (let channel = 0; channel < channels; channel++) {
        const weight = channel === alpha ? 1 : colourWeight;
        sums[channel] += weight * samples[at + channel];
        weights[channel] += weight;
      }
    }
    // What cannot be seen may be anything; the middle of the range is as far from everything as can be helped.
    return sums.map((sum, channel) =>
      weights[channel] === 0 ? 0 : (sum / weights[channel] - mapping.offset) / mapping.scale,
    );
  });
}

/**
 * Mean squared error of outputs that stored samples do not show: a deviation of a quarter of the step between two integers, four of
 * which fit the half step that rounding takes away; of floats, a quarter of the step of 16-bit integers over the same range.
 */
export function harmlessError({ sampleType, mapping }: SampleFormat): number {
  const stepOfOutputs = sampleType === 'float32' ? 2 / 65_535 : 1 / Math.abs(mapping.scale);
  return (stepOfOutputs / 4) ** 2;
}
