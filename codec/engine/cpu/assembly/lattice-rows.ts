// The lattice as evaluation sees it: every point that some task of the job needs is evaluated once, by whichever thread
// comes first, and interpolated row by row. Positions are a product of axes, so the points around a row of them are
// blended along the leading axes once (a blended row, f32 [columns, levels, Hp]), and each position takes two columns.
//
// The order of operations is the same for every position, whatever stands beside it, so that its value is too.
import {
  G, GLOBAL, Hp, Gp, H, amplitude, frequency, globalWeights, inputs, levelInputs, levelOffset, levels, pad4, phase,
  projectionOffset, shift,
} from './plan';
import {
  EVALUATION_LATTICE, EVALUATION_POINTS, EVALUATION_POINTS_DONE, EVALUATION_POINTS_NEXT, EVALUATION_POINT_AXIS_COUNTS,
  EVALUATION_POINT_COORDINATES, EVALUATION_POINT_COUNT, TASK_COUNTS, TASK_FRACTIONS, TASK_POINTS,
} from '../records';
import { ROW, TILE, layer, multiplyAdd, transpose } from './product';
import { activate } from './sine';
import { cornerPoints, cornerWeights, features, interpolated, latticeTiles, projection } from './scratch';

// @ts-ignore: decorator
@inline
function pointBytes(): usize { return <usize>(levels * Hp) << 2; }

// @ts-ignore: decorator
@inline
function pointsOnAxis(job: usize, axis: i32): i32 {
  return load<i32>(job + EVALUATION_POINT_AXIS_COUNTS + (<usize>axis << 2));
}

// Lanes beyond the last point repeat it.
function fillPointCoordinates(job: usize, points: usize, count: i32, coordinates: usize): void {
  for (let lane = 0; lane < TILE; lane++) {
    let rest = load<i32>(points + (<usize>min(lane, count - 1) << 2));
    for (let axis = inputs - 1; axis >= 0; axis--) {
      const axisPoints = pointsOnAxis(job, axis);
      const quotient = rest / axisPoints;
      const from = <usize>load<u32>(job + EVALUATION_POINT_COORDINATES + (<usize>axis << 2));
      store<f32>(
        coordinates + (<usize>(axis * TILE + lane) << 2),
        load<f32>(from + (<usize>(rest - quotient * axisPoints) << 2)),
      );
      rest = quotient;
    }
  }
}

// Runs the global network at up to 32 points and writes their projections by the merge's global half.
function projectPoints(job: usize, first: i32, count: i32): void {
  const points = <usize>load<u32>(job + EVALUATION_POINTS) + (<usize>first << 2);
  const even = latticeTiles + <usize>pad4(inputs + 1) * ROW, odd = even + <usize>Gp * ROW;
  let from = latticeTiles;
  fillPointCoordinates(job, points, count, from);
  for (let level = 1; level <= levels; level++) {
    const to = level & 1 ? odd : even;
    const weights = globalWeights + levelOffset(level, G);
    const depth = levelInputs(level, G);
    layer(weights, Gp << 2, weights + (<usize>(depth * Gp) << 2), from, to, Gp, depth);
    activate(to, G, frequency(GLOBAL, level), phase(GLOBAL), amplitude(GLOBAL), shift(GLOBAL));
    const merge = globalWeights + projectionOffset(level);
    layer(merge, Hp << 2, merge + (<usize>(G * Hp) << 2), to, projection, Hp, G);
    transpose(projection, ROW, interpolated + (<usize>((level - 1) * Hp) << 2), pointBytes(), Hp, TILE);
    from = to;
  }
  const lattice = <usize>load<u32>(job + EVALUATION_LATTICE);
  for (let lane: usize = 0; lane < <usize>count; lane++) {
    const point = <usize>load<i32>(points + (lane << 2));
    memory.copy(lattice + point * pointBytes(), interpolated + lane * pointBytes(), pointBytes());
  }
}

/** This thread's part of the job's lattice; returns when all threads have done theirs. */
export function projectLattice(job: usize): void {
  const count = load<i32>(job + EVALUATION_POINT_COUNT);
  const tiles = (count + TILE - 1) / TILE;
  const done = job + EVALUATION_POINTS_DONE;
  for (;;) {
    const tile = atomic.add<i32>(job + EVALUATION_POINTS_NEXT, 1);
    if (tile >= tiles) break;
    projectPoints(job, tile * TILE, min(count - tile * TILE, TILE));
    if (atomic.add<i32>(done, 1) + 1 == tiles) atomic.notify(done, -1);
  }
  for (;;) {
    const seen = atomic.load<i32>(done);
    if (seen >= tiles) break;
    atomic.wait<i32>(done, seen, -1);
  }
}

let lattice: usize = 0, rows: usize = 0, slots: i32 = 0;
let firstColumn: i32 = 0, columns: i32 = 0, blended: i32 = 0;

// @ts-ignore: decorator
@inline
function pointAt(task: usize, axis: i32, index: i32): i32 {
  return load<i32>(<usize>load<u32>(task + TASK_POINTS + (<usize>axis << 2)) + (<usize>index << 2));
}
// @ts-ignore: decorator
@inline
function fractionAt(task: usize, axis: i32, index: i32): f32 {
  return load<f32>(<usize>load<u32>(task + TASK_FRACTIONS + (<usize>axis << 2)) + (<usize>index << 2));
}

/** Rows of positions that a tile can touch, given the positions of a row. */
// @ts-ignore: decorator
@inline
function rowsOfTile(width: i32): i32 { return min(TILE, (TILE - 2) / width + 2); }

/**
 * Starts a task.
 *
 * @param memory of this thread, for as many blended rows as a tile can touch (../evaluation-wave.ts)
 */
export function startRows(job: usize, task: usize, memory: usize): void {
  const last = inputs - 1;
  const width = load<i32>(task + TASK_COUNTS + (<usize>last << 2));
  lattice = <usize>load<u32>(job + EVALUATION_LATTICE);
  rows = memory;
  slots = rowsOfTile(width);
  firstColumn = pointAt(task, last, 0);
  columns = pointAt(task, last, width - 1) + 2 - firstColumn;
  blended = 0;
}

// Two corners of the leading axes at a time: target = a * p + b * q, or added to target.
// @ts-ignore: decorator
@inline
function blendTwo(a: f32, p: usize, b: f32, q: usize, target: usize, bytes: usize, onto: bool): void {
  const va = f32x4.splat(a), vb = f32x4.splat(b);
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(p + at);
    const sum = onto ? multiplyAdd(va, x, v128.load(target + at)) : f32x4.mul(va, x);
    v128.store(target + at, multiplyAdd(vb, v128.load(q + at), sum));
  }
}

function blendRow(job: usize, task: usize, row: i32, target: usize): void {
  const last = inputs - 1;
  const corners = 1 << last;
  const bytes = <usize>columns * pointBytes();
  // The corner's lowest bit says whether the axis before the last takes its upper point.
  for (let corner = 0; corner < corners; corner += 2) {
    let weight: f32 = 1;
    let rest = row, stride = pointsOnAxis(job, last), from = firstColumn;
    let lowWeight: f32 = 0, highWeight: f32 = 0, step = 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      const count = load<i32>(task + TASK_COUNTS + (<usize>axis << 2));
      const quotient = rest / count, index = rest - quotient * count;
      const fraction = fractionAt(task, axis, index);
      from += pointAt(task, axis, index) * stride;
      if (axis == last - 1) {
        lowWeight = <f32>1 - fraction;
        highWeight = fraction;
        step = stride;
      } else if ((corner >> (last - 1 - axis)) & 1) {
        weight *= fraction;
        from += stride;
      } else {
        weight *= <f32>1 - fraction;
      }
      stride *= pointsOnAxis(job, axis);
      rest = quotient;
    }
    const p = lattice + <usize>from * pointBytes(), q = p + <usize>step * pointBytes();
    if (corner == 0) blendTwo(weight * lowWeight, p, weight * highWeight, q, target, bytes, false);
    else blendTwo(weight * lowWeight, p, weight * highWeight, q, target, bytes, true);
  }
}

/**
 * Notes for `run` lanes from `lane` which columns lie around them: positions of row `row`, from `column`.
 *
 * Rows must come in ascending order, from 0.
 */
export function setColumns(job: usize, task: usize, row: i32, column: i32, lane: i32, run: i32): void {
  const last = inputs - 1;
  let base = lattice + <usize>firstColumn * pointBytes();
  if (last > 0) {
    base = rows + <usize>((row % slots) * columns) * pointBytes();
    if (row >= blended) {
      blendRow(job, task, row, base);
      blended = row + 1;
    }
  }
  const points = <usize>load<u32>(task + TASK_POINTS + (<usize>last << 2)) + (<usize>column << 2);
  const fractions = <usize>load<u32>(task + TASK_FRACTIONS + (<usize>last << 2)) + (<usize>column << 2);
  for (let i: usize = 0; i < <usize>run; i++) {
    const at = (<usize>lane + i) << 2;
    store<u32>(cornerPoints + at, <u32>(base + <usize>(load<i32>(points + (i << 2)) - firstColumn) * pointBytes()));
    store<f32>(cornerWeights + at, load<f32>(fractions + (i << 2)));
  }
}

/** Lanes from `lanes` on repeat the one before. */
export function repeatColumns(lanes: i32): void {
  const last = <usize>(lanes - 1) << 2;
  for (let at = <usize>lanes << 2; at < ROW; at += 4) {
    store<u32>(cornerPoints + at, load<u32>(cornerPoints + last));
    store<f32>(cornerWeights + at, load<f32>(cornerWeights + last));
  }
}

// @ts-ignore: decorator
@inline
function between(low: v128, below: v128, high: v128, above: v128): v128 {
  return multiplyAdd(high, above, f32x4.mul(low, below));
}

// Four lanes between the same two columns, as on a lattice of stride 4 at scale 1: features are splat over them.
// @ts-ignore: decorator
@inline
function interpolateCell(point: usize, low: v128, high: v128, target: usize, next: usize): void {
  for (let h = 0; h < Hp; h += 4) {
    v128.store(target, between(low, v128.load32_splat(point), high, v128.load32_splat(point + next)));
    v128.store(target, between(low, v128.load32_splat(point, 4), high, v128.load32_splat(point + next, 4)), 128);
    v128.store(target, between(low, v128.load32_splat(point, 8), high, v128.load32_splat(point + next, 8)), 256);
    v128.store(target, between(low, v128.load32_splat(point, 12), high, v128.load32_splat(point + next, 12)), 384);
    point += 16;
    target += 4 * ROW;
  }
}

// Four lanes between columns of their own: lane by lane, then transposed.
// @ts-ignore: decorator
@inline
function interpolateLanes(pointers: usize, offset: usize, low: v128, high: v128, target: usize, next: usize): void {
  let p0 = <usize>load<u32>(pointers) + offset, p1 = <usize>load<u32>(pointers, 4) + offset;
  let p2 = <usize>load<u32>(pointers, 8) + offset, p3 = <usize>load<u32>(pointers, 12) + offset;
  const l0 = v128.shuffle<f32>(low, low, 0, 0, 0, 0), h0 = v128.shuffle<f32>(high, high, 0, 0, 0, 0);
  const l1 = v128.shuffle<f32>(low, low, 1, 1, 1, 1), h1 = v128.shuffle<f32>(high, high, 1, 1, 1, 1);
  const l2 = v128.shuffle<f32>(low, low, 2, 2, 2, 2), h2 = v128.shuffle<f32>(high, high, 2, 2, 2, 2);
  const l3 = v128.shuffle<f32>(low, low, 3, 3, 3, 3), h3 = v128.shuffle<f32>(high, high, 3, 3, 3, 3);
  for (let h = 0; h < Hp; h += 4) {
    const a = between(l0, v128.load(p0), h0, v128.load(p0 + next));
    const b = between(l1, v128.load(p1), h1, v128.load(p1 + next));
    const d = between(l2, v128.load(p2), h2, v128.load(p2 + next));
    const e = between(l3, v128.load(p3), h3, v128.load(p3 + next));
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const de = v128.shuffle<f32>(d, e, 0, 4, 1, 5), DE = v128.shuffle<f32>(d, e, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<f32>(ab, de, 0, 1, 4, 5));
    v128.store(target, v128.shuffle<f32>(ab, de, 2, 3, 6, 7), 128);
    v128.store(target, v128.shuffle<f32>(AB, DE, 0, 1, 4, 5), 256);
    v128.store(target, v128.shuffle<f32>(AB, DE, 2, 3, 6, 7), 384);
    p0 += 16; p1 += 16; p2 += 16; p3 += 16;
    target += 4 * ROW;
  }
}

/** Writes the interpolated projections of every level into `features(level)`, where the merge's local half is added. */
export function interpolateRows(): void {
  const next = pointBytes();
  for (let group: usize = 0; group < ROW; group += 16) {
    const pointers = cornerPoints + group;
    const point = v128.load(pointers);
    const high = v128.load(cornerWeights + group), low = f32x4.sub(f32x4.splat(1), high);
    const first = <usize>load<u32>(pointers);
    const sameCell = i32x4.all_true(i32x4.eq(point, v128.load32_splat(pointers)));
    for (let level = 1; level <= levels; level++) {
      const target = features(level) + group, offset = <usize>((level - 1) * Hp) << 2;
      if (sameCell) interpolateCell(first + offset, low, high, target, next);
      else interpolateLanes(pointers, offset, low, high, target, next);
    }
  }
}
