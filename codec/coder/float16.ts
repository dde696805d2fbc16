/** Largest finite float16; from 65520 on, rounding to nearest gives infinity. */
export const LARGEST_FLOAT16 = 65504;

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** Half of 2^-24, float16's smallest step, is what a subnormal is a multiple of. */
const SUBNORMAL_STEP = 2 ** -24;

/** Nearest whole number, ties to even; exact below 2^52. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5) return floor + 1;
  if (rest < 0.5) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The 16 bits of IEEE 754 binary16 nearest to an f32, ties to even; NaN to 0x7e00, overflow to infinity.
 *
 * @param value taken as f32.
 */
export function toFloat16Bits(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  // 65520, halfway to the first power of two that float16 lacks.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 a float16 is a multiple of its smallest step; a carry into 1024 is the smallest normal number.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(float[0]) / SUBNORMAL_STEP);
  // Drop 13 mantissa bits, ties to even, and move the exponent's bias from 127 to 15; a carry may enter the exponent.
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of 16 bits of IEEE 754 binary16; every one is exact as f32. */
export function fromFloat16Bits(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >>> 10) & 0x1f;
  const mantissa = word & 0x3ff;
  if (exponent === 0) return sign * mantissa * SUBNORMAL_STEP;
  if (exponent === 0x1f) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** The float16 nearest to a number. */
export function roundToFloat16(value: number): number {
  return fromFloat16Bits(toFloat16Bits(value));
}
