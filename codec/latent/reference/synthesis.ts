import { TAPS, type LatentArchitecture, type PlacedGrid } from '../latent-architecture.js';
import { double, doubleGradients, type Doubling, type Shape } from './doubling.js';
import type { TensorViews } from './tensor-views.js';

/** What synthesis comes to, and what its gradients need of the way there. */
export interface Synthesis {
  /** f64 [height * width, m], in units of the amplitude. */
  readonly outputs: Float64Array;
  /** Per grid f64 [height, width]. */
  readonly features: readonly Float64Array[];
  /** Per grid, from its own level to level 0. */
  readonly doublings: readonly (readonly Doubling[])[];
  /** f64 [height * width, hidden], after the rectifier. */
  readonly hidden: Float64Array;
}

function tapsOf({ taps }: TensorViews, level: number): Float64Array {
  return taps.subarray(level * TAPS, (level + 1) * TAPS);
}

/** Shapes of a partition's levels, the finest first. */
function levelShapes(levels: number, [height, width]: Shape): Shape[] {
  return Array.from({ length: levels }, (_, level) => [
    Math.ceil(height / 2 ** level),
    Math.ceil(width / 2 ** level),
  ]);
}

/**
 * Outputs of one partition at the centres of its samples.
 *
 * Feature `k` is grid `k`, times `2^-level`, doubled up to level 0; outputs are `B f + O max(0, H f + h) + o`.
 *
 * @param values f64, as the partition's latents lie.
 */
export function synthesise(
  architecture: LatentArchitecture,
  grids: readonly PlacedGrid[],
  views: TensorViews,
  values: Float64Array,
  shape: Shape,
): Synthesis {
  const { levels, hiddenWidth, outputs: channels } = architecture;
  const shapes = levelShapes(levels, shape);
  const doublings = grids.map(({ level, offset, height, width }) => {
    const chain: Doubling[] = [];
    let current: Float64Array = values
      .subarray(offset, offset + height * width)
      .map((value) => value / 2 ** level);
    for (let to = level - 1; to >= 0; to--) {
      const next = double(current, shapes[to + 1], shapes[to], tapsOf(views, to));
      chain.push(next);
      current = next.output;
    }
    return { chain, feature: current };
  });
  const features = doublings.map(({ feature }) => feature);
  const count = shape[0] * shape[1];
  const hidden = new Float64Array(count * hiddenWidth);
  const outputs = new Float64Array(count * channels);
  for (let at = 0; at < count; at++) {
    for (let unit = 0; unit < hiddenWidth; unit++) {
      let sum = views.hiddenBias[unit];
      features.forEach((feature, k) => {
        sum += views.hiddenWeight[unit * features.length + k] * feature[at];
      });
      hidden[at * hiddenWidth + unit] = Math.max(0, sum);
    }
    for (let channel = 0; channel < channels; channel++) {
      let sum = views.outputBias[channel];
      for (let unit = 0; unit < hiddenWidth; unit++) {
        sum += views.outputWeight[channel * hiddenWidth + unit] * hidden[at * hiddenWidth + unit];
      }
      features.forEach((feature, k) => {
        sum += views.bypass[channel * features.length + k] * feature[at];
      });
      outputs[at * channels + channel] = sum;
    }
  }
  return { outputs, features, doublings: doublings.map(({ chain }) => chain), hidden };
}

/**
 * Gradients of the values, for those of the outputs; those of the weights are added to.
 *
 * @param outputGradients f64 [height * width, m].
 */
export function synthesisGradients(
  architecture: LatentArchitecture,
  grids: readonly PlacedGrid[],
  views: TensorViews,
  { features, doublings, hidden }: Synthesis,
  outputGradients: Float64Array,
  weightGradients: TensorViews,
): Float64Array {
  const { hiddenWidth, outputs: channels } = architecture;
  const count = features[0].length;
  const featureGradients = features.map(() => new Float64Array(count));
  for (let at = 0; at < count; at++) {
    for (let channel = 0; channel < channels; channel++) {
      const gradient = outputGradients[at * channels + channel];
      weightGradients.outputBias[channel] += gradient;
      features.forEach((feature, k) => {
        weightGradients.bypass[channel * features.length + k] += gradient * feature[at];
        featureGradients[k][at] += gradient * views.bypass[channel * features.length + k];
      });
    }
    for (let unit = 0; unit < hiddenWidth; unit++) {
      const value = hidden[at * hiddenWidth + unit];
      let gradient = 0;
      for (let channel = 0; channel < channels; channel++) {
        const ofOutput = outputGradients[at * channels + channel];
        weightGradients.outputWeight[channel * hiddenWidth + unit] += ofOutput * value;
        gradient += ofOutput * views.outputWeight[channel * hiddenWidth + unit];
      }
      if (value <= 0) continue;
      weightGradients.hiddenBias[unit] += gradient;
      features.forEach((feature, k) => {
        weightGradients.hiddenWeight[unit * features.length + k] += gradient * feature[at];
        featureGradients[k][at] += gradient * views.hiddenWeight[unit * features.length + k];
      });
    }
  }
  const last = grids[grids.length - 1];
  const result = new Float64Array(last.offset + last.height * last.width);
  grids.forEach(({ level, offset }, k) => {
    let gradients: Float64Array = featureGradients[k];
    for (let to = 0; to < level; to++) {
      const doubling = doublings[k][level - 1 - to];
      gradients = doubleGradients(doubling, gradients, tapsOf(views, to), tapsOf(weightGradients, to));
    }
    gradients.forEach((gradient, i) => (result[offset + i] = gradient / 2 ** level));
  });
  return result;
}
