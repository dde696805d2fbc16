// Network outputs to samples, to the bit as codec/signal.ts does it: mapped in f64, rounded half up, clamped.
import { outputs } from './plan';
import { ROW } from './product';
import { outputTile } from './scratch';

/** Sample types as the job names them (EVALUATION_SAMPLE_TYPE). */
// @ts-ignore: decorator
@inline const UINT8: i32 = 0, UINT16: i32 = 1, FLOAT32: i32 = 2, OUTPUT: i32 = 3;

/** Bytes of one sample. */
// @ts-ignore: decorator
@inline
export function sampleBytes(type: i32): usize { return type == UINT8 ? 1 : type == UINT16 ? 2 : 4; }

// Four outputs, mapped and rounded. Truncation saturates: what is negative or no number becomes 0.
// @ts-ignore: decorator
@inline
function toIntegers(y: v128, scale: v128, offset: v128, half: v128, peak: v128): v128 {
  const low = f64x2.add(f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(y), scale), offset), half);
  const upper = f64x2.promote_low_f32x4(v128.shuffle<f32>(y, y, 2, 3, 2, 3));
  const high = f64x2.add(f64x2.add(f64x2.mul(upper, scale), offset), half);
  const integers = v128.shuffle<i32>(
    i32x4.trunc_sat_f64x2_u_zero(low), i32x4.trunc_sat_f64x2_u_zero(high), 0, 1, 4, 5,
  );
  return i32x4.min_u(integers, peak);
}

// Called with literals for the type, so that each is a loop of its own.
// @ts-ignore: decorator
@inline
function writeIntegers(target: usize, lanes: i32, scale: f64, offset: f64, TYPE: i32): void {
  const s = f64x2.splat(scale), o = f64x2.splat(offset), half = f64x2.splat(0.5);
  const peak = i32x4.splat(TYPE == UINT8 ? 255 : 65535);
  const step = <usize>outputs * (TYPE == UINT8 ? 1 : 2);
  for (let channel = 0; channel < outputs; channel++) {
    const row = outputTile + <usize>channel * ROW;
    let to = target + <usize>channel * (TYPE == UINT8 ? 1 : 2);
    for (let lane = 0; lane < lanes; lane += 4) {
      const four = toIntegers(v128.load(row + (<usize>lane << 2)), s, o, half, peak);
      if (TYPE == UINT8) {
        store<u8>(to, <u8>i32x4.extract_lane(four, 0));
        if (lane + 1 < lanes) store<u8>(to + step, <u8>i32x4.extract_lane(four, 1));
        if (lane + 2 < lanes) store<u8>(to + 2 * step, <u8>i32x4.extract_lane(four, 2));
        if (lane + 3 < lanes) store<u8>(to + 3 * step, <u8>i32x4.extract_lane(four, 3));
      } else {
        store<u16>(to, <u16>i32x4.extract_lane(four, 0));
        if (lane + 1 < lanes) store<u16>(to + step, <u16>i32x4.extract_lane(four, 1));
        if (lane + 2 < lanes) store<u16>(to + 2 * step, <u16>i32x4.extract_lane(four, 2));
        if (lane + 3 < lanes) store<u16>(to + 3 * step, <u16>i32x4.extract_lane(four, 3));
      }
      to += 4 * step;
    }
  }
}

/** Writes the first `lanes` positions of the output tile, row-major [lanes, outputs] in the sample type. */
export function writeSamples(target: usize, lanes: i32, type: i32, scale: f64, offset: f64): void {
  if (type == UINT8) {
    writeIntegers(target, lanes, scale, offset, UINT8);
  } else if (type == UINT16) {
    writeIntegers(target, lanes, scale, offset, UINT16);
  } else {
    for (let lane = 0; lane < lanes; lane++) {
      for (let channel = 0; channel < outputs; channel++) {
        let value = load<f32>(outputTile + <usize>channel * ROW + (<usize>lane << 2));
        if (type == FLOAT32) value = <f32>(<f64>value * scale + offset);
        store<f32>(target, value);
        target += 4;
      }
    }
  }
}
