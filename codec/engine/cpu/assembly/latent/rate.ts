// Bits of relaxed latents, each foretold by those before it, and their gradients: four latents of a row at a time.
//
// Values and gradients are in the padded layout (plan.ts); pads of values are zero, those of gradients are cleared at the end.
import { MODEL_FLOATS, MODEL_SCALE, MODEL_SPREAD, MOST_EARLIER } from '../../latent-records';
import { multiplyAdd } from '../product';
import { lanes } from './doubling';
import { exp2, log2 } from './exponent';
import { neighbourOffset, originOf } from './padded-grids';
import { earlierOf, grids, levelLength, levelOf, modelsOffset, mostWidth, pad4, paddedStride, parentOf, weights } from './plan';

// @ts-ignore: decorator
@inline const NEIGHBOURS: i32 = 8, MOST_CONTEXTS: i32 = 12;
/** log2 of the tables' least and largest scale, and the spread that is there without neighbours: probability-tables.ts, entropy-model.ts. */
// @ts-ignore: decorator
@inline const LEAST_LOG_SCALE: f32 = -5, MOST_LOG_SCALE: f32 = 10.875, LEAST_SPREAD: f32 = <f32>(3.0 / 64.0);
// @ts-ignore: decorator
@inline const LOG2E: f32 = 1.442695;

/** A parent's row, every latent twice; its gradients; gradients of means and spreads; pointers to contexts; sums for models. */
let parentRow: usize = 0, parentGradient: usize = 0, meanGradient: usize = 0, spreadGradient: usize = 0;
let contexts: usize = 0, contextGradients: usize = 0, sums: usize = 0;

export function setRate(base: usize): usize {
  const row = <usize>(pad4(mostWidth) + 16) << 2;
  let at = base;
  parentRow = at; at += row;
  parentGradient = at; at += row;
  meanGradient = at; at += row;
  spreadGradient = at; at += row;
  contexts = at; at += 64;
  contextGradients = at; at += 64;
  sums = at; at += <usize>(2 * MOST_CONTEXTS) << 4;
  return at - base;
}

/**
 * Bits of a partition's values, and their gradients, times `factor`: those of values are added to `gradients`, those of models to
 * `modelGradients`.
 */
export function learnBits(
  values: usize, gradients: usize, height: i32, width: i32, factor: f32, modelGradients: usize,
): f64 {
  let bits: f64 = 0;
  for (let grid = 0; grid < grids; grid++) {
    const level = levelOf(grid);
    bits += gridBits(
      grid, values, gradients, levelLength(height, level), levelLength(width, level), factor,
      weights + modelsOffset() + (<usize>(grid * MODEL_FLOATS) << 2),
      modelGradients + (<usize>(grid * MODEL_FLOATS) << 2),
    );
  }
  return bits;
}

function gridBits(
  grid: i32, values: usize, gradients: usize, height: i32, width: i32, factor: f32, model: usize, modelGradient: usize,
): f64 {
  const stride = paddedStride(width) << 2;
  const origin = originOf(grid);
  const parent = parentOf(grid);
  let count = NEIGHBOURS;
  const parentContext = parent < 0 ? -1 : count++;
  const firstEarlier = count;
  while (count - firstEarlier < MOST_EARLIER && earlierOf(grid, count - firstEarlier) >= 0) count++;
  const parentWidth = (width + 1) >> 1;
  const parentStride = parent < 0 ? 0 : paddedStride(parentWidth);
  memory.fill(sums, 0, <usize>(2 * MOST_CONTEXTS) << 4);
  const offset = v128.load32_splat(model + (MODEL_SCALE << 2)), gain = v128.load32_splat(model + (MODEL_SCALE << 2), 4);
  let offsetSum = f32x4.splat(0), gainSum = f32x4.splat(0), bitSum: f64 = 0;
  const half = f32x4.splat(0.5), one = f32x4.splat(1), zero = f32x4.splat(0);
  const sign = i32x4.splat(<i32>0x80000000);
  const scaled = f32x4.splat(factor * LOG2E), f = f32x4.splat(factor);
  for (let y = 0; y < height; y++) {
    const row = <usize>(origin + <usize>(y * stride));
    const at = values + row, gradientAt = gradients + row;
    for (let i = 0; i < NEIGHBOURS; i++) {
      const to = neighbourOffset(i, stride);
      store<u32>(contexts + (<usize>i << 2), <u32>(at + to));
      store<u32>(contextGradients + (<usize>i << 2), <u32>(gradientAt + to));
    }
    if (parent >= 0) {
      const from = values + originOf(parent) + (<usize>((y >> 1) * parentStride) << 2);
      for (let x = 0; x < parentWidth; x++) {
        const value = load<f32>(from + (<usize>x << 2));
        store<f32>(parentRow + (<usize>x << 3), value);
        store<f32>(parentRow + (<usize>x << 3), value, 4);
      }
      store<u32>(contexts + (<usize>parentContext << 2), <u32>parentRow);
      store<u32>(contextGradients + (<usize>parentContext << 2), <u32>parentGradient);
      memory.fill(parentGradient, 0, <usize>(pad4(width) + 8) << 2);
    }
    for (let i = firstEarlier; i < count; i++) {
      const other = originOf(earlierOf(grid, i - firstEarlier)) + <usize>(y * stride);
      store<u32>(contexts + (<usize>i << 2), <u32>(values + other));
      store<u32>(contextGradients + (<usize>i << 2), <u32>(gradients + other));
    }
    let rowBits = f32x4.splat(0);
    for (let x = 0; x < width; x += 4) {
      const byte = <usize>x << 2;
      let mean = zero, sum = f32x4.splat(LEAST_SPREAD);
      for (let i = 0; i < count; i++) {
        const w = <usize>i << 2;
        const n = v128.load(<usize>load<u32>(contexts + w) + byte);
        mean = multiplyAdd(v128.load32_splat(model + w), n, mean);
        sum = multiplyAdd(v128.load32_splat(model + w, MODEL_SPREAD << 2), f32x4.abs(n), sum);
      }
      const logSum = log2(sum);
      const free = multiplyAdd(gain, logSum, offset);
      const logScale = f32x4.max(f32x4.splat(LEAST_LOG_SCALE), f32x4.min(f32x4.splat(MOST_LOG_SCALE), free));
      const q = exp2(f32x4.neg(logScale));
      const difference = f32x4.sub(v128.load(at + byte), mean);
      const distance = f32x4.abs(difference);
      const ql = f32x4.mul(q, f32x4.splat(LOG2E));
      // Beyond half a step.
      const rest = exp2(f32x4.neg(ql));
      const beyond = f32x4.sub(distance, half);
      const spare = f32x4.sub(one, rest);
      // Within it.
      const near = exp2(f32x4.mul(f32x4.sub(distance, half), ql));
      const far = exp2(f32x4.mul(f32x4.neg(f32x4.add(distance, half)), ql));
      const p = f32x4.max(f32x4.splat(<f32>1e-9), f32x4.sub(one, f32x4.mul(half, f32x4.add(near, far))));
      const isFar = f32x4.ge(distance, half);
      const log = log2(v128.bitselect(f32x4.mul(spare, half), p, isFar));
      let cost = f32x4.sub(v128.and(f32x4.mul(beyond, ql), isFar), log);
      // Derivatives of ln p, by the distance and by q.
      const byDistance = v128.bitselect(
        f32x4.neg(q),
        f32x4.div(f32x4.mul(f32x4.mul(f32x4.splat(-0.5), q), f32x4.sub(near, far)), p),
        isFar,
      );
      const byQ = v128.bitselect(
        f32x4.sub(f32x4.div(rest, spare), beyond),
        f32x4.div(
          f32x4.mul(half, f32x4.add(f32x4.mul(f32x4.sub(half, distance), near), f32x4.mul(f32x4.add(half, distance), far))),
          p,
        ),
        isFar,
      );
      let byDifference = v128.xor(f32x4.neg(f32x4.mul(scaled, byDistance)), v128.and(difference, sign));
      const isHeld = v128.or(f32x4.lt(free, f32x4.splat(LEAST_LOG_SCALE)), f32x4.gt(free, f32x4.splat(MOST_LOG_SCALE)));
      let byLogScale = v128.andnot(f32x4.mul(f, f32x4.mul(byQ, q)), isHeld);
      if (x + 4 > width) {
        const inside = i32x4.lt_s(i32x4.add(i32x4.splat(x), i32x4(0, 1, 2, 3)), i32x4.splat(width));
        cost = v128.and(cost, inside);
        byDifference = v128.and(byDifference, inside);
        byLogScale = v128.and(byLogScale, inside);
      }
      rowBits = f32x4.add(rowBits, cost);
      offsetSum = f32x4.add(offsetSum, byLogScale);
      gainSum = multiplyAdd(byLogScale, logSum, gainSum);
      v128.store(meanGradient + byte, byDifference);
      v128.store(spreadGradient + byte, f32x4.div(f32x4.mul(f32x4.mul(byLogScale, gain), f32x4.splat(LOG2E)), sum));
      v128.store(gradientAt + byte, f32x4.add(v128.load(gradientAt + byte), byDifference));
    }
    bitSum += lanes(rowBits);
    for (let i = 0; i < count; i++) {
      const w = <usize>i << 2;
      const from = <usize>load<u32>(contexts + w), to = <usize>load<u32>(contextGradients + w);
      const m = v128.load32_splat(model + w), s = v128.load32_splat(model + w, MODEL_SPREAD << 2);
      let meanSum = v128.load(sums + (<usize>i << 4)), spreadSum = v128.load(sums + (<usize>(i + MOST_CONTEXTS) << 4));
      for (let x = 0; x < width; x += 4) {
        const byte = <usize>x << 2;
        const n = v128.load(from + byte), dm = v128.load(meanGradient + byte), ds = v128.load(spreadGradient + byte);
        meanSum = f32x4.sub(meanSum, f32x4.mul(dm, n));
        spreadSum = multiplyAdd(ds, f32x4.abs(n), spreadSum);
        // The sign of zero is none: v128.and with "not zero".
        const signed = v128.and(v128.xor(f32x4.mul(s, ds), v128.and(n, sign)), f32x4.ne(n, zero));
        v128.store(to + byte, f32x4.add(v128.load(to + byte), f32x4.sub(signed, f32x4.mul(m, dm))));
      }
      v128.store(sums + (<usize>i << 4), meanSum);
      v128.store(sums + (<usize>(i + MOST_CONTEXTS) << 4), spreadSum);
    }
    if (parent >= 0) {
      const to = gradients + originOf(parent) + (<usize>((y >> 1) * parentStride) << 2);
      for (let x = 0; x < parentWidth; x++) {
        const pair = parentGradient + (<usize>x << 3);
        const place = to + (<usize>x << 2);
        store<f32>(place, load<f32>(place) + load<f32>(pair) + (2 * x + 1 < width ? load<f32>(pair, 4) : <f32>0));
      }
    }
  }
  for (let i = 0; i < count; i++) {
    const w = <usize>i << 2;
    addSum(modelGradient + w, v128.load(sums + (<usize>i << 4)));
    addSum(modelGradient + w + (MODEL_SPREAD << 2), v128.load(sums + (<usize>(i + MOST_CONTEXTS) << 4)));
  }
  addSum(modelGradient + (MODEL_SCALE << 2), offsetSum);
  addSum(modelGradient + (MODEL_SCALE << 2) + 4, gainSum);
  return bitSum;
}

// @ts-ignore: decorator
@inline
function addSum(at: usize, sum: v128): void { store<f32>(at, load<f32>(at) + lanes(sum)); }

/** Zeros in what stands around the latents of all grids. */
export function clearPads(gradients: usize, height: i32, width: i32): void {
  for (let grid = 0; grid < grids; grid++) {
    const h = levelLength(height, levelOf(grid)), w = levelLength(width, levelOf(grid));
    const stride = <usize>paddedStride(w) << 2;
    let at = gradients + originOf(grid) - 2 * stride - 16;
    memory.fill(at, 0, 2 * stride);
    at += 2 * stride;
    for (let y = 0; y < h; y++) {
      v128.store(at, f32x4.splat(0));
      memory.fill(at + (<usize>(w + 4) << 2), 0, stride - (<usize>(w + 4) << 2));
      at += stride;
    }
  }
}
