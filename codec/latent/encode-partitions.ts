import type { Engine } from '../engine/engine.js';
import { gridModels, PRESENCE_UNIT } from './entropy-model.js';
import { initialLatents, initialSharedWeights } from './initial-latents.js';
import { latentTensors, placeGrids, type LatentArchitecture } from './latent-architecture.js';
import { encodeLatents } from './latent-coder.js';
import { MAX_LATENT } from './entropy-model.js';
import type { LatentAdam, LatentPartition } from './session.js';
import { realShared, roundShared, type StoredWeights } from './shared-weights.js';
import { trainLatents, type LatentProgress, type LatentRecipe } from './train-latents.js';

/** What partitions are to become. */
export type TargetPartition = Omit<LatentPartition, 'latents'>;

/** How much a bit counts for beside a squared error in units of the amplitude, so that the amplitude alone says how fine a picture is. */
export const BIT_FACTOR = 0.08;

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
  const { shared, recipe } = training;
  const session = await engine.createLatentSession({
    architecture,
    weights:
      shared === undefined
        ? initialSharedWeights(architecture, placed, training.seed)
        : realShared(architecture, shared),
    partitions,
    factors: { error: 1 / architecture.outputs, bit: BIT_FACTOR },
    latentAdam: LATENT_ADAM,
    sharedAdam: SHARED_ADAM,
  });
  try {
    await trainLatents(session, shared === undefined ? recipe : { ...recipe, sharedRate: 0, movingPart: 1 }, {
      partitions: partitions.length,
      ...training,
    });
    const latents = (await session.latents()).map(wholeLatents);
    const stored = shared ?? withPresence(architecture, await session.weights(), latents, placed);
    const models = gridModels(architecture, stored.numbers);
    return { stored, payloads: latents.map((each, i) => encodeLatents(placed[i].grids, models, each)) };
  } finally {
    await session.dispose();
  }
}

/** Rounds half to even, as training does at its end. */
function wholeLatents(latents: Float32Array): Int16Array {
  return Int16Array.from(latents, (latent) => {
    const nearest = Math.round(latent);
    const even = nearest - latent === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
    return Math.max(-MAX_LATENT, Math.min(MAX_LATENT, even));
  });
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
