// npm run bench [-- --json]: what the machine can do and how much of it is used, as ratios in one run.
import { memoryMedia } from '../../src/media/media.js';
import { scene } from '../media/scene.js';
import { measureCrop, measureDecode } from './files.js';
import { measureKernels } from './kernels.js';
import type { Measurement } from './measure.js';
import { measureTraining } from './training.js';

const json = process.argv.includes('--json');
const all: Measurement[] = [];

function print(title: string, lines: readonly Measurement[]): void {
  all.push(...lines);
  if (json) return;
  process.stdout.write(`\n${title}\n`);
  for (const { name, value, unit, ratio, ratioOf } of lines) {
    const figure = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
    process.stdout.write(`  ${name.padEnd(56)} ${figure.padStart(7)} ${unit}\n`);
    if (ratio !== undefined)
      process.stdout.write(`  ${''.padEnd(56)} ${ratio.toFixed(2).padStart(7)} x ${ratioOf}\n`);
  }
}

const { data } = scene(512, 512, 'grey');
const media = memoryMedia({ data, shape: [512, 512] });
const { peak, sineNs, lines } = await measureKernels();
print('Kernels, one thread', lines);
print('Training, 512x512 grey, 16x16 partitions, H=14, G=84', await measureTraining(media, peak, sineNs));
print('Decoding', await measureDecode(media));
print('Crop', await measureCrop(media));
if (json) process.stdout.write(`${JSON.stringify(all)}\n`);
