// Numbers at which readers go wrong: ends of types and of limits, and neighbours of what is there.
import type { Choices } from './choices.js';

const BYTES = [0, 1, 2, 3, 4, 5, 8, 16, 17, 64, 127, 128, 254, 255];

const WORDS = [...BYTES, ...[255, 256, 257, 2047, 2048, 2049, 4096, 4097, 0x7fff, 0x8000, 0xfffe, 0xffff]];

const LONGS = [
  ...WORDS,
  ...[2 ** 16, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 24, 2 ** 26, 2 ** 26 + 1, 2 ** 30],
  ...[2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 4, 2 ** 32 - 2, 2 ** 32 - 1],
  // As f32: 1, the largest, infinity, NaN, the smallest.
  ...[0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0xff800000, 0x00000001, 0x80000000],
];

/** 64 bits as a whole number. */
export const WHOLE_64: readonly bigint[] = [
  ...LONGS.map(BigInt),
  ...[2n ** 40n, 2n ** 52n, 2n ** 53n - 37n, 2n ** 53n - 2n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 512n, 2n ** 64n - 1n],
];

const DOUBLES = [
  ...[0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 5e-324, 1e-308, 1e-40, 32, 32.01, -33, 1e5, 1e5 + 1, 1e6],
  ...[-1e6, 1e6 + 1, 2 ** 31, 2 ** 53, 3.4028234663852886e38, 3.5e38, -1e300, 1.7976931348623157e308],
];

const word = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  word.setFloat64(0, value);
  return word.getBigUint64(0);
}

/** A number for `size` bytes, as its bits; `present` is what stands there. */
export function interesting(size: number, present: bigint, choices: Choices): bigint {
  const modulus = 1n << BigInt(8 * size);
  if (choices.chance(0.3)) {
    const step = BigInt(choices.pick([1, 1, 1, 2, 3, 4, 8, 16, 36, 64, 1024]));
    return (present + (choices.chance(0.5) ? step : modulus - step)) % modulus;
  }
  if (choices.chance(0.15)) return present ^ (1n << BigInt(choices.below(8 * size)));
  if (size === 1) return BigInt(choices.pick(BYTES));
  if (size === 2) return BigInt(choices.pick(WORDS));
  if (size === 4) return BigInt(choices.pick(LONGS));
  return choices.chance(0.5) ? choices.pick(WHOLE_64) : bitsOf(choices.pick(DOUBLES));
}

export function readBits(view: DataView, at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
  return value;
}

export function writeBits(view: DataView, at: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 255n));
}
