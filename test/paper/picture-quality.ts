import { compareSamples } from '../../codec/metrics.js';
import {
  allocateSamples,
  outputsToSamples,
  type SampleArray,
  type SampleFormat,
} from '../../codec/signal.js';
import { structuralSimilarity } from '../../codec/structural-similarity.js';
import type { Media } from '../../src/media/media.js';
import type { Metric } from './experiment.js';
import { asMedia, clamped, stretched, type FloatPicture } from './float-picture.js';

type Quality = Partial<Record<Metric, number>>;

/** Of experiments that compare pictures. */
export const SSIM_NOTE =
  'SSIM is the mean over channels, by Gaussian windows of 11x11, sigma 1.5, of what is decoded.';

/** Of experiments that encode pictures by SIREN. */
export const STRETCHED_NOTE =
  "The paper's PSNR, by its code, is of pictures that are stretched to the same range, what the network gives and what it was trained on each by its own least and largest value. The PSNR beside it is of 8-bit samples.";

/**
 * How near outputs come to the medium that they were trained on.
 *
 * @param outputs of all samples, f32 row-major `[...shape, channels]`, in the network's units.
 */
export async function encodedQuality(media: Media, outputs: Float32Array): Promise<Quality> {
  const { format, kind, shape } = media;
  const source = await media.read({ begin: shape.map(() => 0), end: shape });
  const samples = allocateSamples(format.sampleType, outputs.length);
  outputsToSamples(outputs, format.mapping, samples);
  const { psnr } = compareSamples(source, samples, format);
  if (kind !== 'image') return { psnr };
  const [height, width] = shape;
  return {
    psnr,
    stretched: stretchedPsnr(source, outputs),
    ssim: channelSimilarity(source, samples, [height, width], format),
  };
}

/** How near a picture, whose values may lie outside, comes to one whose values go from 0 to 1. */
export function pictureQuality(picture: FloatPicture, reference: FloatPicture): Quality {
  const { format } = asMedia(reference);
  const data = clamped(picture.data);
  return {
    psnr: compareSamples(reference.data, data, format).psnr,
    unclamped: compareSamples(reference.data, picture.data, format).psnr,
    ssim: channelSimilarity(reference.data, data, reference.shape, format),
  };
}

/** Mean over channels of their structural similarity, as the paper's code has it of pictures in colour. */
function channelSimilarity(
  reference: SampleArray,
  samples: SampleArray,
  shape: readonly [height: number, width: number],
  { sampleType, channels }: Pick<SampleFormat, 'sampleType' | 'channels'>,
): number {
  const format = { sampleType, channels: 1, layout: 'grey' } as const;
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) {
    const own = (all: SampleArray): SampleArray => all.filter((_, i) => i % channels === channel);
    sum += structuralSimilarity(own(reference), own(samples), shape, format);
  }
  return sum / channels;
}

/**
 * PSNR, in dB, of two pictures that are stretched to the same range, each by its own least and largest value: the paper's code has it so.
 *
 * Nothing is clamped: an output beyond the picture's range takes contrast from all others.
 */
function stretchedPsnr(reference: SampleArray, outputs: SampleArray): number {
  const [expected, found] = [reference, outputs].map((data) => stretched(Float32Array.from(data)));
  const squares = expected.reduce((sum, value, i) => sum + (value - found[i]) ** 2, 0);
  return -10 * Math.log10(squares / expected.length);
}
