import type { Engine } from './engine/engine.js';
import { initialWeights } from './initialise.js';
import type { Model, Weights } from './model.js';
import { partitionMeans } from './objective.js';
import type { Objective } from './objective.js';
import type { Recipe } from './recipe.js';
import type { SavedState } from './saved-state.js';
import { sampleOrders } from './sample-orders.js';
import { TrainingRun } from './training-run.js';

/** What ends training; the first of those given that is reached. */
export interface Budget {
  /** Optimiser steps altogether; the recipe's phases keep their proportions. */
  readonly iterations?: number;
  /** Wall-clock seconds; results then depend on the machine's speed. */
  readonly seconds?: number;
  /**
   * PSNR in dB of the whole, measured once estimates over the last epoch's batches have come to it. Rates fall as in a run
   * that is just long enough for it.
   */
  readonly psnr?: number;
}

/** Where training stands. */
export interface Progress {
  /** Steps so far; of a training in parts those that partitions have gone through, on the mean over all samples. */
  readonly iteration: number;
  /** Steps planned; Infinity where only time counts. */
  readonly iterations: number;
  /**
   * Part of the work that is done, 0 to 1 and never less than before, phases weighed by the time they take. With a target
   * PSNR, part of the way there; undefined while nothing can be told of it, as in joint phases.
   */
  readonly fraction: number | undefined;
  /** PSNR in dB over each partition's last epoch of batches, each before its step; the weights are a little better. */
  readonly psnr: number;
  readonly iterationsPerSecond: number;
  /** Since training began. */
  readonly seconds: number;
  /** Seconds until the end; Infinity while nothing can be told of it. */
  readonly secondsLeft: number;
}

/** What is fitted, how, and when it ends. */
export interface TrainingOptions {
  readonly model: Model;
  readonly objective: Objective;
  readonly recipe: Recipe;
  /** Weights to begin with; default as the recipe's initialisation draws them. */
  readonly initial?: Weights;
  /** f32 [local count], largest magnitude that each local weight may take; default none. */
  readonly localBounds?: Float32Array;
  /** Whole number; the same seed, engine and budget in iterations give the same weights. */
  readonly seed: number;
  readonly budget?: Budget;
  readonly onProgress?: (progress: Progress) => void;
  /** Keeps what training could go on from. */
  readonly checkpoints?: Checkpoints;
  /** Where to go on: a state that the same training has given to its checkpoints. */
  readonly resume?: SavedState;
  /** Ends training with its reason; nothing is kept. */
  readonly signal?: AbortSignal;
}

/** Who keeps the state of a training, and when. */
export interface Checkpoints {
  /** Asked between epochs: whether a state is wanted now. */
  isDue(): boolean;
  save(state: SavedState): Promise<void>;
}

/** What training has come to. */
export interface TrainingResult {
  readonly weights: Weights;
  readonly iterations: number;
  readonly seconds: number;
  readonly stoppedBy: 'iterations' | 'seconds' | 'psnr';
}

/**
 * Fits a network to an objective by a recipe.
 *
 * @throws LgiError `diverged` when weights were taken back and rates lowered as often as the recipe allows, in vain; `damaged` for a
 *   state of another training; `unavailable` where checkpoints are wanted of an engine that keeps none.
 * @throws the signal's reason on abort.
 */
export async function train(engine: Engine, options: TrainingOptions): Promise<TrainingResult> {
  const { model, objective, recipe, localBounds, seed, signal } = options;
  const orders = sampleOrders(objective, recipe.surfaceShare ?? 0, seed);
  const weights = options.initial ?? drawWeights(options);
  const session = await engine.createTrainingSession({
    model,
    ...objective,
    weights,
    optimiser: recipe.optimiser,
    hasOwnOrders: orders.isOwn,
    ...(localBounds && { localBounds }),
  });
  try {
    signal?.throwIfAborted();
    return await (await TrainingRun.create(engine, session, options, orders)).run();
  } finally {
    await session.dispose();
  }
}

/**
 * Weights as a recipe's initialisation draws them.
 *
 * @param ordinals of the objective's partitions, where they are not all from 0: what a partition gets depends on its own alone.
 * @param origin local weights that a file has its own as differences from: all begin there. f32 [local count].
 */
export function drawWeights(
  { model, objective, recipe, seed }: Pick<TrainingOptions, 'model' | 'objective' | 'recipe' | 'seed'>,
  ordinals?: readonly number[],
  origin?: Float32Array,
): Weights {
  const weights = initialWeights(model.architecture, ordinals ?? objective.boxes.length, {
    ...recipe.initialisation,
    seed,
  });
  if (origin !== undefined) for (const local of weights.local) local.set(origin);
  if (recipe.initialisation.outputBias === 'mean') setOutputBiases(weights.local, objective);
  return weights;
}

/** The local weights that all partitions begin with, f32 [local count]; undefined where each is drawn for itself. */
export function commonWeights({
  model,
  recipe,
  seed,
}: Pick<TrainingOptions, 'model' | 'recipe' | 'seed'>): Float32Array | undefined {
  const { initialisation } = recipe;
  if (initialisation.partitions !== 'alike') return undefined;
  return initialWeights(model.architecture, 1, { ...initialisation, seed }).local[0];
}

/** Sets the output biases of local networks to the means of their partitions' samples. */
function setOutputBiases(local: readonly Float32Array[], objective: Objective): void {
  const means = partitionMeans(objective);
  local.forEach((weights, p) => weights.set(means[p], weights.length - means[p].length));
}
