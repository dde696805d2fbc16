import type { Architecture } from '../../codec/architecture.js';
import { globalTensors, localTensors } from '../../codec/architecture.js';
import type { Tensor } from '../../codec/architecture.js';

function multiplyAdds(tensors: readonly Tensor[]): number {
  return tensors
    .filter(({ part, role }) => part === 'weight' && role !== 'merge')
    .reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}

/** What one position costs. */
export interface Cost {
  readonly multiplyAdds: number;
  readonly sines: number;
}

/** What a forward pass of a network costs. */
export interface ForwardCost {
  readonly perSample: Cost;
  readonly perLatticePoint: Cost;
  /** Multiply-adds of the interpolation from the lattice, of which nothing comes back while the global network is frozen. */
  readonly interpolationPerSample: number;
}

/**
 * Multiply-adds and sines of a forward pass, biases not counted: 27.5k multiply-adds a sample for the paper's network.
 * Training is three times that: forward, backward to features, backward to weights; each sine then comes with its slope.
 */
export function forwardCost(architecture: Architecture): ForwardCost {
  const { inputs, levels, localWidth, globalWidth, latticeStride } = architecture;
  const none = { multiplyAdds: 0, sines: 0 };
  const local = { multiplyAdds: multiplyAdds(localTensors(architecture)), sines: levels * localWidth };
  if (globalWidth === 0) return { perSample: local, perLatticePoint: none, interpolationPerSample: 0 };
  const global = {
    multiplyAdds: multiplyAdds(globalTensors(architecture)) + levels * globalWidth * localWidth,
    sines: levels * globalWidth,
  };
  const merged = {
    multiplyAdds: local.multiplyAdds + levels * localWidth * localWidth,
    sines: 2 * local.sines,
  };
  if (latticeStride > 0) {
    const interpolationPerSample = 2 ** inputs * levels * localWidth;
    return { perSample: merged, perLatticePoint: global, interpolationPerSample };
  }
  const perSample = {
    multiplyAdds: merged.multiplyAdds + global.multiplyAdds,
    sines: merged.sines + global.sines,
  };
  return { perSample, perLatticePoint: none, interpolationPerSample: 0 };
}

/** Multiply-adds of SOAP's update of one local network: two factors, two turns and two turns back for every layer. */
export function soapMultiplyAdds(architecture: Architecture): number {
  return localTensors(architecture)
    .filter(({ part }) => part === 'weight')
    .reduce((sum, { rows, columns }) => sum + 3 * (rows + 1) * columns * (rows + 1 + columns), 0);
}
