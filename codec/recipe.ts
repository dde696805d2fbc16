import type { DivergenceRule } from './divergence.js';
import type { InitialisationOptions } from './initialise.js';
import type { Optimiser } from './optimiser.js';

/** A stretch of training in which the same weights move. */
export interface Phase {
  /** Optimiser steps, where no other budget is given. */
  readonly iterations: number;
  /**
   * Batches that an epoch is cut into, each sample drawn once; 1 is full batch. Small partitions are cut into fewer, so
   * that a step sees at least 32 samples of each.
   */
  readonly batches: number;
  /**
   * Turns in which the partitions share the steps of an epoch, each partition once; 1: all take part in every step. A
   * lattice is evaluated whole for every partition that takes part, so that joint steps get cheaper in proportion.
   */
  readonly turns: number;
  /** `all`, or `local`: global and merge stand still, and every partition is trained on its own. */
  readonly trains: 'all' | 'local';
  /** Learning rate of local weights at the phase's start. */
  readonly localRate: number;
  /** What the local rate is multiplied by in the output layer, whose weights have no omega behind them. */
  readonly outputRateFactor: number;
  /** Learning rate of global and merge weights at the phase's start; unused where they stand still. */
  readonly globalRate: number;
  /** What becomes of the rates until the phase's end: they stay, or fall linearly to zero. */
  readonly decay: 'constant' | 'linear';
  /**
   * In local phases a partition rests for an epoch when its error, divided by the epochs it took part in, is below this part
   * of the mean over all partitions; 0: none rests.
   */
  readonly restsBelow: number;
  /** Share of the time that all phases take, and of a wall-clock budget; shares add up to 1. */
  readonly timeShare: number;
}

/** How an objective is fitted. */
export interface Recipe {
  readonly optimiser: Optimiser;
  readonly initialisation: Omit<InitialisationOptions, 'seed'>;
  readonly phases: readonly Phase[];
  readonly divergence: DivergenceRule;
  /**
   * Part of the samples of every batch that is drawn where a neighbour has another value, for signals of few values; where there are
   * more such samples, as many as there are. Default 0: an epoch draws every sample once.
   */
  readonly surfaceShare?: number;
}

/** A recipe's phases behind the last in which all weights move, for partitions that join a global network that exists. */
export function localPart(recipe: Recipe): Recipe {
  const phases = recipe.phases.slice(recipe.phases.findLastIndex(({ trains }) => trains === 'all') + 1);
  const time = phases.reduce((sum, { timeShare }) => sum + timeShare, 0);
  return { ...recipe, phases: phases.map((phase) => ({ ...phase, timeShare: phase.timeShare / time })) };
}

/** A recipe with another learning rate wherever weights move. */
export function atRate(recipe: Recipe, rate: number): Recipe {
  const phases = recipe.phases.map((phase) => ({
    ...phase,
    localRate: rate,
    globalRate: phase.trains === 'all' ? rate : 0,
  }));
  return { ...recipe, phases };
}

/**
 * Steps of each phase when the recipe's proportions are kept. Every phase gets one where there are as many, since what a
 * skipped phase trains would stay as it was drawn.
 */
export function phaseIterations(phases: readonly Phase[], total: number | undefined): number[] {
  if (total === undefined) return phases.map(({ iterations }) => iterations);
  const planned = phases.reduce((sum, { iterations }) => sum + iterations, 0);
  let before = 0;
  let given = 0;
  return phases.map(({ iterations }, index) => {
    before += iterations;
    const later = phases.length - 1 - index;
    const upTo = Math.min(total - later, Math.max(given + 1, Math.round((total * before) / planned)));
    const steps = Math.max(0, upTo - given);
    given += steps;
    return steps;
  });
}
