// The plan: what an instance knows of the network. TypeScript writes it (../plan.ts);
// every instance reads it once into globals of its own and lays out its scratch memory from it.
import { ROW } from './product';
import {
  ACTIVATION_BYTES, AXIS_BYTES, PLAN_ACTIVATIONS, PLAN_ADDS_MERGE, PLAN_AXES, PLAN_CELL_COORDINATES, PLAN_GLOBAL_WEIGHTS, PLAN_GLOBAL_WIDTH,
  PLAN_INPUTS, PLAN_LATTICE_STRIDE, PLAN_LEVELS, PLAN_LOCAL_WIDTH, PLAN_OUTPUTS,
} from '../records';

export let inputs: i32 = 0, outputs: i32 = 0, levels: i32 = 0, H: i32 = 0, G: i32 = 0;
/** Widths padded to whole vectors. */
export let Hp: i32 = 0, Gp: i32 = 0, Mp: i32 = 0;
export let latticeStride: i32 = 0;
export let cellCoordinates: bool = false;
/** Whether the merge adds a layer of the global features to the local ones, instead of being a layer of both. */
export let addsMerge: bool = false;
export let globalWeights: usize = 0;
let planAt: usize = 0;

// @ts-ignore: decorator
@inline export const LOCAL: i32 = 0;
// @ts-ignore: decorator
@inline export const GLOBAL: i32 = 1;
// @ts-ignore: decorator
@inline export const MERGE: i32 = 2;

// @ts-ignore: decorator
@inline
export function pad4(n: i32): i32 { return (n + 3) & ~3; }

/** Frequency w of a role's level; the merge has only the hidden one. */
export function frequency(role: i32, level: i32): f32 {
  return load<f32>(planAt + PLAN_ACTIVATIONS + ACTIVATION_BYTES * role + (level == 1 && role != MERGE ? 0 : 4));
}
// @ts-ignore: decorator
@inline export function phase(role: i32): f32 { return load<f32>(planAt + PLAN_ACTIVATIONS + ACTIVATION_BYTES * role + 8); }
// @ts-ignore: decorator
@inline export function amplitude(role: i32): f32 { return load<f32>(planAt + PLAN_ACTIVATIONS + ACTIVATION_BYTES * role + 12); }
// @ts-ignore: decorator
@inline export function shift(role: i32): f32 { return load<f32>(planAt + PLAN_ACTIVATIONS + ACTIVATION_BYTES * role + 16); }

/** The signal coordinate of a position (../../../coordinates.ts). */
export function signalCoordinate(axis: i32, position: f64): f32 {
  const at = planAt + PLAN_AXES + AXIS_BYTES * axis;
  const length = load<f64>(at, 24);
  let folded = position;
  if (position < 0 || position > length) {
    const period = 2 * length;
    const rest = position - period * Math.floor(position / period);
    folded = rest > length ? period - rest : rest;
  }
  return <f32>(load<f64>(at) * folded + load<f64>(at, 8));
}
// @ts-ignore: decorator
// @ts-ignore: decorator
@inline export function axisHalfCell(axis: i32): f64 { return load<f64>(planAt + PLAN_AXES + AXIS_BYTES * axis + 16); }

/** Floats of a layer as engines hold it: `[pad4(in + 1), pad4(out)]`, row `in` is the bias, padding is zero. */
export function layerFloats(layerInputs: i32, layerOutputs: i32): i32 {
  return pad4(layerInputs + 1) * pad4(layerOutputs);
}

/** Inputs of a level of the local or global network. */
// @ts-ignore: decorator
@inline
export function levelInputs(level: i32, width: i32): i32 { return level == 1 ? inputs : width; }

/** Where a level of a network of this width starts, in bytes from the network's start; level L + 1 is what follows. */
export function levelOffset(level: i32, width: i32): usize {
  if (level == 1) return 0;
  return <usize>(layerFloats(inputs, width) + (level - 2) * layerFloats(width, width)) << 2;
}

/**
 * Where the rows of the merge that take a level's global features begin, in bytes from the global network's start; its bias row is
 * behind them. Only a merge that adds has rows of its own for each level.
 */
export function projectionOffset(level: i32): usize {
  const merge = levelOffset(levels + 1, G);
  return merge + (<usize>(addsMerge ? (level - 1) * layerFloats(G, H) : H * Hp) << 2);
}

/** Reads the plan; must come before anything else. */
export function readPlan(plan: usize): void {
  planAt = plan;
  inputs = load<i32>(plan + PLAN_INPUTS);
  outputs = load<i32>(plan + PLAN_OUTPUTS);
  levels = load<i32>(plan + PLAN_LEVELS);
  H = load<i32>(plan + PLAN_LOCAL_WIDTH);
  G = load<i32>(plan + PLAN_GLOBAL_WIDTH);
  Hp = pad4(H);
  Gp = pad4(G);
  Mp = pad4(outputs);
  latticeStride = load<i32>(plan + PLAN_LATTICE_STRIDE);
  cellCoordinates = load<i32>(plan + PLAN_CELL_COORDINATES) != 0;
  globalWeights = load<u32>(plan + PLAN_GLOBAL_WEIGHTS);
  addsMerge = load<i32>(plan + PLAN_ADDS_MERGE) != 0;
}

/** Sets rows `from` to `to` of a tile to a value. */
export function fillRows(tile: usize, from: i32, to: i32, value: f32): void {
  const v = f32x4.splat(value);
  const end = tile + <usize>to * ROW;
  for (let at = tile + <usize>from * ROW; at < end; at += 16) v128.store(at, v);
}

/**
 * Makes the rows behind `count` features ready for a gradient product: one row of ones, whose gradient is the bias's,
 * then zeros up to whole vectors.
 */
export function appendOnes(tile: usize, count: i32): void {
  fillRows(tile, count, count + 1, 1);
  fillRows(tile, count + 1, pad4(count + 1), 0);
}
