import type { Progress } from '../../codec/train.js';
import { append, appendAnew, type AppendAnewOptions, type AppendReport } from '../append.js';
import { boxShape } from '../../codec/grid.js';
import { LgiError, OptionError } from '../../codec/errors.js';
import { openContainer } from '../container/reader.js';
import { decibels } from '../decibels.js';
import { FileSink } from '../io/file-sink-node.js';
import { FileTarget } from '../io/file-target-node.js';
import type { Media } from '../media/media.js';
import { readImage } from '../media/read-image.js';
import type { Side } from '../placement.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, duration, grouped, parameterLine, placeOn, qualityLine, sizeOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import { decimal, picturePlace } from './option-values.js';
import { checkLgiName, checkOutput, checkPath, openSource, placeName } from './places.js';
import { TrainingProgress } from './training-progress.js';

/** Options as commander gives them: named as on the command line. */
interface Flags extends Pick<
  AppendAnewOptions,
  'at' | 'replace' | 'iterations' | 'psnr' | 'seed' | 'threads' | 'engine' | 'finetune'
> {
  readonly output?: string;
  readonly side?: Side;
  readonly time?: number;
}

const EPILOGUE = `
Only the new partitions are trained; what the file has stays byte for byte. The
file grows in place: killed at any moment, it is the old one or the new one. A
program that has it open goes on seeing the old one until it looks again.
With --at the picture goes into a hole, as a crop has them; it must begin and
end where partitions do. --replace trains partitions anew that are there.`;

/** `lgi append`. */
export const addAppend: AddCommand = (program, context) => {
  program
    .command('append')
    .summary('add a picture to a file, on a side or into a hole')
    .description('Adds a picture (PNG, JPEG, WebP) to an LGI file, on a side or into a hole.')
    .argument('<lgi>', 'the file, which grows in place; with --output also its URL')
    .argument('<media>', 'the picture')
    .option('--side <side>', 'right, left, bottom or top')
    .option('--at <x,y>', "place of its corner, from the visible window's", picturePlace)
    .option('--replace', 'with --at: train partitions anew that are there already')
    .option('-o, --output <file>', 'write a new file instead, the index in front')
    .option('--finetune', 'train all weights, the old partitions too: a new file')
    .option('--iterations <n>', "optimiser steps (default: encode's)", decimal('iterations'))
    .option('--time <seconds>', 'time to train', decimal('time'))
    .option('--psnr <dB>', 'quality of the new part to stop at', decimal('psnr'))
    .option('--engine <name>', "'auto' or 'cpu' (default: auto)")
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .option('--seed <n>', 'the same seed gives the same bytes, unless --time ends it', decimal('seed'))
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, media: string, flags: Flags) => appendFile(lgi, media, flags, context));
};

/** The file, which nobody else changes meanwhile. */
async function withTarget<T>(file: string, work: (target: FileTarget) => Promise<T>): Promise<T> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(file)) {
    throw new LgiError(
      'unavailable',
      `${placeName(file)}: what is behind a URL cannot be changed in place; write a new file by --output`,
    );
  }
  const target = await FileTarget.open(file);
  try {
    return await namedOpening(file, work(target));
  } finally {
    await target.close();
  }
}

/** Into a new file, or one that takes the old one's place in one step. */
async function appendInto(
  file: string,
  media: Media,
  place: string,
  options: AppendAnewOptions,
): Promise<AppendReport> {
  const source = await openSource(file);
  try {
    const container = await namedOpening(file, openContainer(source, { signal: options.signal }));
    return await appendAnew(container, media, await FileSink.open(place), options);
  } finally {
    await source.close();
  }
}

async function appendFile(
  file: string,
  input: string,
  flags: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  const { time, output: place, finetune, ...rest } = flags;
  checkPath(input);
  if (place !== undefined) {
    checkOutput(place);
    checkLgiName(place);
  }
  if (finetune === true && place === undefined) {
    throw new OptionError(
      'finetune',
      'changes every weight and makes a new file; name it by --output, which may be the file itself',
    );
  }
  const media = await readImage(input, signal);
  media.notices?.forEach((notice) => output.note(notice));
  const progress = new TrainingProgress();
  const options = {
    ...rest,
    ...(time !== undefined && { seconds: time }),
    signal,
    onProgress: (state: Progress) => progress.update(state),
  };
  let report: AppendReport;
  try {
    if (place !== undefined) {
      report = await appendInto(file, media, place, { ...options, finetune });
    } else {
      report = await withTarget(file, (target) => append(target, media, options));
    }
  } finally {
    progress.stop();
  }
  const { partitions, iterations, seconds, parameters, window, bytes, addedBytes, keptPsnr } = report;
  output.result(
    report,
    `${place ?? file}: ${sizeOf(boxShape(window))}, ${grouped(bytes)} bytes, generation ${report.generation}`,
    [
      [
        'added',
        `${counted(partitions, 'partition')}, ${grouped(addedBytes)} bytes`,
        `${counted(iterations, 'iteration')} in ${duration(seconds)}`,
      ],
      ['quality', qualityLine(report), 'of the new part'],
      ...(keptPsnr === undefined
        ? []
        : [['old part', `PSNR ${decibels(keptPsnr)} against what it was`] as const]),
      ['parameters', parameterLine(parameters)],
      ['corner', `${placeOn(media.kind, window.begin)} of the first encode`],
    ],
  );
}
