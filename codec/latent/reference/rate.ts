import { CONTEXT_ONE, LEAST_SPREAD } from '../entropy-model.js';
import { NEIGHBOURS, type PlacedGrid } from '../latent-architecture.js';
import { SCALES, scaleOf } from '../probability-tables.js';
import type { TensorViews } from './tensor-views.js';

/** Bits of the values of a partition by a model of real numbers, and their gradients. */
export interface Rate {
  readonly bits: number;
  /** f64, as the partition's latents lie. */
  readonly gradients: Float64Array;
}

/** Bounds of log2 b: those of the tables. */
const LEAST_LOG_SCALE = Math.log2(scaleOf(0));
const MOST_LOG_SCALE = Math.log2(scaleOf(SCALES - 1));

/**
 * Logarithm of the probability that a Laplace distribution of scale `1 / q` gives to `[distance - 1/2, distance + 1/2)`, and its
 * derivatives.
 *
 * @param distance from the mean, at least 0.
 */
export function logProbability(
  distance: number,
  q: number,
): { value: number; byDistance: number; byInverseScale: number } {
  if (distance >= 0.5) {
    const rest = Math.exp(-q);
    return {
      value: -(distance - 0.5) * q + Math.log((1 - rest) / 2),
      byDistance: -q,
      byInverseScale: -(distance - 0.5) + rest / (1 - rest),
    };
  }
  const near = Math.exp(-(0.5 - distance) * q);
  const far = Math.exp(-(0.5 + distance) * q);
  const probability = 1 - (near + far) / 2;
  return {
    value: Math.log(probability),
    byDistance: (-q * (near - far)) / 2 / probability,
    byInverseScale: ((0.5 - distance) * near + (0.5 + distance) * far) / 2 / probability,
  };
}

/**
 * Bits of relaxed latents, each by those before it, and their gradients; those of the weights are added to, all times `factor`.
 *
 * With neighbours `n`, the mean is `sum mean_i n_i` and `log2 b = offset + gain log2(3/64 + sum spread_i |n_i|)`, held within the
 * tables' scales.
 *
 * @param values f64, as the partition's latents lie.
 */
export function rateGradients(
  grids: readonly PlacedGrid[],
  views: TensorViews,
  values: Float64Array,
  factor: number,
  weightGradients: TensorViews,
): Rate {
  const gradients = new Float64Array(values.length);
  let bits = 0;
  grids.forEach((grid, number) => {
    const { height, width, offset, parent, earlier } = grid;
    const [mean, spread, scale] = [views.mean[number], views.spread[number], views.scale[number]];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        // Places of the neighbours; -1 outside, where there is 0.
        const places = NEIGHBOURS.map(([rows, columns]) => {
          const [y, x] = [row + rows, column + columns];
          return y < 0 || x < 0 || x >= width ? -1 : offset + y * width + x;
        });
        if (parent >= 0) places.push(grids[parent].offset + (row >> 1) * grids[parent].width + (column >> 1));
        for (const other of earlier) places.push(grids[other].offset + row * width + column);
        const seen = places.map((place) => (place < 0 ? 0 : values[place]));
        let expected = 0;
        let sum = LEAST_SPREAD / CONTEXT_ONE;
        seen.forEach((value, i) => {
          expected += mean[i] * value;
          sum += spread[i] * Math.abs(value);
        });
        const free = scale[0] + scale[1] * Math.log2(sum);
        const logScale = Math.max(LEAST_LOG_SCALE, Math.min(MOST_LOG_SCALE, free));
        const q = 2 ** -logScale;
        const place = offset + row * width + column;
        const difference = values[place] - expected;
        const { value, byDistance, byInverseScale } = logProbability(Math.abs(difference), q);
        bits -= value / Math.LN2;
        const byDifference = (-factor * Math.sign(difference) * byDistance) / Math.LN2;
        // Bits by log2 b: q falls by ln 2 of itself.
        const byLogScale = logScale === free ? factor * byInverseScale * q : 0;
        gradients[place] += byDifference;
        weightGradients.scale[number][0] += byLogScale;
        weightGradients.scale[number][1] += byLogScale * Math.log2(sum);
        const bySum = (byLogScale * scale[1]) / (sum * Math.LN2);
        seen.forEach((neighbour, i) => {
          weightGradients.mean[number][i] -= byDifference * neighbour;
          weightGradients.spread[number][i] += bySum * Math.abs(neighbour);
          if (places[i] < 0) return;
          gradients[places[i]] += bySum * spread[i] * Math.sign(neighbour) - byDifference * mean[i];
        });
      }
    }
  });
  return { bits, gradients };
}
