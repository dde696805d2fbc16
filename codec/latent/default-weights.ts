import { GREY_1, RGB_1 } from './default-weights.generated.js';
import type { LatentArchitecture } from './latent-architecture.js';

/** What built-in weights are told apart by: all of an architecture but its amplitude. */
export function defaultWeightsKey({
  defaultSet,
  levels,
  hiddenWidth,
  finestLevels,
}: LatentArchitecture): string {
  return `set ${defaultSet}, levels ${levels}, hidden width ${hiddenWidth}, planes from level ${finestLevels.join(', ')}`;
}

/**
 * Shared weights of no picture in particular, as a header has them, in base64 (spec/latent-defaults; scripts/train-latent-defaults.mjs
 * made them).
 */
export const DEFAULT_WEIGHTS: Readonly<Record<string, string>> = {
  [defaultWeightsKey(shape(0, 1, 1))]: RGB_1,
  [defaultWeightsKey(shape(0))]: GREY_1,
};

function shape(...finestLevels: number[]): LatentArchitecture {
  return {
    defaultSet: 1,
    levels: 7,
    hiddenWidth: 32,
    finestLevels,
    outputs: finestLevels.length,
    amplitude: 1,
  };
}

/** Whether there are built-in weights of its set and shape. */
export function hasDefaultWeights(architecture: LatentArchitecture): boolean {
  return defaultWeightsKey(architecture) in DEFAULT_WEIGHTS;
}
