import type { CellRange, Grid } from '../codec/grid.js';

/** Some cells of a grid, of which adding and asking are a look-up each: a crop asks for every partition, of up to 2^20. */
export class CellSet {
  /** u8 [cells], by ordinal, 1 for those in the set. */
  readonly flags: Uint8Array;

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

  /** @param others of the same grid. */
  deleteAll({ flags }: CellSet): void {
    for (let ordinal = 0; ordinal < flags.length; ordinal++) this.flags[ordinal] &= ~flags[ordinal];
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
