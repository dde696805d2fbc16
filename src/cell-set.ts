import type { CellRange, Grid } from '../codec/grid.js';

/**
 * Some cells of a grid, of which adding and asking are no more than a look-up: files have up to 2^20 partitions, and a crop
 * asks for each.
 */
export class CellSet {
  /** u8 [cells], by ordinal, 1 for those in the set. */
  private readonly flags: Uint8Array;

  constructor(private readonly grid: Grid) {
    this.flags = new Uint8Array(grid.count);
  }

  /** @param ordinal of a cell that the grid has. */
  add(ordinal: number): void {
    this.flags[ordinal] = 1;
  }

  addRange(range: CellRange): void {
    for (const { begin, end } of rowsIn(this.grid, range)) this.flags.fill(1, begin, end);
  }

  has(ordinal: number): boolean {
    return this.flags[ordinal] === 1;
  }

  /** Whether a cell of the range is in the set. */
  hasSomeIn(range: CellRange): boolean {
    return rowsIn(this.grid, range).some(({ begin, end }) => this.flags.subarray(begin, end).includes(1));
  }
}

/** The ordinals of a range's cells, row by row along the last axis. */
function rowsIn(
  { shape }: Grid,
  { first, last }: CellRange,
): { readonly begin: number; readonly end: number }[] {
  const inner = shape.length - 1;
  let before = [0];
  for (let axis = 0; axis < inner; axis++) {
    const next: number[] = [];
    for (const ordinal of before) {
      for (let cell = first[axis]; cell <= last[axis]; cell++) next.push((ordinal + cell) * shape[axis + 1]);
    }
    before = next;
  }
  return before.map((ordinal) => ({ begin: ordinal + first[inner], end: ordinal + last[inner] + 1 }));
}
