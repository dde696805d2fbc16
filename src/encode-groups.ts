import { localTensors, globalTensors, elementCount } from '../codec/architecture.js';
import { encodeWeights } from '../codec/coder/encode-weights.js';
import type { Engine } from '../codec/engine/engine.js';
import { boxSize, type Grid } from '../codec/grid.js';
import { sampleObjective } from '../codec/objective.js';
import { quantiserOf } from '../codec/fit-quantiser.js';
import { localBounds, quantisedWeights } from '../codec/quantise.js';
import { type Quantiser } from '../codec/quantiser.js';
import { RandomStream } from '../codec/random.js';
import { localPart, type Recipe } from '../codec/recipe.js';
import { signalPeak } from '../codec/signal.js';
import { commonWeights, drawWeights, train, type TrainingResult } from '../codec/train.js';
import { phaseIterations } from '../codec/recipe.js';
import { encodeConstant, encodeNetwork, quantiserFor } from './container/encode-local-weights.js';
import type { EncodeSettings } from './encode-settings.js';
import type { Media } from './media/media.js';
import type { WholeTraining } from './whole-training.js';

/** How many partitions are trained at a time: as many as none of these numbers is exceeded by, and at least one. */
export interface GroupLimits {
  readonly partitions: number;
  readonly samples: number;
  /** Local weights. */
  readonly weights: number;
}

/**
 * 4,096 partitions of the default size have 4 million samples and 3 million weights. In such groups encoding 25 and 100 million
 * grey samples peaked at 514 and 655 MB of RSS, of which the file, twice in memory, was 64 and 252. Larger partitions are bounded by samples, larger networks by weights.
 */
export const DEFAULT_GROUPS: GroupLimits = { partitions: 1 << 12, samples: 1 << 24, weights: 1 << 25 };

/** A signal's networks as they go into a file. */
export interface TrainedSignal {
  readonly quantiser: Quantiser;
  /** Empty without a global network. */
  readonly globalPayload: Uint8Array;
  /** Local weights by the ordinal of their partition. */
  readonly payloads: readonly Uint8Array[];
  /** Optimiser steps that the partitions of the first group have taken, which are the most. */
  readonly iterations: number;
  readonly stoppedBy: TrainingResult['stoppedBy'];
}

/**
 * Trains a signal's networks, in memory that does not grow with the signal but for what goes into the file.
 *
 * Where the partitions are more than a group, one spread evenly over the signal goes through the whole recipe and leaves the
 * global network and the quantiser. Then global weights stand still, so that partitions depend on no other, and the
 * rest goes through the recipe's local phases group by group, within what the quantiser holds. A recipe without local phases
 * trains everything at once, whatever that takes.
 *
 * @param whole what all signals of a file share: time, progress, and who reads along.
 * @throws LgiError `limit` where the engine's memory does not hold a group; `diverged`.
 */
export async function trainInGroups(
  engine: Engine,
  media: Media,
  settings: EncodeSettings,
  whole: WholeTraining,
  signal?: AbortSignal,
): Promise<TrainedSignal> {
  const { grid, model, preset, precision, coder, seed, constants } = settings;
  const { architecture } = model;
  const payloads = new Array<Uint8Array>(grid.count);
  const plan = planGroups(settings);
  let quantiser: Quantiser | undefined;
  let global: Float32Array | undefined;
  let iterations = 0;
  const ends = new Set<TrainingResult['stoppedBy']>();
  for (const ordinals of plan.groups) {
    const objective = await sampleObjective(grid, media.format, (box) => media.read(box, signal), {
      ordinals,
      peak: signalPeak(media.kind, media.format),
      margin: settings.overlap,
    });
    whole.reads(objective.samples);
    const recipe = global === undefined ? preset.recipe : plan.localRecipe;
    const drawn = drawWeights({ model, objective, recipe, seed }, ordinals);
    const bounds = quantiser && localBounds(architecture, quantiser);
    const trained = await whole.train(
      workOf(settings, positionsOf(grid, ordinals)),
      plannedIterations(recipe, settings),
      drawn,
      (context) =>
        train(engine, {
          model,
          objective,
          recipe,
          initial: global === undefined ? drawn : { ...drawn, global },
          ...(bounds && { localBounds: bounds }),
          seed,
          ...context,
        }),
    );
    const { weights } = trained;
    iterations = Math.max(iterations, trained.iterations);
    ends.add(trained.stoppedBy);
    if (quantiser === undefined) {
      const reserved = plan.groups.length > 1 ? [outputRange(settings)] : [];
      const rounding = await quantiserOf(engine, precision, { model, weights, reserved, objective }, signal);
      quantiser = quantiserFor(
        coder,
        rounding,
        architecture,
        weights.local,
        commonWeights({ model, recipe, seed }),
      );
      // What the file holds is what the other groups have to go with.
      global = quantisedWeights(architecture, { global: weights.global, local: [] }, quantiser).global;
    }
    const form = { model, quantiser, coder, format: media.format, ...constantsOf(settings) };
    for (const [i, ordinal] of ordinals.entries()) payloads[ordinal] = encodeNetwork(weights.local[i], form);
  }
  for (const [ordinal, outputs] of constants) payloads[ordinal] = encodeConstant(outputs);
  if (quantiser === undefined || global === undefined) throw new Error('a grid has at least one partition');
  return {
    quantiser,
    globalPayload:
      architecture.globalWidth === 0
        ? new Uint8Array(0)
        : encodeWeights(global, globalTensors(architecture), quantiser.global, quantiser.format, coder),
    payloads,
    iterations,
    stoppedBy: endOf(ends),
  };
}

/** Steps that a group of this recipe takes: those that its phases have when the whole recipe keeps its proportions. */
export function plannedIterations(recipe: Recipe, { preset, budget }: EncodeSettings): number {
  const all = phaseIterations(preset.recipe.phases, budget.iterations);
  return all.slice(-recipe.phases.length).reduce((sum, steps) => sum + steps, 0);
}

function planGroups({ grid, model, preset, seed, constants, overlap, groups: limits }: EncodeSettings): {
  groups: readonly (readonly number[])[];
  localRecipe: Recipe;
} {
  const localRecipe = localPart(preset.recipe);
  const all = Array.from({ length: grid.count }, (_, ordinal) => ordinal).filter(
    (ordinal) => !constants.has(ordinal),
  );
  // Where all are constant, one is trained all the same: by its weights the header says how weights are rounded, as for an append.
  if (all.length === 0) all.push(0);
  const cellSamples = grid.largestCell().reduce((product, side) => product * (side + 2 * overlap), 1);
  const weights = elementCount(localTensors(model.architecture));
  const most = Math.max(
    1,
    Math.min(
      limits.partitions,
      Math.floor(limits.samples / cellSamples),
      Math.floor(limits.weights / weights),
    ),
  );
  if (all.length <= most || localRecipe.phases.length === 0) return { groups: [all], localRecipe };
  const first = spread(all.length, most, seed).map((i) => all[i]);
  const isFirst = new Set(first);
  const rest = all.filter((ordinal) => !isFirst.has(ordinal));
  const count = Math.ceil(rest.length / most);
  const part = (i: number): number => Math.floor((i * rest.length) / count);
  return {
    groups: [first, ...Array.from({ length: count }, (_, i) => rest.slice(part(i), part(i + 1)))],
    localRecipe,
  };
}

/** `count` of the numbers below `length`, ascending: one at random out of each of as many equal parts. */
function spread(length: number, count: number, seed: number): number[] {
  const random = new RandomStream(seed, 'subset');
  return Array.from({ length: count }, (_, i) => {
    const begin = Math.floor((i * length) / count);
    return begin + random.below(Math.floor(((i + 1) * length) / count) - begin);
  });
}

/**
 * Weights that are none but for output biases at the end of the outputs' range: the brightest partition, whose bias begins
 * there, may be in any group.
 */
function outputRange({ model: { architecture } }: EncodeSettings): Float32Array {
  const weights = new Float32Array(elementCount(localTensors(architecture)));
  return weights.fill(1, weights.length - architecture.outputs);
}

/** What a signal's header says of its constant partitions. */
export function constantsOf({ constants }: EncodeSettings): { constantPartitions?: true } {
  return constants.size > 0 ? { constantPartitions: true } : {};
}

/** Positions that are trained: all but those of constant partitions, or one of those where there is nothing else. */
export function trainedPositions({ grid, constants }: EncodeSettings): number {
  if (constants.size === grid.count) return boxSize(grid.boxOf(0));
  const constant = [...constants.keys()].reduce((sum, ordinal) => sum + boxSize(grid.boxOf(ordinal)), 0);
  return boxSize(grid.extent) - constant;
}

/** What a number of a signal's samples count for where parts share time. */
export function workOf({ preset }: EncodeSettings, samples: number): number {
  return samples * preset.timePerSample;
}

function positionsOf(grid: Grid, ordinals: readonly number[]): number {
  return ordinals.reduce((sum, ordinal) => sum + boxSize(grid.boxOf(ordinal)), 0);
}

function endOf(ends: ReadonlySet<TrainingResult['stoppedBy']>): TrainingResult['stoppedBy'] {
  if (ends.has('seconds')) return 'seconds';
  return ends.has('iterations') ? 'iterations' : 'psnr';
}
