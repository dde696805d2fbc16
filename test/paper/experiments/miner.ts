import { countParameters } from '../../../codec/architecture.js';
import { OptionError } from '../../../codec/errors.js';
import { Grid, boxShape, cutsByCell, type Box } from '../../../codec/grid.js';
import { compareSamples } from '../../../codec/metrics.js';
import type { Weights } from '../../../codec/model.js';
import { sampleObjective } from '../../../codec/objective.js';
import { memoryMedia } from '../../../src/media/media.js';
import { TABLE_6 } from '../configurations.js';
import { decodeSystem } from '../decode-system.js';
import { encodeSystem } from '../encode-system.js';
import type { Experiment, Outcome, Row } from '../experiment.js';
import {
  areaResized,
  asMedia,
  bilinearDoubled,
  clamped,
  floatPicture,
  upperLeft,
  type FloatPicture,
} from '../float-picture.js';
import type { Laboratory } from '../laboratory.js';
import { settingsOf } from '../system.js';

/** Of the data folder: the paper does not name its picture. */
const FILES = ['camera.png', 'kodim23.png', 'div2k-0055.png'];

/** Samples per axis of the picture that both encode, and of what the person would keep of it. */
const SIDE = 512;

/** Partitions of a Local-Global SIREN that are the border, of 16x16: a row above, two columns on either side; 29.7 % of the picture. */
const CELLS = 16;
const BORDER = { top: 1, left: 2, right: 2 } as const;

/** MINER: sizes of Saragadam et al. 2022, section 4: blocks of 32x32 at every scale, networks of 20 features. */
const BLOCK = 32;
const SCALES = 4;
const MINER = { method: 'SPP', localWidth: 20, levels: 2 } as const;

/** Blocks whose mean squared residual is below this are not encoded; of [0, 1]. */
const THRESHOLD = 1e-4;

/** Of each scale, in place of a stop by convergence, after which the residual of most blocks changes little. */
const ITERATIONS = 1500;
const RATE = 1e-3;

const LGS = TABLE_6.filter(({ experiment, method }) => experiment === 'div2k' && method === 'LGS')[0];

async function square(laboratory: Laboratory, file: string): Promise<FloatPicture> {
  const picture = await floatPicture(await laboratory.media(file));
  const side = Math.min(...picture.shape);
  const [height, width] = laboratory.shrunkenShape([SIDE, SIDE]);
  if (height % CELLS !== 0) {
    throw new OptionError('shrink', `${height} samples have no ${CELLS} equal parts; give 1, 2, 4, 8 or 16`);
  }
  return areaResized(upperLeft(picture, [side, side]), [height, width]);
}

/** Whether a box lies in the border, which is given by parts of the picture. */
function isInBorder({ begin, end }: Box, [height, width]: readonly [number, number]): boolean {
  const top = (height * BORDER.top) / CELLS;
  const left = (width * BORDER.left) / CELLS;
  const right = (width * (CELLS - BORDER.right)) / CELLS;
  return end[0] <= top || end[1] <= left || begin[1] >= right;
}

/** One scale of the pyramid: the networks of the blocks that need one, and what they give. */
async function encodeResidual(
  laboratory: Laboratory,
  name: string,
  residual: FloatPicture,
  seed: number,
): Promise<{ picture: FloatPicture; boxes: Box[]; parametersEach: number; seconds: number }> {
  const { data, shape, channels } = residual;
  const media = memoryMedia({ data, shape, layout: 'plain', channels, mapping: { scale: 1, offset: 0 } });
  const grid = new Grid(shape.map((length) => cutsByCell(length, BLOCK)));
  const { model, preset } = settingsOf(
    { ...MINER, partitions: grid.axes.map(({ cuts }) => cuts.length - 1) },
    media,
    {
      coordinates: 'cell',
    },
  );
  const active: number[] = [];
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const samples = Float32Array.from(await media.read(grid.boxOf(ordinal)));
    const energy = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    if (energy > THRESHOLD) active.push(ordinal);
  }
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box), { ordinals: active });
  const [phase] = preset.recipe.phases;
  const { weights, seconds } = await laboratory.train(name, {
    model,
    objective,
    recipe: { ...preset.recipe, phases: [{ ...phase, localRate: RATE, globalRate: RATE }] },
    seed,
    budget: { iterations: laboratory.iterations(ITERATIONS) },
  });
  const boxes = active.map((ordinal) => grid.boxOf(ordinal));
  const picture = { data: new Float32Array(data.length), shape, channels };
  for (const [i, box] of boxes.entries()) {
    const [rows, columns] = boxShape(box);
    const own = new Grid(box.begin.map((begin, axis) => ({ cuts: [begin, box.end[axis]], firstCell: 0 })));
    const only: Weights = { global: weights.global, local: [weights.local[i]] };
    const part = await decodeSystem(laboratory.engine, model, own, only, media.format);
    for (let row = 0; row < rows; row++) {
      const to = ((box.begin[0] + row) * shape[1] + box.begin[1]) * channels;
      picture.data.set(part.subarray(row * columns * channels, (row + 1) * columns * channels), to);
    }
  }
  return { picture, boxes, parametersEach: countParameters(model.architecture, 1).total, seconds };
}

/** Coarse to fine: what a scale lacks is encoded where it matters, and the next scale begins with what it has. */
async function miner(laboratory: Laboratory, file: string, name: string, seed: number): Promise<Outcome> {
  const whole = await square(laboratory, file);
  let decoded: FloatPicture | undefined;
  let [parameters, dropped, seconds] = [0, 0, 0];
  for (let scale = SCALES - 1; scale >= 0; scale--) {
    const factor = 2 ** scale;
    const target = areaResized(whole, [whole.shape[0] / factor, whole.shape[1] / factor]);
    const before = decoded === undefined ? target.data.map(() => 0) : bilinearDoubled(decoded).data;
    const residual = { ...target, data: target.data.map((value, i) => value - before[i]) };
    const { picture, boxes, parametersEach, ...trained } = await encodeResidual(
      laboratory,
      `${name} scale ${scale}`,
      residual,
      seed,
    );
    decoded = { ...target, data: picture.data.map((value, i) => value + before[i]) };
    parameters += boxes.length * parametersEach;
    dropped += boxes.filter((box) => isInBorder(box, target.shape)).length * parametersEach;
    seconds += trained.seconds;
  }
  const data = clamped(decoded?.data ?? whole.data);
  const { psnr } = compareSamples(whole.data, data, asMedia(whole).format);
  return {
    iterations: laboratory.iterations(ITERATIONS) * SCALES,
    shape: whole.shape,
    curve: [],
    metrics: { psnr, parameters, dropped: dropped / parameters, seconds },
  };
}

async function localGlobal(
  laboratory: Laboratory,
  file: string,
  name: string,
  seed: number,
): Promise<Outcome> {
  const whole = await square(laboratory, file);
  const data = Uint8Array.from(clamped(whole.data), (value) => Math.round(255 * value));
  const media = memoryMedia({ data, shape: whole.shape });
  const settings = settingsOf(LGS, media);
  const { weights, ...outcome } = await encodeSystem(laboratory, {
    name,
    media,
    settings,
    iterations: laboratory.iterations(2000),
    seed,
  });
  const { grid } = settings;
  const border = weights.local.filter((_, ordinal) => isInBorder(grid.boxOf(ordinal), whole.shape));
  const { total } = countParameters(settings.model.architecture, grid.count);
  const dropped = (border.length * weights.local[0].length) / total;
  // The figure is of what is dropped, not of trainings, of which MINER has one a scale.
  return { ...outcome, curve: [], metrics: { ...outcome.metrics, dropped } };
}

/** One method on each picture. */
function rows(method: string, published: Row['published'], run: typeof miner): Row[] {
  return FILES.map((file) => {
    const name = `${method}, ${file.replace('.png', '')}`;
    return {
      name,
      published,
      run: (laboratory, seed) => run(laboratory, file, `figure-9 ${name} ${seed}`, seed),
    };
  });
}

export const FIGURE_9: Experiment = {
  name: 'figure-9',
  title: 'Figures 9 and 10: what a crop of the border can drop, and how many parameters there are',
  metrics: ['dropped', 'parameters', 'psnr', 'seconds'],
  publishedSeeds: 1,
  notes: [
    'The paper shows one picture with a smooth border, which it does not name. Ours are left squares of three others, and a border of 29.7 %: a row of 16x16 partitions above, two columns on either side. Of the networks of MINER those can go whose whole block lies in the border: how many depends on where the picture has detail, as their number does. Of a Local-Global SIREN it is always the same.',
    `MINER: ${SCALES} scales, blocks of ${BLOCK}x${BLOCK}, networks of two sine layers of ${MINER.localWidth} features, where the mean squared residual is above ${THRESHOLD}; ${ITERATIONS} iterations a scale in full, which the paper does not print.`,
  ],
  rows: [
    ...rows(
      'MINER',
      { dropped: { mean: 0.028 }, parameters: { mean: 205.2e3 }, psnr: { mean: 38.87 } },
      miner,
    ),
    ...rows(
      'Local-Global SIREN',
      { dropped: { mean: 0.27 }, parameters: { mean: 198.9e3 }, psnr: { mean: 43.83 } },
      localGlobal,
    ),
  ],
};
