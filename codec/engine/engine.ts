import type { ActivationGradients } from '../activation-gradients.js';
import type { Architecture } from '../architecture.js';
import type { Box } from '../grid.js';
import type { LatentDecoder, LatentDecoderSetup } from '../latent/decoder.js';
import type { LatentSession, LatentSetup } from '../latent/session.js';
import type { Model, Weights } from '../model.js';
import type { Objective } from '../objective.js';
import type { Optimiser } from '../optimiser.js';
import type { OutputLoss } from '../output-loss.js';
import type { SavedState } from '../saved-state.js';
import type { SampleArray, SampleFormat } from '../signal.js';

/** What a session is trained on, and from where. */
export interface TrainingSetup extends Omit<Objective, 'peak'> {
  readonly model: Model;
  /** Initial weights; the session copies them. */
  readonly weights: Weights;
  readonly optimiser: Optimiser;
  /**
   * f32 [local count], largest magnitude of each local weight; after every step weights beyond are set to it, as where a
   * quantiser that exists already cannot hold more. Absent: none is bounded.
   */
  readonly localBounds?: Float32Array;
  /** Whether every partition goes through its samples in an order of its own; default false: one for all of a size. */
  readonly hasOwnOrders?: boolean;
  /** Whether steps in which all weights move report gradients of the activations' scalars; default false. */
  readonly learnsActivations?: boolean;
  /** What is lowered in place of the squared errors of samples, which then do not count; by full batches of float32 samples. */
  readonly outputLoss?: OutputLoss;
}

/** Which samples a call uses, and how far it goes. */
export interface Step {
  /**
   * In what order samples are taken, as numbers below the size of their partition, as many as that: for each distinct size, or with
   * `hasOwnOrders` for each partition by its number. Absent: every sample once, as they lie.
   */
  readonly orders?: ReadonlyMap<number, Uint32Array>;
  /** How many batches an epoch is cut into; 1 is full batch. */
  readonly batches: number;
  /**
   * Number of the call's first batch in its epoch. For batch `b` partition `p` takes slice `k = (b + p) mod batches` of its
   * order, elements `[floor(k n / batches), floor((k + 1) n / batches))` of `n`, so that neighbours take different samples.
   */
  readonly batch: number;
  /**
   * Learning rates of local weights, one per step: steps take consecutive batches. More than one only where
   * `globalRate` is 0: every partition then goes through all of them on its own, its weights in the cache.
   */
  readonly localRates: readonly number[];
  /**
   * What local rates are multiplied by in the output layer; absent: 1. Its weights have no omega behind them that makes a
   * small change large.
   */
  readonly outputRateFactor?: number;
  /** Learning rate of global and merge weights; 0 freezes them and the step leaves their moments alone. */
  readonly globalRate: number;
  /**
   * f32 per partition, factor of its local rates; absent: 1. A partition with 0 takes no part: its weights and moments are
   * left alone, and corrections of young moments count a partition's own updates.
   */
  readonly rateFactors?: Float32Array;
}

/** What a call saw, each batch before the weights were changed by it. */
export interface StepReport {
  /**
   * f64 per partition, sum of squared errors over its batches, in the network's output units, colour weighted by
   * alpha; 0 where it took no part.
   */
  readonly squaredErrors: Float64Array;
  /** f64 per partition, values (samples times channels) in its batches, each counted with its alpha weight. */
  readonly counts: Float64Array;
  /** Of the mean loss of the batch, where the setup asks for them and all weights move. */
  readonly activationGradients?: ActivationGradients;
  /** Where the setup has a loss of its own; squared errors and counts are then 0. */
  readonly loss?: number;
}

/** Weights in an engine's own layout. */
export interface Snapshot {
  readonly global: Float32Array | Float64Array;
  /** Per partition. */
  readonly local: readonly (Float32Array | Float64Array)[];
}

/**
 * Training in progress; weights, moments and samples live inside.
 *
 * Where global weights move, the loss is `sum(weight * (y - target)^2) / (values in the batch)`, one sum over all
 * partitions that take part, so that a full batch is the reference code's mean squared error. Where they stand still,
 * every partition has a loss of its own, with the values of its own batch: nothing then depends on other partitions.
 */
export interface TrainingSession {
  /**
   * @throws RangeError for several steps with a global rate or for fields whose lengths do not fit the setup; where that has a loss of its
   *   own, for a part of the samples, for samples of another type than float32 or with alpha, and for a gradient of another length.
   */
  step(step: Step): Promise<StepReport>;
  /** A copy of the present weights. */
  weights(): Promise<Weights>;
  /** Sets the activations that steps from now on have; those of the setup's model are the first. */
  setActivations(activations: Architecture['activations']): Promise<void>;
  /** A copy of the present weights in the engine's own layout, for {@link restore}: cheaper than {@link weights}. */
  snapshot(): Promise<Snapshot>;
  /**
   * Takes weights back from a snapshot and forgets the moments of what it takes.
   *
   * @param partitions which local weights; absent: all of them, and the global ones
   */
  restore(snapshot: Snapshot, partitions?: readonly number[]): Promise<void>;
  /**
   * Everything that steps have changed: weights, moments, counters; absent where an engine cannot tell.
   *
   * A session of the same setup that takes it back goes on with the same bits.
   */
  saveState?(): Promise<SavedState>;
  /** @throws LgiError `damaged`, section `checkpoint`, for a state of another setup or with numbers that none has. */
  loadState?(state: SavedState): Promise<void>;
  dispose(): Promise<void>;
}

/** One partition, or a part of it, to be evaluated on a grid of positions. */
export interface EvaluationTask {
  /** The partition's whole box: cell coordinates and lattice depend on it, whatever part is evaluated. */
  readonly box: Box;
  /** f32 [local count]. */
  readonly weights: Float32Array;
  /** Per axis the positions to evaluate, ascending; the outputs are their product, row-major. Sample `i` has its centre at `i + 1/2`. */
  readonly positions: readonly Float64Array[];
}

/** Samples, of which tasks fill parts. */
export interface SampleTarget {
  /** Row-major `[...shape, channels]`, of the format's sample type. */
  readonly data: SampleArray;
  readonly shape: readonly number[];
}

/** A task, and where its samples belong. */
export interface SampleTask extends EvaluationTask {
  readonly target: SampleTarget;
  /** Per axis the place of the first position in the target. */
  readonly at: readonly number[];
}

/**
 * Evaluates partitions of one model. The value at a position depends on that position, its partition's weights and the
 * global weights alone; never on the other positions, tasks or threads.
 */
export interface Evaluator {
  /** @returns per task the outputs, f32 `[...positions, channels]`, before value mapping. */
  evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Writes samples into the tasks' targets: outputs mapped, rounded and clamped as `outputsToSamples` does. */
  decode(tasks: readonly SampleTask[], format: SampleFormat, signal?: AbortSignal): Promise<void>;
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
  /** Training of the latent family. */
  createLatentSession(setup: LatentSetup): Promise<LatentSession>;
  /** Decoding of the latent family. */
  createLatentDecoder(setup: LatentDecoderSetup): Promise<LatentDecoder>;
  dispose(): Promise<void>;
}
