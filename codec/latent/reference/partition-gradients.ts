import type { LatentArchitecture, PlacedGrid } from '../latent-architecture.js';
import type { Shape } from './doubling.js';
import { rateGradients } from './rate.js';
import { synthesise, synthesisGradients } from './synthesis.js';
import { tensorViews } from './tensor-views.js';

/** What one partition is to become. */
export interface PartitionTarget {
  readonly shape: Shape;
  /** f64 [height * width, m], in units of the amplitude. */
  readonly values: Float64Array;
  /** f64 [height * width, m]: what errors count for; absent: 1. */
  readonly weights?: Float64Array;
}

/** Loss and gradients of one partition. */
export interface PartitionGradients {
  /** Weighted, in units of the amplitude. */
  readonly squaredError: number;
  readonly bits: number;
  /** f64, as the partition's latents lie: of `errorFactor * squaredError + bitFactor * bits`. */
  readonly values: Float64Array;
}

/**
 * Loss and gradients of one partition's relaxed latents; those of the shared weights are added to `weightGradients`.
 *
 * Plain and slow: what the kernels are checked by.
 *
 * @param weights f64, shared weights as real numbers.
 * @param values f64, relaxed latents.
 */
export function partitionGradients(
  architecture: LatentArchitecture,
  grids: readonly PlacedGrid[],
  weights: Float64Array,
  values: Float64Array,
  target: PartitionTarget,
  factors: { readonly error: number; readonly bit: number },
  weightGradients: Float64Array,
): PartitionGradients {
  const views = tensorViews(architecture, weights);
  const gradientViews = tensorViews(architecture, weightGradients);
  const synthesis = synthesise(architecture, grids, views, values, target.shape);
  let squaredError = 0;
  const outputGradients = synthesis.outputs.map((output, i) => {
    const error = output - target.values[i];
    const weight = target.weights?.[i] ?? 1;
    squaredError += weight * error * error;
    return 2 * factors.error * weight * error;
  });
  const byError = synthesisGradients(architecture, grids, views, synthesis, outputGradients, gradientViews);
  const { bits, gradients } = rateGradients(grids, views, values, factors.bit, gradientViews);
  return { squaredError, bits, values: byError.map((gradient, i) => gradient + gradients[i]) };
}
