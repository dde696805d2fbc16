// Latents of a partition out of its bytes (codec/latent/latent-coder.ts), i32 in the padded layout.
//
// What a row's latents get from rows above, parent and earlier planes is summed four at a time before the row is decoded; only the
// two to the left are left for the chain.
import {
  ENDS_ELSEWHERE, DECODED, LATENT_TOO_LARGE, MOST_EARLIER, WHOLE_ABSENT, WHOLE_FLOATS, WHOLE_GAIN, WHOLE_OFFSET, WHOLE_SPREAD,
} from '../../latent-records';
import { earlierOf, grids, levelLength, levelOf, pad4, paddedStride, parentOf, wholeModels, mostWidth } from './plan';
import { decodeBit, decodeEven, isAtEnd, startDecoding } from './range-decoder';
import { neighbourOffset, originOf } from './padded-grids';

// @ts-ignore: decorator
@inline const SHIFTS: i32 = 9, SCALES: i32 = 128, UNIT_SCALE: i32 = 40, MAX_LATENT: i32 = 32767, LEAST_SPREAD: i32 = 3;
// @ts-ignore: decorator
@inline const LONGEST_COUNT: u32 = 16, ESCAPE_BITS: i32 = 17, NEIGHBOURS: i32 = 8;

let same: usize = 0, toward: usize = 0, end: usize = 0, digit: usize = 0, logarithms: usize = 0;
/** Sums of a row's means and spreads. */
let means: usize = 0, spreads: usize = 0;

export function setTables(tables: usize): void {
  same = tables;
  toward = same + <usize>(SCALES * SHIFTS * 2);
  end = toward + <usize>(SCALES * SHIFTS * 2);
  digit = end + <usize>(SCALES * 2);
  logarithms = digit + <usize>(SCALES * 2);
}

export function setLatentRows(base: usize): usize {
  const bytes = <usize>(pad4(mostWidth) + 8) << 2;
  means = base;
  spreads = base + bytes;
  return 2 * bytes;
}

/** Decodes all grids of a partition; `latents` is zero where nothing is written. */
export function decodeLatents(payload: usize, length: i32, latents: usize, height: i32, width: i32): i32 {
  startDecoding(payload, length);
  for (let grid = 0; grid < grids; grid++) {
    const model = wholeModels + (<usize>(grid * WHOLE_FLOATS) << 2);
    if (decodeBit(load<u32>(model + (WHOLE_ABSENT << 2))) == 0) continue;
    const level = levelOf(grid);
    if (!decodeGrid(grid, model, latents, levelLength(height, level), levelLength(width, level))) return LATENT_TOO_LARGE;
  }
  return isAtEnd() ? DECODED : ENDS_ELSEWHERE;
}

function decodeGrid(grid: i32, model: usize, latents: usize, height: i32, width: i32): bool {
  const stride = paddedStride(width) << 2;
  const parent = parentOf(grid);
  const parentStride = paddedStride((width + 1) >> 1) << 2;
  const leftMean = load<i32>(model), leftSpread = load<i32>(model + (WHOLE_SPREAD << 2));
  const secondMean = load<i32>(model, 4), secondSpread = load<i32>(model + (WHOLE_SPREAD << 2), 4);
  const offset = load<i32>(model + (WHOLE_OFFSET << 2)), gain = load<i32>(model + (WHOLE_GAIN << 2));
  for (let y = 0; y < height; y++) {
    const row = latents + originOf(grid) + <usize>(y * stride);
    sumRow(grid, model, latents, row, stride, width, y, parent, parentStride);
    let left = 0, second = 0;
    for (let x = 0; x < width; x++) {
      const at = <usize>x << 2;
      const mean = load<i32>(means + at) + leftMean * left + secondMean * second;
      const spread = load<i32>(spreads + at) + leftSpread * abs(left) + secondSpread * abs(second);
      let step = (offset + gain * logarithm(spread) + 128) >> 8;
      step = max(0, min(SCALES - 1, step));
      const free = (mean + 32) >> 6;
      const shift = mean - (free << 6);
      const nearest = max(-MAX_LATENT, min(MAX_LATENT, free));
      const entry = <usize>(step * SHIFTS + ((abs(shift) + 2) >> 2)) << 1;
      let latent = nearest;
      if (decodeBit(load<u16>(same + entry)) != 0) {
        const isToward = decodeBit(load<u16>(toward + entry)) == 0;
        const distance = decodeDistance(step) + 1;
        latent = isToward == shift > 0 ? nearest + distance : nearest - distance;
        if (latent > MAX_LATENT || latent < -MAX_LATENT) return false;
      }
      store<i32>(row + at, latent);
      second = left;
      left = latent;
    }
  }
  return true;
}

// @ts-ignore: decorator
@inline
function logarithm(value: i32): i32 {
  const octave = 31 - clz(value);
  const mantissa = octave >= 6 ? value >> (octave - 6) : value << (6 - octave);
  return 32 * octave + load<u8>(logarithms + <usize>(mantissa & 63));
}

function decodeDistance(step: i32): i32 {
  const digits = step < UNIT_SCALE + 8 ? 0 : (step - UNIT_SCALE) >> 3;
  let low: u32 = 0;
  for (let i = 0; i < digits; i++) low |= decodeBit(load<u16>(digit + (<usize>(step - 8 * i) << 1))) << i;
  const ends = <u32>load<u16>(end + (<usize>(step - 8 * digits) << 1));
  let count: u32 = 0;
  while (count < LONGEST_COUNT && decodeBit(ends) != 0) count++;
  if (count == LONGEST_COUNT) {
    let bits = 0;
    while (bits < ESCAPE_BITS && decodeBit(1 << 14) != 0) bits++;
    count += ((1 << bits) | decodeEven(bits)) - 1;
  }
  return (count << digits) | low;
}

// Sums over all contexts but the two to the left.
function sumRow(
  grid: i32, model: usize, latents: usize, row: usize, stride: i32, width: i32, y: i32, parent: i32, parentStride: i32,
): void {
  const bytes = <usize>pad4(width) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(means + at, i32x4.splat(0));
    v128.store(spreads + at, i32x4.splat(LEAST_SPREAD));
  }
  let context = 2;
  for (; context < NEIGHBOURS; context++) addContext(model, context, row + neighbourOffset(context, stride), bytes);
  if (parent >= 0) {
    const mean = load<i32>(model + (<usize>context << 2));
    const spread = load<i32>(model + (<usize>(context + WHOLE_SPREAD) << 2));
    const from = latents + originOf(parent) + <usize>((y >> 1) * parentStride);
    for (let x = 0; x < width; x++) {
      const value = load<i32>(from + (<usize>(x >> 1) << 2)), at = <usize>x << 2;
      store<i32>(means + at, load<i32>(means + at) + mean * value);
      store<i32>(spreads + at, load<i32>(spreads + at) + spread * abs(value));
    }
    context++;
  }
  for (let i = 0; i < MOST_EARLIER; i++) {
    const earlier = earlierOf(grid, i);
    if (earlier < 0) break;
    addContext(model, context + i, latents + originOf(earlier) + <usize>(y * stride), bytes);
  }
}

// @ts-ignore: decorator
@inline
function addContext(model: usize, context: i32, from: usize, bytes: usize): void {
  const mean = v128.load32_splat(model + (<usize>context << 2));
  const spread = v128.load32_splat(model + (<usize>(context + WHOLE_SPREAD) << 2));
  for (let at: usize = 0; at < bytes; at += 16) {
    const n = v128.load(from + at);
    v128.store(means + at, i32x4.add(v128.load(means + at), i32x4.mul(mean, n)));
    v128.store(spreads + at, i32x4.add(v128.load(spreads + at), i32x4.mul(spread, i32x4.abs(n))));
  }
}
