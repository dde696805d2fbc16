import { OptionError } from '../../../codec/errors.js';
import { Grid, cutsByCount } from '../../../codec/grid.js';
import { psnrOf } from '../../../codec/metrics.js';
import type { Model, Weights } from '../../../codec/model.js';
import { sampleObjective } from '../../../codec/objective.js';
import { wholeError } from '../../../codec/whole-error.js';
import type { EncodeSettings } from '../../../src/encode-settings.js';
import { TABLE_6 } from '../configurations.js';
import { TrainingRecord } from '../training-record.js';
import type { Experiment, Outcome, Row } from '../experiment.js';
import type { Laboratory } from '../laboratory.js';
import { settingsOf, type System } from '../system.js';

const FILE = 'camera.png';

const [HALF_SIREN] = TABLE_6.filter(({ experiment }) => experiment === 'half-image');
const [SIREN, LGS] = TABLE_6.filter(({ experiment }) => experiment === 'full-image');

/** What is trained by which partitions. */
interface Part {
  readonly grid: Grid;
  readonly ordinals: readonly number[];
}

function all(grid: Grid): Part {
  return { grid, ordinals: Array.from({ length: grid.count }, (_, ordinal) => ordinal) };
}

/** Trains partitions on their samples; coordinates are those of the whole picture, so that what was learned stays where it is. */
async function trainPart(
  laboratory: Laboratory,
  name: string,
  { model, preset }: Pick<EncodeSettings, 'model' | 'preset'>,
  { grid, ordinals }: Part,
  { iterations, seed, initial }: { iterations: number; seed: number; initial?: Weights },
): Promise<{ weights: Weights; outcome: Outcome }> {
  const media = await laboratory.media(FILE);
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box), { ordinals });
  const record = new TrainingRecord();
  const { weights, seconds } = await laboratory.train(
    name,
    { model, objective, recipe: preset.recipe, seed, budget: { iterations }, ...(initial && { initial }) },
    record,
  );
  const mse = await wholeError(laboratory.engine, model, weights, objective);
  // Outputs go from -1 to 1.
  const metrics = { mse, unclamped: psnrOf(mse, 2), seconds };
  return { weights, outcome: { iterations, shape: media.shape, curve: record.notes.curve, metrics } };
}

/** A settings' model with the networks of another grid. */
function modelFor({ model }: EncodeSettings, grid: Grid): Model {
  return { ...model, nominalCell: grid.largestCell() };
}

type Extension = (
  laboratory: Laboratory,
  name: string,
  seed: number,
  iterations: { readonly half: number; readonly whole: number },
) => Promise<Outcome>;

/** New partitions begin with the weights of old ones, mirrored at the border (section 3.4). */
const localGlobal: Extension = async (laboratory, name, seed, iterations) => {
  const settings = settingsOf(LGS, await laboratory.media(FILE));
  const { grid } = settings;
  const [rows, columns] = grid.axes.map(({ cuts }) => cuts.length - 1);
  const upper = Array.from({ length: (rows / 2) * columns }, (_, ordinal) => ordinal);
  const first = await trainPart(
    laboratory,
    `${name} half`,
    settings,
    { grid, ordinals: upper },
    { iterations: iterations.half, seed },
  );
  const mirrored = Array.from({ length: grid.count }, (_, ordinal) => {
    const [row, column] = [Math.floor(ordinal / columns), ordinal % columns];
    return first.weights.local[Math.min(row, rows - 1 - row) * columns + column].slice();
  });
  const initial = { global: first.weights.global, local: mirrored };
  const { outcome } = await trainPart(laboratory, name, settings, all(grid), {
    iterations: iterations.whole,
    seed,
    initial,
  });
  return outcome;
};

/** One network of everything, first of the upper half alone. */
const smallerSiren: Extension = async (laboratory, name, seed, iterations) => {
  const media = await laboratory.media(FILE);
  const settings = settingsOf(HALF_SIREN, media);
  const [height, width] = media.shape;
  if (height % 2 !== 0) {
    throw new OptionError('shrink', `a picture of ${height} rows has no half; give 1, 2, 4, 8 or 16`);
  }
  const half = new Grid([cutsByCount(height / 2, 1), cutsByCount(width, 1)]);
  const first = await trainPart(
    laboratory,
    `${name} half`,
    { ...settings, model: modelFor(settings, half) },
    all(half),
    { iterations: iterations.half, seed },
  );
  const { outcome } = await trainPart(laboratory, name, settings, all(settings.grid), {
    iterations: iterations.whole,
    seed,
    initial: first.weights,
  });
  return outcome;
};

function fromScratch(system: System): Extension {
  return async (laboratory, name, seed, iterations) => {
    const settings = settingsOf(system, await laboratory.media(FILE));
    const { outcome } = await trainPart(laboratory, name, settings, all(settings.grid), {
      iterations: iterations.whole,
      seed,
    });
    return outcome;
  };
}

function figure(
  number: number,
  iterations: { readonly half: number; readonly whole: number },
  publishedSeeds: number,
): Experiment {
  const name = `figure-${number}`;
  const row = (title: string, extension: Extension): Row => ({
    name: title,
    published: {},
    run: (laboratory, seed) =>
      extension(laboratory, `${name} ${title} ${seed}`, seed, {
        half: laboratory.iterations(iterations.half),
        whole: laboratory.iterations(iterations.whole),
      }),
  });
  return {
    name,
    title: `Figure ${number}: extending an encoded half of Cameraman`,
    metrics: ['mse', 'unclamped', 'seconds'],
    publishedSeeds,
    notes: [
      `In full, the upper half is trained for ${iterations.half} iterations, then the whole for ${iterations.whole}. The paper shows curves: fine-tuned, the smaller SIREN stagnates, and the Local-Global one is best.`,
      'MSE is of outputs in [-1, 1], and PSNR of these.',
    ],
    rows: [
      row('Smaller SIREN, fine-tuned', smallerSiren),
      row('Local-Global SIREN, fine-tuned', localGlobal),
      row('SIREN, from scratch', fromScratch(SIREN)),
    ],
  };
}

export const FIGURE_7 = figure(7, { half: 2000, whole: 1000 }, 10);
export const FIGURE_13 = figure(13, { half: 4000, whole: 4000 }, 3);
