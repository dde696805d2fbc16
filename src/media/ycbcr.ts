/** One plane of 8-bit samples, rows `stride` bytes apart. */
export interface Plane {
  readonly bytes: Uint8Array;
  readonly stride: number;
}

/** Luma and two chroma planes, the chroma smaller by `2^shiftX` and `2^shiftY`. */
export interface YcbcrPicture {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly [Plane, Plane, Plane];
  readonly shiftX: number;
  readonly shiftY: number;
  /** Full range as in JPEG, else 16..235 and 16..240 as in WebP. */
  readonly fullRange: boolean;
}

/** Fixed-point bits of the colour matrix: errors stay below 1/500 of a level, products below 2^31. */
const MATRIX_BITS = 16;
const ONE = 2 ** MATRIX_BITS;

/** BT.601 with luma weights 0.299, 0.587, 0.114, which JPEG (JFIF) and WebP both prescribe. */
function matrix(fullRange: boolean) {
  const luma = fullRange ? 1 : 255 / 219;
  const chroma = fullRange ? 1 : 255 / 224;
  const fixed = (value: number) => Math.round(value * ONE);
  return {
    luma: fixed(luma),
    black: fullRange ? 0 : 16,
    redFromCr: fixed(1.402 * chroma),
    greenFromCb: fixed(-0.344136286 * chroma),
    greenFromCr: fixed(-0.714136286 * chroma),
    blueFromCb: fixed(1.772 * chroma),
  };
}

/**
 * Chroma of one row at every pixel, by linear interpolation between chroma sample centres.
 *
 * Chroma samples lie in the middle of the pixels they stand for, as in JPEG (JFIF) and libwebp, whose "fancy"
 * upsampling is this filter.
 */
function upsampleRow(
  plane: Plane,
  y: number,
  picture: YcbcrPicture,
  columns: Int32Array,
  target: Int32Array,
): void {
  const { width, height, shiftX, shiftY } = picture;
  const chromaHeight = Math.ceil(height / 2 ** shiftY);
  const chromaWidth = columns.length;
  const { bytes, stride } = plane;
  // Position of the pixel centre among chroma centres, in units of 1/2^(shift+1) of a chroma sample.
  const unitY = 2 ** (shiftY + 1);
  const positionY = 2 * y + 1 - unitY / 2;
  const upper = Math.floor(positionY / unitY);
  const lowerWeight = positionY - upper * unitY;
  const upperRow = Math.max(0, upper) * stride;
  const lowerRow = Math.min(chromaHeight - 1, upper + 1) * stride;
  for (let x = 0; x < chromaWidth; x++) {
    columns[x] = bytes[upperRow + x] * (unitY - lowerWeight) + bytes[lowerRow + x] * lowerWeight;
  }
  const unitX = 2 ** (shiftX + 1);
  const shift = shiftX + shiftY + 2;
  const half = 2 ** (shift - 1);
  for (let x = 0; x < width; x++) {
    const positionX = 2 * x + 1 - unitX / 2;
    const left = positionX >> (shiftX + 1);
    const rightWeight = positionX - left * unitX;
    const leftValue = columns[left < 0 ? 0 : left];
    const rightValue = columns[left + 1 < chromaWidth ? left + 1 : chromaWidth - 1];
    target[x] = (leftValue * (unitX - rightWeight) + rightValue * rightWeight + half) >> shift;
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/**
 * Converts to RGB by BT.601, rounding half up.
 *
 * @param target u8, row-major `[height, width, channels]`; channels beyond the third stay untouched.
 */
export function ycbcrToRgb(picture: YcbcrPicture, target: Uint8Array, channels: number): void {
  const { width, height, planes, shiftX } = picture;
  const { luma, black, redFromCr, greenFromCb, greenFromCr, blueFromCb } = matrix(picture.fullRange);
  const columns = new Int32Array(Math.ceil(width / 2 ** shiftX));
  const cb = new Int32Array(width);
  const cr = new Int32Array(width);
  const half = ONE / 2;
  let to = 0;
  for (let y = 0; y < height; y++) {
    upsampleRow(planes[1], y, picture, columns, cb);
    upsampleRow(planes[2], y, picture, columns, cr);
    const row = y * planes[0].stride;
    for (let x = 0; x < width; x++, to += channels) {
      const light = (planes[0].bytes[row + x] - black) * luma + half;
      const b = cb[x] - 128;
      const r = cr[x] - 128;
      target[to] = clamp((light + r * redFromCr) >> MATRIX_BITS);
      target[to + 1] = clamp((light + b * greenFromCb + r * greenFromCr) >> MATRIX_BITS);
      target[to + 2] = clamp((light + b * blueFromCb) >> MATRIX_BITS);
    }
  }
}

/**
 * Converts RGB to full-range YCbCr at full resolution, rounding half up; the inverse of {@link ycbcrToRgb}.
 *
 * @param rgb u8, row-major `[pixels, 3]`.
 * @returns u8, three planes of `rgb.length / 3` samples, one after the other.
 */
export function rgbToYcbcr(rgb: Uint8Array): Uint8Array {
  const pixels = rgb.length / 3;
  const planes = new Uint8Array(rgb.length);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]];
    planes[i] = Math.floor(0.299 * r + 0.587 * g + 0.114 * b + 0.5);
    planes[pixels + i] = clamp(Math.floor(-0.168735892 * r - 0.331264108 * g + 0.5 * b + 128.5));
    planes[2 * pixels + i] = clamp(Math.floor(0.5 * r - 0.418687589 * g - 0.081312411 * b + 128.5));
  }
  return planes;
}
