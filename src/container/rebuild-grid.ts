import { LgiError } from '../../codec/errors.js';
import { Grid, type AxisCuts, type Box } from '../../codec/grid.js';
import { firstCuts, type FirstCuts } from './first-cuts.js';
import type { SignalHeader } from './header.js';
import { MAX_CELLS } from './limits.js';

/** A grid put together from partitions' boxes. */
export interface RebuiltGrid {
  readonly grid: Grid;
  /** Places of the boxes that are cells of it; all but those that are at odds with more others. */
  readonly kept: readonly number[];
  /** Whether all boxes are cells of the known grid, as far as that reaches. */
  readonly isKnown: boolean;
}

/** A range of one axis. */
interface Interval {
  readonly begin: number;
  readonly end: number;
}

/**
 * The grid whose cells these boxes are.
 *
 * Cuts are where boxes begin and end. Where nothing was found between two of them, and at the rim, the cuts of `known` are
 * taken, and beyond its ends those of an append; without it those of the first encode where the boxes fit its cells, so that
 * holes keep their partitions and coordinates count from position 0. Boxes that no grid can have together are hostile; on each
 * axis the disjoint ranges that most boxes have win.
 *
 * @param boxes at least one, distinct.
 * @param known a grid that the signal had once, if there is one.
 * @throws LgiError `limit` where the grid would have more cells than a file may.
 */
export function rebuildGrid(header: SignalHeader, boxes: readonly Box[], known?: Grid): RebuiltGrid {
  const { firstShape } = header;
  const { nominalCell } = header.latents ?? header.model;
  const all = boxes.map((_, i) => i);
  let kept = all;
  const chosen = firstShape.map((_, axis) => disjoint(intervals(boxes, all, axis)));
  if (chosen.some(({ isAll }) => !isAll)) {
    const names = chosen.map(({ list }) => new Set(list.map(intervalName)));
    kept = all.filter((i) => names.every((set, axis) => set.has(intervalName(intervalOf(boxes[i], axis)))));
    // Each axis was decided for itself, so that nothing may be left; one box always makes a grid.
    if (kept.length === 0) kept = [all[all.length - 1]];
  }
  const perAxis = firstShape.map((_, axis) => [...intervals(boxes, kept, axis).values()].sort(byBegin));
  const isKnown = known !== undefined && perAxis.every((list, axis) => fits(list, known.axes[axis]));
  const axes = perAxis.map((list, axis) => {
    if (isKnown) return extended(list, known.axes[axis], nominalCell[axis]);
    return filled(list, firstShape[axis], nominalCell[axis]);
  });
  // Cells of holes are a courtesy; where they would be too many, a hole is one cell.
  const plain = (): AxisCuts[] => perAxis.map((list, axis) => unfilled(list, nominalCell[axis]));
  for (const candidate of [axes, plain()]) {
    if (cellCount(candidate) <= MAX_CELLS) {
      return { grid: new Grid(candidate), kept, isKnown: isKnown && candidate === axes };
    }
  }
  throw new LgiError(
    'limit',
    `the partitions that were found lie so far apart that a grid of them has ${cellCount(plain())} cells, ` +
      `the limit is ${MAX_CELLS}; nothing can be saved`,
    { section: 'index' },
  );
}

function cellCount(axes: readonly AxisCuts[]): number {
  return axes.reduce((product, { cuts }) => product * (cuts.length - 1), 1);
}

function intervalOf(box: Box, axis: number): Interval {
  return { begin: box.begin[axis], end: box.end[axis] };
}

function intervalName({ begin, end }: Interval): string {
  return `${begin},${end}`;
}

function byBegin(a: Interval, b: Interval): number {
  return a.begin - b.begin;
}

/** The distinct ranges of some boxes on one axis, by name, with the number of boxes that have each. */
function intervals(
  boxes: readonly Box[],
  chosen: readonly number[],
  axis: number,
): Map<string, Interval & { count: number }> {
  const found = new Map<string, Interval & { count: number }>();
  for (const i of chosen) {
    const interval = intervalOf(boxes[i], axis);
    const name = intervalName(interval);
    const entry = found.get(name);
    if (entry === undefined) found.set(name, { ...interval, count: 1 });
    else entry.count++;
  }
  return found;
}

/** Of ranges that overlap, those that share nothing and have most boxes together (weighted interval scheduling). */
function disjoint(found: ReadonlyMap<string, Interval & { readonly count: number }>): {
  list: readonly Interval[];
  isAll: boolean;
} {
  const list = [...found.values()].sort((a, b) => a.end - b.end || a.begin - b.begin);
  if (list.every(({ begin }, i) => i === 0 || list[i - 1].end <= begin)) return { list, isAll: true };
  // best[i] is of the first i; before[i] is how many of them end where the i-th begins or earlier.
  const best = new Float64Array(list.length + 1);
  const before = new Int32Array(list.length);
  list.forEach(({ begin, count }, i) => {
    let [low, high] = [0, i];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].end <= begin) low = middle + 1;
      else high = middle;
    }
    before[i] = low;
    best[i + 1] = Math.max(best[i], best[low] + count);
  });
  const chosen: Interval[] = [];
  for (let i = list.length; i > 0;) {
    if (best[i] === best[i - 1]) i--;
    else {
      chosen.push(list[i - 1]);
      i = before[i - 1];
    }
  }
  return { list: chosen.reverse(), isAll: false };
}

/** Whether ranges are cells of an axis, as far as it reaches. */
function fits(list: readonly Interval[], { cuts }: AxisCuts): boolean {
  const known = new Set(cuts);
  const [begin, end] = [cuts[0], cuts[cuts.length - 1]];
  return list.every((interval) => {
    if (interval.end <= begin || interval.begin >= end) return true;
    if (!known.has(interval.begin) || !known.has(interval.end)) return false;
    // Between neighbours of the axis there is no cut.
    return cellEnd(cuts, interval.begin) === interval.end;
  });
}

/** Where the cell ends that begins at a cut. */
function cellEnd(cuts: readonly number[], begin: number): number | undefined {
  let [low, high] = [0, cuts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle] < begin) low = middle + 1;
    else high = middle;
  }
  return cuts[low + 1];
}

/** A known axis, and what lies beyond its ends: found ranges, and in gaps cells as appends make them. */
function extended(list: readonly Interval[], { cuts, firstCell }: AxisCuts, nominalCell: number): AxisCuts {
  const [begin, end] = [cuts[0], cuts[cuts.length - 1]];
  const after = beyond(
    list.filter((interval) => interval.begin >= end),
    end,
    nominalCell,
  );
  // Before the axis the same in a mirror.
  const mirrored = list
    .filter((interval) => interval.end <= begin)
    .map((interval) => ({ begin: -interval.end, end: -interval.begin }))
    .sort(byBegin);
  const before = beyond(mirrored, -begin, nominalCell)
    .map((cut) => -cut)
    .reverse();
  return { cuts: [...before, ...cuts, ...after], firstCell: firstCell - before.length };
}

/**
 * Cuts behind an edge: where ranges begin and end, and between them full cells, the last one of a gap as long as what is left.
 *
 * @param list ascending.
 */
function beyond(list: readonly Interval[], edge: number, nominalCell: number): number[] {
  let count = 2 * list.length;
  let last = edge;
  for (const { begin, end } of list) {
    count += Math.ceil((begin - last) / nominalCell);
    last = end;
  }
  // Counted before they are made: a header may speak of 2^31 cells.
  const fillsGaps = count <= MAX_CELLS;
  const cuts: number[] = [];
  last = edge;
  for (const { begin, end } of list) {
    if (fillsGaps) for (let at = last + nominalCell; at < begin; at += nominalCell) cuts.push(at);
    if (begin > last) cuts.push(begin);
    cuts.push(end);
    last = end;
  }
  return cuts;
}

/** Found ranges alone. */
function unfilled(list: readonly Interval[], nominalCell: number): AxisCuts {
  const cuts = ascending(list.flatMap(({ begin, end }) => [begin, end]));
  return { cuts, firstCell: Math.floor(cuts[0] / nominalCell) };
}

/** Found ranges, and the first encode's cells between them where that is what they are. */
function filled(list: readonly Interval[], length: number, nominalCell: number): AxisCuts {
  const plain = unfilled(list, nominalCell);
  const first = firstCuts(plain.cuts, length, nominalCell);
  if (first === undefined) return plain;
  const holes = list.flatMap(({ end }, i) => {
    const next = list[i + 1]?.begin ?? end;
    const firstCut = first.countUpTo(end);
    return next > end ? [{ firstCut, count: first.countUpTo(next - 1) - firstCut }] : [];
  });
  // Counted before they are made: a header may speak of 2^31 cells.
  const count = holes.reduce((sum, hole) => sum + hole.count, plain.cuts.length);
  if (count > MAX_CELLS) return plain;
  const cuts = [...plain.cuts];
  for (const hole of holes) for (let k = 0; k < hole.count; k++) cuts.push(first.at(hole.firstCut + k));
  const all = ascending(cuts);
  return { cuts: all, firstCell: firstCellOf(all, first, length, nominalCell) };
}

/** Coordinate of the first cell, by where it begins. */
function firstCellOf(cuts: readonly number[], first: FirstCuts, length: number, nominalCell: number): number {
  const [begin] = cuts;
  if (begin > length) return first.cells + Math.ceil((begin - length) / nominalCell);
  if (begin >= 0) return first.indexOf(begin);
  // Before the first encode cells count down from its own.
  const origin = cuts.indexOf(0);
  return origin > 0 ? -origin : Math.floor(begin / nominalCell);
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
