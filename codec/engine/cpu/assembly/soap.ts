// SOAP (Vyas et al. 2024): Adam in the eigenbasis of Shampoo's two factors, one layer at a time.
//
// A layer's gradient G [rows, columns] holds the bias as its last row. With L and R running averages of G G^T and G^T G,
// and Q_L, Q_R their eigenvectors, Adam runs on Q_L^T G Q_R, whose entries are nearly uncorrelated; its step is turned
// back. The bases follow by one step of orthogonal iteration every few updates, which costs no more than an update.
//
// All matrices are padded to multiples of 4 with zeros, and stay so: a zero column of a basis drops nothing, since the
// gradient is zero there.
import { layerFloats, pad4 } from './plan';
import { contract, transpose } from './product';

/** Largest entry of a turned step: without it single entries with a young second moment explode, and training ends in NaN. */
// @ts-ignore: decorator
@inline const STEP_LIMIT: f32 = 3;
/** Part of the trace added to a factor, so that directions without gradient keep a place in the basis that f32 resolves. */
// @ts-ignore: decorator
@inline const RIDGE: f32 = 1e-3;

/** Where five matrices of the largest layer's size fit; per instance. */
let workspace: usize = 0;
let workspaceStride: usize = 0;

/** Bytes of workspace for layers of up to `size` rows or columns. */
export function soapWorkspaceBytes(size: i32): usize {
  const side = <usize>pad4(size + 1);
  return (5 * side * side) << 2;
}

export function setSoapWorkspace(at: usize, size: i32): void {
  const side = <usize>pad4(size + 1);
  workspace = at;
  workspaceStride = (side * side) << 2;
}

/** Floats of a layer's state: L, R, Q_L, Q_R. */
export function soapFloats(layerInputs: i32, layerOutputs: i32): i32 {
  const rows = pad4(layerInputs + 1), columns = pad4(layerOutputs);
  return 2 * (rows * rows + columns * columns);
}

// A basis starts as the identity on what is not padding: the first steps are Adam's.
function startBasis(basis: usize, side: i32, count: i32): void {
  memory.fill(basis, 0, <usize>(side * side) << 2);
  for (let i = 0; i < count; i++) store<f32>(basis + (<usize>(i * side + i) << 2), 1);
}

// factor = decay * factor + (1 - decay) * product
function average(factor: usize, product: usize, count: i32, decay: f32): void {
  const keep = f32x4.splat(decay), take = f32x4.splat(<f32>1 - decay);
  for (let at: usize = 0; at < <usize>count << 2; at += 16) {
    v128.store(factor + at, f32x4.add(f32x4.mul(keep, v128.load(factor + at)), f32x4.mul(take, v128.load(product + at))));
  }
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

function dot(a: usize, b: usize, side: i32): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < <usize>side << 2; at += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  return sumLanes(sum);
}

// row -= factor * other
function subtract(row: usize, other: usize, factor: f32, side: i32): void {
  const f = f32x4.splat(factor);
  for (let at: usize = 0; at < <usize>side << 2; at += 16) {
    v128.store(row + at, f32x4.sub(v128.load(row + at), f32x4.mul(f, v128.load(other + at))));
  }
}

/**
 * One step of orthogonal iteration: basis = orthonormalised (factor + ridge) basis.
 *
 * Gram-Schmidt runs over rows of the transposed product, twice, since once is not orthogonal in f32.
 */
function refresh(factor: usize, basis: usize, side: i32, count: i32, rows: usize): void {
  let trace: f32 = 0;
  for (let i = 0; i < count; i++) trace += load<f32>(factor + (<usize>(i * side + i) << 2));
  if (!(trace > 0)) return;
  // rows[b, a] = sum over k of basis[k, b] factor[k, a]: the new vectors as rows; the ridge adds a part of the old ones.
  contract(basis, side, factor, side, rows, side, side, side);
  const ridge = RIDGE * trace;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const at = rows + (<usize>(i * side + j) << 2);
      store<f32>(at, load<f32>(at) + ridge * load<f32>(basis + (<usize>(j * side + i) << 2)));
    }
  }
  const stride = <usize>side << 2;
  for (let i = 0; i < count; i++) {
    const row = rows + <usize>i * stride;
    for (let pass = 0; pass < 2; pass++) {
      const norm = Mathf.sqrt(dot(row, row, side));
      // Vectors shrink with their eigenvalue; scaled first, the second pass works on numbers near 1.
      const inverse = norm > 0 ? <f32>1 / norm : 0;
      for (let at: usize = 0; at < stride; at += 16) v128.store(row + at, f32x4.mul(v128.load(row + at), f32x4.splat(inverse)));
      for (let j = 0; j < i; j++) {
        const other = rows + <usize>j * stride;
        subtract(row, other, dot(row, other, side), side);
      }
    }
    const norm = Mathf.sqrt(dot(row, row, side));
    if (norm < <f32>1e-3) {
      // Nothing of this direction is left; the old basis stays whole rather than losing one.
      return;
    }
    for (let at: usize = 0; at < stride; at += 16) v128.store(row + at, f32x4.mul(v128.load(row + at), f32x4.splat(<f32>1 / norm)));
  }
  transpose(rows, stride, basis, stride, side, side);
}

/**
 * Updates one layer.
 *
 * @param first,second moments [rows, columns], in the turned basis
 * @param state L, R, Q_L, Q_R
 * @param isFirst whether this is the layer's first update
 * @param refreshes whether the bases follow the factors now
 */
export function soap(
  weights: usize, first: usize, second: usize, gradient: usize, state: usize, layerInputs: i32, layerOutputs: i32,
  beta1: f32, beta2: f32, epsilon: f32, rate: f32, rootFactor: f32, decay: f32, isFirst: bool, refreshes: bool,
): void {
  const rows = pad4(layerInputs + 1), columns = pad4(layerOutputs);
  const left = state, right = left + (<usize>(rows * rows) << 2);
  const leftBasis = right + (<usize>(columns * columns) << 2), rightBasis = leftBasis + (<usize>(rows * rows) << 2);
  const a = workspace, b = a + workspaceStride, c = b + workspaceStride, leftT = c + workspaceStride, rightT = leftT + workspaceStride;
  const count = rows * columns;
  if (isFirst) {
    startBasis(leftBasis, rows, layerInputs + 1);
    startBasis(rightBasis, columns, layerOutputs);
  }
  // Factors: L from the transposed gradient, R from the gradient.
  transpose(gradient, <usize>columns << 2, a, <usize>rows << 2, rows, columns);
  contract(a, rows, a, rows, b, rows, rows, columns);
  average(left, b, rows * rows, isFirst ? 0 : decay);
  contract(gradient, columns, gradient, columns, b, columns, columns, rows);
  average(right, b, columns * columns, isFirst ? 0 : decay);
  if (refreshes) {
    // The first moment goes to the new basis by way of the plain one; the second stays, as in the paper.
    transpose(leftBasis, <usize>rows << 2, leftT, <usize>rows << 2, rows, rows);
    transpose(rightBasis, <usize>columns << 2, rightT, <usize>columns << 2, columns, columns);
    contract(first, columns, leftT, rows, a, columns, rows, rows);
    contract(a, rows, rightT, columns, b, rows, columns, columns);
    refresh(left, leftBasis, rows, layerInputs + 1, a);
    refresh(right, rightBasis, columns, layerOutputs, a);
    contract(b, columns, leftBasis, rows, a, columns, rows, rows);
    contract(a, rows, rightBasis, columns, first, rows, columns, columns);
  }
  // Turned gradient: a = G^T Q_L, c = a^T Q_R.
  contract(gradient, columns, leftBasis, rows, a, columns, rows, rows);
  contract(a, rows, rightBasis, columns, c, rows, columns, columns);
  const b1 = f32x4.splat(beta1), b2 = f32x4.splat(beta2);
  const a1 = f32x4.splat(<f32>1 - beta1), a2 = f32x4.splat(<f32>1 - beta2);
  const e = f32x4.splat(epsilon), step = f32x4.splat(rate), factor = f32x4.splat(rootFactor);
  const limit = f32x4.splat(STEP_LIMIT), low = f32x4.splat(-STEP_LIMIT);
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.load(c + at);
    const m = f32x4.add(f32x4.mul(b1, v128.load(first + at)), f32x4.mul(a1, g));
    const v = f32x4.add(f32x4.mul(b2, v128.load(second + at)), f32x4.mul(a2, f32x4.mul(g, g)));
    v128.store(first + at, m);
    v128.store(second + at, v);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(v), factor), e);
    v128.store(c + at, f32x4.max(low, f32x4.min(limit, f32x4.div(m, root))));
  }
  // Turned back: N = Q_L N' Q_R^T, by the transposed bases.
  transpose(leftBasis, <usize>rows << 2, leftT, <usize>rows << 2, rows, rows);
  transpose(rightBasis, <usize>columns << 2, rightT, <usize>columns << 2, columns, columns);
  contract(c, columns, leftT, rows, a, columns, rows, rows);
  contract(a, rows, rightT, columns, b, rows, columns, columns);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), f32x4.mul(step, v128.load(b + at))));
  }
}
