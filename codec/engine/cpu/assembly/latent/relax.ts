// What training sees in place of whole numbers: latents rounded softly, with noise, rounded softly again (Agustsson and Theis,
// "Universally quantized neural compression", 2020), or rounded.
import { exp2, noise } from './exponent';

/** Values of a row of latents: whole numbers that stay. */
export function roundRow(latents: usize, values: usize, slopes: usize, width: i32): void {
  for (let x = 0; x < width; x += 4) {
    const at = <usize>x << 2;
    v128.store(values + at, f32x4.nearest(v128.load(latents + at)));
    v128.store(slopes + at, f32x4.splat(0));
  }
}

/** Half of the tangent's range, `tanh(1 / (2 T))`, and what soft rounding needs of the temperature. */
let slope: v128 = f32x4.splat(0);

// `floor(x) + 1/2 + tanh(r / T) / (2 tanh(1 / (2 T)))` with `r = x - floor(x) - 1/2`; its derivative is left in `slope`.
// @ts-ignore: decorator
@inline
function soften(x: v128, inverse: v128, exponent: v128, halfRange: v128, steepness: v128): v128 {
  const half = f32x4.splat(0.5), one = f32x4.splat(1);
  const floor = f32x4.floor(x);
  const r = f32x4.sub(f32x4.sub(x, floor), half);
  // tanh(z) = 1 - 2 / (exp(2 z) + 1)
  const t = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(exp2(f32x4.mul(r, exponent)), one)));
  slope = f32x4.mul(f32x4.sub(one, f32x4.mul(t, t)), steepness);
  return f32x4.add(f32x4.add(floor, half), f32x4.mul(t, halfRange));
}

/** Values of a row of latents, and their derivatives; `number` is that of the noise of the row's first latent. */
export function relaxRow(
  latents: usize, values: usize, slopes: usize, width: i32, number: i32, temperature: f32, noiseWidth: f32,
): void {
  const inverse = <f32>1 / temperature;
  const tangent = Mathf.tanh(<f32>0.5 * inverse);
  const i = f32x4.splat(inverse), exponent = f32x4.splat(<f32>2.8853901 * inverse);
  const halfRange = f32x4.splat(<f32>0.5 / tangent), steepness = f32x4.splat(<f32>0.5 * inverse / tangent);
  const w = f32x4.splat(noiseWidth);
  for (let x = 0; x < width; x += 4) {
    const at = <usize>x << 2;
    const numbers = i32x4.add(i32x4.splat(number + x), i32x4(0, 1, 2, 3));
    const once = soften(v128.load(latents + at), i, exponent, halfRange, steepness);
    const first = slope;
    let value = soften(f32x4.add(once, f32x4.mul(noise(numbers), w)), i, exponent, halfRange, steepness);
    let derivative = f32x4.mul(first, slope);
    if (x + 4 > width) {
      const inside = i32x4.lt_s(i32x4.add(i32x4.splat(x), i32x4(0, 1, 2, 3)), i32x4.splat(width));
      value = v128.and(value, inside);
      derivative = v128.and(derivative, inside);
    }
    v128.store(values + at, value);
    v128.store(slopes + at, derivative);
  }
}
