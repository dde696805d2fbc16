import { countParameters, siren } from '../../../codec/architecture.js';
import type { LocalCoordinates } from '../../../codec/architecture.js';
import type { PresetName } from '../../../codec/preset.js';
import { PRESETS } from '../../../codec/presets.js';
import type { Optimiser } from '../../../codec/optimiser.js';
import type { Phase, Recipe } from '../../../codec/recipe.js';
import { resolveSettings } from '../../../src/encode-settings.js';
import type { EncodeSettings } from '../../../src/encode-settings.js';
import type { Media } from '../../../src/media/media.js';

/** A kind of optimiser, and the fields of it that are not as in `paper` (Adam) or `fast` (SOAP). */
export type OptimiserChanges = {
  readonly [Kind in Optimiser['kind']]: Partial<Extract<Optimiser, { kind: Kind }>> & {
    readonly kind: Kind;
  };
}[Optimiser['kind']];

/** What a sweep changes; what is absent is as the preset has it. Plain data, so that a run can be told from others. */
export interface Changes {
  /** Default `fast`; of `paper` the phases cannot be changed. */
  readonly preset?: PresetName;
  /** Side of the cells in samples. */
  readonly cell?: number;
  /** Parameters altogether; `preset`: as many as the preset's own network has on the picture. Default: by the widths. */
  readonly params?: number | 'preset';
  /** Part of the parameters that is global. */
  readonly globalShare?: number;
  readonly localWidth?: number;
  readonly globalWidth?: number;
  readonly levels?: number;
  /** Samples between lattice points, 0 for none. */
  readonly lattice?: number;
  readonly localCoordinates?: LocalCoordinates;
  readonly globalOmegaFirst?: number;
  readonly globalOmegaHidden?: number;
  readonly localOmegaFirst?: number;
  readonly localOmegaHidden?: number;
  readonly mergeOmega?: number;
  /** Of the kind that a preset has, but for the fields given. */
  readonly optimiser?: OptimiserChanges;
  /** Learning rate of everything, in both phases. */
  readonly rate?: number;
  /** Learning rate of global and merge weights alone, while they move. */
  readonly globalRate?: number;
  readonly decay?: Phase['decay'];
  /** Epochs in which all weights move; 0 leaves the phase out. */
  readonly jointEpochs?: number;
  readonly jointBatches?: number;
  readonly turns?: number;
  readonly localEpochs?: number;
  readonly localBatches?: number;
  readonly restsBelow?: number;
  /** Share of the time that joint epochs take of a budget in seconds; default by {@link JOINT_EPOCH_TIME}. */
  readonly jointTimeShare?: number;
  readonly localFirstFactor?: number;
  readonly seed?: number;
}

/** One way to encode, under the name that tables have for it. */
export interface Configuration {
  readonly name: string;
  readonly changes: Changes;
}

/** What every run of a sweep may take; at most one is given, none for the recipe as it is. */
export interface RunBudget {
  readonly iterations?: number;
  readonly seconds?: number;
  /** Part of every phase's epochs. */
  readonly effort?: number;
}

/** As codec/train.ts has it: with fewer samples a batch, an epoch takes fewer steps than the phase says. */
const LEAST_BATCH_SAMPLES = 32;

/** Time of a joint epoch and of a local one in the `fast` recipe; only how they compare counts. */
const JOINT_EPOCH_TIME = 25;
const LOCAL_EPOCH_TIME = 7.5;

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function phasesOf(base: readonly Phase[], changes: Changes, cellSamples: number): Phase[] {
  const mostBatches = Math.max(1, Math.floor(cellSamples / LEAST_BATCH_SAMPLES));
  const phases = base.flatMap((phase) => {
    const isJoint = phase.trains === 'all';
    const epochs =
      (isJoint ? changes.jointEpochs : changes.localEpochs) ??
      phase.iterations / (phase.batches * phase.turns);
    if (epochs === 0) return [];
    const batches = Math.min(
      (isJoint ? changes.jointBatches : changes.localBatches) ?? phase.batches,
      mostBatches,
    );
    const turns = (isJoint ? changes.turns : undefined) ?? phase.turns;
    return {
      ...phase,
      iterations: Math.round(epochs * batches * turns),
      batches,
      turns,
      localRate: changes.rate ?? phase.localRate,
      globalRate: isJoint ? (changes.globalRate ?? changes.rate ?? phase.globalRate) : 0,
      ...(!isJoint && given({ decay: changes.decay, restsBelow: changes.restsBelow })),
      timeShare: epochs * (isJoint ? JOINT_EPOCH_TIME : LOCAL_EPOCH_TIME),
    };
  });
  const time = phases.reduce((sum, { timeShare }) => sum + timeShare, 0);
  const { jointTimeShare } = changes;
  return phases.map((phase) => {
    if (jointTimeShare === undefined || phases.length === 1)
      return { ...phase, timeShare: phase.timeShare / time };
    return { ...phase, timeShare: phase.trains === 'all' ? jointTimeShare : 1 - jointTimeShare };
  });
}

function recipeOf(base: Recipe, changes: Changes, cellSamples: number): Recipe {
  const { optimiser, localFirstFactor } = changes;
  return {
    ...base,
    ...(optimiser && {
      optimiser: {
        ...PRESETS.image[optimiser.kind === 'adam' ? 'paper' : 'fast'].recipe.optimiser,
        ...optimiser,
      } as Optimiser,
    }),
    initialisation: { ...base.initialisation, ...given({ localFirstFactor }) },
    phases: changes.preset === 'paper' ? base.phases : phasesOf(base.phases, changes, cellSamples),
  };
}

/** Parameters that a preset's own network has on a picture: what configurations of other sizes are held to. */
function presetParameters(media: Media, preset: PresetName): number {
  const { grid, model } = resolveSettings(media, { preset });
  return countParameters(model.architecture, grid.count).total;
}

/**
 * The settings of one run.
 *
 * @throws OptionError where a picture cannot be encoded that way.
 */
export function settingsOf(changes: Changes, media: Media, budget: RunBudget): EncodeSettings {
  const { preset = 'fast', cell, globalShare, localWidth, globalWidth, levels, lattice, seed } = changes;
  const { activations } = PRESETS.image[preset];
  const { local, global, merge } = activations;
  const params = changes.params === 'preset' ? presetParameters(media, preset) : changes.params;
  const { iterations, seconds } = budget;
  const settings = resolveSettings(media, {
    preset,
    ...given({ params, globalShare, localWidth, globalWidth, levels, lattice, seed, iterations, seconds }),
    ...given({
      cell: cell === undefined ? undefined : media.shape.map(() => cell),
      coordinates: changes.localCoordinates,
    }),
    activations: {
      local: {
        ...local,
        ...given({ omegaFirst: changes.localOmegaFirst, omegaHidden: changes.localOmegaHidden }),
      },
      global: {
        ...global,
        ...given({ omegaFirst: changes.globalOmegaFirst, omegaHidden: changes.globalOmegaHidden }),
      },
      merge: changes.mergeOmega === undefined ? merge : siren(changes.mergeOmega, changes.mergeOmega),
    },
  });
  const cellSamples = settings.grid.largestCell().reduce((product, side) => product * side, 1);
  const recipe = recipeOf(settings.preset.recipe, changes, cellSamples);
  const planned = recipe.phases.reduce((sum, phase) => sum + phase.iterations, 0);
  const { effort } = budget;
  return {
    ...settings,
    preset: { ...settings.preset, recipe },
    ...(effort !== undefined && { budget: { iterations: Math.max(1, Math.round(planned * effort)) } }),
  };
}
