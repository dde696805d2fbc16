import { allocateSamples, alphaChannel } from './signal.js';
import type { SampleArray, SampleFormat } from './signal.js';

type PictureFormat = Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>;

/**
 * Sums over squares of a picture's samples, from which means are made: of means that are rounded no exact coarser ones could
 * be. Numbers are exact as long as they are below 2^53, which sums of 4,096 x 4,096 samples of 16 bits are.
 */
export interface SquareSums {
  /** `[height, width]`, in squares. */
  readonly shape: readonly [number, number];
  /** f64 `[height, width, channels]`; colour times alpha where there is alpha. */
  readonly sums: Float64Array;
  /** f64 `[height, width]`, samples in each square. */
  readonly counts: Float64Array;
}

/**
 * Sums the samples of a picture over squares; those at the far ends have what there is.
 *
 * @param samples row-major `[height, width, channels]`.
 * @param side samples of a square per axis.
 */
export function sumSquares(
  samples: SampleArray,
  [height, width]: readonly [number, number],
  format: PictureFormat,
  side: number,
): SquareSums {
  const { channels } = format;
  const alpha = alphaChannel(format);
  const rows = Math.ceil(height / side);
  const columns = Math.ceil(width / side);
  const sums = new Float64Array(rows * columns * channels);
  const counts = new Float64Array(rows * columns);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / side) * columns;
    for (let column = 0; column < columns; column++) {
      const end = Math.min(width, (column + 1) * side);
      const square = row + column;
      const target = square * channels;
      counts[square] += end - column * side;
      for (let x = column * side; x < end; x++, at += channels) {
        const weight = alpha < 0 ? 1 : samples[at + alpha];
        for (let channel = 0; channel < channels; channel++) {
          sums[target + channel] +=
            channel === alpha ? samples[at + channel] : weight * samples[at + channel];
        }
      }
    }
  }
  return { shape: [rows, columns], sums, counts };
}

/** The sums over squares of twice the side. */
export function doubleSquares({ shape, sums, counts }: SquareSums): SquareSums {
  const [height, width] = shape;
  const channels = sums.length / counts.length;
  const coarse: [number, number] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const coarseSums = new Float64Array(coarse[0] * coarse[1] * channels);
  const coarseCounts = new Float64Array(coarse[0] * coarse[1]);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from++) {
      const to = (y >> 1) * coarse[1] + (x >> 1);
      coarseCounts[to] += counts[from];
      for (let c = 0; c < channels; c++) coarseSums[to * channels + c] += sums[from * channels + c];
    }
  }
  return { shape: coarse, sums: coarseSums, counts: coarseCounts };
}

/**
 * The means of squares as samples, row-major `[...shape, channels]`: whole numbers round half up; colour is weighted by alpha,
 * and 0 where nothing of it can be seen.
 */
export function meansOf({ shape, sums, counts }: SquareSums, format: PictureFormat): SampleArray {
  const { channels, sampleType } = format;
  const alpha = alphaChannel(format);
  const half = sampleType === 'float32' ? 0 : 0.5;
  const means = allocateSamples(sampleType, shape[0] * shape[1] * channels);
  for (let square = 0, at = 0; square < counts.length; square++) {
    const first = at;
    for (let channel = 0; channel < channels; channel++, at++) {
      const weight = alpha < 0 || channel === alpha ? counts[square] : sums[first + alpha];
      // Integer arrays drop the fraction.
      means[at] = weight === 0 ? 0 : sums[at] / weight + half;
    }
  }
  return means;
}
