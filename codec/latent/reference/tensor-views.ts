import { latentTensors, type LatentArchitecture, type LatentTensor } from '../latent-architecture.js';

/** The tensors of one flat array of shared weights, or of their gradients, by name: views, not copies. */
export interface TensorViews {
  readonly hiddenWeight: Float64Array;
  readonly hiddenBias: Float64Array;
  readonly outputWeight: Float64Array;
  readonly outputBias: Float64Array;
  readonly bypass: Float64Array;
  readonly taps: Float64Array;
  /** Per grid. */
  readonly mean: readonly Float64Array[];
  readonly spread: readonly Float64Array[];
  readonly scale: readonly Float64Array[];
}

/** Views of a flat array's tensors. */
export function tensorViews(architecture: LatentArchitecture, flat: Float64Array): TensorViews {
  const tensors = latentTensors(architecture);
  const all = (name: LatentTensor['name']): Float64Array[] =>
    tensors
      .filter((tensor) => tensor.name === name)
      .map(({ offset, rows, columns }) => flat.subarray(offset, offset + rows * columns));
  return {
    hiddenWeight: all('hiddenWeight')[0],
    hiddenBias: all('hiddenBias')[0],
    outputWeight: all('outputWeight')[0],
    outputBias: all('outputBias')[0],
    bypass: all('bypass')[0],
    taps: all('taps')[0],
    mean: all('mean'),
    spread: all('spread'),
    scale: all('scale'),
  };
}
