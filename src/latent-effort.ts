import type { Budget } from '../codec/train.js';
import type { PilotPlan } from './latent-amplitude.js';
import { batchOf, LATENT_RECIPE } from '../codec/latent/train-latents.js';

/** How long latents are trained: on two cores about 10 s, a minute and five minutes for a picture of 768x512. */
export type Effort = 'quick' | 'normal' | 'thorough';

export const EFFORTS: readonly Effort[] = ['quick', 'normal', 'thorough'];

/** How often every partition is seen. Time goes with it, and bits fall by about a tenth for three times as many. */
const VISITS: Readonly<Record<Effort, number>> = { quick: 140, normal: 840, thorough: 4200 };

/** Steps of a run: as many as asked for, those of an effort, or none in particular where time ends it. @param sizes samples of every partition. */
export function latentSteps(
  { iterations, seconds }: Pick<Budget, 'iterations' | 'seconds'>,
  effort: Effort,
  sizes: readonly number[],
): number {
  if (iterations !== undefined) return iterations;
  if (seconds !== undefined) return Infinity;
  return Math.ceil((VISITS[effort] * sizes.length) / batchOf(LATENT_RECIPE, sizes));
}

/** Most of a run's steps, or of its time, that one pilot takes. */
export const MOST_PILOT = 0.1;

/** Steps of a pilot of a run of so many. @param sizes samples of every partition. */
export function pilotSteps({ visits, part }: PilotPlan, steps: number, sizes: readonly number[]): number {
  const least = Math.ceil((visits * sizes.length) / batchOf(LATENT_RECIPE, sizes));
  if (steps === Infinity) return part === 0 ? least : Infinity;
  return Math.ceil(Math.max(part * steps, Math.min(least, MOST_PILOT * steps)));
}
