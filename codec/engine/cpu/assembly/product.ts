// The matrix product every layer is made of.
//
// Algorithm: C[r, c] = start + sum over k of A[k, r] * X[k, c], in blocks of 4 rows by 8 columns held in eight vector
// registers; per k two vector loads of X, four splat loads of A, eight multiply-adds. Larger blocks spill (measured).
// Strides are in bytes. `rows` and `columns` are multiples of 4; A and C are padded with zeros to that.
//
// The same kernel serves three products:
//   forward        A = weights [in, out],            X = features [in, 32],   C = [out, 32]
//   backward data  A = weights transposed [out, in], X = dZ [out, 32],        C = [in, 32]
//   gradients      A = features, coordinate-major,   X = dZ, coordinate-major, C = dW [in, out], K = 32

/** What a product starts from. */
// @ts-ignore: decorator
@inline export const FROM_ZERO: i32 = 0;
/** From one value per row, the bias. */
// @ts-ignore: decorator
@inline export const FROM_BIAS: i32 = 1;
/** From what stands in C. */
// @ts-ignore: decorator
@inline export const FROM_TARGET: i32 = 2;

/** a * b + c, fused where the module is built for relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
function block8(
  a: usize, aStride: usize, x: usize, xStride: usize, c: usize, cStride: usize, bias: usize, depth: i32, start: i32,
): void {
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
  const c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
  if (start == FROM_BIAS) {
    c00 = c01 = v128.load32_splat(bias);
    c10 = c11 = v128.load32_splat(bias, 4);
    c20 = c21 = v128.load32_splat(bias, 8);
    c30 = c31 = v128.load32_splat(bias, 12);
  } else if (start == FROM_TARGET) {
    c00 = v128.load(c); c01 = v128.load(c, 16);
    c10 = v128.load(c1); c11 = v128.load(c1, 16);
    c20 = v128.load(c2); c21 = v128.load(c2, 16);
    c30 = v128.load(c3); c31 = v128.load(c3, 16);
  } else {
    c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = f32x4.splat(0);
  }
  for (let k = depth; k > 0; --k) {
    const x0 = v128.load(x), x1 = v128.load(x, 16);
    let w = v128.load32_splat(a);
    c00 = multiplyAdd(w, x0, c00);
    c01 = multiplyAdd(w, x1, c01);
    w = v128.load32_splat(a, 4);
    c10 = multiplyAdd(w, x0, c10);
    c11 = multiplyAdd(w, x1, c11);
    w = v128.load32_splat(a, 8);
    c20 = multiplyAdd(w, x0, c20);
    c21 = multiplyAdd(w, x1, c21);
    w = v128.load32_splat(a, 12);
    c30 = multiplyAdd(w, x0, c30);
    c31 = multiplyAdd(w, x1, c31);
    a += aStride;
    x += xStride;
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c1, c10); v128.store(c1, c11, 16);
  v128.store(c2, c20); v128.store(c2, c21, 16);
  v128.store(c3, c30); v128.store(c3, c31, 16);
}

// The last four columns where `columns` is no multiple of 8: only gradients of narrow layers come here.
// @ts-ignore: decorator
@inline
function block4(
  a: usize, aStride: usize, x: usize, xStride: usize, c: usize, cStride: usize, bias: usize, depth: i32, start: i32,
): void {
  let c0: v128, c1: v128, c2: v128, c3: v128;
  const p1 = c + cStride, p2 = p1 + cStride, p3 = p2 + cStride;
  if (start == FROM_BIAS) {
    c0 = v128.load32_splat(bias);
    c1 = v128.load32_splat(bias, 4);
    c2 = v128.load32_splat(bias, 8);
    c3 = v128.load32_splat(bias, 12);
  } else if (start == FROM_TARGET) {
    c0 = v128.load(c);
    c1 = v128.load(p1);
    c2 = v128.load(p2);
    c3 = v128.load(p3);
  } else {
    c0 = c1 = c2 = c3 = f32x4.splat(0);
  }
  for (let k = depth; k > 0; --k) {
    const x0 = v128.load(x);
    c0 = multiplyAdd(v128.load32_splat(a), x0, c0);
    c1 = multiplyAdd(v128.load32_splat(a, 4), x0, c1);
    c2 = multiplyAdd(v128.load32_splat(a, 8), x0, c2);
    c3 = multiplyAdd(v128.load32_splat(a, 12), x0, c3);
    a += aStride;
    x += xStride;
  }
  v128.store(c, c0);
  v128.store(p1, c1);
  v128.store(p2, c2);
  v128.store(p3, c3);
}

// @ts-ignore: decorator
@inline
function product(
  a: usize, aStride: usize, x: usize, xStride: usize, c: usize, cStride: usize, bias: usize,
  rows: i32, columns: i32, depth: i32, start: i32,
): void {
  for (let r = 0; r < rows; r += 4) {
    let column = 0;
    for (; column + 8 <= columns; column += 8) {
      block8(a, aStride, x + (column << 2), xStride, c + (column << 2), cStride, bias, depth, start);
    }
    if (column < columns) {
      block4(a, aStride, x + (column << 2), xStride, c + (column << 2), cStride, bias, depth, start);
    }
    a += 16;
    bias += 16;
    c += cStride << 2;
  }
}

/** Bytes between feature rows of a tile: 32 coordinates of f32. */
// @ts-ignore: decorator
@inline export const ROW: usize = 128;
/** Coordinates in a tile; 16 and 64 measured equal or slower. */
// @ts-ignore: decorator
@inline export const TILE: i32 = 32;

/** C [rows, 32] = bias + A^T X over a tile. */
export function layer(a: usize, aStride: usize, bias: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  product(a, aStride, x, ROW, c, ROW, bias, rows, TILE, depth, FROM_BIAS);
}

/** C [rows, 32] = A^T X over a tile. */
export function layerFromZero(a: usize, aStride: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  product(a, aStride, x, ROW, c, ROW, 0, rows, TILE, depth, FROM_ZERO);
}

/** C [rows, 32] += A^T X over a tile. */
export function layerOntoTarget(a: usize, aStride: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  product(a, aStride, x, ROW, c, ROW, 0, rows, TILE, depth, FROM_TARGET);
}

/**
 * dW [rows, columns] += features^T dZ, both coordinate-major: features [32, rows], dZ [32, columns].
 *
 * @param dzStride bytes between the coordinates of dZ
 */
export function accumulateGradient(
  features: usize, dz: usize, dzStride: usize, dw: usize, rows: i32, columns: i32,
): void {
  product(features, rows << 2, dz, dzStride, dw, columns << 2, 0, rows, columns, TILE, FROM_TARGET);
}

/**
 * C [rows, columns] = A^T X: A [depth, rows], X [depth, columns], all dense and row-major, sizes multiples of 4.
 *
 * @param aColumns,xColumns the operands' columns, which are C's rows and columns
 */
export function contract(
  a: usize, aColumns: i32, x: usize, xColumns: i32, c: usize, rows: i32, columns: i32, depth: i32,
): void {
  product(a, <usize>aColumns << 2, x, <usize>xColumns << 2, c, <usize>columns << 2, 0, rows, columns, depth, FROM_ZERO);
}

/**
 * Transposes `rows` x `columns` f32 (both multiples of 4) by 4x4 shuffles; strides in bytes.
 */
export function transpose(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r += 4) {
    let source = from + <usize>r * fromStride;
    let target = to + (<usize>r << 2);
    for (let c = 0; c < columns; c += 4) {
      const a = v128.load(source), b = v128.load(source + fromStride);
      const d = v128.load(source + 2 * fromStride), e = v128.load(source + 3 * fromStride);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const de = v128.shuffle<f32>(d, e, 0, 4, 1, 5), DE = v128.shuffle<f32>(d, e, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f32>(ab, de, 0, 1, 4, 5));
      v128.store(target + toStride, v128.shuffle<f32>(ab, de, 2, 3, 6, 7));
      v128.store(target + 2 * toStride, v128.shuffle<f32>(AB, DE, 0, 1, 4, 5));
      v128.store(target + 3 * toStride, v128.shuffle<f32>(AB, DE, 2, 3, 6, 7));
      source += 16;
      target += toStride << 2;
    }
  }
}
