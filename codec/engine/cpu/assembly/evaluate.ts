// Evaluating partitions at the product of per-axis positions. Tasks are claimed by an atomic counter; nothing is shared
// between them but the global weights.
import { Mp, inputs, latticeStride, outputs } from './plan';
import {
  EVALUATION_NEXT, EVALUATION_TASKS, EVALUATION_TASK_COUNT, TASK_BOX, TASK_BYTES, TASK_COUNTS, TASK_OUTPUT, TASK_POSITIONS,
  TASK_WEIGHTS,
} from '../records';
import { ROW, TILE } from './product';
import { outputTile } from './scratch';
import { fillCoordinates, setPosition } from './coordinates';
import { findCorners, latticeForward, setPatchAxis } from './lattice';
import { forward, usesLattice } from './network';

// @ts-ignore: decorator
@inline
function axisCount(task: usize, axis: i32): i32 { return load<i32>(task + TASK_COUNTS + (<usize>axis << 2)); }

// @ts-ignore: decorator
@inline
function axisPosition(task: usize, axis: i32, index: i32): f64 {
  return load<f64>(<usize>load<u32>(task + TASK_POSITIONS + (<usize>axis << 2)) + (<usize>index << 3));
}

// The patch spans the lattice cells that the task's positions lie in; positions ascend on every axis.
function setTaskPatch(task: usize): void {
  for (let axis = 0; axis < inputs; axis++) {
    const low = axisPosition(task, axis, 0);
    const high = axisPosition(task, axis, axisCount(task, axis) - 1);
    const first = <i32>Math.floor(low / <f64>latticeStride);
    setPatchAxis(axis, first, <i32>Math.floor(high / <f64>latticeStride) - first + 2);
  }
}

function evaluateTask(task: usize, patch: usize): void {
  const local = <usize>load<u32>(task + TASK_WEIGHTS);
  const output = <usize>load<u32>(task + TASK_OUTPUT);
  const lattice = usesLattice();
  if (lattice) {
    setTaskPatch(task);
    latticeForward(patch, false);
  }
  let total = 1;
  for (let axis = 0; axis < inputs; axis++) total *= axisCount(task, axis);
  for (let from = 0; from < total; from += TILE) {
    const lanes = min(total - from, TILE);
    for (let lane = 0; lane < lanes; lane++) {
      let rest = from + lane;
      for (let axis = inputs - 1; axis >= 0; axis--) {
        const count = axisCount(task, axis);
        const quotient = rest / count;
        setPosition(axis, lane, axisPosition(task, axis, rest - quotient * count));
        rest = quotient;
      }
    }
    fillCoordinates(task + TASK_BOX, lanes);
    if (lattice) findCorners(patch);
    forward(local, false);
    for (let lane = 0; lane < lanes; lane++) {
      for (let channel = 0; channel < outputs; channel++) {
        const value = load<f32>(outputTile + <usize>channel * ROW + (<usize>lane << 2));
        store<f32>(output + (<usize>((from + lane) * outputs + channel) << 2), value);
      }
    }
  }
}

/**
 * This thread's part of an evaluation.
 *
 * @param patch memory of this thread for the largest task's lattice patch
 */
export function evaluateTasks(job: usize, patch: usize): void {
  const count = load<i32>(job + EVALUATION_TASK_COUNT);
  const tasks = <usize>load<u32>(job + EVALUATION_TASKS);
  for (;;) {
    const index = atomic.add<i32>(job + EVALUATION_NEXT, 1);
    if (index >= count) break;
    evaluateTask(tasks + <usize>index * TASK_BYTES, patch);
  }
}
