import type { ActivationGradients } from '../activation-gradients.js';
import type { Architecture, Role, SineActivation } from '../architecture.js';
import type { Engine, StepReport, TrainingSetup } from '../engine/engine.js';
import type { Weights } from '../model.js';
import { ADAM } from '../presets/optimisers.js';
import { checkedPartOf, COUNT, type SavedState } from '../saved-state.js';
import type { Checkpoints } from '../train.js';
import type { Harmonizer } from './harmonizer.js';

/** Weights of the penalties `relu(-x)` of (a, b, c, d) in the loss, as INCODE's authors have found them by search. */
const PENALTIES = [0.1993, 0.0196, 0.0588, 0.0269];

/** How an INCODE is trained. */
export interface IncodeTraining {
  /** Its activations are those before the first step, but for (a, b, c, d); float32 samples where it has a loss of its own. */
  readonly setup: Omit<TrainingSetup, 'optimiser' | 'learnsActivations'>;
  readonly harmonizer: Harmonizer;
  /** f64, what the harmonizer sees of the signal. */
  readonly features: Float64Array;
  /** Steps of all samples. */
  readonly iterations: number;
  /** Learning rate of local networks and harmonizer at first. */
  readonly localRate: number;
  /** Of the global network and the merge. */
  readonly globalRate: number;
  /** What rates have come to at the end, as part of the first ones: they fall exponentially. */
  readonly finalRateFactor: number;
  /** Told the loss before each step: the mean squared error, or the setup's own loss. */
  readonly onProgress?: (iteration: number, loss: number) => void;
  /** Shown what has been trained after each so many steps. */
  readonly inspection?: {
    readonly everyIterations: number;
    readonly inspect: (trained: IncodeResult) => Promise<void>;
  };
  readonly checkpoints?: Checkpoints;
  readonly resume?: SavedState;
  readonly signal?: AbortSignal;
}

/** A trained network, with the activations that its harmonizer has made. */
export interface IncodeResult {
  readonly weights: Weights;
  /** With the scalars that the harmonizer gave at last. */
  readonly activations: Architecture['activations'];
  readonly seconds: number;
}

/**
 * Trains a network and the harmonizer that makes its activations (Kazerouni et al. 2024; with 12 scalars section 4.6 of the paper).
 *
 * Four scalars are for the local role, of networks without a global one; twelve for local, global and merge, in this order.
 *
 * @throws the signal's reason on abort.
 */
export async function trainIncode(engine: Engine, training: IncodeTraining): Promise<IncodeResult> {
  const { setup, harmonizer, features, iterations, localRate, globalRate, finalRateFactor } = training;
  const { inspection } = training;
  const roles: readonly Role[] =
    setup.model.architecture.globalWidth > 0 ? ['local', 'global', 'merge'] : ['local'];
  const initial = setup.model.architecture.activations;
  const present = (): Architecture['activations'] =>
    withScalars(initial, roles, harmonizer.forward(features));
  const session = await engine.createTrainingSession({ ...setup, optimiser: ADAM, learnsActivations: true });
  try {
    let done = 0;
    let secondsBefore = 0;
    if (training.resume !== undefined) {
      await session.loadState?.(training.resume);
      harmonizer.loadState(training.resume);
      const rules = [COUNT, { least: 0, most: Number.MAX_VALUE }];
      [done, secondsBefore] = checkedPartOf(training.resume, 'incode', new Float64Array(2), rules);
    }
    let startMs = performance.now();
    const seconds = (): number => secondsBefore + (performance.now() - startMs) / 1000;
    const trained = async (): Promise<IncodeResult> => ({
      weights: await session.weights(),
      activations: present(),
      seconds: seconds(),
    });
    for (; done < iterations; done++) {
      training.signal?.throwIfAborted();
      if (training.checkpoints?.isDue() === true && session.saveState !== undefined) {
        const incode = Float64Array.of(done, seconds());
        await training.checkpoints.save({
          ...(await session.saveState()),
          ...harmonizer.saveState(),
          incode,
        });
      }
      const activations = present();
      await session.setActivations(activations);
      const decay = finalRateFactor ** (done / iterations);
      const report = await session.step({
        batches: 1,
        batch: 0,
        localRates: [localRate * decay],
        globalRate: globalRate * decay,
      });
      training.onProgress?.(done + 1, lossOf(report));
      if (report.activationGradients === undefined) throw new RangeError('the engine learns no activations');
      harmonizer.step(scalarGradients(report.activationGradients, activations, roles), localRate * decay);
      if (inspection !== undefined && (done + 1) % inspection.everyIterations === 0) {
        const beforeMs = performance.now();
        await inspection.inspect(await trained());
        startMs += performance.now() - beforeMs;
      }
    }
    return await trained();
  } finally {
    await session.dispose();
  }
}

function lossOf({ loss, squaredErrors, counts }: StepReport): number {
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  return loss ?? sum(squaredErrors) / sum(counts);
}

function withScalars(
  initial: Architecture['activations'],
  roles: readonly Role[],
  scalars: Float64Array,
): Architecture['activations'] {
  const activations = { ...initial };
  roles.forEach((role, i) => {
    const [a, b, c, d] = scalars.subarray(4 * i, 4 * i + 4);
    activations[role] = { ...initial[role], a, b, c, d };
  });
  return activations;
}

/** Gradients of the loss and its penalties, f64 [4 roles]. */
function scalarGradients(
  gradients: ActivationGradients,
  activations: Architecture['activations'],
  roles: readonly Role[],
): Float64Array {
  return Float64Array.from(
    roles.flatMap((role) => {
      const scalars = valuesOf(activations[role]);
      return scalars.map((value, i) => gradients[role][i] - (value < 0 ? PENALTIES[i] : 0));
    }),
  );
}

function valuesOf({ a, b, c, d }: SineActivation): number[] {
  return [a, b, c, d];
}
