// Twice as many rows and columns, by four taps, and the way back. Planes have rows of pad4(width) floats; what stands in a
// row behind its width is of no meaning in values and zero in gradients. Every plane has SLACK floats behind it.
import { multiplyAdd } from '../product';
import { pad4 } from './plan';

// @ts-ignore: decorator
@inline export const SLACK: i32 = 64;

/** A row with its ends repeated, and two more like it: [4 + pad4(width) + 8] floats. */
let row: usize = 0, evenRow: usize = 0, oddRow: usize = 0;

export function setRows(at: usize, mostWidth: i32): usize {
  const bytes = <usize>(pad4(mostWidth) + 32) << 2;
  row = at + 16;
  evenRow = row + bytes;
  oddRow = evenRow + bytes;
  return 3 * bytes + 64;
}

// @ts-ignore: decorator
@inline
function clampRow(at: i32, height: i32): i32 { return at < 0 ? 0 : at >= height ? height - 1 : at; }

/** `tall` [height2, width] of `input` [height, width]. */
export function doubleRows(input: usize, height: i32, width: i32, tall: usize, height2: i32, taps: usize): void {
  const stride = <usize>pad4(width) << 2;
  const t0 = v128.load32_splat(taps), t1 = v128.load32_splat(taps, 4);
  const t2 = v128.load32_splat(taps, 8), t3 = v128.load32_splat(taps, 12);
  for (let i = 0; i < height; i++) {
    const a = input + <usize>clampRow(i - 2, height) * stride, b = input + <usize>clampRow(i - 1, height) * stride;
    const c = input + <usize>i * stride;
    const d = input + <usize>clampRow(i + 1, height) * stride, e = input + <usize>clampRow(i + 2, height) * stride;
    const even = tall + <usize>(2 * i) * stride;
    const odd = even + stride;
    const hasOdd = 2 * i + 1 < height2;
    for (let at: usize = 0; at < stride; at += 16) {
      const vb = v128.load(b + at), vc = v128.load(c + at), vd = v128.load(d + at);
      let sum = f32x4.mul(t0, v128.load(a + at));
      sum = multiplyAdd(t1, vb, sum);
      sum = multiplyAdd(t2, vc, sum);
      sum = multiplyAdd(t3, vd, sum);
      v128.store(even + at, sum);
      if (hasOdd) {
        sum = f32x4.mul(t0, v128.load(e + at));
        sum = multiplyAdd(t1, vd, sum);
        sum = multiplyAdd(t2, vc, sum);
        sum = multiplyAdd(t3, vb, sum);
        v128.store(odd + at, sum);
      }
    }
  }
}

/** Copies a row between its repeated ends. */
// @ts-ignore: decorator
@inline
function loadRow(from: usize, width: i32): void {
  const bytes = <usize>pad4(width) << 2;
  for (let at: usize = 0; at < bytes; at += 16) v128.store(row + at, v128.load(from + at));
  const first = load<f32>(from), last = load<f32>(from + (<usize>(width - 1) << 2));
  store<f32>(row - 4, first);
  store<f32>(row - 8, first);
  const end = row + (<usize>width << 2);
  store<f32>(end, last);
  store<f32>(end, last, 4);
}

/** `output` [height, width2] of `tall` [height, width]. */
export function doubleColumns(tall: usize, height: i32, width: i32, output: usize, width2: i32, taps: usize): void {
  const stride = <usize>pad4(width) << 2, stride2 = <usize>pad4(width2) << 2;
  const t0 = v128.load32_splat(taps), t1 = v128.load32_splat(taps, 4);
  const t2 = v128.load32_splat(taps, 8), t3 = v128.load32_splat(taps, 12);
  for (let i = 0; i < height; i++) {
    loadRow(tall + <usize>i * stride, width);
    let to = output + <usize>i * stride2;
    for (let at: usize = 0; at < stride; at += 16) {
      const b = v128.load(row + at - 4), c = v128.load(row + at), d = v128.load(row + at, 4);
      let even = f32x4.mul(t0, v128.load(row + at - 8));
      even = multiplyAdd(t1, b, even);
      even = multiplyAdd(t2, c, even);
      even = multiplyAdd(t3, d, even);
      let odd = f32x4.mul(t0, v128.load(row + at, 8));
      odd = multiplyAdd(t1, d, odd);
      odd = multiplyAdd(t2, c, odd);
      odd = multiplyAdd(t3, b, odd);
      v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
      to += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, sum: v128): void { store<f32>(at, load<f32>(at) + lanes(sum)); }

/** Sum of four. */
// @ts-ignore: decorator
@inline
export function lanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// @ts-ignore: decorator
@inline
function clear(from: usize, floats: i32): void { memory.fill(from, 0, <usize>floats << 2); }

/** Gradient of `tall`, for that of `output`; that of the taps is added to. */
export function columnGradients(
  tall: usize, height: i32, width: i32, gradient: usize, width2: i32, taps: usize, tapGradient: usize, tallGradient: usize,
): void {
  const stride = <usize>pad4(width) << 2, stride2 = <usize>pad4(width2) << 2;
  const t0 = v128.load32_splat(taps), t1 = v128.load32_splat(taps, 4);
  const t2 = v128.load32_splat(taps, 8), t3 = v128.load32_splat(taps, 12);
  const s0 = load<f32>(taps), s1 = load<f32>(taps, 4), s3 = load<f32>(taps, 12);
  let g0 = f32x4.splat(0), g1 = g0, g2 = g0, g3 = g0;
  clear(evenRow - 16, 4);
  clear(oddRow - 16, 4);
  for (let i = 0; i < height; i++) {
    loadRow(tall + <usize>i * stride, width);
    let from = gradient + <usize>i * stride2;
    for (let at: usize = 0; at < stride; at += 16) {
      const low = v128.load(from), high = v128.load(from, 16);
      v128.store(evenRow + at, v128.shuffle<f32>(low, high, 0, 2, 4, 6));
      v128.store(oddRow + at, v128.shuffle<f32>(low, high, 1, 3, 5, 7));
      from += 32;
    }
    clear(evenRow + (<usize>width << 2), 8);
    clear(oddRow + (<usize>(width2 >> 1) << 2), 8);
    const to = tallGradient + <usize>i * stride;
    for (let at: usize = 0; at < stride; at += 16) {
      const e = v128.load(evenRow + at), o = v128.load(oddRow + at);
      const c = v128.load(row + at), b = v128.load(row + at - 4), d = v128.load(row + at, 4);
      g0 = multiplyAdd(e, v128.load(row + at - 8), multiplyAdd(o, v128.load(row + at, 8), g0));
      g1 = multiplyAdd(e, b, multiplyAdd(o, d, g1));
      g2 = multiplyAdd(f32x4.add(e, o), c, g2);
      g3 = multiplyAdd(e, d, multiplyAdd(o, b, g3));
      let sum = f32x4.mul(t2, f32x4.add(e, o));
      sum = multiplyAdd(t1, f32x4.add(v128.load(evenRow + at, 4), v128.load(oddRow + at - 4)), sum);
      sum = multiplyAdd(t3, f32x4.add(v128.load(evenRow + at - 4), v128.load(oddRow + at, 4)), sum);
      sum = multiplyAdd(t0, f32x4.add(v128.load(evenRow + at, 8), v128.load(oddRow + at - 8)), sum);
      v128.store(to + at, sum);
    }
    // What the repeated ends got: of those before the first and behind the last.
    const last = <usize>(width - 1) << 2;
    const left = s0 * (load<f32>(evenRow) + load<f32>(evenRow, 4)) + s1 * load<f32>(evenRow) + s3 * load<f32>(oddRow);
    const oEnd = load<f32>(oddRow + last), eEnd = load<f32>(evenRow + last);
    const oBefore = width > 1 ? load<f32>(oddRow + last - 4) : <f32>0;
    const right = s0 * (oEnd + oBefore) + s1 * oEnd + s3 * eEnd;
    store<f32>(to, load<f32>(to) + left);
    store<f32>(to + last, load<f32>(to + last) + right);
    for (let at = width; at < pad4(width); at++) store<f32>(to + (<usize>at << 2), 0);
  }
  addTo(tapGradient, g0);
  addTo(tapGradient + 4, g1);
  addTo(tapGradient + 8, g2);
  addTo(tapGradient + 12, g3);
}

/** target [bytes] += tap * (one + other); null pointers are rows of zeros. */
// @ts-ignore: decorator
@inline
function addRow(target: usize, tap: v128, source: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(target + at, multiplyAdd(tap, v128.load(source + at), v128.load(target + at)));
  }
}

/** Gradient of `input` [height, width], for that of `tall` [height2, width]; that of the taps is added to. */
export function rowGradients(
  input: usize, height: i32, width: i32, tallGradient: usize, height2: i32, taps: usize, tapGradient: usize, result: usize,
): void {
  const stride = <usize>pad4(width) << 2;
  const t0 = v128.load32_splat(taps), t1 = v128.load32_splat(taps, 4);
  const t2 = v128.load32_splat(taps, 8), t3 = v128.load32_splat(taps, 12);
  let g0 = f32x4.splat(0), g1 = g0, g2 = g0, g3 = g0;
  memory.fill(result, 0, <usize>height * stride);
  for (let i = 0; i < height; i++) {
    const ia = <usize>clampRow(i - 2, height) * stride, ib = <usize>clampRow(i - 1, height) * stride;
    const ic = <usize>i * stride;
    const id = <usize>clampRow(i + 1, height) * stride, ie = <usize>clampRow(i + 2, height) * stride;
    const even = tallGradient + <usize>(2 * i) * stride;
    for (let at: usize = 0; at < stride; at += 16) {
      const e = v128.load(even + at);
      g0 = multiplyAdd(e, v128.load(input + ia + at), g0);
      g1 = multiplyAdd(e, v128.load(input + ib + at), g1);
      g2 = multiplyAdd(e, v128.load(input + ic + at), g2);
      g3 = multiplyAdd(e, v128.load(input + id + at), g3);
    }
    addRow(result + ia, t0, even, stride);
    addRow(result + ib, t1, even, stride);
    addRow(result + ic, t2, even, stride);
    addRow(result + id, t3, even, stride);
    if (2 * i + 1 >= height2) continue;
    const odd = even + stride;
    for (let at: usize = 0; at < stride; at += 16) {
      const o = v128.load(odd + at);
      g0 = multiplyAdd(o, v128.load(input + ie + at), g0);
      g1 = multiplyAdd(o, v128.load(input + id + at), g1);
      g2 = multiplyAdd(o, v128.load(input + ic + at), g2);
      g3 = multiplyAdd(o, v128.load(input + ib + at), g3);
    }
    addRow(result + ie, t0, odd, stride);
    addRow(result + id, t1, odd, stride);
    addRow(result + ic, t2, odd, stride);
    addRow(result + ib, t3, odd, stride);
  }
  addTo(tapGradient, g0);
  addTo(tapGradient + 4, g1);
  addTo(tapGradient + 8, g2);
  addTo(tapGradient + 12, g3);
}
