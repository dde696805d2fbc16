// Sine activations: act(z) = A sin(w z + c) + d, with A = exp(a) and w = exp(b) omega.
//
// sin and cos together: n = round(x / pi), r = x - n pi in two steps, odd polynomial of degree 9 for sin r and even one
// of degree 8 for cos r (least maximum error on [-pi/2, pi/2]), the sign of both from the low bit of n. Error under
// 1.3e-7 for sin and 2.6e-7 for cos for |x| up to 3000 (tested against Math.sin). Every engine uses these constants, so
// that decoders agree.
//
// Constants are loaded from a table: written as literals they are built anew at each use, and with four vectors in
// flight that made this loop 2.4 times slower. Four vectors a round hide the latency of the polynomials.
import { ROW } from './product';

/** Entries of the table, 16 bytes each. */
// @ts-ignore: decorator
@inline const INVERSE_PI: usize = 0;
// 1.5 * 2^23: adding it rounds to an integer that then stands in the low bits of the mantissa.
// @ts-ignore: decorator
@inline const ROUNDER: usize = 16;
// pi in two parts; the first has few mantissa bits, so that n times it is exact.
// @ts-ignore: decorator
@inline const PI_HIGH: usize = 32, PI_LOW: usize = 48;
// @ts-ignore: decorator
@inline const SIN3: usize = 64, SIN5: usize = 80, SIN7: usize = 96, SIN9: usize = 112;
// @ts-ignore: decorator
@inline const COS0: usize = 128, COS2: usize = 144, COS4: usize = 160, COS6: usize = 176, COS8: usize = 192;
/** Bytes of the table. */
// @ts-ignore: decorator
@inline export const SINE_TABLE_BYTES: usize = 208;

let table: usize = 0;

function put(entry: usize, value: f32): void { v128.store(table + entry, f32x4.splat(value)); }

/** Writes the table at a place of this instance's; must come before anything else here. */
export function prepareSine(at: usize): void {
  table = at;
  put(INVERSE_PI, <f32>0.31830988618);
  put(ROUNDER, <f32>12582912);
  put(PI_HIGH, <f32>3.140625);
  put(PI_LOW, <f32>9.6765358979e-4);
  put(SIN3, <f32>-1.6666657048e-1);
  put(SIN5, <f32>8.333016097e-3);
  put(SIN7, <f32>-1.980652836e-4);
  put(SIN9, <f32>2.5998615758e-6);
  put(COS0, <f32>1);
  put(COS2, <f32>-4.9999931951e-1);
  put(COS4, <f32>4.1663979359e-2);
  put(COS6, <f32>-1.3855844785e-3);
  put(COS8, <f32>2.3192399110e-5);
}

// @ts-ignore: decorator
@inline
function mul(a: v128, b: v128): v128 { return f32x4.mul(a, b); }

// The steps of one vector; `activateRows` takes four vectors through each before the next.

// x = w z + c
// @ts-ignore: decorator
@inline
function argument(z: usize, w: v128, phase: v128, PLAIN: bool): v128 {
  const x = mul(v128.load(z), w);
  return PLAIN ? x : f32x4.add(x, phase);
}

// round(x / pi) + ROUNDER, whose low bit is the sign of sin and cos.
// @ts-ignore: decorator
@inline
function halfTurns(t: usize, x: v128): v128 {
  return f32x4.add(mul(x, v128.load(t, INVERSE_PI)), v128.load(t, ROUNDER));
}

// r = x - n pi
// @ts-ignore: decorator
@inline
function remainder(t: usize, x: v128, turns: v128): v128 {
  const n = f32x4.sub(turns, v128.load(t, ROUNDER));
  return f32x4.sub(f32x4.sub(x, mul(n, v128.load(t, PI_HIGH))), mul(n, v128.load(t, PI_LOW)));
}

// @ts-ignore: decorator
@inline
function sine(t: usize, r: v128, q: v128, sign: v128, amplitude: v128, shift: v128, PLAIN: bool): v128 {
  let p = f32x4.add(mul(v128.load(t, SIN9), q), v128.load(t, SIN7));
  p = f32x4.add(mul(p, q), v128.load(t, SIN5));
  p = f32x4.add(mul(p, q), v128.load(t, SIN3));
  const s = v128.xor(f32x4.add(r, mul(mul(p, q), r)), sign);
  return PLAIN ? s : f32x4.add(mul(s, amplitude), shift);
}

// @ts-ignore: decorator
@inline
function cosine(t: usize, q: v128, sign: v128): v128 {
  let p = f32x4.add(mul(v128.load(t, COS8), q), v128.load(t, COS6));
  p = f32x4.add(mul(p, q), v128.load(t, COS4));
  p = f32x4.add(mul(p, q), v128.load(t, COS2));
  p = f32x4.add(mul(p, q), v128.load(t, COS0));
  return v128.xor(p, sign);
}

// Called with literals for the last two, so that each combination is a loop of its own. PLAIN is SIREN: no phase,
// amplitude or shift.
// @ts-ignore: decorator
@inline
function activateRows(
  z: usize, slope: usize, rows: i32, frequency: f32, phase: f32, amplitude: f32, shift: f32, WITH_SLOPE: bool, PLAIN: bool,
): void {
  const w = f32x4.splat(frequency), c = f32x4.splat(phase), a = f32x4.splat(amplitude), d = f32x4.splat(shift);
  const slopeScale = f32x4.splat(amplitude * frequency);
  // A local copy: the table's address would be loaded anew at each use.
  const t = table;
  const end = z + <usize>rows * ROW;
  while (z < end) {
    const x0 = argument(z, w, c, PLAIN), x1 = argument(z + 16, w, c, PLAIN);
    const x2 = argument(z + 32, w, c, PLAIN), x3 = argument(z + 48, w, c, PLAIN);
    const t0 = halfTurns(t, x0), t1 = halfTurns(t, x1), t2 = halfTurns(t, x2), t3 = halfTurns(t, x3);
    const r0 = remainder(t, x0, t0), r1 = remainder(t, x1, t1), r2 = remainder(t, x2, t2), r3 = remainder(t, x3, t3);
    const q0 = mul(r0, r0), q1 = mul(r1, r1), q2 = mul(r2, r2), q3 = mul(r3, r3);
    const s0 = i32x4.shl(t0, 31), s1 = i32x4.shl(t1, 31), s2 = i32x4.shl(t2, 31), s3 = i32x4.shl(t3, 31);
    v128.store(z, sine(t, r0, q0, s0, a, d, PLAIN));
    v128.store(z, sine(t, r1, q1, s1, a, d, PLAIN), 16);
    v128.store(z, sine(t, r2, q2, s2, a, d, PLAIN), 32);
    v128.store(z, sine(t, r3, q3, s3, a, d, PLAIN), 48);
    if (WITH_SLOPE) {
      v128.store(slope, mul(cosine(t, q0, s0), slopeScale));
      v128.store(slope, mul(cosine(t, q1, s1), slopeScale), 16);
      v128.store(slope, mul(cosine(t, q2, s2), slopeScale), 32);
      v128.store(slope, mul(cosine(t, q3, s3), slopeScale), 48);
    }
    z += 64;
    slope += 64;
  }
}

/** In place: z [rows, 32] becomes act(z). */
export function activate(z: usize, rows: i32, frequency: f32, phase: f32, amplitude: f32, shift: f32): void {
  if (phase == 0 && amplitude == 1 && shift == 0) activateRows(z, 0, rows, frequency, 0, 1, 0, false, true);
  else activateRows(z, 0, rows, frequency, phase, amplitude, shift, false, false);
}

/** z [rows, 32] becomes act(z) in place, and `slope` [rows, 32] gets act'(z) = A w cos(w z + c). */
export function activateWithSlope(
  z: usize, slope: usize, rows: i32, frequency: f32, phase: f32, amplitude: f32, shift: f32,
): void {
  if (phase == 0 && amplitude == 1 && shift == 0) activateRows(z, slope, rows, frequency, 0, 1, 0, true, true);
  else activateRows(z, slope, rows, frequency, phase, amplitude, shift, true, false);
}
