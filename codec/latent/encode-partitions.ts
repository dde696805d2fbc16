import type { Engine } from '../engine/engine.js';
import { gridModels, PRESENCE_UNIT } from './entropy-model.js';
import { initialLatents, initialSharedWeights } from './initial-latents.js';
import { latentTensors, placeGrids, type LatentArchitecture } from './latent-architecture.js';
import { encodeLatents } from './latent-coder.js';
import { MAX_LATENT } from './entropy-model.js';
import { BIT_FACTOR, RateControl, type LatentTarget } from './rate-control.js';
import type { LatentAdam, LatentPartition } from './session.js';
import { defaultWeights, realShared, roundShared, type StoredWeights } from './shared-weights.js';
import { trainLatents, type LatentProgress, type LatentRecipe } from './train-latents.js';

/** What partitions are to become. */
export type TargetPartition = Omit<LatentPartition, 'latents'>;

/** Moments of latents are young: every partition is seen some hundred times. */
const LATENT_ADAM: LatentAdam = { beta1: 0.5, beta2: 0.99, epsilon: 1e-8 };
const SHARED_ADAM: LatentAdam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/**
 * `e` of the steps `2^-e` of shared weights, in the order of their tensors. Of kodim20 and kodim05 at 0.5 and 1.4 bpp these lose 0.02 dB and
 * take 1,000 bytes, where one bit more of each would lose 0.01 and take 1,100.
 */
const EXPONENTS = [6, 6, 7, 7, 8, 11];

/** Partitions as they go into a file. */
export interface EncodedPartitions {
  readonly stored: StoredWeights;
  /** By which the stored weights give outputs: another than that of the beginning where a target was asked for. */
  readonly amplitude: number;
  /** In the order of the partitions. */
  readonly payloads: readonly Uint8Array[];
}

/** What trains partitions. */
export interface PartitionTraining {
  readonly recipe: LatentRecipe;
  /** Infinity where only time counts. */
  readonly steps: number;
  readonly seconds?: number;
  readonly seed: number;
  /** Shared weights that exist already: they stay, and latents alone are trained. Absent: they are trained with the latents. */
  readonly shared?: StoredWeights;
  /** Shared weights to begin with; absent: those of its default set, or of no picture in particular. */
  readonly initial?: StoredWeights;
  /** What the partitions are to come to together; only where shared weights are trained. */
  readonly target?: LatentTarget;
  readonly onProgress?: (progress: LatentProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains latents, and shared weights where there are none, and codes them.
 *
 * @throws LgiError `limit` where they do not fit in the engine's memory; the signal's reason on abort.
 */
export async function encodePartitions(
  engine: Engine,
  architecture: LatentArchitecture,
  targets: readonly TargetPartition[],
  training: PartitionTraining,
): Promise<EncodedPartitions> {
  const partitions = targets.map((target) => ({
    ...target,
    latents: initialLatents(architecture, target.shape, target.target),
  }));
  const placed = partitions.map(({ shape, latents }) => ({
    grids: placeGrids(architecture, shape),
    latents,
  }));
  const { shared, initial, recipe, target } = training;
  const begin = shared ?? initial ?? defaultWeights(architecture);
  const control = new RateControl(target, architecture.amplitude);
  const session = await engine.createLatentSession({
    architecture,
    weights:
      begin === undefined
        ? initialSharedWeights(architecture, placed, training.seed)
        : realShared(architecture, begin),
    partitions,
    latentAdam: LATENT_ADAM,
    sharedAdam: SHARED_ADAM,
  });
  try {
    await trainLatents(session, shared === undefined ? recipe : { ...recipe, sharedRate: 0, movingPart: 1 }, {
      sizes: partitions.map(({ shape }) => shape[0] * shape[1]),
      channels: architecture.outputs,
      energy: energyOf(targets),
      control,
      ...training,
    });
    const latents = (await session.latents()).map(wholeLatents);
    // So that the amplitude says what a bit counted for, for whoever appends.
    const amplitude = Math.fround(architecture.amplitude * Math.sqrt(control.factor / BIT_FACTOR));
    const stored =
      shared ??
      withPresence(
        architecture,
        rescaled(architecture, await session.weights(), architecture.amplitude / amplitude),
        latents,
        placed,
      );
    const models = gridModels(architecture, stored.numbers);
    return {
      stored,
      amplitude,
      payloads: latents.map((each, i) => encodeLatents(placed[i].grids, models, each)),
    };
  } finally {
    await session.dispose();
  }
}

function energyOf(targets: readonly TargetPartition[]): number {
  let [sum, count] = [0, 0];
  for (const { target } of targets) {
    count += target.length;
    for (const value of target) sum += value * value;
  }
  return sum / count;
}

/** Rounds half to even, as training does at its end. */
function wholeLatents(latents: Float32Array): Int16Array {
  return Int16Array.from(latents, (latent) => {
    const nearest = Math.round(latent);
    const even = nearest - latent === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
    return Math.max(-MAX_LATENT, Math.min(MAX_LATENT, even));
  });
}

/** Weights that give outputs times a factor. */
function rescaled(architecture: LatentArchitecture, weights: Float32Array, factor: number): Float32Array {
  for (const { name, offset, rows, columns } of latentTensors(architecture)) {
    if (name !== 'outputWeight' && name !== 'outputBias' && name !== 'bypass') continue;
    for (let i = offset; i < offset + rows * columns; i++) weights[i] *= factor;
  }
  return weights;
}

/** Rounded shared weights, with how often each grid is of zeros alone. */
function withPresence(
  architecture: LatentArchitecture,
  weights: Float32Array,
  latents: readonly Int16Array[],
  placed: readonly { readonly grids: ReturnType<typeof placeGrids> }[],
): StoredWeights {
  for (const { name, offset, grid = 0 } of latentTensors(architecture)) {
    if (name !== 'presence') continue;
    const zeros = latents.filter((each, i) => {
      const { offset: begin, height, width } = placed[i].grids[grid];
      return each.subarray(begin, begin + height * width).every((latent) => latent === 0);
    });
    const share = (zeros.length + 0.5) / (latents.length + 1);
    weights[offset] = Math.round((share * 2 ** 15) / PRESENCE_UNIT);
  }
  return roundShared(architecture, weights, EXPONENTS);
}
