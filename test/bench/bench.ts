// npm run bench [-- --json] [--pictures FOLDER] [--media FOLDER]: what the machine can do and how much of it is used, as ratios in one run.
// npm run bench -- rate --pictures FOLDER --out FOLDER: rate-distortion curves (rate.ts).
// npm run bench -- small --picture FILE --sound FILE --shape FILE: small files beside others' (small.ts).
import { parseArgs } from 'node:util';
import { memoryMedia } from '../../src/media/media.js';
import { scene } from '../media/scene.js';
import { measureCopy } from './copy.js';
import { measureDecode } from './decode.js';
import { measureKinds } from './kinds.js';
import { measureKernels } from './kernels.js';
import type { Measurement } from './measure.js';
import { measurePictures } from './pictures.js';
import { measureScale } from './scale.js';
import { small } from './small.js';
import { rate } from './rate.js';
import { measureTraining } from './training.js';

const studies: Readonly<Record<string, (args: string[]) => Promise<void>>> = { rate, small };
const study = studies[process.argv[2]];
if (study !== undefined) {
  await study(process.argv.slice(3));
  process.exit();
}

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, pictures: { type: 'string' }, media: { type: 'string' } },
});
const all: Measurement[] = [];

function print(title: string, lines: readonly Measurement[]): void {
  all.push(...lines);
  if (options.json === true) return;
  process.stdout.write(`\n${title}\n`);
  const goal = (asked: string | undefined): string => (asked === undefined ? '' : ` (asked: ${asked})`);
  for (const { name, value, unit, ratio, ratioOf, asked, ratioAsked } of lines) {
    const figure = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
    process.stdout.write(`  ${name.padEnd(56)} ${figure.padStart(7)} ${unit}${goal(asked)}\n`);
    if (ratio === undefined) continue;
    const ratioFigure = ratio.toFixed(2).padStart(7);
    process.stdout.write(`  ${''.padEnd(56)} ${ratioFigure} x ${ratioOf}${goal(ratioAsked)}\n`);
  }
}

const { data } = scene(512, 512, 'grey');
const media = memoryMedia({ data, shape: [512, 512] });
const { readPeak, sineNs, lines } = await measureKernels();
print('Kernels, one thread', [
  ...lines,
  { name: 'multiply-add peak that lasts 20 ms', value: readPeak(), unit: 'GFLOP/s' },
]);
const training = await measureTraining(media, readPeak, sineNs);
print('Training, 512x512 grey, 16x16 partitions, widths of the presets', training);
print('Scale', await measureScale());
print('Decoding', await measureDecode(media));
print('Crop and verify', await measureCopy());
print('Sound, video, volumes, shapes', await measureKinds(options.media));
if (options.pictures !== undefined) {
  const paper = training.find(({ name }) => name === 'iteration, paper, two threads');
  print('Pictures', await measurePictures(options.pictures, readPeak(), paper?.value ?? NaN));
}
if (options.json === true) process.stdout.write(`${JSON.stringify(all)}\n`);
