import type { SampleArray } from '../../codec/signal.js';
import { allocateSamples, type SampleType } from '../../codec/signal.js';

/** Samples of a picture, row-major `[height, width, channels]`. */
export interface PictureSamples {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleType: SampleType;
  readonly data: SampleArray;
}

/** Orientations 5 to 8 exchange rows and columns. */
const FIRST_TRANSPOSED = 5;

/** Whether the shown picture's first column lies at the stored right edge (for 5 to 8: bottom edge). */
const FLIPS_X = [false, true, true, false, false, true, true, false];
/** Whether the shown picture's first row lies at the stored bottom edge (for 5 to 8: right edge). */
const FLIPS_Y = [false, false, true, true, false, false, true, true];

/**
 * Turns and mirrors a picture as its EXIF orientation asks, so that its first row is the top of the scene.
 *
 * @param orientation 1 to 8 as EXIF counts them; 1 returns the picture itself.
 */
export function applyOrientation(picture: PictureSamples, orientation: number): PictureSamples {
  if (orientation === 1) return picture;
  const { width, height, channels, sampleType, data } = picture;
  const transposed = orientation >= FIRST_TRANSPOSED;
  const [shownWidth, shownHeight] = transposed ? [height, width] : [width, height];
  const [alongX, alongY] = transposed ? [width * channels, channels] : [channels, width * channels];
  const flipsX = FLIPS_X[orientation - 1];
  const flipsY = FLIPS_Y[orientation - 1];
  const origin = (flipsX ? (shownWidth - 1) * alongX : 0) + (flipsY ? (shownHeight - 1) * alongY : 0);
  const stepX = flipsX ? -alongX : alongX;
  const stepY = flipsY ? -alongY : alongY;
  const target = allocateSamples(sampleType, data.length);
  let to = 0;
  for (let y = 0; y < shownHeight; y++) {
    let from = origin + y * stepY;
    for (let x = 0; x < shownWidth; x++, from += stepX) {
      for (let c = 0; c < channels; c++) target[to++] = data[from + c];
    }
  }
  return { width: shownWidth, height: shownHeight, channels, sampleType, data: target };
}
