import type { Box } from '../grid.js';
import type { Model, Weights } from '../model.js';
import type { Objective } from '../objective.js';
import type { Optimiser } from '../optimiser.js';

/** What a session is trained on, and from where. */
export interface TrainingSetup extends Objective {
  readonly model: Model;
  /** Initial weights; the session copies them. */
  readonly weights: Weights;
  readonly optimiser: Optimiser;
}

/** Which samples a step uses, and how far it goes. */
export interface Step {
  /**
   * For each distinct partition size (in samples) a permutation of `0 ... size - 1`; partitions of one size share it.
   * Absent: every sample, in order.
   */
  readonly orders?: ReadonlyMap<number, Uint32Array>;
  /** How many batches an epoch is cut into; 1 is full batch. */
  readonly batches: number;
  /**
   * Number of this step's batch in its epoch. Partition `p` takes slice `k = (batch + p) mod batches` of its order,
   * elements `[floor(k n / batches), floor((k + 1) n / batches))` of `n`, so that neighbours take different samples.
   */
  readonly batch: number;
  /**
   * u8 per partition, 1 where it takes part in the step; absent: all do. The others are left alone, moments too, and
   * corrections of young moments count a partition's own updates.
   */
  readonly partitions?: Uint8Array;
  /** Learning rate of local weights. */
  readonly localRate: number;
  /** Learning rate of global and merge weights; 0 freezes them and the step leaves their moments alone. */
  readonly globalRate: number;
}

/** What a step saw before it changed the weights. */
export interface StepReport {
  /** Sum of squared errors over the batch, in the network's output units, colour weighted by alpha. */
  readonly squaredError: number;
  /** Values (samples times channels) in the batch, each counted with its alpha weight. */
  readonly count: number;
}

/**
 * Training in progress; weights, moments and samples live inside.
 *
 * The loss is `sum(weight * (y - target)^2) / (values in the batch)`, one sum over all partitions, so that a full
 * batch is the reference code's mean squared error.
 */
export interface TrainingSession {
  step(step: Step): Promise<StepReport>;
  /** A copy of the present weights. */
  weights(): Promise<Weights>;
  dispose(): Promise<void>;
}

/** One partition, or a part of it, to be evaluated on a grid of positions. */
export interface EvaluationTask {
  /** The partition's whole box: cell coordinates and lattice depend on it, whatever part is evaluated. */
  readonly box: Box;
  /** f32 [local count]. */
  readonly weights: Float32Array;
  /** Per axis the positions to evaluate; the outputs are their product, row-major. Sample `i` has its centre at `i + 1/2`. */
  readonly positions: readonly Float64Array[];
}

/**
 * Evaluates partitions of one model. The value at a position depends on that position, its partition's weights and the
 * global weights alone; never on the other positions, tasks or threads.
 */
export interface Evaluator {
  /** @returns per task the outputs, f32 `[...positions, channels]`, before value mapping. */
  evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** An implementation of training and evaluation; files do not know which one wrote them. */
export interface Engine {
  readonly name: string;
  readonly threads: number;
  /** @throws LgiError `limit` where the session would not fit in the engine's memory. */
  createTrainingSession(setup: TrainingSetup): Promise<TrainingSession>;
  /** @param global f32 [global count] */
  createEvaluator(model: Model, global: Float32Array): Promise<Evaluator>;
  dispose(): Promise<void>;
}
