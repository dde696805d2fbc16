// Entry points of the module. Memory is laid out by TypeScript (layout.ts beside this folder); nothing is allocated here.
import { readPlan } from './plan';
import { layOut } from './scratch';
import { clearPadding } from './network';
import { setJob } from './train';

export { globalFloats, globalStateFloats, localFloats, localStateFloats, trainStep } from './train';
export { evaluateTasks } from './evaluate';
export { multiplyAddPeak, multiplyAndAddPeak } from './peak';
export { activateWithSlope, activate, prepareSine } from './sine';
export { accumulateGradient, layer } from './product';

/**
 * Makes this instance ready.
 *
 * @param scratch memory of this instance, as large as {@link scratchBytes} said
 * @param job the training job; 0 for evaluation
 */
export function initialise(plan: usize, scratch: usize, job: usize, points: i32): void {
  readPlan(plan);
  layOut(scratch, job != 0, points);
  setJob(job);
  if (job) clearPadding();
}

/** Bytes of scratch memory that an instance needs. */
export function scratchBytes(plan: usize, training: bool, points: i32): usize {
  readPlan(plan);
  return layOut(0, training, points);
}
