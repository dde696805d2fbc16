// `npm run demo [picture]`: the main job on a picture, step by step, with the command line of every step.
// `npm run demo -- --picture` does it without a time limit and composes the README's picture from it.
import { mkdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { counted, duration, grouped, parameterLine, sizeOf } from '../../src/cli/figures.js';
import { decibels } from '../../src/decibels.js';
import { TrainingProgress } from '../../src/cli/training-progress.js';
import {
  compareSamples,
  crop,
  encode,
  LgiError,
  open,
  OptionError,
  type Box,
  type EncodeReport,
  type LgiFile,
  type Media,
  type Samples,
} from '../../src/index.js';
import { FileSink, FileSource, readImage, writeImage } from '../../src/node.js';
import { scene } from '../media/scene.js';
import { comparePartitions } from './compare-partitions.js';
import { composePoster } from './poster.js';

const FOLDER = 'demo-output';
const POSTER = '.github/picture.png';
const SIDE_PX = 512;
/**
 * Seconds to train for: about two thirds of what the default recipe takes for the demo's picture on two cores, so that
 * a newcomer waits less than a minute for everything.
 */
const TRAINING_SECONDS = 20;
/** Outputs per sample of the enlarged detail, and its largest side in samples. */
const ZOOM = 4;
const DETAIL_SAMPLES = 96;
/** Where there is something to see, as parts of height and width: the sun in the demo's own picture. */
const SUN = [0.43, 0.3];
const CENTRE = [0.5, 0.5];

const STEPS = 7;
let step = 0;

function heading(text: string): void {
  step++;
  process.stdout.write(`\n${step}/${STEPS}  ${text}\n`);
}

/** What a newcomer can type for the same; a long line breaks as shells allow it. */
function command(...parts: readonly string[]): void {
  const lines = [''];
  for (const part of parts) {
    const line = lines[lines.length - 1];
    if (line.length + part.length > 66) lines.push(part);
    else lines[lines.length - 1] = line === '' ? part : `${line} ${part}`;
  }
  process.stdout.write(`     $ ${lines.join(' \\\n         ')}\n`);
}

function fact(text: string): void {
  process.stdout.write(`     ${text}\n`);
}

/** A region as the command line takes it: x,y,width,height. */
function regionOption({ begin, end }: Box): string {
  return `--region ${begin[1]},${begin[0]},${end[1] - begin[1]},${end[0] - begin[0]}`;
}

async function fileBytes(path: string): Promise<string> {
  return `${grouped((await stat(path)).size)} bytes`;
}

/** The partitions that half the picture around a place touches. */
function cropAround(file: LgiFile, focus: readonly number[]): Box {
  const { axes } = file.container.index.signals[0].grid;
  const { shape } = file.signals[0];
  return {
    begin: axes.map(({ cuts }, axis) =>
      Math.max(...cuts.slice(0, -1).filter((cut, i) => i === 0 || cut <= shape[axis] * (focus[axis] - 0.25))),
    ),
    end: axes.map(({ cuts }, axis) =>
      Math.min(
        ...cuts
          .slice(1)
          .filter((cut, i) => i === cuts.length - 2 || cut >= shape[axis] * (focus[axis] + 0.25)),
      ),
    ),
  };
}

/** A box of samples around a place, inside the picture. */
function detailAround(shape: readonly number[], focus: readonly number[]): Box {
  const lengths = shape.map((length) => Math.min(length, DETAIL_SAMPLES));
  const begin = shape.map((length, axis) =>
    Math.min(length - lengths[axis], Math.max(0, Math.round(length * focus[axis] - lengths[axis] / 2))),
  );
  return { begin, end: begin.map((at, axis) => at + lengths[axis]) };
}

async function save(path: string, { data, shape, channels, format }: Samples): Promise<void> {
  await writeImage(path, { data, shape, channels, layout: format.layout, sampleType: format.sampleType });
}

async function train(media: Media, path: string, seconds: number | undefined): Promise<EncodeReport> {
  const progress = new TrainingProgress();
  try {
    return await encode(media, await FileSink.open(path), {
      ...(seconds !== undefined && { seconds }),
      onProgress: (now) => progress.update(now),
    });
  } finally {
    progress.stop();
  }
}

async function demonstrate(given: string | undefined, isForPoster: boolean): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const began = performance.now();
  const name = given === undefined ? 'scene' : basename(given, extname(given));
  const focus = given === undefined ? SUN : CENTRE;
  const at = (ending: string): string => join(FOLDER, `${name}${ending}`);
  process.stdout.write('A picture becomes an .lgi file, is cropped byte-wise and decoded again.\n');

  const source = scene(SIDE_PX, SIDE_PX, 'rgb');
  const picture = given ?? at('.png');
  heading(given === undefined ? 'A picture, made by code' : 'Your picture');
  if (given === undefined) await writeImage(picture, source);
  const media = await readImage(picture);
  fact(`${picture}: ${sizeOf(media.shape)}, ${media.format.layout}, ${await fileBytes(picture)}`);

  heading('Encode: one network is trained for all of it, a small one for each partition');
  const seconds = isForPoster ? undefined : TRAINING_SECONDS;
  command(`npx lgi encode ${picture}`, `-o ${at('.lgi')}`, ...(seconds ? [`--time ${seconds}`] : []));
  const report = await train(media, at('.lgi'), seconds);
  if (seconds)
    fact(`${seconds} s on ${counted(report.threads, 'thread')}; without --time the recipe says how long`);
  fact(
    `PSNR ${decibels(report.psnr)}, SSIM ${report.ssim?.toFixed(4)}, ${duration(report.seconds)} of training`,
  );
  fact(`${grouped(report.bytes)} bytes, ${report.bitsPerSample.toFixed(2)} bits per pixel`);
  fact(`${parameterLine(report.parameters)} parameters`);

  const whole = await open(await FileSource.open(at('.lgi')));
  try {
    heading('Decode all of it');
    command(`npx lgi decode ${at('.lgi')}`, `-o ${at('-decoded.png')}`);
    let start = performance.now();
    const decoded = await whole.signals[0].decode();
    fact(`${duration((performance.now() - start) / 1000)} for ${sizeOf(decoded.shape)}`);
    await save(at('-decoded.png'), decoded);

    heading('Crop: chunks are copied, nothing is decoded');
    const cropBox = cropAround(whole, focus);
    command(`npx lgi crop ${at('.lgi')}`, `-o ${at('-crop.lgi')}`, regionOption(cropBox));
    start = performance.now();
    const cut = await crop(whole.container, await FileSink.open(at('-crop.lgi')), { region: cropBox });
    const milliseconds = performance.now() - start;
    fact(
      `${duration(milliseconds / 1000)}: ${counted(cut.kept, 'partition')} kept, ${grouped(cut.dropped)} left out`,
    );
    const cropped = await open(await FileSource.open(at('-crop.lgi')));
    try {
      const same = await comparePartitions(whole.container, cropped.container);
      fact(
        `${grouped(cut.bytes)} bytes, of which ${grouped(same.byteLength)} are the source's, bit for bit:`,
      );
      fact(`the header and ${counted(same.chunks, 'chunk')}, compared just now`);

      heading('Decode the crop');
      command(`npx lgi decode ${at('-crop.lgi')}`, `-o ${at('-crop.png')}`);
      const part = await cropped.signals[0].decode();
      await save(at('-crop.png'), part);
      const region = await whole.signals[0].decode({ region: cropBox });
      const { maxError } = compareSamples(region.data, part.data, part.format);
      if (maxError !== 0) throw new Error(`the crop differs from its source by up to ${maxError}`);
      fact(`${sizeOf(part.shape)}, every sample equal to that region of the whole file`);

      heading(`Decode a detail at ${ZOOM} times its resolution: the function between samples`);
      const detail = detailAround(whole.signals[0].shape, focus);
      command(
        `npx lgi decode ${at('.lgi')}`,
        `-o ${at('-detail.png')}`,
        regionOption(detail),
        `--scale ${ZOOM}`,
      );
      const enlarged = await whole.signals[0].decode({ region: detail, scale: ZOOM });
      await save(at('-detail.png'), enlarged);
      const { present } = whole.signals[0].partitions;
      fact(
        `${sizeOf(enlarged.shape)}, from ${grouped(enlarged.partitionsDecoded)} of ${counted(present, 'partition')}`,
      );

      heading('Verify: every checksum of both files');
      for (const [path, file] of [
        [at('.lgi'), whole],
        [at('-crop.lgi'), cropped],
      ] as const) {
        command(`npx lgi verify ${path}`);
        for await (const problem of file.verify()) throw new Error(`${path}: ${problem.message}`);
      }
      fact('nothing is wrong with them');
      if (isForPoster) {
        const place = focus.map((part, axis) => part * source.shape[axis]);
        const poster = await composePoster({ source, whole, cropped, cropBox, focus: place });
        await writeImage(POSTER, poster);
        process.stdout.write(`\n${POSTER}: ${await fileBytes(POSTER)}\n`);
      }
    } finally {
      await cropped.dispose();
    }
  } finally {
    await whole.dispose();
  }
  process.stdout.write(
    `\nDone in ${duration((performance.now() - began) / 1000)}. All files are in ${FOLDER}/\n`,
  );
}

async function main(): Promise<void> {
  const [argument, ...more] = process.argv.slice(2);
  const isForPoster = argument === '--picture';
  if (more.length > 0 || (argument?.startsWith('-') && !isForPoster)) {
    process.stderr.write('usage: npm run demo -- [picture | --picture]\n');
    process.exitCode = 2;
    return;
  }
  try {
    await demonstrate(isForPoster ? undefined : argument, isForPoster);
  } catch (error) {
    if (!(error instanceof LgiError || error instanceof OptionError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

await main();
