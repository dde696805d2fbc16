import type { Engine, Step, TrainingSession } from './engine/engine.js';
import { LgiError } from './errors.js';
import { boxSize } from './grid.js';
import { initialWeights } from './initialise.js';
import type { Model, Weights } from './model.js';
import { psnrOfError } from './objective.js';
import type { Objective } from './objective.js';
import { permutation } from './random.js';
import type { Phase, Recipe } from './recipe.js';

/** What ends training; the first of those given that is reached. */
export interface Budget {
  /** Optimiser steps altogether; the recipe's phases keep their proportions. */
  readonly iterations?: number;
  /** Wall-clock seconds; results then depend on the machine's speed. */
  readonly seconds?: number;
  /** PSNR in dB, estimated over the last epoch's batches. */
  readonly psnr?: number;
}

/** Where training stands. */
export interface Progress {
  readonly iteration: number;
  /** Steps planned; Infinity where only time counts. */
  readonly iterations: number;
  /** Part of the work that is done, 0 to 1, phases weighed by the time they take. */
  readonly fraction: number;
  /** PSNR in dB over the last epoch's batches, each before its step; the weights are a little better. */
  readonly psnr: number;
  readonly iterationsPerSecond: number;
  readonly secondsLeft: number;
}

export interface TrainingOptions {
  readonly model: Model;
  readonly objective: Objective;
  readonly recipe: Recipe;
  /** Whole number; the same seed, engine and budget in iterations give the same weights. */
  readonly seed: number;
  readonly budget?: Budget;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends training with its reason; nothing is kept. */
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly weights: Weights;
  readonly iterations: number;
  readonly seconds: number;
  readonly stoppedBy: 'iterations' | 'seconds' | 'psnr';
}

/**
 * Samples of a partition that a step sees at least, where it has them: a tile of the cpu engine, so that no lane idles,
 * and few enough gradients to average.
 */
const LEAST_BATCH_SAMPLES = 32;

/** Mean squared error over the last `window` batches. */
class ErrorWindow {
  #errors: number[] = [];
  #counts: number[] = [];

  add(squaredError: number, count: number, window: number): void {
    this.#errors.push(squaredError);
    this.#counts.push(count);
    while (this.#errors.length > window) {
      this.#errors.shift();
      this.#counts.shift();
    }
  }

  /** Batches in the window. */
  get length(): number {
    return this.#errors.length;
  }

  mean(): number {
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    return sum(this.#errors) / Math.max(sum(this.#counts), Number.MIN_VALUE);
  }
}

/**
 * Steps of each phase when the recipe's proportions are kept. Every phase gets one where there are as many, since what a
 * skipped phase trains would stay as it was drawn.
 */
function phaseIterations(phases: readonly Phase[], total: number | undefined): number[] {
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

/**
 * Fits a network to an objective by a recipe.
 *
 * @throws LgiError `diverged` when the error is no longer finite.
 * @throws the signal's reason on abort.
 */
export async function train(engine: Engine, options: TrainingOptions): Promise<TrainingResult> {
  const { model, objective, recipe, seed, signal } = options;
  const weights = initialWeights(model.architecture, objective.boxes.length, {
    ...recipe.initialisation,
    seed,
  });
  const session = await engine.createTrainingSession({
    model,
    ...objective,
    weights,
    optimiser: recipe.optimiser,
  });
  try {
    signal?.throwIfAborted();
    return await new Run(session, options).run();
  } finally {
    await session.dispose();
  }
}

/** One run of a recipe over a session. */
class Run {
  readonly #session: TrainingSession;
  readonly #options: TrainingOptions;
  readonly #planned: readonly number[];
  readonly #sizes: readonly number[];
  readonly #mostBatches: number;
  readonly #startMs = performance.now();
  readonly #errors = new ErrorWindow();
  #iteration = 0;
  #epoch = 0;

  constructor(session: TrainingSession, options: TrainingOptions) {
    this.#session = session;
    this.#options = options;
    this.#planned = phaseIterations(options.recipe.phases, options.budget?.iterations);
    this.#sizes = [...new Set(options.objective.boxes.map(boxSize))];
    const largest = this.#sizes.reduce((most, size) => Math.max(most, size), 0);
    this.#mostBatches = Math.max(1, Math.floor(largest / LEAST_BATCH_SAMPLES));
  }

  async run(): Promise<TrainingResult> {
    const { phases } = this.#options.recipe;
    let stoppedBy: TrainingResult['stoppedBy'] = 'iterations';
    let timeBefore = 0;
    for (const [index, phase] of phases.entries()) {
      const end = await this.#runPhase(phase, this.#planned[index], timeBefore);
      timeBefore += phase.timeShare;
      if (end !== 'iterations') stoppedBy = end;
      if (end === 'psnr') break;
    }
    return {
      weights: await this.#session.weights(),
      iterations: this.#iteration,
      seconds: this.#seconds(),
      stoppedBy,
    };
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** @returns what ended the phase */
  async #runPhase(phase: Phase, planned: number, timeBefore: number): Promise<TrainingResult['stoppedBy']> {
    const { budget, signal, objective } = this.#options;
    // A budget of time alone lets the phase run until its share is over; with both, whichever ends first.
    const limit = budget?.seconds !== undefined && budget.iterations === undefined ? Infinity : planned;
    const startSeconds = (budget?.seconds ?? 0) * timeBefore;
    const shareSeconds = (budget?.seconds ?? 0) * phase.timeShare;
    const ofTime = (): number =>
      budget?.seconds === undefined ? 0 : (this.#seconds() - startSeconds) / shareSeconds;
    const batches = Math.min(phase.batches, this.#mostBatches);
    const turns = Math.min(phase.turns, objective.boxes.length);
    const epochSteps = batches * turns;
    let orders: Step['orders'];
    let ranks: Uint32Array | undefined;
    for (let done = 0; done < limit; done++) {
      if (ofTime() >= 1) return 'seconds';
      signal?.throwIfAborted();
      if (done % epochSteps === 0) {
        this.#epoch++;
        if (batches > 1) orders = this.#orders();
        if (turns > 1) ranks = this.#ranks();
      }
      const turn = done % turns;
      const factor = phase.decay === 'linear' ? 1 - Math.max(done / limit, ofTime()) : 1;
      const { squaredError, count } = await this.#session.step({
        ...(orders && { orders }),
        ...(ranks && { partitions: Uint8Array.from(ranks, (rank) => (rank % turns === turn ? 1 : 0)) }),
        batches,
        batch: Math.floor(done / turns) % batches,
        localRate: phase.localRate * factor,
        globalRate: phase.trains === 'all' ? phase.globalRate * factor : 0,
      });
      this.#iteration++;
      if (!Number.isFinite(squaredError)) this.#diverged(phase);
      this.#errors.add(squaredError, count, epochSteps);
      const psnr = psnrOfError(this.#errors.mean(), objective.format);
      const fraction = Math.min(1, Math.max((done + 1) / limit, ofTime()));
      this.#report(psnr, timeBefore + phase.timeShare * fraction);
      const isWholeEpoch = this.#errors.length >= epochSteps;
      if (budget?.psnr !== undefined && isWholeEpoch && psnr >= budget.psnr) return 'psnr';
    }
    return 'iterations';
  }

  #diverged(phase: Phase): never {
    throw new LgiError(
      'diverged',
      `training diverged at iteration ${this.#iteration} (local rate ${phase.localRate}, global rate ` +
        `${phase.globalRate}): the error is no longer a finite number; try another seed, or narrower networks`,
    );
  }

  /** An order of the samples for every size of partition, anew each epoch. */
  #orders(): ReadonlyMap<number, Uint32Array> {
    const { seed } = this.#options;
    return new Map(this.#sizes.map((size) => [size, permutation(size, seed, this.#epoch, size)]));
  }

  /** A random order of the partitions, by which they take turns. */
  #ranks(): Uint32Array {
    // 0 is no size of a partition, so that this stream is none of the orders'.
    return permutation(this.#options.objective.boxes.length, this.#options.seed, this.#epoch, 0);
  }

  #report(psnr: number, fraction: number): void {
    const { onProgress, budget } = this.#options;
    if (onProgress === undefined) return;
    const seconds = this.#seconds();
    const timeAlone = budget?.seconds !== undefined && budget.iterations === undefined;
    onProgress({
      iteration: this.#iteration,
      iterations: timeAlone ? Infinity : this.#planned.reduce((sum, steps) => sum + steps, 0),
      fraction: Math.min(1, fraction),
      psnr,
      iterationsPerSecond: this.#iteration / seconds,
      secondsLeft: fraction > 0 ? Math.max(0, (seconds * (1 - fraction)) / fraction) : Infinity,
    });
  }
}
