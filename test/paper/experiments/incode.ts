import { RadonTransform, sinogramDistance } from '../../../codec/incode/radon.js';
import { RandomStream } from '../../../codec/random.js';
import { TABLE_7, type Configuration } from '../configurations.js';
import { decodePositions } from '../decode-system.js';
import type { Experiment, Metric, Outcome, Printed, Row } from '../experiment.js';
import {
  areaResized,
  firstChannel,
  floatPicture,
  stretched,
  upperLeft,
  type FloatPicture,
} from '../float-picture.js';
import { runIncode, type IncodeSystem } from '../incode-system.js';
import { NOISE_HARMONIZER, PICTURE_HARMONIZER } from '../harmonizers.js';
import type { Laboratory } from '../laboratory.js';
import { SSIM_NOTE } from '../picture-quality.js';

const METRICS: readonly Metric[] = ['best', 'unclamped', 'psnr', 'ssim', 'parameters', 'seconds'];

const NOTES = [
  "The paper's PSNR, by the code of INCODE's authors, is of values that are not clamped to the picture's, and the best of those that are taken on the way. Beside it stand that of the last iteration, and that of what is then decoded, which is clamped.",
  SSIM_NOTE,
  "The harmonizer's features come from a truncated ResNet-34 with random weights, as the authors' code has it (it loads none); `--resnet FILE` takes trained ones.",
];

const NAMES = { INCODE: 'INCODE', IPP: 'INCODE per partition', LGI: 'Local-Global INCODE' } as const;

function of(experiment: string): Configuration[] {
  return TABLE_7.filter((row) => row.experiment === experiment);
}

function nameOf({ method }: Configuration): string {
  return NAMES[method as keyof typeof NAMES];
}

function figures(psnr: readonly [number, number], ssim?: number): Partial<Record<Metric, Printed>> {
  return {
    best: { mean: psnr[0], deviation: psnr[1] },
    ...(ssim !== undefined && { ssim: { mean: ssim } }),
  };
}

/** Rows of an experiment: every configuration of table 7 with what the task adds. */
function rowsOf(
  experiment: string,
  published: Readonly<Record<string, Partial<Record<Metric, Printed>>>>,
  settings: Omit<IncodeSystem, 'system' | 'iterations'>,
  run: (laboratory: Laboratory, system: IncodeSystem, name: string, seed: number) => Promise<Outcome>,
): Row[] {
  return of(experiment).map((configuration) => ({
    name: nameOf(configuration),
    published: published[configuration.method] ?? {},
    run: (laboratory, seed) =>
      run(
        laboratory,
        { ...settings, system: configuration, iterations: configuration.iterations },
        `${experiment} ${configuration.method} ${seed}`,
        seed,
      ),
  }));
}

/** Photons that a sample of 1 has on the mean, and the deviation of what is read out, in photons. */
const PHOTONS = 40;
const READOUT = 2;

/** A picture as a sensor sees it: photons are counted, and reading them out adds noise. */
export function noisy({ data, shape, channels }: FloatPicture, seed: number): FloatPicture {
  const random = new RandomStream(seed, 'noise');
  const seen = data.map((value) => (random.poisson(PHOTONS * value) + READOUT * random.normal()) / PHOTONS);
  return { data: seen, shape, channels };
}

export const DENOISING: Experiment = {
  name: 'table-14-denoising',
  title: 'Table 14 and figure 8: image denoising, DIV2K 0055',
  metrics: METRICS,
  harmonizes: true,
  publishedSeeds: 10,
  notes: [
    'Figures are of the picture without noise. Noise is of the seed: 40 photons, and 2 of read-out noise.',
    ...NOTES,
  ],
  rows: rowsOf(
    'denoising',
    { LGI: figures([32.37, 0.08], 0.866), INCODE: figures([32.26, 0.06], 0.864) },
    {
      omegaFirst: 10,
      harmonizer: NOISE_HARMONIZER,
      localRate: 1.5e-4,
      globalRate: 1.5e-4,
      finalRateFactor: 0.1,
      // As the paper's code takes them.
      judgedEvery: 100,
    },
    async (laboratory, system, name, seed) => {
      const full = await floatPicture(await laboratory.media('div2k-0055.png'));
      const clean = areaResized(full, laboratory.shrunkenShape([288, 512]));
      const target = noisy(clean, seed);
      const seen = { ...target, data: stretched(target.data) };
      return runIncode(laboratory, system, { name, seed, target, seen, reference: clean });
    },
  ),
};

/** How much smaller what is trained on is than what is decoded, per axis. */
const UPSCALING = 4;

/** Trains on a picture made 4 times smaller, and judges what is decoded at its full size. */
async function superResolve(
  laboratory: Laboratory,
  system: IncodeSystem,
  name: string,
  seed: number,
  picture: FloatPicture,
): Promise<Outcome> {
  const [height, width] = picture.shape;
  // Of whole samples in every partition of the smaller picture.
  const large = upperLeft(picture, [height - (height % (UPSCALING * 6)), width - (width % (UPSCALING * 8))]);
  const small = areaResized(large, [large.shape[0] / UPSCALING, large.shape[1] / UPSCALING]);
  const positions = large.shape.map((length, axis) =>
    Float64Array.from({ length }, (_, i) => (i * (small.shape[axis] - 1)) / (length - 1) + 0.5),
  );
  return runIncode(laboratory, system, {
    ...{ name, seed, target: small, reference: large },
    decode: ({ model, grid, weights }) => decodePositions(laboratory.engine, model, grid, weights, positions),
  });
}

const SUPER_RESOLUTION_NOTES = [
  'Trained on the picture made 4 times smaller on each axis, decoded at its full size at coordinates that go from -1 to 1 at both sizes, as the paper has them: outer samples of both sizes fall together.',
  "All global weights, the merge among them, are trained at 5e-4, about half of the local rate; the paper's code has the merge at the local one. Every iteration sees the whole picture, as the paper's text has it; its code draws 65,536 samples of it.",
  ...NOTES,
];
const SUPER_RESOLUTION_SETTINGS = {
  // As the paper's code takes them.
  judgedEvery: 500,
  harmonizer: PICTURE_HARMONIZER,
  localRate: 9e-4,
  globalRate: 5e-4,
  finalRateFactor: 0.1,
};

export const SUPER_RESOLUTION: Experiment = {
  name: 'table-14-super-resolution',
  title: 'Table 14 and figure 8: super-resolution by 4, DIV2K 0882',
  metrics: METRICS,
  harmonizes: true,
  publishedSeeds: 10,
  notes: SUPER_RESOLUTION_NOTES,
  rows: rowsOf(
    'super-resolution',
    { LGI: figures([30.01, 0.11], 0.904), INCODE: figures([29.81, 0.11], 0.881) },
    SUPER_RESOLUTION_SETTINGS,
    async (laboratory, system, name, seed) => {
      const picture = await floatPicture(await laboratory.media('div2k-0882.png'));
      return superResolve(laboratory, system, name, seed, picture);
    },
  ),
};

export const TABLE_15: Experiment = {
  name: 'table-15',
  title: 'Table 15: super-resolution by 4 of DIV2K 0055 made 4 times smaller',
  metrics: METRICS,
  harmonizes: true,
  publishedSeeds: 1,
  notes: [
    "The paper's figures are means over 25 pictures that it does not name, ours is one; orders may be compared, figures not.",
    ...SUPER_RESOLUTION_NOTES,
  ],
  rows: rowsOf(
    'super-resolution',
    {
      LGI: { best: { mean: 26.76 }, ssim: { mean: 0.734 } },
      INCODE: { best: { mean: 26.68 }, ssim: { mean: 0.703 } },
    },
    SUPER_RESOLUTION_SETTINGS,
    async (laboratory, system, name, seed) => {
      const picture = await floatPicture(await laboratory.media('div2k-0055.png'));
      const [height, width] = picture.shape.map((length) => Math.round(length / UPSCALING));
      return superResolve(laboratory, system, `small ${name}`, seed, areaResized(picture, [height, width]));
    },
  ),
};

const PROJECTIONS = 180;

export const CT: Experiment = {
  name: 'table-14-ct',
  title: 'Table 14 and figure 8: CT reconstruction, lung 377',
  loss: 'mean squared distance of sinograms',
  metrics: METRICS,
  harmonizes: true,
  publishedSeeds: 10,
  notes: [
    `The loss is the mean squared distance of sinograms, ${PROJECTIONS} projections from 0 to 180 degrees, as the paper has it, its code 150; the harmonizer sees the measured one.`,
    'Half of the picture is black: clamping takes away what lies below.',
    ...NOTES,
  ],
  rows: rowsOf(
    'ct',
    { LGI: figures([31.23, 0.14]), INCODE: figures([31.01, 0.14]) },
    {
      harmonizer: PICTURE_HARMONIZER,
      localRate: 2e-4,
      globalRate: 2e-4,
      finalRateFactor: 0.4,
      // The paper's code takes every iteration; losses change slowly, but where they jump.
      judgedEvery: 10,
    },
    async (laboratory, system, name, seed) => {
      const picture = firstChannel(await floatPicture(await laboratory.media('ct-lung-377.png')));
      const radon = new RadonTransform(picture.shape, PROJECTIONS);
      const measured = radon.forward(picture.data);
      const sinogram = { data: measured, shape: [PROJECTIONS, picture.shape[1]] as const, channels: 1 };
      return runIncode(laboratory, system, {
        ...{ name, seed, target: picture, seen: sinogram },
        loss: (seen) => sinogramDistance(radon, measured, seen),
      });
    },
  ),
};

export const TABLE_5: Experiment = {
  name: 'table-5',
  title: 'Table 5: encoding by INCODE, DIV2K 0882 made 4 times smaller',
  metrics: METRICS,
  harmonizes: true,
  publishedSeeds: 5,
  notes: [
    "The paper's figures are means over 25 pictures that it does not name, ours is one; orders may be compared, figures not.",
    ...NOTES,
  ],
  rows: rowsOf(
    'incode-div2k',
    {
      IPP: figures([36.42, 0.1], 0.963),
      LGI: figures([39.03, 0.16], 0.974),
      INCODE: figures([38.79, 0.38], 0.963),
    },
    {
      harmonizer: PICTURE_HARMONIZER,
      localRate: 1e-3,
      globalRate: 5.5e-4,
      finalRateFactor: 0.1,
      judgedEvery: 100,
    },
    async (laboratory, system, name, seed) => {
      const picture = await floatPicture(await laboratory.media('div2k-0882.png'));
      const side = (length: number): number => 8 * Math.floor(length / 32);
      const small = areaResized(picture, [side(picture.shape[0]), side(picture.shape[1])]);
      return runIncode(laboratory, system, { name, seed, target: small });
    },
  ),
};
