// Sine activations: act(z) = A sin(w z + c) + d, with A = exp(a) and w = exp(b) omega.
//
// sin and cos together: n = round(x / pi), r = x - n pi in two steps, odd polynomial of degree 9 for sin r and even one
// of degree 8 for cos r (least maximum error on [-pi/2, pi/2]), the sign of both from the low bit of n. Error under
// 1.3e-7 for sin and 2.6e-7 for cos for |x| up to 3000 (tested against Math.sin). Every engine uses these constants, so that decoders agree.
import { ROW, TILE, multiplyAdd } from './product';

// @ts-ignore: decorator
@inline const INVERSE_PI: f32 = 0.31830988618;
// 1.5 * 2^23: adding it rounds to an integer that then stands in the low bits of the mantissa.
// @ts-ignore: decorator
@inline const ROUNDER: f32 = 12582912;
// pi in two parts; the first has few mantissa bits, so that n times it is exact.
// @ts-ignore: decorator
@inline const PI_HIGH: f32 = 3.140625;
// @ts-ignore: decorator
@inline const PI_LOW: f32 = 9.6765358979e-4;

// @ts-ignore: decorator
@inline
function mul(a: v128, b: v128): v128 { return f32x4.mul(a, b); }

// @ts-ignore: decorator
@inline
function sinPolynomial(r: v128, q: v128): v128 {
  let p = f32x4.splat(<f32>2.5998615758e-6);
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>-1.980652836e-4));
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>8.333016097e-3));
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>-1.6666657048e-1));
  return f32x4.add(r, mul(mul(p, q), r));
}

// @ts-ignore: decorator
@inline
function cosPolynomial(q: v128): v128 {
  let p = f32x4.splat(<f32>2.3192399110e-5);
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>-1.3855844785e-3));
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>4.1663979359e-2));
  p = f32x4.add(mul(p, q), f32x4.splat(<f32>-4.9999931951e-1));
  return f32x4.add(mul(p, q), f32x4.splat(1));
}

/** In place: z [rows, 32] becomes act(z). */
export function activate(z: usize, rows: i32, frequency: f32, phase: f32, amplitude: f32, shift: f32): void {
  const w = f32x4.splat(frequency), c = f32x4.splat(phase), scale = f32x4.splat(amplitude), d = f32x4.splat(shift);
  const rounder = f32x4.splat(ROUNDER);
  const end = z + <usize>rows * ROW;
  while (z < end) {
    const x = f32x4.add(mul(v128.load(z), w), c);
    const m = f32x4.add(mul(x, f32x4.splat(INVERSE_PI)), rounder);
    const n = f32x4.sub(m, rounder);
    let r = f32x4.sub(x, mul(n, f32x4.splat(PI_HIGH)));
    r = f32x4.sub(r, mul(n, f32x4.splat(PI_LOW)));
    const sign = i32x4.shl(m, 31);
    const s = v128.xor(sinPolynomial(r, mul(r, r)), sign);
    v128.store(z, f32x4.add(mul(s, scale), d));
    z += 16;
  }
}

/** z [rows, 32] becomes act(z) in place, and `slope` [rows, 32] gets act'(z) = A w cos(w z + c). */
export function activateWithSlope(
  z: usize, slope: usize, rows: i32, frequency: f32, phase: f32, amplitude: f32, shift: f32,
): void {
  const w = f32x4.splat(frequency), c = f32x4.splat(phase), scale = f32x4.splat(amplitude), d = f32x4.splat(shift);
  const slopeScale = f32x4.splat(amplitude * frequency);
  const rounder = f32x4.splat(ROUNDER);
  const end = z + <usize>rows * ROW;
  while (z < end) {
    const x = f32x4.add(mul(v128.load(z), w), c);
    const m = f32x4.add(mul(x, f32x4.splat(INVERSE_PI)), rounder);
    const n = f32x4.sub(m, rounder);
    let r = f32x4.sub(x, mul(n, f32x4.splat(PI_HIGH)));
    r = f32x4.sub(r, mul(n, f32x4.splat(PI_LOW)));
    const q = mul(r, r);
    const sign = i32x4.shl(m, 31);
    const s = v128.xor(sinPolynomial(r, q), sign);
    const t = v128.xor(cosPolynomial(q), sign);
    v128.store(z, f32x4.add(mul(s, scale), d));
    v128.store(slope, mul(t, slopeScale));
    z += 16;
    slope += 16;
  }
}

/** target [rows, 32] = d [rows, 32] * slope [rows, 32]. */
export function multiplyRows(d: usize, slope: usize, target: usize, rows: i32): void {
  const end = d + <usize>rows * ROW;
  while (d < end) {
    v128.store(target, mul(v128.load(d), v128.load(slope)));
    v128.store(target, mul(v128.load(d, 16), v128.load(slope, 16)), 16);
    d += 32;
    slope += 32;
    target += 32;
  }
}
