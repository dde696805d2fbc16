// The yardstick: multiply-adds on registers alone, nothing loaded or stored.
//
// Two probes, and the benchmark takes the better: where each sum waits for its product, the limit shows only with fused
// multiply-adds; without them the chains are too few for the latency, and products and sums apart show it.
import { multiplyAdd } from './product';

/**
 * Runs rounds of 24 vector multiply-adds in 12 independent chains, where each sum waits for its product.
 *
 * @returns something that depends on all of them
 */
export function multiplyAddPeak(rounds: i32): f32 {
  let a = f32x4.splat(1), b = f32x4.splat(2), c = f32x4.splat(3), d = f32x4.splat(4), e = f32x4.splat(5);
  let f = f32x4.splat(6), g = f32x4.splat(7), h = f32x4.splat(8), i = f32x4.splat(9), j = f32x4.splat(10);
  let k = f32x4.splat(11), l = f32x4.splat(12);
  const x = f32x4.splat(<f32>0.999), y = f32x4.splat(<f32>0.001);
  for (let round = 0; round < rounds; round++) {
    a = multiplyAdd(a, x, y); b = multiplyAdd(b, x, y); c = multiplyAdd(c, x, y); d = multiplyAdd(d, x, y);
    e = multiplyAdd(e, x, y); f = multiplyAdd(f, x, y); g = multiplyAdd(g, x, y); h = multiplyAdd(h, x, y);
    i = multiplyAdd(i, x, y); j = multiplyAdd(j, x, y); k = multiplyAdd(k, x, y); l = multiplyAdd(l, x, y);
    a = multiplyAdd(a, x, y); b = multiplyAdd(b, x, y); c = multiplyAdd(c, x, y); d = multiplyAdd(d, x, y);
    e = multiplyAdd(e, x, y); f = multiplyAdd(f, x, y); g = multiplyAdd(g, x, y); h = multiplyAdd(h, x, y);
    i = multiplyAdd(i, x, y); j = multiplyAdd(j, x, y); k = multiplyAdd(k, x, y); l = multiplyAdd(l, x, y);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  const t = f32x4.add(f32x4.add(f32x4.add(i, j), f32x4.add(k, l)), s);
  return f32x4.extract_lane(t, 0) + f32x4.extract_lane(t, 3);
}

/**
 * Runs rounds of 24 vector products and 24 vector sums in 12 independent chains, 6 of each kind: what 24 multiply-adds cost where
 * nothing waits.
 *
 * @returns something that depends on all of them
 */
export function multiplyAndAddPeak(rounds: i32): f32 {
  let a = f32x4.splat(1), b = f32x4.splat(2), c = f32x4.splat(3), d = f32x4.splat(4), e = f32x4.splat(5);
  let f = f32x4.splat(6), g = f32x4.splat(7), h = f32x4.splat(8), i = f32x4.splat(9), j = f32x4.splat(10);
  let k = f32x4.splat(11), l = f32x4.splat(12);
  const x = f32x4.splat(1), y = f32x4.splat(<f32>0.001);
  for (let round = 0; round < rounds; round++) {
    a = f32x4.mul(a, x); g = f32x4.add(g, y); b = f32x4.mul(b, x); h = f32x4.add(h, y);
    c = f32x4.mul(c, x); i = f32x4.add(i, y); d = f32x4.mul(d, x); j = f32x4.add(j, y);
    e = f32x4.mul(e, x); k = f32x4.add(k, y); f = f32x4.mul(f, x); l = f32x4.add(l, y);
    a = f32x4.mul(a, x); g = f32x4.add(g, y); b = f32x4.mul(b, x); h = f32x4.add(h, y);
    c = f32x4.mul(c, x); i = f32x4.add(i, y); d = f32x4.mul(d, x); j = f32x4.add(j, y);
    e = f32x4.mul(e, x); k = f32x4.add(k, y); f = f32x4.mul(f, x); l = f32x4.add(l, y);
    a = f32x4.mul(a, x); g = f32x4.add(g, y); b = f32x4.mul(b, x); h = f32x4.add(h, y);
    c = f32x4.mul(c, x); i = f32x4.add(i, y); d = f32x4.mul(d, x); j = f32x4.add(j, y);
    e = f32x4.mul(e, x); k = f32x4.add(k, y); f = f32x4.mul(f, x); l = f32x4.add(l, y);
    a = f32x4.mul(a, x); g = f32x4.add(g, y); b = f32x4.mul(b, x); h = f32x4.add(h, y);
    c = f32x4.mul(c, x); i = f32x4.add(i, y); d = f32x4.mul(d, x); j = f32x4.add(j, y);
    e = f32x4.mul(e, x); k = f32x4.add(k, y); f = f32x4.mul(f, x); l = f32x4.add(l, y);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  const t = f32x4.add(f32x4.add(f32x4.add(i, j), f32x4.add(k, l)), s);
  return f32x4.extract_lane(t, 0) + f32x4.extract_lane(t, 3);
}
