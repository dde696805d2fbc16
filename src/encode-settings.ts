import { countParameters } from '../codec/architecture.js';
import type { Architecture } from '../codec/architecture.js';
import { automaticPartitioning, MAX_PARAMETERS } from '../codec/automatic.js';
import type { Coder } from '../codec/coder/payload.js';
import type { WeightFormat } from '../codec/quantiser.js';
import { OptionError } from '../codec/errors.js';
import type { Grid } from '../codec/grid.js';
import { linspaceMap, makeGrid, spreadMap } from '../codec/grid.js';
import type { Model } from '../codec/model.js';
import { parseWeightPrecision } from '../codec/quantise.js';
import type { WeightPrecision } from '../codec/quantise.js';
import type { Partitioning, Preset, PresetName } from '../codec/preset.js';
import { PRESET_NAMES, PRESETS } from '../codec/presets.js';
import { localPart, type Recipe } from '../codec/recipe.js';
import type { Budget } from '../codec/train.js';
import {
  MAX_GLOBAL_PARAMETERS,
  MAX_GLOBAL_WIDTH,
  MAX_LATTICE_STRIDE,
  MAX_LEVELS,
  MAX_LOCAL_PARAMETERS,
  MAX_LOCAL_WIDTH,
} from './container/limits.js';
import { NO_CONSTANTS, type ConstantCells } from './constant-cells.js';
import { DEFAULT_GROUPS } from './encode-groups.js';
import type { GroupLimits } from './encode-groups.js';
import type { EncodeOptions } from './encode-options.js';
import type { Media } from './media/media.js';
import { chosenOverviews } from './overview-media.js';

/** Options and presets resolved for one medium. */
export interface EncodeSettings {
  readonly presetName: PresetName;
  readonly preset: Preset;
  readonly grid: Grid;
  readonly model: Model;
  readonly precision: WeightPrecision;
  readonly coder: Coder;
  readonly seed: number;
  readonly budget: Budget;
  /** Samples of neighbours that partitions are trained on, on every side. */
  readonly overlap: number;
  /** Partitions without networks. */
  readonly constants: ConstantCells;
  /** Factors of the overviews, finest first. */
  readonly overviews: readonly number[];
  /** How much is trained at a time. */
  readonly groups: GroupLimits;
  readonly notices: readonly string[];
}

const DEFAULT_LEVELS = 4;

/** Options that say how large networks, partitions and steps are. */
const SHAPE_OPTIONS: ReadonlySet<string> = new Set<keyof EncodeOptions>([
  'grid',
  'cell',
  'params',
  'globalShare',
  'localWidth',
  'globalWidth',
  'levels',
  'lattice',
  'coordinates',
  'activations',
  'sampleFraction',
  'overlap',
]);

/** Longest training that a budget may ask for: 2^31 steps or a month, beyond which a number is a typing error. */
const MAX_ITERATIONS = 2 ** 31;
const MAX_SECONDS = 31 * 24 * 3600;
/** Above this, integers of 16 bits have no error left to lose. */
const MAX_PSNR_DB = 120;

/**
 * Resolves options against a medium.
 *
 * @param constants partitions of the medium that get no networks; what `params` asks for is shared by the others.
 * @throws OptionError naming the option that is out of range, or the pair that contradicts.
 */
export function resolveSettings(
  media: Media,
  options: EncodeOptions,
  constants: ConstantCells = NO_CONSTANTS,
): EncodeSettings {
  const presetName = options.preset ?? 'fast';
  if (!PRESET_NAMES.includes(presetName)) {
    throw new OptionError(
      'preset',
      `'${String(presetName)}' is no preset; give ${PRESET_NAMES.join(' or ')}`,
    );
  }
  const preset = PRESETS[media.kind][presetName];
  if (options.grid !== undefined && options.cell !== undefined) {
    throw new OptionError('cell', 'given together with `grid`; give one of them');
  }
  const notices: string[] = [];
  const { grid, localWidth, globalWidth } = chooseSizes(media, options, preset, notices, constants.size);
  const architecture: Architecture = {
    ...architectureOf(media, options, preset),
    localWidth,
    globalWidth,
  };
  checkParameters(architecture, grid);
  const precision = parseWeightPrecision(options.weights ?? preset.weights);
  return {
    presetName,
    preset: { ...preset, recipe: recipeFor(preset.recipe, globalWidth, options) },
    grid,
    model: { architecture, maps: mapsOf(media.shape, preset), nominalCell: grid.largestCell() },
    precision,
    coder: checkCoder(options.coder ?? defaultCoder(preset, precision), precision.format),
    seed: checkSeed(options.seed),
    budget: checkBudget(options),
    overlap: checkOverlap(options.overlap ?? 0, architecture, grid),
    constants,
    overviews: chooseOverviews(media, options.overviews ?? 'auto'),
    groups: DEFAULT_GROUPS,
    notices,
  };
}

/** A preset's recipe for these networks, with what options change of it. */
function recipeFor(recipe: Recipe, globalWidth: number, { sampleFraction }: EncodeOptions): Recipe {
  const needed = globalWidth === 0 ? withoutJoint(recipe) : recipe;
  if (sampleFraction === undefined) return needed;
  if (!(sampleFraction > 0 && sampleFraction <= 1)) {
    throw new OptionError(
      'sampleFraction',
      `${sampleFraction} is no part of the samples: above 0 and at most 1`,
    );
  }
  const batches = Math.round(1 / sampleFraction);
  return { ...needed, phases: needed.phases.map((phase) => ({ ...phase, batches })) };
}

/** A recipe for networks without a global one: what trains it is left out, where local phases are behind it. */
function withoutJoint(recipe: Recipe): Recipe {
  const local = localPart(recipe);
  return local.phases.length > 0 ? local : recipe;
}

/** Options for a further signal of a file: those about networks and partitions speak of the first. */
export function withoutShape(options: EncodeOptions): EncodeOptions {
  const kept = Object.entries(options).filter(([name]) => !SHAPE_OPTIONS.has(name));
  return Object.fromEntries(kept);
}

function chooseOverviews({ kind, shape }: Media, overviews: string): number[] {
  if (overviews !== 'auto' && overviews !== 'none') {
    throw new OptionError('overviews', `'${overviews}' is neither auto nor none`);
  }
  return overviews === 'auto' && kind === 'image' ? chosenOverviews(shape) : [];
}

/** Settings of an overview: the picture's network and cells, on axes of its own. */
export function overviewSettings(overview: Media, settings: EncodeSettings): EncodeSettings {
  const { shape } = overview;
  const { preset, model } = settings;
  const cell = settings.grid.largestCell().map((length, axis) => Math.min(length, shape[axis]));
  const { grid } = makeGrid(shape, { cell });
  return {
    ...settings,
    grid,
    model: { ...model, maps: mapsOf(shape, preset), nominalCell: grid.largestCell() },
    constants: NO_CONSTANTS,
    overviews: [],
    notices: [],
  };
}

function mapsOf(shape: readonly number[], preset: Preset): Model['maps'] {
  const { coordinates, coordinateBound } = preset;
  return shape.map((length) =>
    coordinates === 'linspace' ? linspaceMap(length, coordinateBound) : spreadMap(length),
  );
}

/** The architecture but for its widths. */
function architectureOf(media: Media, options: EncodeOptions, preset: Preset): Architecture {
  const stride = options.lattice ?? preset.latticeStride;
  const localCoordinates = options.coordinates ?? preset.localCoordinates;
  if (localCoordinates !== 'cell' && localCoordinates !== 'signal') {
    throw new OptionError('coordinates', `'${String(localCoordinates)}' is neither cell nor signal`);
  }
  return {
    inputs: media.shape.length,
    outputs: media.channels,
    levels: checkWhole('levels', options.levels ?? DEFAULT_LEVELS, 1, MAX_LEVELS),
    localWidth: 1,
    globalWidth: 0,
    localCoordinates,
    latticeStride:
      stride === 'none' || stride === 0 ? 0 : checkWhole('lattice', stride, 1, MAX_LATTICE_STRIDE),
    merge: 'concat',
    activations: options.activations ?? preset.activations,
  };
}

function chooseSizes(
  media: Media,
  options: EncodeOptions,
  preset: Preset,
  notices: string[],
  constantCount: number,
): { grid: Grid; localWidth: number; globalWidth: number } {
  const { shape } = media;
  const asked = askedPartitioning(shape, options, preset);
  if (options.params === undefined) {
    if (options.globalShare !== undefined)
      throw new OptionError('globalShare', 'needs `params`, the total it is a share of');
    const { grid, notice } = makeGrid(shape, asked);
    if (notice !== undefined) notices.push(notice);
    return {
      grid,
      localWidth: checkWhole('localWidth', options.localWidth ?? preset.localWidth, 1, MAX_LOCAL_WIDTH),
      globalWidth: checkWhole('globalWidth', options.globalWidth ?? preset.globalWidth, 0, MAX_GLOBAL_WIDTH),
    };
  }
  for (const [name, value] of [
    ['localWidth', options.localWidth],
    ['globalWidth', options.globalWidth],
  ] as const) {
    if (value !== undefined)
      throw new OptionError(name, 'given together with `params`, which chooses the widths; give one');
  }
  // Checks and clamps the request, as without params; the search then has a cell inside the signal.
  const made = makeGrid(shape, asked);
  if (made.notice !== undefined) notices.push(made.notice);
  const counts = 'counts' in asked ? made.grid.shape : undefined;
  const target = shape.map((length, axis) =>
    'counts' in asked ? length / made.grid.shape[axis] : Math.min(asked.cell[axis], length),
  );
  const choice = automaticPartitioning(architectureOf(media, options, preset), shape, {
    parameters: options.params,
    globalShare: options.globalShare ?? preset.globalShare,
    cell: target.map((length) => Math.max(1, Math.round(length))),
    ...(constantCount > 0 && { networks: Math.max(1, made.grid.count - constantCount) }),
  });
  if (choice.notice !== undefined) notices.push(choice.notice);
  const { grid } = makeGrid(shape, { counts: counts ?? choice.counts });
  checkWhole('params', choice.localWidth, 1, MAX_LOCAL_WIDTH);
  checkWhole('params', choice.globalWidth, 0, MAX_GLOBAL_WIDTH);
  return { grid, localWidth: choice.localWidth, globalWidth: choice.globalWidth };
}

/** How to cut a signal, as the options or else the preset say. A preset's partitions fit any signal, however small. */
function askedPartitioning(
  shape: readonly number[],
  { grid, cell }: EncodeOptions,
  { partitioning }: Preset,
): Partitioning {
  if (grid !== undefined) return { counts: grid };
  if (cell !== undefined) return { cell };
  const fitting = (sizes: readonly number[]): number[] =>
    sizes.map((size, axis) => Math.min(size, shape[axis]));
  return 'counts' in partitioning
    ? { counts: fitting(partitioning.counts) }
    : { cell: fitting(partitioning.cell) };
}

function checkParameters(architecture: Architecture, grid: Grid): void {
  const { local } = countParameters(architecture, 1);
  const { global } = countParameters(architecture, 0);
  if (local > MAX_LOCAL_PARAMETERS) {
    throw new OptionError(
      'localWidth',
      `makes ${local} weights a partition, the limit is ${MAX_LOCAL_PARAMETERS}; take a smaller one`,
    );
  }
  if (global > MAX_GLOBAL_PARAMETERS) {
    throw new OptionError(
      'globalWidth',
      `makes ${global} global weights, the limit is ${MAX_GLOBAL_PARAMETERS}; take a smaller one`,
    );
  }
  // The engine holds weights and two moments of each in 4 GiB; what is trained in groups stays in memory as it goes into the file.
  const total = local * grid.count;
  if (total > MAX_PARAMETERS) {
    throw new OptionError(
      'cell',
      `makes ${grid.count} partitions of ${local} weights, the limit is ${MAX_PARAMETERS} altogether; take larger cells`,
    );
  }
}

function checkWhole(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OptionError(option, `${value} is no whole number from ${least} to ${most}`);
}

/** @throws OptionError for a seed that is no whole number from 0. */
export function checkSeed(seed = 0): number {
  return checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
}

function checkOverlap(overlap: number, { globalWidth, latticeStride }: Architecture, grid: Grid): number {
  if (overlap === 0) return 0;
  if (globalWidth > 0 && latticeStride > 0) {
    throw new OptionError(
      'overlap',
      'is for networks without a lattice, whose points belong to one partition; give `lattice` none, or `globalWidth` 0',
    );
  }
  const shortest = grid.axes.flatMap(({ cuts }) => cuts.slice(1).map((cut, i) => cut - cuts[i]));
  return checkWhole('overlap', overlap, 0, Math.floor(Math.min(...shortest) / 2));
}

/** A preset's coder, where the weights are integers, as some take nothing else. */
function defaultCoder(preset: Preset, { format }: WeightPrecision): Coder {
  return (format === 'integer' ? preset.coder : undefined) ?? 'none';
}

/** @throws OptionError for a coder that is none, or that has no place for such weights. */
export function checkCoder(coder: Coder, format: WeightFormat): Coder {
  if (coder === 'range' && format !== 'integer') {
    throw new OptionError(
      'coder',
      `range is for integers, the weights are ${format}; give \`weights\` fine, coarse, or int2 to int16`,
    );
  }
  if (coder === 'none' || coder === 'deflate' || coder === 'range') return coder;
  throw new OptionError('coder', `'${String(coder)}' is no coder; give none, deflate or range`);
}

/**
 * What ends training, as options say it.
 *
 * @throws OptionError naming the one that is out of range.
 */
export function checkBudget({
  iterations,
  seconds,
  psnr,
}: Pick<EncodeOptions, 'iterations' | 'seconds' | 'psnr'>): Budget {
  if (iterations !== undefined) checkWhole('iterations', iterations, 1, MAX_ITERATIONS);
  if (seconds !== undefined && !(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new OptionError('seconds', `${seconds} is no number of seconds above 0 and up to ${MAX_SECONDS}`);
  }
  if (psnr !== undefined && !(psnr > 0 && psnr <= MAX_PSNR_DB)) {
    throw new OptionError('psnr', `${psnr} is no number of dB above 0 and up to ${MAX_PSNR_DB}`);
  }
  return {
    ...(iterations !== undefined && { iterations }),
    ...(seconds !== undefined && { seconds }),
    ...(psnr !== undefined && { psnr }),
  };
}
