// Exponentials, logarithms and noise, four at a time. Relative errors are below 3e-7; only training depends on them.
import { multiplyAdd } from '../product';

// @ts-ignore: decorator
@inline
function f(value: f32): v128 { return f32x4.splat(value); }

/** 2^x for x from -126 to 126; beyond, the value there. */
// @ts-ignore: decorator
@inline
export function exp2(x: v128): v128 {
  const held = f32x4.max(f(-126), f32x4.min(f(126), x));
  const whole = f32x4.nearest(held);
  const part = f32x4.sub(held, whole);
  // Taylor's series of 2^part, |part| <= 1/2.
  let p = multiplyAdd(f(<f32>0.0001540353), part, f(<f32>0.0013333558));
  p = multiplyAdd(p, part, f(<f32>0.009618129));
  p = multiplyAdd(p, part, f(<f32>0.05550411));
  p = multiplyAdd(p, part, f(<f32>0.24022651));
  p = multiplyAdd(p, part, f(<f32>0.6931472));
  p = multiplyAdd(p, part, f(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** log2(x) of normal, positive x. */
// @ts-ignore: decorator
@inline
export function log2(x: v128): v128 {
  // Mantissa from sqrt(1/2) to sqrt(2), so that the logarithm of 1 is exact.
  const exponent = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(x, i32x4.shl(exponent, 23));
  const z = f32x4.div(f32x4.sub(m, f(1)), f32x4.add(m, f(1)));
  const q = f32x4.mul(z, z);
  // 2 / ln 2 times atanh's series.
  let p = multiplyAdd(f(<f32>0.3205989), q, f(<f32>0.4121986));
  p = multiplyAdd(p, q, f(<f32>0.5770780));
  p = multiplyAdd(p, q, f(<f32>0.9617967));
  p = multiplyAdd(p, q, f(<f32>2.8853901));
  return multiplyAdd(z, p, f32x4.convert_i32x4_s(exponent));
}

/** Noise from -1/2 to 1/2, a function of the numbers alone: the hash "lowbias32" of Wellons. */
// @ts-ignore: decorator
@inline
export function noise(numbers: v128): v128 {
  let x = numbers;
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(<i32>0x846ca68b));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  return f32x4.mul(f32x4.convert_i32x4_s(x), f(<f32>2.3283064365386963e-10));
}
