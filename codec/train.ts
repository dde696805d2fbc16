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

/** Steps of each phase when the recipe's proportions are kept; rounding falls to the last phase. */
function phaseIterations(phases: readonly Phase[], total: number | undefined): number[] {
  if (total === undefined) return phases.map(({ iterations }) => iterations);
  const planned = phases.reduce((sum, { iterations }) => sum + iterations, 0);
  let before = 0;
  let given = 0;
  return phases.map(({ iterations }) => {
    before += iterations;
    const upTo = Math.round((total * before) / planned);
    const steps = upTo - given;
    given = upTo;
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
    const { recipe, budget } = this.#options;
    let stoppedBy: TrainingResult['stoppedBy'] = budget?.seconds === undefined ? 'iterations' : 'seconds';
    let timeBefore = 0;
    for (const [index, phase] of recipe.phases.entries()) {
      const reached = await this.#runPhase(phase, this.#planned[index], timeBefore);
      timeBefore += phase.timeShare;
      if (reached) {
        stoppedBy = 'psnr';
        break;
      }
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

  /** @returns whether the target PSNR was reached */
  async #runPhase(phase: Phase, planned: number, timeBefore: number): Promise<boolean> {
    const { budget, signal } = this.#options;
    // A budget of time alone lets the phase run until its share is over; with both, whichever ends first.
    const limit = budget?.seconds !== undefined && budget.iterations === undefined ? Infinity : planned;
    const startSeconds = (budget?.seconds ?? 0) * timeBefore;
    const shareSeconds = (budget?.seconds ?? 0) * phase.timeShare;
    const fraction = (done: number): number => {
      const ofSteps = limit === Infinity ? 0 : done / limit;
      const ofTime = budget?.seconds === undefined ? 0 : (this.#seconds() - startSeconds) / shareSeconds;
      return Math.max(ofSteps, ofTime);
    };
    const batches = Math.min(phase.batches, this.#mostBatches);
    let orders: Step['orders'];
    for (let done = 0; done < limit; done++) {
      const spent = fraction(done);
      if (spent >= 1) break;
      signal?.throwIfAborted();
      const batch = done % batches;
      if (batches > 1 && batch === 0) orders = this.#nextOrders();
      const factor = phase.decay === 'linear' ? 1 - spent : 1;
      const { squaredError, count } = await this.#session.step({
        ...(orders === undefined ? {} : { orders }),
        batches,
        batch,
        localRate: phase.localRate * factor,
        globalRate: phase.trains === 'all' ? phase.globalRate * factor : 0,
      });
      this.#iteration++;
      if (!Number.isFinite(squaredError)) this.#diverged(phase);
      this.#errors.add(squaredError, count, batches);
      const psnr = psnrOfError(this.#errors.mean(), this.#options.objective.format);
      this.#report(psnr, timeBefore + phase.timeShare * Math.min(1, fraction(done + 1)));
      if (budget?.psnr !== undefined && this.#errors.length >= batches && psnr >= budget.psnr) return true;
    }
    return false;
  }

  #diverged(phase: Phase): never {
    throw new LgiError(
      'diverged',
      `training diverged at iteration ${this.#iteration} (local rate ${phase.localRate}, global rate ` +
        `${phase.globalRate}): the error is no longer a finite number; try another --seed, or narrower networks`,
    );
  }

  #nextOrders(): ReadonlyMap<number, Uint32Array> {
    const epoch = this.#epoch++;
    return new Map(this.#sizes.map((size) => [size, permutation(size, this.#options.seed, epoch, size)]));
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
