/**
 * The architecture descriptor of the sine family (spec/sine.md, 7.2 has its equations), and the order of every
 * weight (6.1 there).
 *
 * This is the only place that knows how weights are ordered; files, engines and the reference all ask here.
 */

/** `act(z) = exp(a) sin(exp(b) w z + c) + d`; SIREN has a = b = c = d = 0 and w = omega. */
export interface SineActivation {
  /** Frequency factor w of the network's first level. Unused by the merge, which has no first level. */
  readonly omegaFirst: number;
  /** Frequency factor w of every further level. */
  readonly omegaHidden: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/**
 * How local features `u` and global ones `g` become one at every level: `concat` is a sine layer of both, the same at all levels
 * (equation 1 of the paper); `fc-add` adds to `u` a sine layer of `g`, one for each level (equation 2).
 */
export type Merge = 'concat' | 'fc-add';

/** What the local networks see: the signal's coordinates, or their own cell's, [-1, 1] for a full cell. */
export type LocalCoordinates = 'signal' | 'cell';

/** Roles that carry an activation of their own. */
export type Role = 'local' | 'global' | 'merge';

/**
 * One network of the family; settings of it give every system the paper compares.
 *
 * - Local-Global: `localWidth` and `globalWidth` both positive.
 * - SIREN-per-partition: `globalWidth` 0, so neither global network nor merge.
 * - plain SIREN: `globalWidth` 0 on a grid of one cell.
 */
export interface Architecture {
  /** n: coordinates per position, the signal's axes. */
  readonly inputs: number;
  /** m: channels. */
  readonly outputs: number;
  /** L: sine levels; 4 in the paper's "five layers". */
  readonly levels: number;
  /** H: features of each local network and of the merge. */
  readonly localWidth: number;
  /** G: features of the global network; 0 for none. */
  readonly globalWidth: number;
  readonly localCoordinates: LocalCoordinates;
  /** Samples between lattice points at which the global network is evaluated, the same on every axis; 0 for none. */
  readonly latticeStride: number;
  /** Without effect where there is no global network. */
  readonly merge: Merge;
  readonly activations: Readonly<Record<Role, SineActivation>>;
}

/** A SIREN activation: no modulation. */
export function siren(omegaFirst: number, omegaHidden: number): SineActivation {
  return { omegaFirst, omegaHidden, a: 0, b: 0, c: 0, d: 0 };
}

/**
 * How sensitive a tensor is to rounding; quantisers give first layers and biases more bits, as errors there move the phase
 * of sines that all further levels build on.
 */
export type Sensitivity = 'first' | 'bias' | 'hidden' | 'output';

/** A weight matrix or bias vector inside a flat array of weights. */
export interface Tensor {
  readonly role: Role;
  /** 1 to L for sine levels, L + 1 for the output layer; 0 for a merge that is shared by all levels. */
  readonly level: number;
  readonly part: 'weight' | 'bias';
  /** Inputs of the layer; 1 for a bias. Row-major `[rows, columns]`, that is `[in, out]`. */
  readonly rows: number;
  /** Outputs of the layer. */
  readonly columns: number;
  /** Elements before this tensor in the flat array. */
  readonly offset: number;
  readonly sensitivity: Sensitivity;
}

interface Layer {
  readonly role: Role;
  readonly level: number;
  readonly inputs: number;
  readonly outputs: number;
}

function localLayers(architecture: Architecture): Layer[] {
  const { inputs, outputs, levels, localWidth } = architecture;
  const layers: Layer[] = [];
  for (let level = 1; level <= levels; level++) {
    layers.push({ role: 'local', level, inputs: level === 1 ? inputs : localWidth, outputs: localWidth });
  }
  layers.push({ role: 'local', level: levels + 1, inputs: localWidth, outputs });
  return layers;
}

function globalLayers(architecture: Architecture): Layer[] {
  const { inputs, levels, localWidth, globalWidth, merge } = architecture;
  if (globalWidth === 0) return [];
  const layers: Layer[] = [];
  for (let level = 1; level <= levels; level++) {
    layers.push({ role: 'global', level, inputs: level === 1 ? inputs : globalWidth, outputs: globalWidth });
  }
  if (merge === 'concat') {
    layers.push({ role: 'merge', level: 0, inputs: localWidth + globalWidth, outputs: localWidth });
    return layers;
  }
  for (let level = 1; level <= levels; level++) {
    layers.push({ role: 'merge', level, inputs: globalWidth, outputs: localWidth });
  }
  return layers;
}

function tensorsOf(layers: readonly Layer[], levels: number): Tensor[] {
  const tensors: Tensor[] = [];
  let offset = 0;
  for (const { role, level, inputs, outputs } of layers) {
    const isFirst = level === 1 && role !== 'merge';
    const sensitivity: Sensitivity = isFirst ? 'first' : level === levels + 1 ? 'output' : 'hidden';
    tensors.push({ role, level, part: 'weight', rows: inputs, columns: outputs, offset, sensitivity });
    offset += inputs * outputs;
    const biasSensitivity: Sensitivity = isFirst ? 'first' : 'bias';
    tensors.push({
      role,
      level,
      part: 'bias',
      rows: 1,
      columns: outputs,
      offset,
      sensitivity: biasSensitivity,
    });
    offset += outputs;
  }
  return tensors;
}

/** Tensors of one partition's flat weights, in order: per level weight then bias, the output layer last. */
export function localTensors(architecture: Architecture): Tensor[] {
  return tensorsOf(localLayers(architecture), architecture.levels);
}

/** Where the output layer begins in one partition's flat weights: its weight, then its bias, to the end. */
export function outputLayerOffset(architecture: Architecture): number {
  const { levels } = architecture;
  return localTensors(architecture).find(({ level }) => level === levels + 1)?.offset ?? 0;
}

/**
 * Tensors of the flat global weights, in order: per level weight then bias, the merge last.
 *
 * The weight of a merge by `concat` has `H + G` rows: first the local features, then the global ones (equation 1). `fc-add` has a
 * weight of `G` rows and a bias for each level, in their order.
 */
export function globalTensors(architecture: Architecture): Tensor[] {
  return tensorsOf(globalLayers(architecture), architecture.levels);
}

/** Elements of a list of tensors. */
export function elementCount(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.columns, 0);
}

/** Parameters of a network with `partitions` local networks. */
export interface ParameterCount {
  readonly total: number;
  readonly local: number;
  readonly global: number;
}

/** Counts parameters; the paper's H=14, G=84, 16x16 partitions, grey gives 198,930 = 175,872 local + 23,058 global. */
export function countParameters(architecture: Architecture, partitions: number): ParameterCount {
  const local = elementCount(localTensors(architecture)) * partitions;
  const global = elementCount(globalTensors(architecture));
  return { total: local + global, local, global };
}
