/** Cuts of one axis as the first encode made them. */
export interface FirstCuts {
  readonly cells: number;
  /** Cut `k`, from 0 to `cells`. */
  at(k: number): number;
  /** Which cut lies at a position, or -1. */
  indexOf(position: number): number;
  /** How many cuts lie at or before a position. */
  countUpTo(position: number): number;
}

/** Numbers of equal cells that are tried: few have the same largest cell unless cells are tiny. */
const MAX_TRIES = 256;

/**
 * The first encode's cuts, which no header says: of cells of nominal size, the last one ragged, or of a number of nearly equal
 * cells whose largest is nominal; whichever has all these positions among its cuts.
 *
 * @param positions ascending; those outside `[0, length]` came later and say nothing.
 * @param length samples of the axis at the first encode.
 * @returns undefined where neither fits.
 */
export function firstCuts(
  positions: readonly number[],
  length: number,
  nominalCell: number,
): FirstCuts | undefined {
  const inside = positions.filter((position) => position >= 0 && position <= length);
  const has = (cuts: FirstCuts): boolean => inside.every((position) => cuts.indexOf(position) >= 0);
  const ragged = axis(Math.ceil(length / nominalCell), (k) => Math.min(k * nominalCell, length));
  if (has(ragged)) return ragged;
  const fewest = Math.ceil(length / nominalCell);
  for (let cells = fewest; cells < fewest + MAX_TRIES; cells++) {
    if (Math.ceil(length / cells) !== nominalCell) break;
    const equal = axis(cells, (k) => Math.floor((k * length) / cells));
    if (has(equal)) return equal;
  }
  return undefined;
}

function axis(cells: number, at: (k: number) => number): FirstCuts {
  const countUpTo = (position: number): number => {
    let [low, high] = [0, cells + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (at(middle) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    cells,
    at,
    countUpTo,
    indexOf: (position) => {
      const k = countUpTo(position) - 1;
      return k >= 0 && at(k) === position ? k : -1;
    },
  };
}
