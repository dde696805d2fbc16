// Evaluating partitions at the product of per-axis positions: first the lattice points that the tasks need, then the
// tasks. Both are claimed by atomic counters; tasks share nothing but the global weights and the lattice.
import { G, inputs, latticeStride, outputs } from './plan';
import {
  EVALUATION_NEXT, EVALUATION_SAMPLE_OFFSET, EVALUATION_SAMPLE_SCALE, EVALUATION_SAMPLE_TYPE, EVALUATION_TASKS,
  EVALUATION_TASK_COUNT, TASK_BYTES, TASK_COUNTS, TASK_LOCAL_COORDINATES, TASK_OUTPUT, TASK_SIGNAL_COORDINATES,
  TASK_WEIGHTS,
} from '../records';
import { ROW, TILE } from './product';
import { localCoordinates, signalCoordinates } from './scratch';
import { interpolateRows, projectLattice, repeatColumns, setColumns, startRows } from './lattice-rows';
import { forward, usesLattice } from './network';
import { sampleBytes, writeSamples } from './samples';

// @ts-ignore: decorator
@inline
function axisCount(task: usize, axis: i32): i32 { return load<i32>(task + TASK_COUNTS + (<usize>axis << 2)); }

// The coordinates of `run` positions of a row: one on the leading axes, ascending on the last.
function setCoordinates(task: usize, field: usize, tile: usize, row: i32, column: i32, lane: i32, run: i32): void {
  const last = inputs - 1;
  const end = <usize>(lane + run) << 2;
  let rest = row;
  for (let axis = last - 1; axis >= 0; axis--) {
    const count = axisCount(task, axis), quotient = rest / count;
    const from = <usize>load<u32>(task + field + (<usize>axis << 2));
    const value = load<f32>(from + (<usize>(rest - quotient * count) << 2));
    const to = tile + <usize>axis * ROW;
    for (let at = <usize>lane << 2; at < end; at += 4) store<f32>(to + at, value);
    rest = quotient;
  }
  const from = <usize>load<u32>(task + field + (<usize>last << 2)) + (<usize>column << 2);
  memory.copy(tile + <usize>last * ROW + (<usize>lane << 2), from, <usize>run << 2);
}

// Lanes beyond the last repeat it, so that nothing undefined is computed.
function repeatCoordinates(tile: usize, lanes: i32): void {
  for (let axis = 0; axis < inputs; axis++) {
    const row = tile + <usize>axis * ROW;
    const value = load<f32>(row + (<usize>(lanes - 1) << 2));
    for (let at = <usize>lanes << 2; at < ROW; at += 4) store<f32>(row + at, value);
  }
}

function evaluateTask(job: usize, task: usize, rows: usize): void {
  const local = <usize>load<u32>(task + TASK_WEIGHTS);
  const type = load<i32>(job + EVALUATION_SAMPLE_TYPE);
  const scale = load<f64>(job + EVALUATION_SAMPLE_SCALE), offset = load<f64>(job + EVALUATION_SAMPLE_OFFSET);
  const lattice = usesLattice(), exact = G > 0 && latticeStride == 0;
  const width = axisCount(task, inputs - 1);
  let output = <usize>load<u32>(task + TASK_OUTPUT);
  let total = 1;
  for (let axis = 0; axis < inputs; axis++) total *= axisCount(task, axis);
  if (lattice) startRows(job, task, rows);
  let row = 0, column = 0;
  for (let from = 0; from < total; from += TILE) {
    const lanes = min(total - from, TILE);
    for (let lane = 0; lane < lanes;) {
      const run = min(width - column, lanes - lane);
      setCoordinates(task, TASK_LOCAL_COORDINATES, localCoordinates, row, column, lane, run);
      if (exact) setCoordinates(task, TASK_SIGNAL_COORDINATES, signalCoordinates, row, column, lane, run);
      if (lattice) setColumns(job, task, row, column, lane, run);
      lane += run;
      column += run;
      if (column == width) {
        column = 0;
        row++;
      }
    }
    if (lanes < TILE) {
      repeatCoordinates(localCoordinates, lanes);
      if (exact) repeatCoordinates(signalCoordinates, lanes);
      if (lattice) repeatColumns(lanes);
    }
    if (lattice) interpolateRows();
    forward(local, false);
    writeSamples(output, lanes, type, scale, offset);
    output += <usize>(lanes * outputs) * sampleBytes(type);
  }
}

/**
 * This thread's part of an evaluation.
 *
 * @param rows memory of this thread for blended lattice rows
 */
export function evaluateTasks(job: usize, rows: usize): void {
  if (usesLattice()) projectLattice(job);
  const count = load<i32>(job + EVALUATION_TASK_COUNT);
  const tasks = <usize>load<u32>(job + EVALUATION_TASKS);
  for (;;) {
    const index = atomic.add<i32>(job + EVALUATION_NEXT, 1);
    if (index >= count) break;
    evaluateTask(job, tasks + <usize>index * TASK_BYTES, rows);
  }
}
