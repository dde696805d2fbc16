import type { Tensor } from '../../architecture.js';

/** Where a layer's weight `[inputs, outputs]` and bias stand in a flat array. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: number;
  /** null for a layer without bias. */
  readonly bias: number | null;
}

/** The layers that a list of tensors makes: each a weight, followed by its bias. */
export function layersOf(tensors: readonly Tensor[]): Layer[] {
  const layers: Layer[] = [];
  for (let at = 0; at < tensors.length; at += 2) {
    const { rows, columns, offset } = tensors[at];
    layers.push({ inputs: rows, outputs: columns, weight: offset, bias: tensors[at + 1].offset });
  }
  return layers;
}

/** `W^T input + b`: f64 [outputs]. */
export function affine(layer: Layer, weights: Float64Array, input: Float64Array): Float64Array {
  const { inputs, outputs, weight, bias } = layer;
  const result = bias === null ? new Float64Array(outputs) : weights.slice(bias, bias + outputs);
  for (let row = 0; row < inputs; row++) {
    const at = weight + row * outputs;
    for (let column = 0; column < outputs; column++) result[column] += input[row] * weights[at + column];
  }
  return result;
}

/** Adds the gradients of a layer's weight and bias; returns that of its input, f64 [inputs]. */
export function affineBackward(
  layer: Layer,
  weights: Float64Array,
  gradients: Float64Array,
  input: Float64Array,
  dResult: Float64Array,
): Float64Array {
  const { inputs, outputs, weight, bias } = layer;
  const dInput = new Float64Array(inputs);
  for (let row = 0; row < inputs; row++) {
    const at = weight + row * outputs;
    let sum = 0;
    for (let column = 0; column < outputs; column++) {
      sum += weights[at + column] * dResult[column];
      gradients[at + column] += input[row] * dResult[column];
    }
    dInput[row] = sum;
  }
  if (bias !== null)
    for (let column = 0; column < outputs; column++) gradients[bias + column] += dResult[column];
  return dInput;
}
