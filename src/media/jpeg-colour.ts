const APP0 = 0xe0;
const APP14 = 0xee;
const RGB_IDS = [0x52, 0x47, 0x42];
/** The ids that JFIF gives to Y, Cb and Cr. */
const YCBCR_IDS = [1, 2, 3];
const JFIF_BYTES = 14;
const ADOBE_BYTES = 12;

/** What the application segments say of the colours. */
export interface JpegColourMarks {
  hasJfif: boolean;
  /** Adobe's code: 0 for RGB, else YCbCr; undefined without Adobe's segment. */
  adobeTransform: number | undefined;
}

/** Takes note of JFIF's and Adobe's segment. */
export function noteColour(marks: JpegColourMarks, marker: number, data: Buffer): void {
  if (marker === APP0 && data.length >= JFIF_BYTES && data.toString('latin1', 0, 5) === 'JFIF\0') {
    marks.hasJfif = true;
  } else if (marker === APP14 && data.length >= ADOBE_BYTES && data.toString('latin1', 0, 5) === 'Adobe') {
    marks.adobeTransform = data[11];
  }
}

const isRgbIds = (ids: readonly number[]) => ids.every((id, i) => id === RGB_IDS[i]);

/** Whether three components are R, G and B, by libjpeg's rules: JFIF is YCbCr, then Adobe's code decides, then the ids. */
export function isRgbJpeg({ hasJfif, adobeTransform }: JpegColourMarks, ids: readonly number[]): boolean {
  if (ids.length !== 3 || hasJfif) return false;
  return adobeTransform === undefined ? isRgbIds(ids) : adobeTransform === 0;
}

/** Adobe's segment with the code of RGB, by which FFmpeg takes three components as R, G and B. */
export const RGB_SEGMENT = Buffer.from([
  0xff,
  APP14,
  0,
  14,
  ...Buffer.from('Adobe\0\x64\0\0\0\0\0', 'latin1'),
]);

/**
 * The ids that the decoder is to see: FFmpeg takes `R`, `G`, `B` as colours whatever the file's segments say.
 *
 * @returns undefined where the file's own can stay.
 */
export function replacedIds(isRgb: boolean, ids: readonly number[]): ReadonlyMap<number, number> | undefined {
  if (isRgb || ids.length !== 3 || !isRgbIds(ids)) return undefined;
  return new Map(RGB_IDS.map((id, i) => [id, YCBCR_IDS[i]]));
}
