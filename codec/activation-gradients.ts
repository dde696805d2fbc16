import { globalTensors, localTensors, type Architecture, type Role, type Tensor } from './architecture.js';
import { LgiError } from './errors.js';

/** Gradients of (a, b, c, d) of each role, f64 [4]. */
export type ActivationGradients = Readonly<Record<Role, Float64Array>>;

/** Weights, or their gradients, in the order of `architecture.ts`. */
interface FlatWeights {
  readonly global: ArrayLike<number>;
  readonly local: readonly ArrayLike<number>[];
}

/** A layer's weight `[inputs, outputs]` and bias, with their gradients. */
interface LayerGradients {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: ArrayLike<number>;
  readonly gradients: ArrayLike<number>;
  readonly weightAt: number;
  readonly biasAt: number;
}

/**
 * Gradients of the activations' scalars, from weights and the gradients of weights alone.
 *
 * A layer `z = W x + b` behind a sum over samples has the gradients `dW = sum x dz` and `db = sum dz`. So for
 * `act(z) = exp(a) sin(exp(b) w z + c) + d` of a role
 *
 * - the gradient of `b` is `sum dz z`, that of `c` `sum dz / (exp(b) w)`: `<W, dW> + <b, db>` and `db / (exp(b) w)` over the role's
 *   layers;
 * - the gradient of `d` is `sum dact`, that of `a` `sum dact (act - d)`, where `dact` is what comes back through the layers that take
 *   these features: of those rows `W db` and `<W, dW> - d (W db)`.
 *
 * It costs one pass over the weights, whatever the number of samples.
 *
 * @param weights before the step that the gradients are for.
 * @throws LgiError `unsupported` for a merge by `fc-add`, whose features are sums that no layer takes apart.
 */
export function activationGradients(
  architecture: Architecture,
  weights: FlatWeights,
  gradients: FlatWeights,
): ActivationGradients {
  const { levels, localWidth, globalWidth, merge, activations } = architecture;
  if (globalWidth > 0 && merge !== 'concat') {
    throw new LgiError('unsupported', `activations of a merge by ${merge} are not learned; use concat`);
  }
  const found: Record<Role, Float64Array> = {
    local: new Float64Array(4),
    global: new Float64Array(4),
    merge: new Float64Array(4),
  };
  // Argument and features of a role are in different layers.
  const ofArgument = (role: Role, level: number, layer: LayerGradients): void => {
    const { b, omegaFirst, omegaHidden } = activations[role];
    const omega = level === 1 && role !== 'merge' ? omegaFirst : omegaHidden;
    const { biasAt, outputs } = layer;
    found[role][1] += dot(layer, 0, layer.inputs) + dotRange(layer, biasAt, outputs);
    found[role][2] += sumOf(layer.gradients, biasAt, outputs) / (Math.exp(b) * omega);
  };
  const ofFeatures = (role: Role, layer: LayerGradients, begin: number, end: number): void => {
    const shift = biasThrough(layer, begin, end);
    found[role][0] += dot(layer, begin, end) - activations[role].d * shift;
    found[role][3] += shift;
  };
  const hasGlobal = globalWidth > 0;
  weights.local.forEach((local, p) => {
    const layers = layersOf(localTensors(architecture), local, gradients.local[p]);
    layers.forEach((layer, i) => {
      if (i < levels) ofArgument('local', i + 1, layer);
      if (i > 0) ofFeatures(hasGlobal ? 'merge' : 'local', layer, 0, layer.inputs);
    });
  });
  if (hasGlobal) {
    const layers = layersOf(globalTensors(architecture), weights.global, gradients.global);
    layers.forEach((layer, i) => {
      if (i < levels) ofArgument('global', i + 1, layer);
      if (i > 0 && i < levels) ofFeatures('global', layer, 0, layer.inputs);
    });
    const both = layers[levels];
    ofArgument('merge', 0, both);
    ofFeatures('local', both, 0, localWidth);
    ofFeatures('global', both, localWidth, localWidth + globalWidth);
  }
  return found;
}

function layersOf(
  tensors: readonly Tensor[],
  weights: ArrayLike<number>,
  gradients: ArrayLike<number>,
): LayerGradients[] {
  const layers: LayerGradients[] = [];
  for (let at = 0; at < tensors.length; at += 2) {
    const { rows, columns, offset } = tensors[at];
    const biasAt = tensors[at + 1].offset;
    layers.push({ inputs: rows, outputs: columns, weights, gradients, weightAt: offset, biasAt });
  }
  return layers;
}

/** `<W, dW>` over rows `[begin, end)` of a layer's weight. */
function dot(layer: LayerGradients, begin: number, end: number): number {
  const { outputs, weightAt } = layer;
  return dotRange(layer, weightAt + begin * outputs, (end - begin) * outputs);
}

function dotRange({ weights, gradients }: LayerGradients, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += weights[i] * gradients[i];
  return sum;
}

function sumOf(values: ArrayLike<number>, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += values[i];
  return sum;
}

/** `W db`, summed over rows `[begin, end)`. */
function biasThrough(layer: LayerGradients, begin: number, end: number): number {
  const { outputs, weights, gradients, weightAt, biasAt } = layer;
  let sum = 0;
  for (let row = begin; row < end; row++) {
    for (let column = 0; column < outputs; column++) {
      sum += weights[weightAt + row * outputs + column] * gradients[biasAt + column];
    }
  }
  return sum;
}
