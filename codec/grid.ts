import { OptionError } from './errors.js';

/** A box of samples; per axis `[begin, end)`, axes in the signal's order. */
export interface Box {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/**
 * The map from a position on an axis to the network's coordinate, `coordinate = scale * position + offset` within the first
 * encode; positions beyond are folded back first (coordinates.ts).
 *
 * Sample `i` covers positions `[i, i + 1)` and its centre is `i + 1/2`. Fixed at first encode.
 */
export interface CoordinateMap {
  readonly scale: number;
  readonly offset: number;
  /** Samples of the first encode. */
  readonly length: number;
}

/** A block of cells: per axis the indices, counted from 0, of its first and its last. */
export interface CellRange {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** Where the cells of one axis begin and end. */
export interface AxisCuts {
  /** Sorted integers; cell `i` covers `[cuts[i], cuts[i + 1])`. */
  readonly cuts: readonly number[];
  /** Signed partition coordinate of the cell that begins at `cuts[0]`. */
  readonly firstCell: number;
}

/** Centres spread over [-1, 1]: the extent's edges are the interval's ends. An axis of length 1 maps to 0. */
export function spreadMap(length: number): CoordinateMap {
  if (length === 1) return { scale: 0, offset: 0, length };
  return { scale: 2 / length, offset: -1, length };
}

/**
 * The paper's linspace: first and last sample centre at `-bound` and `bound`.
 *
 * @param bound 1 for everything but audio, where the reference code spans [-100, 100].
 */
export function linspaceMap(length: number, bound = 1): CoordinateMap {
  if (length === 1) return { scale: 0, offset: 0, length };
  const scale = (2 * bound) / (length - 1);
  return { scale, offset: -bound - scale / 2, length };
}

/** `count` cells of nearly equal size; asked for more cells than samples, it gives one cell per sample. */
export function cutsByCount(length: number, count: number): AxisCuts {
  const cells = Math.min(count, length);
  return {
    cuts: Array.from({ length: cells + 1 }, (_, i) => Math.floor((i * length) / cells)),
    firstCell: 0,
  };
}

/** Cells of `cell` samples; the last one is ragged where the length is no multiple. */
export function cutsByCell(length: number, cell: number): AxisCuts {
  const cuts: number[] = [];
  for (let at = 0; at < length; at += cell) cuts.push(at);
  cuts.push(length);
  return { cuts, firstCell: 0 };
}

/** Number of samples in a box. */
export function boxSize(box: Box): number {
  return box.begin.reduce((product, begin, axis) => product * (box.end[axis] - begin), 1);
}

/** Per axis the positions of a box's samples, at their middles, ascending. */
export function sampleCentres({ begin, end }: Box): Float64Array[] {
  return begin.map((first, axis) =>
    Float64Array.from({ length: end[axis] - first }, (_, i) => first + i + 0.5),
  );
}

/** Lengths of a box, per axis. */
export function boxShape(box: Box): number[] {
  return box.begin.map((begin, axis) => box.end[axis] - begin);
}

/** The common part of two boxes, or null where they share no sample. */
export function intersect(a: Box, b: Box): Box | null {
  const begin = a.begin.map((value, axis) => Math.max(value, b.begin[axis]));
  const end = a.end.map((value, axis) => Math.min(value, b.end[axis]));
  return begin.some((value, axis) => value >= end[axis]) ? null : { begin, end };
}

/** Whether `inner` lies wholly in `outer`. */
export function contains(outer: Box, inner: Box): boolean {
  return inner.begin.every((begin, axis) => begin >= outer.begin[axis] && inner.end[axis] <= outer.end[axis]);
}

/**
 * The partitions of a signal: the cells between the cuts of its axes.
 *
 * A cell is named by its signed partition coordinates (axis order of the signal), or by its ordinal, the row-major
 * position among the grid's cells.
 */
export class Grid {
  readonly axes: readonly AxisCuts[];
  /** Cells per axis. */
  readonly shape: readonly number[];
  /** Cells altogether. */
  readonly count: number;
  readonly extent: Box;

  constructor(axes: readonly AxisCuts[]) {
    this.axes = axes;
    this.shape = axes.map((axis) => axis.cuts.length - 1);
    this.count = this.shape.reduce((product, cells) => product * cells, 1);
    this.extent = {
      begin: axes.map((axis) => axis.cuts[0]),
      end: axes.map((axis) => axis.cuts[axis.cuts.length - 1]),
    };
  }

  /** Largest cell per axis, what cell coordinates are scaled by at first encode. */
  largestCell(): number[] {
    return this.axes.map(({ cuts }) =>
      cuts.slice(1).reduce((most, cut, i) => Math.max(most, cut - cuts[i]), 1),
    );
  }

  /** Partition coordinates of the cell with this ordinal. */
  coordinatesOf(ordinal: number): number[] {
    const coordinates = new Array<number>(this.shape.length);
    let rest = ordinal;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      coordinates[axis] = (rest % this.shape[axis]) + this.axes[axis].firstCell;
      rest = Math.floor(rest / this.shape[axis]);
    }
    return coordinates;
  }

  /** Ordinal of a cell, or -1 where the grid has no such cell. */
  ordinalOf(coordinates: readonly number[]): number {
    let ordinal = 0;
    for (let axis = 0; axis < this.shape.length; axis++) {
      const cell = coordinates[axis] - this.axes[axis].firstCell;
      if (!(cell >= 0 && cell < this.shape[axis])) return -1;
      ordinal = ordinal * this.shape[axis] + cell;
    }
    return ordinal;
  }

  /** {@link Grid.coordinatesOf} for many cells at once: i32 [ordinals, axes]. */
  coordinatesOfAll(ordinals: Int32Array): Int32Array {
    const axisCount = this.shape.length;
    const coordinates = new Int32Array(ordinals.length * axisCount);
    if (axisCount === 0) return coordinates;
    // What is left of each ordinal waits in the place of the first axis's coordinate.
    for (let i = 0, at = 0; i < ordinals.length; i++, at += axisCount) coordinates[at] = ordinals[i];
    for (let axis = axisCount - 1; axis > 0; axis--) {
      const cells = this.shape[axis];
      const { firstCell } = this.axes[axis];
      // Thrice as fast as a division, and exact: this is 0.5 / cells or more off any whole number, rounding errors are far less.
      const perCell = 1 / cells;
      for (let at = 0; at < coordinates.length; at += axisCount) {
        const rest = coordinates[at];
        const before = ((rest + 0.5) * perCell) | 0;
        coordinates[at + axis] = rest - before * cells + firstCell;
        coordinates[at] = before;
      }
    }
    const { firstCell } = this.axes[0];
    for (let at = 0; at < coordinates.length; at += axisCount) coordinates[at] += firstCell;
    return coordinates;
  }

  /**
   * {@link Grid.ordinalOf} for many cells at once, -1 where the grid has no such cell.
   *
   * @param coordinates i32 [cells, axes].
   */
  ordinalsOfAll(coordinates: Int32Array): Int32Array {
    const axisCount = this.shape.length;
    const ordinals = new Int32Array(coordinates.length / axisCount);
    for (let axis = 0; axis < axisCount; axis++) {
      const cells = this.shape[axis];
      const { firstCell } = this.axes[axis];
      for (let i = 0, at = axis; i < ordinals.length; i++, at += axisCount) {
        const cell = coordinates[at] - firstCell;
        const before = ordinals[i];
        ordinals[i] = cell >= 0 && cell < cells && before >= 0 ? before * cells + cell : -1;
      }
    }
    return ordinals;
  }

  /** The samples of the cell with this ordinal. */
  boxOf(ordinal: number): Box {
    const cells = this.coordinatesOf(ordinal).map((c, axis) => c - this.axes[axis].firstCell);
    return {
      begin: cells.map((cell, axis) => this.axes[axis].cuts[cell]),
      end: cells.map((cell, axis) => this.axes[axis].cuts[cell + 1]),
    };
  }

  /** Cell index on one axis (from 0) that holds a position; positions beyond the extent take the nearest cell. */
  cellAt(axis: number, position: number): number {
    const { cuts } = this.axes[axis];
    let low = 0;
    let high = cuts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (cuts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The cells that share at least one sample with the box, or null where none does. */
  cellsIn(box: Box): CellRange | null {
    const visible = intersect(box, this.extent);
    if (visible === null) return null;
    return {
      first: visible.begin.map((begin, axis) => this.cellAt(axis, begin)),
      last: visible.end.map((end, axis) => this.cellAt(axis, end - 1)),
    };
  }

  /** Ordinals, ascending, of the cells that share at least one sample with the box. */
  ordinalsIn(box: Box): number[] {
    const cells = this.cellsIn(box);
    if (cells === null) return [];
    const { first, last } = cells;
    let ordinals = [0];
    for (let axis = 0; axis < this.shape.length; axis++) {
      const next: number[] = [];
      for (const ordinal of ordinals) {
        for (let cell = first[axis]; cell <= last[axis]; cell++) next.push(ordinal * this.shape[axis] + cell);
      }
      ordinals = next;
    }
    return ordinals;
  }
}

/** Largest number of partitions of one signal: an index of 2^20 entries is 12 MB, and more is a mistake in `--grid`. */
export const MAX_PARTITIONS = 1 << 20;

/**
 * A grid for a signal's shape, by cells per axis or by cell size; exactly one of the two is given.
 *
 * @returns the grid, and a notice where the request had to be clamped to the signal.
 * @throws OptionError when an entry is no positive integer, or the partitions are more than {@link MAX_PARTITIONS}.
 */
export function makeGrid(
  shape: readonly number[],
  request: { counts: readonly number[] } | { cell: readonly number[] },
): { grid: Grid; notice?: string } {
  const [option, sizes] =
    'counts' in request ? (['grid', request.counts] as const) : (['cell', request.cell] as const);
  if (sizes.length !== shape.length) {
    throw new OptionError(
      option,
      `${sizes.length} numbers given for a signal of ${shape.length} axes; give ${shape.length}`,
    );
  }
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1)
      throw new OptionError(option, `${size} is no positive whole number`);
  }
  const clamped = sizes.map((size, axis) => Math.min(size, shape[axis]));
  const axes = shape.map((length, axis) =>
    option === 'grid' ? cutsByCount(length, clamped[axis]) : cutsByCell(length, clamped[axis]),
  );
  const count = axes.reduce((product, axis) => product * (axis.cuts.length - 1), 1);
  if (count > MAX_PARTITIONS) {
    throw new OptionError(
      option,
      `makes ${count} partitions, the limit is ${MAX_PARTITIONS}; choose larger cells`,
    );
  }
  const grid = new Grid(axes);
  if (clamped.every((size, axis) => size === sizes[axis])) return { grid };
  return {
    grid,
    notice: `${option} ${sizes.join('x')} exceeds the signal of ${shape.join('x')} samples; ${clamped.join('x')} is used`,
  };
}
