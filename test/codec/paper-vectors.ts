import { readFileSync } from 'node:fs';
import {
  globalTensors,
  localTensors,
  siren,
  type Architecture,
  type Tensor,
} from '../../dist/codec/architecture.js';
import { Grid, cutsByCount, linspaceMap, type Box } from '../../dist/codec/grid.js';
import type { Model, Weights } from '../../dist/codec/model.js';
import type { SampleFormat } from '../../dist/codec/signal.js';

/** Every vector of the paper's code. */
export const VECTOR_NAMES = [
  'local-global-audio',
  'local-global-image',
  'local-global-rgb',
  'local-global-video',
  'local-global-modulated',
  'local-global-fc-add',
  'siren-per-partition',
  'siren',
];

interface VectorFile {
  family: string;
  shape: number[];
  grid: number[];
  localWidth: number | null;
  globalWidth: number | null;
  hiddenLayers: number;
  outputs: number;
  omega: number;
  coords: number[];
  targets: number[];
  parameters: Record<string, { shape: number[]; values: number[] }>;
  output: number[];
  loss: number;
  gradients: Record<string, number[]>;
  adam: { rate: number; betas: [number, number]; epsilon: number; losses: number[] };
}

/** A file of test/vectors in this project's terms: its weights and gradients in the order of `architecture.ts`. */
export interface Vector {
  model: Model;
  boxes: Box[];
  format: SampleFormat;
  samples: Float32Array;
  weights: Weights;
  /** [partition, sample, axis] */
  coordinates: number[];
  output: number[];
  loss: number;
  gradients: Weights;
  /** Gradients of (a, b, c, d) for each role, where the file has them. */
  activationGradients: { local: number[]; global: number[]; merge: number[] } | null;
  adam: VectorFile['adam'];
}

/** Whether each global level has two parts: the layer, and its projection to the local width. */
function addsMerge({ parameters }: VectorFile): boolean {
  return 'net.global_net.0.1.0.weight' in parameters;
}

/** The file's name of a tensor, and whether its weights are `[out, in]` and so need a transpose. */
function nameOf(file: VectorFile, tensor: Tensor): { name: string; transposed: boolean } {
  if (file.family.endsWith('modulated') || 'merge.weight' in file.parameters) {
    const stem = tensor.role === 'merge' ? 'merge' : `${tensor.role}.${tensor.level - 1}`;
    return { name: `${stem}.${tensor.part}`, transposed: false };
  }
  if (addsMerge(file) && tensor.role !== 'local') {
    const part = tensor.role === 'merge' ? 1 : 0;
    return { name: `net.global_net.${tensor.level - 1}.${part}.0.${tensor.part}`, transposed: true };
  }
  const plain = file.family === 'siren';
  if (tensor.role === 'merge') return { name: `net.agg_func.0.${tensor.part}`, transposed: true };
  const net = tensor.role === 'local' ? 'net' : 'global_net';
  return {
    name: `net.${net}.${tensor.level - 1}.0.${tensor.part}`,
    transposed: plain || tensor.role === 'global',
  };
}

function collect(
  file: VectorFile,
  tensors: readonly Tensor[],
  partition: number,
  valuesOf: (name: string) => number[],
): Float32Array {
  const flat: number[] = [];
  for (const tensor of tensors) {
    const { name, transposed } = nameOf(file, tensor);
    const size = tensor.rows * tensor.columns;
    const values = valuesOf(name).slice(partition * size, (partition + 1) * size);
    for (let row = 0; row < tensor.rows; row++) {
      for (let column = 0; column < tensor.columns; column++) {
        flat.push(values[transposed ? column * tensor.rows + row : row * tensor.columns + column]);
      }
    }
  }
  return Float32Array.from(flat);
}

export function loadVector(name: string): Vector {
  const url = new URL(`../vectors/${name}.json`, import.meta.url);
  const file = JSON.parse(readFileSync(url, 'utf8')) as VectorFile;
  const activationOf = (role: string): Architecture['activations']['local'] => {
    const [a, b, c, d] = file.parameters[`activation.${role}`]?.values ?? [0, 0, 0, 0];
    return { ...siren(file.omega, file.omega), a, b, c, d };
  };
  const architecture: Architecture = {
    inputs: file.shape.length,
    outputs: file.outputs,
    levels: file.hiddenLayers + 1,
    localWidth: (file.family === 'siren' ? file.globalWidth : file.localWidth) ?? 0,
    globalWidth: file.family.startsWith('local-global') ? (file.globalWidth ?? 0) : 0,
    localCoordinates: 'signal',
    latticeStride: 0,
    merge: addsMerge(file) ? 'fc-add' : 'concat',
    activations: {
      local: activationOf('local'),
      global: activationOf('global'),
      merge: activationOf('merge'),
    },
  };
  const grid = new Grid(file.shape.map((length, axis) => cutsByCount(length, file.grid[axis])));
  const both = (valuesOf: (name: string) => number[]): Weights => ({
    global: collect(file, globalTensors(architecture), 0, valuesOf),
    local: Array.from({ length: grid.count }, (_, p) =>
      collect(file, localTensors(architecture), p, valuesOf),
    ),
  });
  const hasActivations = 'activation.local' in file.gradients;
  return {
    model: {
      architecture,
      maps: file.shape.map((length) => linspaceMap(length)),
      nominalCell: grid.largestCell(),
    },
    boxes: Array.from({ length: grid.count }, (_, p) => grid.boxOf(p)),
    format: {
      sampleType: 'float32',
      channels: file.outputs,
      layout: 'plain',
      mapping: { scale: 1, offset: 0 },
    },
    samples: Float32Array.from(file.targets),
    weights: both((key) => file.parameters[key].values),
    coordinates: file.coords,
    output: file.output,
    loss: file.loss,
    gradients: both((key) => file.gradients[key]),
    activationGradients: hasActivations
      ? {
          local: file.gradients['activation.local'],
          global: file.gradients['activation.global'],
          merge: file.gradients['activation.merge'],
        }
      : null,
    adam: file.adam,
  };
}
