import { LgiError } from '../../codec/errors.js';
import { Grid } from '../../codec/grid.js';
import { AXES } from '../../codec/signal.js';
import { firstCuts } from './first-cuts.js';
import type { SignalHeader } from './header.js';
import { MAX_CELLS } from './limits.js';

/** Cuts of one axis by partition coordinate: cell `k` begins at the position of `k`. */
interface Boundaries {
  readonly positions: Map<number, number>;
  least: number;
  most: number;
}

/**
 * The grid that has the cells of all these, with the same coordinates and boxes, and holes between.
 *
 * @param grids of one signal, a grid per file.
 * @param names of the files, for errors.
 * @throws LgiError `conflict` where one coordinate stands for two boxes, or one place for two coordinates; `limit` for more
 *   cells than a file may have.
 */
export function joinGrids(header: SignalHeader, grids: readonly Grid[], names: readonly string[]): Grid {
  const letters = AXES[header.kind];
  const perAxis = letters.map((letter, axis) => boundariesOf(grids, axis, letter, names));
  const cells = perAxis.reduce((product, { least, most }) => product * (most - least), 1);
  if (cells > MAX_CELLS) {
    const counts = perAxis.map(({ least, most }) => most - least).join('x');
    throw new LgiError(
      'limit',
      `the files lie so far apart that one file of them has ${counts} cells, present or not, the limit is ${MAX_CELLS}; ` +
        'join fewer of them',
      { section: 'index' },
    );
  }
  return new Grid(
    perAxis.map((boundaries, axis) => ({
      cuts: cutsOf(
        boundaries,
        header.firstShape[axis],
        (header.latents ?? header.model).nominalCell[axis],
        letters[axis],
      ),
      firstCell: boundaries.least,
    })),
  );
}

function boundariesOf(
  grids: readonly Grid[],
  axis: number,
  letter: string,
  names: readonly string[],
): Boundaries {
  const boundaries: Boundaries = { positions: new Map(), least: Infinity, most: -Infinity };
  const { positions } = boundaries;
  grids.forEach((grid, file) => {
    const { cuts, firstCell } = grid.axes[axis];
    cuts.forEach((cut, i) => {
      const coordinate = firstCell + i;
      const known = positions.get(coordinate);
      if (known !== undefined && known !== cut) {
        throw conflict(
          `on axis ${letter} partition ${coordinate} begins at ${cut} in ${names[file]}, and at ${known} in another`,
        );
      }
      positions.set(coordinate, cut);
    });
    boundaries.least = Math.min(boundaries.least, firstCell);
    boundaries.most = Math.max(boundaries.most, firstCell + cuts.length - 1);
  });
  return boundaries;
}

function conflict(fact: string): LgiError {
  return new LgiError('conflict', `the files' grids do not fit together: ${fact}; join files of one grid`, {
    section: 'index',
  });
}

function cutsOf({ positions }: Boundaries, length: number, nominalCell: number, letter: string): number[] {
  const coordinates = [...positions.keys()].sort((a, b) => a - b);
  const known = coordinates.map((coordinate) => positions.get(coordinate) ?? 0);
  const cuts: number[] = [];
  coordinates.forEach((coordinate, i) => {
    const at = known[i];
    if (i > 0) {
      const [before, begin] = [coordinates[i - 1], known[i - 1]];
      // Cells between two files, which no file has: their number is known, and that each has a sample.
      const missing = coordinate - before - 1;
      if (at - begin <= missing) {
        throw conflict(
          `on axis ${letter} partition ${before} begins at ${begin} and partition ${coordinate} at ${at}`,
        );
      }
      if (missing > 0) cuts.push(...cutsBetween(begin, at, missing));
    }
    cuts.push(at);
  });
  return cuts;

  /** As the first encode had them, where that is so; no partition is there to disagree. */
  function* cutsBetween(begin: number, end: number, count: number): Generator<number> {
    const first = firstCuts(known, length, nominalCell);
    const from = first?.countUpTo(begin) ?? 0;
    const fits = first !== undefined && first.countUpTo(end - 1) - from === count;
    for (let k = 0; k < count; k++) {
      yield fits ? first.at(from + k) : begin + Math.floor(((k + 1) * (end - begin)) / (count + 1));
    }
  }
}
