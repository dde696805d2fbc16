// Entry points of the module for those who only decode: half the size of kernels.ts, and the same values.
import { readPlan } from './plan';
import { layOut } from './scratch';

export { evaluateTasks } from './evaluate';

/** As in kernels.ts; `job` is 0. */
export function initialise(plan: usize, scratch: usize, job: usize, points: i32): void {
  readPlan(plan);
  layOut(scratch, job != 0, points);
}

/** As in kernels.ts. */
export function scratchBytes(plan: usize, training: bool, points: i32): usize {
  readPlan(plan);
  return layOut(0, training, points);
}
