import type { Grid } from '../../codec/grid.js';
import { hilbertCells } from './hilbert.js';

/** Bytes of a bit for every cell. */
export function presenceByteLength(grid: Grid): number {
  return Math.ceil(grid.count / 8);
}

/** A bit for every cell of a grid along the Hilbert curve, each byte's lowest first, set for these ones. */
export function presenceOf(grid: Grid, ordinals: Int32Array): Uint8Array {
  const isPresent = new Uint8Array(grid.count);
  for (let i = 0; i < ordinals.length; i++) isPresent[ordinals[i]] = 1;
  const bits = new Uint8Array(presenceByteLength(grid));
  const cells = hilbertCells(grid);
  for (let place = 0; place < cells.length; place++) {
    bits[place >> 3] |= isPresent[cells[place]] << (place & 7);
  }
  return bits;
}

/** How many cells have their bit set. */
export function countPresent(bits: Uint8Array): number {
  let count = 0;
  for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** The cells whose bits are set, along the curve: ordinals, i32 [count]. */
export function presentCells(grid: Grid, bits: Uint8Array, count: number): Int32Array {
  const ordinals = new Int32Array(count);
  let found = 0;
  const cells = hilbertCells(grid);
  for (let place = 0; place < cells.length; place++) {
    ordinals[found] = cells[place];
    found += (bits[place >> 3] >> (place & 7)) & 1;
  }
  return ordinals;
}
