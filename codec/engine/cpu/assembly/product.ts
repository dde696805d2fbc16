// The matrix product every layer is made of.
//
// Algorithm: C[r, c] = start + sum over k of A[k, r] * X[k, c], in blocks of 4 rows by 8 columns held in eight vector
// registers; per k two vector loads of X, four splat loads of A, eight multiply-adds. Larger blocks spill (measured).
// Strides are in bytes. A is padded with zeros to a multiple of 4 rows. The depth, k, is at least 1.
//
// The loop over k is written out three or four times with a way out after each: without those branches the host moves
// all loads to the front and spills, and a loop of one k spends a fifth of its time on counting and stack checks.
//
// The same kernel serves three products:
//   forward        A = weights [in, out],            X = features [in, 32],   C = [out, 32]
//   backward data  A = weights transposed [out, in], X = dZ [out, 32],        C = [in, 32], times the slopes
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

/** Bytes between feature rows of a tile: 32 coordinates of f32. */
// @ts-ignore: decorator
@inline export const ROW: usize = 128;
/** Coordinates in a tile; 16 and 64 measured equal or slower. */
// @ts-ignore: decorator
@inline export const TILE: i32 = 32;


// Four rows by eight columns; slopes lie as C of a tile.
// @ts-ignore: decorator
@inline
function block4by8(
  a: usize, aStride: usize, x: usize, xStride: usize, c: usize, cStride: usize, bias: usize, slope: usize,
  depth: i32, start: i32, TILED: bool, SLOPED: bool,
): void {
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
  let x0: v128, x1: v128, w: v128;
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
  const end = a + <usize>depth * aStride;
  if (TILED) {
    for (;;) {
      x0 = v128.load(x); x1 = v128.load(x, 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride;
      if (a == end) break;
      x0 = v128.load(x, ROW); x1 = v128.load(x, ROW + 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride;
      if (a == end) break;
      x0 = v128.load(x, 2 * ROW); x1 = v128.load(x, 2 * ROW + 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride;
      x += 3 * ROW;
      if (a == end) break;
    }
  } else {
    for (;;) {
      x0 = v128.load(x); x1 = v128.load(x, 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride; x += xStride;
      if (a == end) break;
      x0 = v128.load(x); x1 = v128.load(x, 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride; x += xStride;
      if (a == end) break;
      x0 = v128.load(x); x1 = v128.load(x, 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride; x += xStride;
      if (a == end) break;
      x0 = v128.load(x); x1 = v128.load(x, 16);
      w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01);
      w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11);
      w = v128.load32_splat(a, 8); c20 = multiplyAdd(w, x0, c20); c21 = multiplyAdd(w, x1, c21);
      w = v128.load32_splat(a, 12); c30 = multiplyAdd(w, x0, c30); c31 = multiplyAdd(w, x1, c31);
      a += aStride; x += xStride;
      if (a == end) break;
    }
  }
  if (SLOPED) {
    c00 = f32x4.mul(c00, v128.load(slope));
    c01 = f32x4.mul(c01, v128.load(slope, 16));
    c10 = f32x4.mul(c10, v128.load(slope, 128));
    c11 = f32x4.mul(c11, v128.load(slope, 144));
    c20 = f32x4.mul(c20, v128.load(slope, 256));
    c21 = f32x4.mul(c21, v128.load(slope, 272));
    c30 = f32x4.mul(c30, v128.load(slope, 384));
    c31 = f32x4.mul(c31, v128.load(slope, 400));
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c1, c10); v128.store(c1, c11, 16);
  v128.store(c2, c20); v128.store(c2, c21, 16);
  v128.store(c3, c30); v128.store(c3, c31, 16);
}

// The last four columns where `columns` is no multiple of 8: only gradients of narrow layers come here.
// @ts-ignore: decorator
@inline
function block4by4(
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

// Two rows by sixteen columns of a tile: what is left of widths like 14.
// @ts-ignore: decorator
@inline
function block2by16(
  a: usize, aStride: usize, x: usize, c: usize, bias: usize, slope: usize, depth: i32, start: i32, SLOPED: bool,
): void {
  let c00: v128, c01: v128, c02: v128, c03: v128, c10: v128, c11: v128, c12: v128, c13: v128;
  let x0: v128, x1: v128, x2: v128, x3: v128, w: v128;
  const c1 = c + ROW;
  if (start == FROM_BIAS) {
    c00 = c01 = c02 = c03 = v128.load32_splat(bias);
    c10 = c11 = c12 = c13 = v128.load32_splat(bias, 4);
  } else if (start == FROM_TARGET) {
    c00 = v128.load(c); c01 = v128.load(c, 16); c02 = v128.load(c, 32); c03 = v128.load(c, 48);
    c10 = v128.load(c1); c11 = v128.load(c1, 16); c12 = v128.load(c1, 32); c13 = v128.load(c1, 48);
  } else {
    c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = f32x4.splat(0);
  }
  const end = a + <usize>depth * aStride;
  for (;;) {
    x0 = v128.load(x); x1 = v128.load(x, 16); x2 = v128.load(x, 32); x3 = v128.load(x, 48);
    w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01); c02 = multiplyAdd(w, x2, c02); c03 = multiplyAdd(w, x3, c03);
    w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11); c12 = multiplyAdd(w, x2, c12); c13 = multiplyAdd(w, x3, c13);
    a += aStride;
    if (a == end) break;
    x0 = v128.load(x, ROW); x1 = v128.load(x, ROW + 16); x2 = v128.load(x, ROW + 32); x3 = v128.load(x, ROW + 48);
    w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01); c02 = multiplyAdd(w, x2, c02); c03 = multiplyAdd(w, x3, c03);
    w = v128.load32_splat(a, 4); c10 = multiplyAdd(w, x0, c10); c11 = multiplyAdd(w, x1, c11); c12 = multiplyAdd(w, x2, c12); c13 = multiplyAdd(w, x3, c13);
    a += aStride;
    x += 2 * ROW;
    if (a == end) break;
  }
  if (SLOPED) {
    c00 = f32x4.mul(c00, v128.load(slope));
    c01 = f32x4.mul(c01, v128.load(slope, 16));
    c02 = f32x4.mul(c02, v128.load(slope, 32));
    c03 = f32x4.mul(c03, v128.load(slope, 48));
    c10 = f32x4.mul(c10, v128.load(slope, 128));
    c11 = f32x4.mul(c11, v128.load(slope, 144));
    c12 = f32x4.mul(c12, v128.load(slope, 160));
    c13 = f32x4.mul(c13, v128.load(slope, 176));
  }
  v128.store(c, c00); v128.store(c, c01, 16); v128.store(c, c02, 32); v128.store(c, c03, 48);
  v128.store(c1, c10); v128.store(c1, c11, 16); v128.store(c1, c12, 32); v128.store(c1, c13, 48);
}

// One row of a tile: a single output.
// @ts-ignore: decorator
@inline
function row32(
  a: usize, aStride: usize, x: usize, c: usize, bias: usize, slope: usize, depth: i32, start: i32, SLOPED: bool,
): void {
  let c00: v128, c01: v128, c02: v128, c03: v128, c04: v128, c05: v128, c06: v128, c07: v128;
  let x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128, w: v128;
  if (start == FROM_BIAS) {
    c00 = c01 = c02 = c03 = c04 = c05 = c06 = c07 = v128.load32_splat(bias);
  } else if (start == FROM_TARGET) {
    c00 = v128.load(c); c01 = v128.load(c, 16); c02 = v128.load(c, 32); c03 = v128.load(c, 48); c04 = v128.load(c, 64); c05 = v128.load(c, 80); c06 = v128.load(c, 96); c07 = v128.load(c, 112);
  } else {
    c00 = c01 = c02 = c03 = c04 = c05 = c06 = c07 = f32x4.splat(0);
  }
  const end = a + <usize>depth * aStride;
  for (;;) {
    x0 = v128.load(x); x1 = v128.load(x, 16); x2 = v128.load(x, 32); x3 = v128.load(x, 48); x4 = v128.load(x, 64); x5 = v128.load(x, 80); x6 = v128.load(x, 96); x7 = v128.load(x, 112);
    w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01); c02 = multiplyAdd(w, x2, c02); c03 = multiplyAdd(w, x3, c03); c04 = multiplyAdd(w, x4, c04); c05 = multiplyAdd(w, x5, c05); c06 = multiplyAdd(w, x6, c06); c07 = multiplyAdd(w, x7, c07);
    a += aStride;
    if (a == end) break;
    x0 = v128.load(x, ROW); x1 = v128.load(x, ROW + 16); x2 = v128.load(x, ROW + 32); x3 = v128.load(x, ROW + 48); x4 = v128.load(x, ROW + 64); x5 = v128.load(x, ROW + 80); x6 = v128.load(x, ROW + 96); x7 = v128.load(x, ROW + 112);
    w = v128.load32_splat(a); c00 = multiplyAdd(w, x0, c00); c01 = multiplyAdd(w, x1, c01); c02 = multiplyAdd(w, x2, c02); c03 = multiplyAdd(w, x3, c03); c04 = multiplyAdd(w, x4, c04); c05 = multiplyAdd(w, x5, c05); c06 = multiplyAdd(w, x6, c06); c07 = multiplyAdd(w, x7, c07);
    a += aStride;
    x += 2 * ROW;
    if (a == end) break;
  }
  if (SLOPED) {
    c00 = f32x4.mul(c00, v128.load(slope));
    c01 = f32x4.mul(c01, v128.load(slope, 16));
    c02 = f32x4.mul(c02, v128.load(slope, 32));
    c03 = f32x4.mul(c03, v128.load(slope, 48));
    c04 = f32x4.mul(c04, v128.load(slope, 64));
    c05 = f32x4.mul(c05, v128.load(slope, 80));
    c06 = f32x4.mul(c06, v128.load(slope, 96));
    c07 = f32x4.mul(c07, v128.load(slope, 112));
  }
  v128.store(c, c00); v128.store(c, c01, 16); v128.store(c, c02, 32); v128.store(c, c03, 48); v128.store(c, c04, 64); v128.store(c, c05, 80); v128.store(c, c06, 96); v128.store(c, c07, 112);
}

// @ts-ignore: decorator
@inline
function product(
  a: usize, aStride: usize, x: usize, xStride: usize, c: usize, cStride: usize, rows: i32, columns: i32, depth: i32,
  start: i32,
): void {
  for (let r = 0; r < rows; r += 4) {
    let column = 0;
    for (; column + 8 <= columns; column += 8) {
      const at = <usize>column << 2;
      block4by8(a, aStride, x + at, xStride, c + at, cStride, 0, 0, depth, start, false, false);
    }
    if (column < columns) {
      block4by4(a, aStride, x + (column << 2), xStride, c + (column << 2), cStride, 0, depth, start);
    }
    a += 16;
    c += cStride << 2;
  }
}

// The same over a tile, where strides are known and no rows are wasted but one in widths like 3.
// @ts-ignore: decorator
@inline
function tileProduct(
  a: usize, aStride: usize, x: usize, c: usize, bias: usize, slope: usize, rows: i32, depth: i32, start: i32, SLOPED: bool,
): void {
  let left = rows;
  for (; left > 2; left -= 4) {
    for (let at: usize = 0; at < ROW; at += 32) {
      block4by8(a, aStride, x + at, ROW, c + at, ROW, bias, slope + at, depth, start, true, SLOPED);
    }
    a += 16;
    bias += 16;
    c += 4 * ROW;
    slope += 4 * ROW;
  }
  if (left == 2) {
    block2by16(a, aStride, x, c, bias, slope, depth, start, SLOPED);
    block2by16(a, aStride, x + 64, c + 64, bias, slope + 64, depth, start, SLOPED);
  } else if (left == 1) {
    row32(a, aStride, x, c, bias, slope, depth, start, SLOPED);
  }
}

/** C [rows, 32] = bias + A^T X over a tile; up to one row more is written. */
export function layer(a: usize, aStride: usize, bias: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  tileProduct(a, aStride, x, c, bias, 0, rows, depth, FROM_BIAS, false);
}

/** C [rows, 32] = A^T X over a tile; up to one row more is written. */
export function layerFromZero(a: usize, aStride: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  tileProduct(a, aStride, x, c, 0, 0, rows, depth, FROM_ZERO, false);
}

/** C [rows, 32] += A^T X over a tile; up to one row more is written. */
export function layerOntoTarget(a: usize, aStride: usize, x: usize, c: usize, rows: i32, depth: i32): void {
  tileProduct(a, aStride, x, c, 0, 0, rows, depth, FROM_TARGET, false);
}

/** C [rows, 32] = (A^T X) * slope [rows, 32] over a tile; up to one row more is written. */
export function layerTimesSlope(a: usize, aStride: usize, x: usize, slope: usize, c: usize, rows: i32, depth: i32): void {
  tileProduct(a, aStride, x, c, 0, slope, rows, depth, FROM_ZERO, true);
}

/** C [rows, 32] = (C + A^T X) * slope [rows, 32] over a tile; up to one row more is written. */
export function targetTimesSlope(a: usize, aStride: usize, x: usize, slope: usize, c: usize, rows: i32, depth: i32): void {
  tileProduct(a, aStride, x, c, 0, slope, rows, depth, FROM_TARGET, true);
}

/**
 * dW [rows, columns] += features^T dZ, both coordinate-major: features [32, rows], dZ [32, columns].
 *
 * @param dzStride bytes between the coordinates of dZ
 */
export function accumulateGradient(
  features: usize, dz: usize, dzStride: usize, dw: usize, rows: i32, columns: i32,
): void {
  product(features, rows << 2, dz, dzStride, dw, columns << 2, rows, columns, TILE, FROM_TARGET);
}

/** As {@link accumulateGradient}, of features [32, `featureStride` bytes] of which the first `rows` count. */
export function accumulatePart(
  features: usize, featureStride: usize, dz: usize, dzStride: usize, dw: usize, rows: i32, columns: i32,
): void {
  product(features, featureStride, dz, dzStride, dw, columns << 2, rows, columns, TILE, FROM_TARGET);
}

/**
 * C [rows, columns] = A^T X: A [depth, rows], X [depth, columns], all dense and row-major, sizes multiples of 4.
 *
 * @param aColumns,xColumns the operands' columns, which are C's rows and columns
 */
export function contract(
  a: usize, aColumns: i32, x: usize, xColumns: i32, c: usize, rows: i32, columns: i32, depth: i32,
): void {
  product(a, <usize>aColumns << 2, x, <usize>xColumns << 2, c, <usize>columns << 2, rows, columns, depth, FROM_ZERO);
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
