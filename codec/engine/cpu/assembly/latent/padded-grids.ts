// The padded layout of a partition's grids, that of the last partition placed (plan.ts says what it is).
import { grids, levelLength, levelOf, paddedFloats, paddedStride } from './plan';

/** Of each grid the beginning of its first row, in bytes from the partition's first float. */
let origins: usize = 0;

export function setOrigins(base: usize): usize {
  origins = base;
  return 256;
}

/** Notes where the grids of a partition stand. */
export function placeGrids(height: i32, width: i32): void {
  let at: usize = 0;
  for (let grid = 0; grid < grids; grid++) {
    const h = levelLength(height, levelOf(grid)), w = levelLength(width, levelOf(grid));
    store<u32>(origins + (<usize>grid << 2), <u32>(at + (<usize>(2 * paddedStride(w) + 4) << 2)));
    at += <usize>paddedFloats(h, w) << 2;
  }
}

/** Bytes from a partition's first float to a grid's first latent. */
export function originOf(grid: i32): usize { return load<u32>(origins + (<usize>grid << 2)); }

/** Bytes from a latent to its `i`-th neighbour: latent-architecture.ts has the same list. */
export function neighbourOffset(i: i32, stride: i32): i32 {
  switch (i) {
    case 0: return -4;
    case 1: return -8;
    case 2: return -stride - 4;
    case 3: return -stride;
    case 4: return -stride + 4;
    case 5: return -2 * stride;
    case 6: return -stride - 8;
    default: return -stride + 8;
  }
}
