import { ssim, type Matrix } from 'ssim.js';
import { alphaChannel, peakOf, type SampleArray, type SampleFormat } from './signal.js';

/** Name of the variant that {@link structuralSimilarity} computes, to stand beside every figure of it. */
export const SSIM_VARIANT = 'luma, Gaussian 11x11, sigma 1.5, no downsampling';

/** Window of Wang et al. 2004. */
const WINDOW = 11;

/**
 * Rows of the similarity map made at a time: the library takes some twenty f64 arrays of its input's size, and the
 * map is local, so that bands give the very same numbers in bounded memory.
 */
const BAND_ROWS = 64;

/** The library computes its constants from a bit depth; every sample type is brought to this one. */
const BIT_DEPTH = 16;
const FULL = 2 ** BIT_DEPTH - 1;

type PictureFormat = Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>;

/** Luma of rows `[begin, end)`, times alpha (so over black), as the grey RGBA pixels that the library wants. */
function lumaBand(
  samples: SampleArray,
  width: number,
  begin: number,
  end: number,
  format: PictureFormat,
): Uint16Array {
  const { channels } = format;
  const alpha = alphaChannel(format);
  const isColour = channels - (alpha < 0 ? 0 : 1) >= 3;
  const peak = peakOf(format.sampleType);
  const pixels = new Uint16Array((end - begin) * width * 4);
  for (let i = 0; i < pixels.length / 4; i++) {
    const at = (begin * width + i) * channels;
    const grey = isColour
      ? 0.299 * samples[at] + 0.587 * samples[at + 1] + 0.114 * samples[at + 2]
      : samples[at];
    const opacity = alpha < 0 ? 1 : samples[at + alpha] / peak;
    const value = Math.round(Math.max(0, Math.min(1, (grey * opacity) / peak)) * FULL);
    pixels.fill(value, 4 * i, 4 * i + 3);
  }
  return pixels;
}

/**
 * Mean structural similarity of two pictures (Wang, Bovik, Sheikh, Simoncelli 2004), {@link SSIM_VARIANT}; 1 for equal ones.
 *
 * Luma by Rec. 601 weights, over black where there is alpha, in 16 bits whatever the sample type; K1 = 0.01,
 * K2 = 0.03; the map is taken where the window fits. A picture smaller than 11 on an axis gets the largest odd
 * window that fits both axes, down to 1, where only luminance is compared.
 *
 * @param shape `[height, width]`.
 * @param reference row-major `[height, width, channels]`; floats in [0, 1].
 * @param samples the same length.
 * @throws RangeError when a length is not that of the shape.
 */
export function structuralSimilarity(
  reference: SampleArray,
  samples: SampleArray,
  shape: readonly [number, number],
  format: PictureFormat,
): number {
  const [height, width] = shape;
  const expected = height * width * format.channels;
  if (reference.length !== expected || samples.length !== expected || expected === 0) {
    throw new RangeError(
      `${reference.length} and ${samples.length} samples are no pictures of ${width}x${height}`,
    );
  }
  const { sum, count } = similaritySum(reference, samples, shape, format, similarityWindow(shape));
  return sum / count;
}

/** Side of the window that a picture is compared by: 11, or the largest odd number that fits both axes. */
export function similarityWindow([height, width]: readonly [number, number]): number {
  const fitting = Math.min(WINDOW, height, width);
  return fitting - ((fitting + 1) % 2);
}

/**
 * Sum and number of the similarity map's values over a part of a picture: those whose window lies in it.
 *
 * Parts that overlap by the window less one have together the values of the whole, each once, and those depend on nothing
 * else; {@link structuralSimilarity} is the sum of all divided by their number.
 *
 * @param shape `[height, width]` of the part, at least the window.
 * @param window as {@link similarityWindow} has it for the whole.
 * @param most rows of the map that are made, from the first; default all.
 */
export function similaritySum(
  reference: SampleArray,
  samples: SampleArray,
  [height, width]: readonly [number, number],
  format: PictureFormat,
  window: number,
  most = Infinity,
): { readonly sum: number; readonly count: number } {
  const mapRows = Math.min(most, height - window + 1);
  let sum = 0;
  for (let row = 0; row < mapRows; row += BAND_ROWS) {
    const rows = Math.min(BAND_ROWS, mapRows - row);
    const bandHeight = rows + window - 1;
    const band = (data: SampleArray) => ({
      // The library reads the pixels as numbers and takes any typed array, though its types name the 8-bit one.
      data: lumaBand(data, width, row, row + bandHeight, format) as unknown as Uint8ClampedArray<ArrayBuffer>,
      width,
      height: bandHeight,
    });
    // Not the default 'weber', whose integer sums are for 8 bits and a flat window.
    const { ssim_map: map }: { ssim_map: Matrix } = ssim(band(reference), band(samples), {
      ssim: 'fast',
      downsample: false,
      rgb2grayVersion: 'integer',
      bitDepth: BIT_DEPTH,
      windowSize: window,
    });
    for (const value of map.data) sum += value;
  }
  return { sum, count: mapRows * (width - window + 1) };
}
