// Entry points of the latent family's module, by the names that all modules have (../kernels.ts).
import { readPlan } from './plan';
import { setChains } from './chains';
import { setLatentRows } from './decode-latents';
import { setDecoding } from './decode';
import { setRows } from './doubling';
import { setOrigins } from './padded-grids';
import { setRate } from './rate';
import { fillTile, setSynthesis } from './synthesis';
import { setJob, setTraining } from './train';
import { mostWidth, partitionFloats, weightFloats as floats } from './plan';

export { evaluateTasks } from './decode';
export { trainStep } from './train';

function layOut(base: usize, training: bool): usize {
  let at = base;
  at += (setRows(at, mostWidth) + 63) & ~63;
  at += (setSynthesis(at, training) + 63) & ~63;
  at += (setChains(at, training, base == 0) + 63) & ~63;
  at += setOrigins(at);
  if (!training) {
    at += (setLatentRows(at) + 63) & ~63;
    return at + setDecoding(at) - base;
  }
  at += (setRate(at) + 63) & ~63;
  at += (setTraining(at) + 63) & ~63;
  return at - base;
}

/** Makes this instance ready; `points` is of no meaning here. */
export function initialise(plan: usize, scratch: usize, job: usize, _points: i32): void {
  readPlan(plan);
  layOut(scratch, job != 0);
  fillTile();
  setJob(job);
}

/** Bytes of scratch memory that an instance needs. */
export function scratchBytes(plan: usize, training: bool, _points: i32): usize {
  readPlan(plan);
  return layOut(0, training);
}

/** Floats of the packed shared weights. */
export function weightFloats(plan: usize): i32 {
  readPlan(plan);
  return floats();
}

/** Floats of a partition in the padded layout. */
export function latentFloats(plan: usize, height: i32, width: i32): i32 {
  readPlan(plan);
  return partitionFloats(height, width);
}
