// What an instance knows of the family: sizes, grids, and where packed weights stand.
//
// Packed shared weights: hidden layer [pad4(F + 1), hidden], features in rows, the bias behind them; output layer
// [pad4(hidden + F + 1), 4], hidden features, then features (the bypass), then the bias; taps [levels - 1, 4]; models of grids.
import {
  GRID_EARLIER, GRID_LEVEL, GRID_PARENT, GRID_RECORD_BYTES, LATENT_GRIDS, LATENT_HIDDEN, LATENT_LEVELS, LATENT_MOST_HEIGHT,
  LATENT_MOST_WIDTH, LATENT_OUTPUTS, LATENT_PLAN_GRIDS, LATENT_WEIGHTS, LATENT_WHOLE_MODELS, MODEL_FLOATS,
} from '../../latent-records';

export let levels: i32 = 0, hidden: i32 = 0, outputs: i32 = 0, grids: i32 = 0, weights: usize = 0;
/** Models of whole numbers, where there are any. */
export let wholeModels: usize = 0;
export let mostHeight: i32 = 0, mostWidth: i32 = 0;
let record: usize = 0;

// @ts-ignore: decorator
@inline
export function pad4(count: i32): i32 { return (count + 3) & ~3; }

export function readPlan(plan: usize): void {
  levels = load<i32>(plan + LATENT_LEVELS);
  hidden = load<i32>(plan + LATENT_HIDDEN);
  outputs = load<i32>(plan + LATENT_OUTPUTS);
  grids = load<i32>(plan + LATENT_GRIDS);
  weights = load<u32>(plan + LATENT_WEIGHTS);
  wholeModels = load<u32>(plan + LATENT_WHOLE_MODELS);
  mostHeight = load<i32>(plan + LATENT_MOST_HEIGHT);
  mostWidth = load<i32>(plan + LATENT_MOST_WIDTH);
  record = plan + LATENT_PLAN_GRIDS;
}

export function levelOf(grid: i32): i32 { return load<i32>(record + <usize>(grid * GRID_RECORD_BYTES) + GRID_LEVEL); }
export function parentOf(grid: i32): i32 { return load<i32>(record + <usize>(grid * GRID_RECORD_BYTES) + GRID_PARENT); }
/** Number of the `i`-th grid of an earlier plane at the same level; -1 for none. */
export function earlierOf(grid: i32, i: i32): i32 {
  return load<i32>(record + <usize>(grid * GRID_RECORD_BYTES) + GRID_EARLIER + <usize>(i << 2));
}

// Offsets of packed weights, in bytes.
export function hiddenRows(): i32 { return pad4(grids + 1); }
export function outputRows(): i32 { return pad4(hidden + grids + 1); }
export function outputOffset(): usize { return <usize>(hiddenRows() * hidden) << 2; }
export function tapsOffset(): usize { return outputOffset() + (<usize>outputRows() << 4); }
export function modelsOffset(): usize { return tapsOffset() + (<usize>(levels - 1) << 4); }
export function weightFloats(): i32 { return <i32>(modelsOffset() >> 2) + grids * MODEL_FLOATS; }

/** Rows or columns of a level. */
// @ts-ignore: decorator
@inline
export function levelLength(samples: i32, level: i32): i32 { return (samples + (1 << level) - 1) >> level; }

// A padded grid: two rows of zeros above, four columns at either side; neighbours need no case analysis.
// @ts-ignore: decorator
@inline
export function paddedStride(width: i32): i32 { return pad4(width) + 8; }
export function paddedFloats(height: i32, width: i32): i32 { return (height + 2) * paddedStride(width); }
/** Floats of a partition's grids in the padded layout. */
export function partitionFloats(height: i32, width: i32): i32 {
  let floats = 0;
  for (let grid = 0; grid < grids; grid++) {
    const level = levelOf(grid);
    floats += paddedFloats(levelLength(height, level), levelLength(width, level));
  }
  return floats;
}
