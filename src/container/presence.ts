import type { Grid } from '../../codec/grid.js';
import { hilbertCells } from './hilbert.js';

/** Bytes of a bit for every cell. */
export function presenceByteLength(grid: Grid): number {
  return Math.ceil(grid.count / 8);
}

/** A bit for every cell of a grid along the Hilbert curve, each byte's lowest first, set for these ones. */
export function presenceOf(grid: Grid, ordinals: Int32Array): Uint8Array {
  const isPresent = new Uint8Array(grid.count);
  for (const ordinal of ordinals) isPresent[ordinal] = 1;
  const bits = new Uint8Array(presenceByteLength(grid));
  hilbertCells(grid).forEach((ordinal, place) => {
    bits[place >> 3] |= isPresent[ordinal] << (place & 7);
  });
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
  hilbertCells(grid).forEach((ordinal, place) => {
    if ((bits[place >> 3] >> (place & 7)) & 1) ordinals[found++] = ordinal;
  });
  return ordinals;
}
