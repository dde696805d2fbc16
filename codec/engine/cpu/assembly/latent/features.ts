// Grids to features, by doubling from level to level, and the way back.
import { inputPlane, spareGradient, tallGradientPlane, tallPlane } from './chains';
import { columnGradients, doubleColumns, doubleRows, rowGradients } from './doubling';
import { originOf } from './padded-grids';
import { levelLength, levelOf, pad4, paddedStride, tapsOffset, weights } from './plan';
import { featurePlanes, gradientPlanes, planeBytes } from './synthesis';

/** Values of a grid, in the padded layout, to its feature; what each doubling was given is kept. */
export function featureOf(grid: i32, values: usize, height: i32, width: i32): void {
  const level = levelOf(grid);
  let h = levelLength(height, level), w = levelLength(width, level);
  const stride = <usize>paddedStride(w) << 2;
  const scale = f32x4.splat(<f32>1 / <f32>(1 << level));
  const feature = featurePlanes + <usize>grid * planeBytes();
  let input = level == 0 ? feature : inputPlane(grid, level);
  let from = values + originOf(grid);
  for (let y = 0, to = input; y < h; y++) {
    const bytes = <usize>pad4(w) << 2;
    for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f32x4.mul(scale, v128.load(from + at)));
    from += stride;
    to += bytes;
  }
  for (let to = level - 1; to >= 0; to--) {
    const h2 = levelLength(height, to), w2 = levelLength(width, to);
    const taps = weights + tapsOffset() + (<usize>to << 4);
    const output = to == 0 ? feature : inputPlane(grid, to);
    doubleRows(input, h, w, tallPlane(), h2, taps);
    doubleColumns(tallPlane(), h2, w, output, w2, taps);
    input = output;
    h = h2;
    w = w2;
  }
}

/** The way back of {@link featureOf}: `gradients`, in the padded layout, and `tapGradients` are added to. */
export function featureGradient(grid: i32, gradients: usize, height: i32, width: i32, tapGradients: usize): void {
  const level = levelOf(grid);
  let gradient = gradientPlanes + <usize>grid * planeBytes();
  for (let to = 0; to < level; to++) {
    const h2 = levelLength(height, to), w2 = levelLength(width, to);
    const h = levelLength(height, to + 1), w = levelLength(width, to + 1);
    const taps = weights + tapsOffset() + (<usize>to << 4), tapGradient = tapGradients + (<usize>to << 4);
    const input = inputPlane(grid, to + 1);
    doubleRows(input, h, w, tallPlane(), h2, taps);
    columnGradients(tallPlane(), h2, w, gradient, w2, taps, tapGradient, tallGradientPlane());
    const result = spareGradient(to & 1);
    rowGradients(input, h, w, tallGradientPlane(), h2, taps, tapGradient, result);
    gradient = result;
  }
  const h = levelLength(height, level), w = levelLength(width, level);
  const stride = <usize>paddedStride(w) << 2;
  const scale = f32x4.splat(<f32>1 / <f32>(1 << level));
  let to = gradients + originOf(grid);
  for (let y = 0; y < h; y++) {
    const bytes = <usize>pad4(w) << 2;
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(to + at, f32x4.add(v128.load(to + at), f32x4.mul(scale, v128.load(gradient + at))));
    }
    gradient += bytes;
    to += stride;
  }
}
