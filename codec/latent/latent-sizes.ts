import type { LatentArchitecture } from './latent-architecture.js';

// Sizes without the lists that they are sizes of (latent-architecture.ts): for readers that only tell of a file.

/** Latents of a partition of `[height, width]` samples. */
export function countLatents(
  { levels, finestLevels }: LatentArchitecture,
  [height, width]: readonly number[],
): number {
  let count = 0;
  for (const finest of finestLevels) {
    for (let level = finest; level < levels; level++) {
      count += Math.ceil(height / 2 ** level) * Math.ceil(width / 2 ** level);
    }
  }
  return count;
}

/** Shared weights. */
export function countShared({ levels, finestLevels, hiddenWidth, outputs }: LatentArchitecture): number {
  let [grids, models] = [0, 0];
  for (let level = 0; level < levels; level++) {
    const planes = finestLevels.filter((finest) => finest <= level).length;
    // Eight neighbours, the parent where there is one, and the planes before, each with a mean and a spread; offset, gain, presence.
    for (let earlier = 0; earlier < planes; earlier++) {
      models += 2 * (8 + (level < levels - 1 ? 1 : 0) + earlier) + 3;
    }
    grids += planes;
  }
  return hiddenWidth * (grids + 1) + outputs * (hiddenWidth + grids + 1) + 4 * (levels - 1) + models;
}
