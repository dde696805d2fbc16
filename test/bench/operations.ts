import type { Architecture } from '../../codec/architecture.js';
import { globalTensors, localTensors } from '../../codec/architecture.js';
import type { Tensor } from '../../codec/architecture.js';

function multiplyAdds(tensors: readonly Tensor[]): number {
  return tensors
    .filter(({ part, role }) => part === 'weight' && role !== 'merge')
    .reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}

/**
 * Multiply-adds per coordinate of a forward pass, biases, sines and interpolation not counted: 27.5k for the
 * paper's network. Training is three times that: forward, backward to features, backward to weights.
 */
export function forwardMultiplyAdds(architecture: Architecture): {
  perSample: number;
  perLatticePoint: number;
} {
  const { levels, localWidth, globalWidth, latticeStride } = architecture;
  const local = multiplyAdds(localTensors(architecture));
  if (globalWidth === 0) return { perSample: local, perLatticePoint: 0 };
  const global = multiplyAdds(globalTensors(architecture)) + levels * globalWidth * localWidth;
  const localMerge = levels * localWidth * localWidth;
  if (latticeStride > 0) return { perSample: local + localMerge, perLatticePoint: global };
  return { perSample: local + localMerge + global, perLatticePoint: 0 };
}
