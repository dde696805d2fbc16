import type { Grid } from '../../codec/grid.js';

/** Partition coordinates are int32: as many bits of each decide. */
const LEVELS = 32;

/** Added to a partition coordinate, which is signed, to make it a place on the curve's cube. */
const BIAS = 2 ** (LEVELS - 1);

/**
 * A Hilbert curve as a machine: a cube is passed in the way of its state, child after child, each in the way of a state of
 * its own.
 */
interface Curve {
  /** Children of a cube. */
  readonly children: number;
  /** [states, children]: the child that is passed next, bit `a` set for the upper half of axis `a`. */
  readonly halves: Uint16Array;
  /** [states, children]: the way in which it is passed. */
  readonly states: Uint16Array;
}

/** A way through a cube: axes exchanged and reversed before the plain one, which parity reverses. */
interface Way {
  readonly axisOf: readonly number[];
  readonly isReversed: readonly boolean[];
  readonly parity: number;
}

const curves: Curve[] = [];

/** Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707, 2004, unrolled to all ways that occur. */
function curveOf(axes: number): Curve {
  if (curves[axes] !== undefined) return curves[axes];
  const children = 1 << axes;
  const all = Array.from({ length: axes }, (_, axis) => axis);
  const ways: Way[] = [{ axisOf: all, isReversed: all.map(() => false), parity: 0 }];
  const known = new Map([[JSON.stringify(ways[0]), 0]]);
  const halves: number[] = [];
  const states: number[] = [];
  // Ways are found while the list is gone through.
  for (let state = 0; state < ways.length; state++) {
    const { axisOf, isReversed, parity } = ways[state];
    for (let place = 0; place < children; place++) {
      // Bits of the place, the first axis highest; neighbours in the Gray code differ in one axis.
      const bits = all.map((axis) => ((place >> (axes - 1 - axis)) & 1) ^ parity);
      const isUpper = bits.map((bit, axis) => (bit ^ (axis === 0 ? 0 : bits[axis - 1])) === 1);
      const nextAxes = [...axisOf];
      const nextReversed = [...isReversed];
      let half = 0;
      for (const axis of all) {
        if (isUpper[axis] !== isReversed[axis]) half |= 1 << axisOf[axis];
        if (isUpper[axis]) {
          nextReversed[0] = !nextReversed[0];
        } else {
          [nextAxes[0], nextAxes[axis]] = [nextAxes[axis], nextAxes[0]];
          [nextReversed[0], nextReversed[axis]] = [nextReversed[axis], nextReversed[0]];
        }
      }
      const last = axes === 0 ? 0 : bits[axes - 1];
      const way: Way = { axisOf: nextAxes, isReversed: nextReversed, parity: parity ^ last };
      const name = JSON.stringify(way);
      const next = known.get(name) ?? ways.push(way) - 1;
      known.set(name, next);
      halves.push(half);
      states.push(next);
    }
  }
  curves[axes] = { children, halves: Uint16Array.from(halves), states: Uint16Array.from(states) };
  return curves[axes];
}

const orders = new WeakMap<Grid, Int32Array>();

/**
 * All cells of a grid along the Hilbert curve through all partition coordinates that there can be (spec/container.md,
 * section 5.1): neighbours mostly, so that any region is few runs. Which of two cells comes first does not depend on the
 * grid, so that a crop keeps the order.
 *
 * @returns their ordinals, i32 [cells]; of one grid always the same array, not to be changed.
 */
export function hilbertCells(grid: Grid): Int32Array {
  const known = orders.get(grid);
  if (known !== undefined) return known;
  const cells = new Walk(grid).cells();
  orders.set(grid, cells);
  return cells;
}

/** From the cube of all coordinates down to the grid's cells, past cubes that have none. */
class Walk {
  private readonly curve: Curve;
  private readonly axes: number;
  /** Per axis the grid's first cell and the one after its last, on the cube. */
  private readonly begin: number[];
  private readonly end: number[];
  /** [levels, axes]: first cell of the cube that is looked at on each level. */
  private readonly corners: Float64Array;
  /** [levels, halves]: what half of a cube means for an ordinal. */
  private readonly steps: Float64Array;
  private readonly strides: number[];
  private readonly found: Int32Array;
  private count = 0;

  constructor({ axes, shape, count }: Grid) {
    this.axes = shape.length;
    this.curve = curveOf(this.axes);
    this.begin = axes.map(({ firstCell }) => firstCell + BIAS);
    this.end = this.begin.map((first, axis) => first + shape[axis]);
    this.corners = new Float64Array((LEVELS + 1) * this.axes);
    this.strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, cells) => product * cells, 1),
    );
    const { children } = this.curve;
    this.steps = Float64Array.from({ length: LEVELS * children }, (_, i) => {
      const half = i % children;
      const side = 2 ** Math.floor(i / children);
      return this.strides.reduce((sum, stride, axis) => sum + ((half >> axis) & 1) * side * stride, 0);
    });
    this.found = new Int32Array(count);
  }

  cells(): Int32Array {
    this.cross(LEVELS, 0);
    return this.found;
  }

  /** A cube of `2^level` cells a side some of which are the grid's. */
  private cross(level: number, state: number): void {
    const { axes, begin, end, corners, curve } = this;
    const own = level * axes;
    const side = 2 ** level;
    let isInside = true;
    let ordinal = 0;
    for (let axis = 0; axis < axes; axis++) {
      const at = corners[own + axis];
      if (at >= end[axis] || at + side <= begin[axis]) return;
      if (at < begin[axis] || at + side > end[axis]) isInside = false;
      ordinal += (at - begin[axis]) * this.strides[axis];
    }
    if (isInside) return this.fill(level, state, ordinal);
    const below = own - axes;
    const half = side / 2;
    for (let i = state * curve.children; i < (state + 1) * curve.children; i++) {
      for (let axis = 0; axis < axes; axis++) {
        corners[below + axis] = corners[own + axis] + (((curve.halves[i] >> axis) & 1) === 1 ? half : 0);
      }
      this.cross(level - 1, curve.states[i]);
    }
  }

  /** A cube that is all the grid's. */
  private fill(level: number, state: number, ordinal: number): void {
    const { curve, steps, found } = this;
    if (level === 0) {
      found[this.count++] = ordinal;
      return;
    }
    const first = state * curve.children;
    const end = first + curve.children;
    const ofLevel = (level - 1) * curve.children;
    if (level === 1) {
      // Cells are not called for one by one: there are as many as the grid has.
      for (let i = first; i < end; i++) found[this.count++] = ordinal + steps[curve.halves[i]];
      return;
    }
    for (let i = first; i < end; i++) {
      this.fill(level - 1, curve.states[i], ordinal + steps[ofLevel + curve.halves[i]]);
    }
  }
}

/**
 * Cells of a grid along the curve: the chunks' order in a new file.
 *
 * @param ordinals of cells of the grid.
 * @returns positions in `ordinals`, i32; of several with one cell, the last one's alone.
 */
export function hilbertOrder(grid: Grid, ordinals: ArrayLike<number>): Int32Array {
  // By cell, one more than the position.
  const places = new Int32Array(grid.count);
  for (let i = 0; i < ordinals.length; i++) places[ordinals[i]] = i + 1;
  const order = new Int32Array(ordinals.length);
  let count = 0;
  const cells = hilbertCells(grid);
  for (let i = 0; i < cells.length; i++) {
    const place = places[cells[i]];
    if (place > 0) order[count++] = place - 1;
  }
  return order.subarray(0, count);
}
