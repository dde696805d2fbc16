import type { Grid } from '../../codec/grid.js';

/** Keys must be exact integers below 2^53. */
const KEY_BITS = 51;

/**
 * The chunks' order in a new file: along a Hilbert curve through the cells, so that any region is few runs of bytes.
 *
 * @param ordinals of cells of the grid.
 * @returns positions in `ordinals`, sorted by the curve.
 */
export function hilbertOrder(grid: Grid, ordinals: ArrayLike<number>): number[] {
  const used = grid.shape.flatMap((cells, axis) => (cells > 1 ? [axis] : []));
  const longest = Math.max(1, ...grid.shape);
  const bits = Math.max(1, Math.ceil(Math.log2(longest)));
  // On grids so long that keys would not fit, neighbouring cells share one and keep the order of their ordinals.
  const shift = Math.max(0, bits - Math.floor(KEY_BITS / Math.max(1, used.length)));
  const keys = Float64Array.from({ length: ordinals.length }, (_, i) => {
    const coordinates = grid.coordinatesOf(ordinals[i]);
    const cell = used.map((axis) => (coordinates[axis] - grid.axes[axis].firstCell) >> shift);
    return hilbertKey(cell, bits - shift);
  });
  return Array.from(keys, (_, i) => i).sort((a, b) => keys[a] - keys[b] || ordinals[a] - ordinals[b]);
}

/**
 * Place of a cell on the Hilbert curve through a cube of `2^bits` cells a side (Skilling, "Programming the Hilbert curve",
 * AIP Conference Proceedings 707, 2004).
 *
 * @param cell 1 to 3 coordinates, each from 0 to `2^bits - 1`; `cell.length * bits` at most 53.
 */
export function hilbertKey(cell: readonly number[], bits: number): number {
  const x = [...cell];
  const axes = x.length;
  if (axes === 0) return 0;
  for (let bit = 1 << (bits - 1); bit > 1; bit >>= 1) {
    const below = bit - 1;
    for (let axis = 0; axis < axes; axis++) {
      if (x[axis] & bit) {
        x[0] ^= below;
      } else {
        const exchanged = (x[0] ^ x[axis]) & below;
        x[0] ^= exchanged;
        x[axis] ^= exchanged;
      }
    }
  }
  for (let axis = 1; axis < axes; axis++) x[axis] ^= x[axis - 1];
  let flips = 0;
  for (let bit = 1 << (bits - 1); bit > 1; bit >>= 1) if (x[axes - 1] & bit) flips ^= bit - 1;
  let key = 0;
  for (let bit = bits - 1; bit >= 0; bit--) {
    for (let axis = 0; axis < axes; axis++) key = key * 2 + (((x[axis] ^ flips) >>> bit) & 1);
  }
  return key;
}
