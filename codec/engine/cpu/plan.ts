import type { Architecture, Role } from '../../architecture.js';
import { globalTensors, localTensors } from '../../architecture.js';
import type { Tensor } from '../../architecture.js';
import { foldLength } from '../../coordinates.js';
import type { Box } from '../../grid.js';
import type { Model } from '../../model.js';
import {
  ACTIVATION_BYTES,
  AXIS_BYTES,
  BOX_SHAPE,
  MAX_AXES,
  PLAN_ACTIVATIONS,
  PLAN_ADDS_MERGE,
  PLAN_AXES,
  PLAN_CELL_COORDINATES,
  PLAN_GLOBAL_WEIGHTS,
  PLAN_GLOBAL_WIDTH,
  PLAN_INPUTS,
  PLAN_LATTICE_STRIDE,
  PLAN_LEVELS,
  PLAN_LOCAL_WIDTH,
  PLAN_OUTPUTS,
} from './records.js';

/** Coordinates in a tile. */
export const TILE = 32;

const ROLES: readonly Role[] = ['local', 'global', 'merge'];

/** Writes the plan that every instance reads (assembly/plan.ts). */
export function writePlan(view: DataView, plan: number, model: Model, globalWeights: number): void {
  const a = model.architecture;
  const words: [number, number][] = [
    [PLAN_INPUTS, a.inputs],
    [PLAN_OUTPUTS, a.outputs],
    [PLAN_LEVELS, a.levels],
    [PLAN_LOCAL_WIDTH, a.localWidth],
    [PLAN_GLOBAL_WIDTH, a.globalWidth],
    [PLAN_LATTICE_STRIDE, a.globalWidth > 0 ? a.latticeStride : 0],
    [PLAN_CELL_COORDINATES, a.localCoordinates === 'cell' ? 1 : 0],
    [PLAN_GLOBAL_WEIGHTS, globalWeights],
    [PLAN_ADDS_MERGE, a.merge === 'fc-add' ? 1 : 0],
  ];
  for (const [field, value] of words) view.setUint32(plan + field, value, true);
  ROLES.forEach((role, r) => {
    const { omegaFirst, omegaHidden, a: logAmplitude, b, c, d } = a.activations[role];
    const values = [Math.exp(b) * omegaFirst, Math.exp(b) * omegaHidden, c, Math.exp(logAmplitude), d];
    const at = plan + PLAN_ACTIVATIONS + ACTIVATION_BYTES * r;
    values.forEach((value, i) => view.setFloat32(at + 4 * i, value, true));
  });
  model.maps.forEach(({ scale, offset }, axis) => {
    const at = plan + PLAN_AXES + AXIS_BYTES * axis;
    [scale, offset, model.nominalCell[axis] / 2, foldLength(model, axis)].forEach((value, i) =>
      view.setFloat64(at + 8 * i, value, true),
    );
  });
}

/** Writes a box as records have it: i32 begin [4], shape [4], unused axes 0 and 1. */
export function writeBox(view: DataView, at: number, box: Box): void {
  for (let axis = 0; axis < MAX_AXES; axis++) {
    const begin = box.begin[axis] ?? 0;
    view.setInt32(at + 4 * axis, begin, true);
    view.setInt32(at + BOX_SHAPE + 4 * axis, (box.end[axis] ?? begin + 1) - begin, true);
  }
}

function pad4(n: number): number {
  return (n + 3) & ~3;
}

/**
 * Between the flat order of `architecture.ts` and the kernels' own: each layer `[pad4(in + 1), pad4(out)]`, its bias in
 * row `in`, zeros elsewhere.
 */
export class Packing {
  /** Elements of the packed array. */
  readonly packedLength: number;
  /** Elements of the flat array. */
  readonly flatLength: number;
  /** Per element of the flat array its place in the packed one. */
  readonly #places: Int32Array;

  constructor(tensors: readonly Tensor[]) {
    this.flatLength = tensors.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    this.#places = new Int32Array(this.flatLength);
    let layer = 0;
    let layerEnd = 0;
    let inputs = 0;
    for (const { part, rows, columns, offset } of tensors) {
      const stride = pad4(columns);
      if (part === 'weight') {
        layer = layerEnd;
        inputs = rows;
        layerEnd = layer + pad4(rows + 1) * stride;
      }
      const to = layer + (part === 'bias' ? inputs * stride : 0);
      for (let i = 0; i < rows * columns; i++) {
        this.#places[offset + i] = to + Math.floor(i / columns) * stride + (i % columns);
      }
    }
    this.packedLength = layerEnd;
  }

  static local(architecture: Architecture): Packing {
    return new Packing(localTensors(architecture));
  }

  static global(architecture: Architecture): Packing {
    return new Packing(globalTensors(architecture));
  }

  /** Writes flat weights into packed memory, which must be zero where it was never written. */
  pack(flat: Float32Array, packed: Float32Array): void {
    // Rows are short: a copy for each would take longer than their elements.
    const places = this.#places;
    for (let i = 0; i < places.length; i++) packed[places[i]] = flat[i];
  }

  /** Reads packed weights back. */
  unpack(packed: Float32Array): Float32Array {
    const flat = new Float32Array(this.flatLength);
    const places = this.#places;
    for (let i = 0; i < places.length; i++) flat[i] = packed[places[i]];
    return flat;
  }
}

/** Lattice points around positions of a box: from the last at or before its begin to the first at or after its end. */
export function patchPoints(begin: readonly number[], end: readonly number[], stride: number): number {
  return begin.reduce(
    (points, low, axis) => points * (Math.ceil(end[axis] / stride) - Math.floor(low / stride) + 1),
    1,
  );
}

/** Bytes of a lattice point's projections: f32 [levels, pad4(H)]. */
export function latticePointBytes({ levels, localWidth }: Architecture): number {
  return levels * pad4(localWidth) * 4;
}

/** Bytes of a patch of so many points, rounded up to a tile. */
export function patchBytes(points: number, architecture: Architecture): number {
  return Math.ceil(points / TILE) * TILE * latticePointBytes(architecture);
}
