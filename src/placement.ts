import { OptionError } from '../codec/errors.js';
import { boxShape, Grid, MAX_PARTITIONS, type AxisCuts, type Box } from '../codec/grid.js';
import { AXES, type SignalKind } from '../codec/signal.js';
import type { SignalIndex } from './container/index-table.js';
import { MAX_AXIS_SAMPLES, MAX_POSITION } from './container/limits.js';

/** Sides that a signal can grow on. */
export type Side = 'left' | 'right' | 'top' | 'bottom' | 'before' | 'after';

/** Where a medium goes: onto a side, or into holes at a place. */
export interface PlaceRequest {
  readonly side?: Side;
  /** Samples per axis from the visible window's corner to the medium's, axis order. */
  readonly at?: readonly number[];
  /** Whether partitions that are there already are made anew; default false. */
  readonly replace?: boolean;
}

/** Where a medium goes. */
export interface Placement {
  /** All cells, old and new. */
  readonly grid: Grid;
  /** The visible window with the medium in it. */
  readonly window: Box;
  /** The cells of the medium, a part of `grid`. */
  readonly part: Grid;
}

/** The axis that a side is on, by its name, and whether the side is the axis' end. */
const SIDES: Readonly<Record<Side, readonly [axes: readonly string[], atEnd: boolean]>> = {
  left: [['x'], false],
  right: [['x'], true],
  top: [['y'], false],
  bottom: [['y'], true],
  before: [['t', 'z'], false],
  after: [['t', 'z'], true],
};

/** The sides that a kind of signal has. */
export function sidesOf(kind: SignalKind): Side[] {
  const sides = Object.keys(SIDES) as Side[];
  return sides.filter((side) => SIDES[side][0].some((axis) => AXES[kind].includes(axis)));
}

/**
 * Finds the cells for a medium that is added to a signal.
 *
 * New cells begin at the old ones' edge and have the nominal size; the last one is as long as what is left. The medium must
 * match the signal on all other axes.
 *
 * @param shape samples of the medium, axis order.
 * @param nominalCell samples of a full cell, axis order.
 * @throws OptionError for a place that does not begin and end where partitions do, or where partitions are already.
 */
export function placeMedia(
  kind: SignalKind,
  signal: SignalIndex,
  nominalCell: readonly number[],
  shape: readonly number[],
  request: PlaceRequest,
): Placement {
  const { side, at } = request;
  if (side !== undefined && at !== undefined) {
    throw new OptionError('at', 'given together with `side`; give one of them');
  }
  if (at !== undefined) return placeInside(kind, signal, shape, at, request.replace ?? false);
  if (side === undefined) {
    throw new OptionError('side', `is missing; give ${sidesOf(kind).join(', ')}, or \`at\`, a place inside`);
  }
  if (request.replace === true) throw new OptionError('replace', 'is for a place inside; give it with `at`');
  if (!sidesOf(kind).includes(side)) {
    throw new OptionError('side', `'${side}' is none of ${kind}; give ${sidesOf(kind).join(', ')}`);
  }
  return placeBeside(kind, signal, nominalCell, shape, side);
}

function placeBeside(
  kind: SignalKind,
  { grid, window }: SignalIndex,
  nominalCell: readonly number[],
  shape: readonly number[],
  side: Side,
): Placement {
  const [names, atEnd] = SIDES[side];
  const axes = AXES[kind];
  const grown = axes.findIndex((axis) => names.includes(axis));
  const visible = boxShape(window);
  axes.forEach((name, axis) => {
    // On the grown axis only the edge that is grown at has to lie at a cut.
    const edges: ('begin' | 'end')[] = axis !== grown ? ['begin', 'end'] : [atEnd ? 'end' : 'begin'];
    for (const edge of edges) checkEdge(grid, window, axis, edge, name);
    if (axis === grown || shape[axis] === visible[axis]) return;
    throw new OptionError(
      'side',
      `what is appended has ${shape[axis]} samples on axis ${name}, the file ${visible[axis]}; crop one of them to the other`,
    );
  });
  checkCount(grid, grown, Math.ceil(shape[grown] / nominalCell[grown]));
  const newAxis = cutsBeside(grid.axes[grown], nominalCell[grown], shape[grown], atEnd, axes[grown]);
  const whole = replaceAt(grid.axes, grown, joinAxes(grid.axes[grown], newAxis));
  const edge = atEnd ? newAxis.cuts[newAxis.cuts.length - 1] : newAxis.cuts[0];
  return {
    grid: new Grid(whole),
    window: {
      begin: atEnd ? window.begin : replaceAt(window.begin, grown, edge),
      end: atEnd ? replaceAt(window.end, grown, edge) : window.end,
    },
    part: new Grid(replaceAt(grid.axes, grown, newAxis)),
  };
}

/** @throws OptionError before anything is made of so many cells. */
function checkCount(grid: Grid, grown: number, cells: number): void {
  const count = (grid.count / grid.shape[grown]) * (grid.shape[grown] + cells);
  if (count <= MAX_PARTITIONS) return;
  throw new OptionError(
    'side',
    `the file would have ${count} partitions, the limit is ${MAX_PARTITIONS}; append less`,
  );
}

function replaceAt<T>(list: readonly T[], at: number, value: T): T[] {
  return list.map((old, i) => (i === at ? value : old));
}

/** @throws OptionError where the window ends inside a partition, whose other samples are there, but hidden. */
function checkEdge(grid: Grid, window: Box, axis: number, edge: 'begin' | 'end', name: string): void {
  const at = window[edge][axis];
  if (at === grid.extent[edge][axis]) return;
  const { cuts } = grid.axes[axis];
  if (cuts.includes(at)) {
    throw new OptionError(
      'side',
      `partitions beyond the window's ${edge} on axis ${name} are in the file, but hidden; crop the file to its whole window first`,
    );
  }
  const cell = grid.cellAt(axis, at);
  const [first, last] = [cuts[cell], cuts[cell + 1]];
  const tooMany = edge === 'begin' ? last - at : at - first;
  throw new OptionError(
    'side',
    `the file's window ${edge}s inside a partition on axis ${name}, whose other samples are hidden; crop off its ` +
      `${edge === 'begin' ? 'first' : 'last'} ${tooMany} samples on this axis first`,
  );
}

/** The cells of `length` samples beside an axis, full ones nearest to it. */
function cutsBeside(old: AxisCuts, cell: number, length: number, atEnd: boolean, name: string): AxisCuts {
  const last = old.cuts[old.cuts.length - 1];
  const begin = atEnd ? old.cuts[0] : old.cuts[0] - length;
  const end = atEnd ? last + length : last;
  if (begin < -MAX_POSITION || end > MAX_POSITION || end - begin > MAX_AXIS_SAMPLES) {
    throw new OptionError(
      'side',
      `axis ${name} would go from ${begin} to ${end}, positions go from -(2^31 - 1) to 2^31 - 1; append less`,
    );
  }
  const count = Math.ceil(length / cell);
  checkCoordinates(old, atEnd ? 0 : count, atEnd ? count : 0, name);
  const steps = Array.from({ length: count + 1 }, (_, i) => Math.min(i * cell, length));
  return atEnd
    ? { cuts: steps.map((step) => last + step), firstCell: old.firstCell + old.cuts.length - 1 }
    : { cuts: steps.map((step) => old.cuts[0] - step).reverse(), firstCell: old.firstCell - count };
}

/** An axis with cells added at its ends as far as positions reach; full ones nearest to the old. */
export function extendAxis(axis: AxisCuts, cell: number, begin: number, end: number, name: string): AxisCuts {
  const { cuts, firstCell } = axis;
  const [first, last] = [cuts[0], cuts[cuts.length - 1]];
  const before: number[] = [];
  for (let at = first; at > begin;) before.unshift((at = Math.max(begin, at - cell)));
  const after: number[] = [];
  for (let at = last; at < end;) after.push((at = Math.min(end, at + cell)));
  checkCoordinates(axis, before.length, after.length, name);
  return { cuts: [...before, ...cuts, ...after], firstCell: firstCell - before.length };
}

/** @throws OptionError where cells before or behind an axis would have coordinates that no file can hold. */
function checkCoordinates({ cuts, firstCell }: AxisCuts, before: number, after: number, name: string): void {
  const [first, last] = [firstCell - before, firstCell + cuts.length - 2 + after];
  if (first >= -MAX_POSITION && last <= MAX_POSITION) return;
  throw new OptionError(
    'side',
    `partition coordinates on axis ${name} would go from ${first} to ${last}, files have -(2^31 - 1) to 2^31 - 1; ` +
      'append on another side, or less',
  );
}

/** Two axes that share a cut at their ends. */
function joinAxes(a: AxisCuts, b: AxisCuts): AxisCuts {
  const [first, second] = a.cuts[0] < b.cuts[0] ? [a, b] : [b, a];
  return { cuts: [...first.cuts, ...second.cuts.slice(1)], firstCell: first.firstCell };
}

function placeInside(
  kind: SignalKind,
  { grid, window, chunks }: SignalIndex,
  shape: readonly number[],
  at: readonly number[],
  replace: boolean,
): Placement {
  const axes = AXES[kind];
  if (at.length !== axes.length) {
    throw new OptionError(
      'at',
      `${at.length} numbers given, the signal has ${axes.length} axes: ${axes.join(', ')}`,
    );
  }
  const visible = boxShape(window);
  const part = new Grid(
    axes.map((name, axis) => {
      const [from, to] = [at[axis], at[axis] + shape[axis]];
      if (!Number.isInteger(from) || from < 0 || to > visible[axis]) {
        throw new OptionError(
          'at',
          `samples ${from} to ${to} on axis ${name} reach outside the visible window, which has 0 to ${visible[axis]}; ` +
            'use `side` to make it larger',
        );
      }
      return cellsBetween(grid.axes[axis], window.begin[axis], from, to, name);
    }),
  );
  const present = Array.from({ length: part.count }, (_, ordinal) => part.coordinatesOf(ordinal)).filter(
    (coordinates) => chunks.find(grid.ordinalOf(coordinates)) >= 0,
  );
  if (present.length > 0 && !replace) {
    const some = present.slice(0, 4).map((coordinates) => coordinates.join(','));
    throw new OptionError(
      'at',
      `${present.length} of the ${part.count} partitions there are in the file already (${some.join(' ')}${present.length > 4 ? ' ...' : ''}); ` +
        'choose a hole, or train them anew by `replace`',
    );
  }
  return { grid, window, part };
}

/** The cells from one cut of an axis to another. */
function cellsBetween(
  { cuts, firstCell }: AxisCuts,
  corner: number,
  from: number,
  to: number,
  name: string,
): AxisCuts {
  const [first, last] = [from, to].map((edge) => {
    const cell = cuts.indexOf(edge + corner);
    if (cell >= 0) return cell;
    const below = cuts.filter((cut) => cut < edge + corner).at(-1);
    const above = cuts.find((cut) => cut > edge + corner);
    const near = [below, above].flatMap((cut) => (cut === undefined ? [] : [cut - corner]));
    throw new OptionError(
      'at',
      `the medium would begin or end at ${edge} on axis ${name}, inside a partition; the nearest cuts are ${near.join(' and ')}`,
    );
  });
  return { cuts: cuts.slice(first, last + 1), firstCell: firstCell + first };
}
