import type { AppendOptions, AppendReport } from '../append.js';
import { append } from '../append.js';
import { boxShape } from '../../codec/grid.js';
import { FileTarget } from '../io/file-target-node.js';
import { readImage } from '../media/read-image.js';
import type { Side } from '../placement.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, duration, grouped, parameterLine, widthByHeight } from './figures.js';
import { decibels } from '../decibels.js';
import { namedOpening } from './named-opening.js';
import { decimal, picturePlace } from './option-values.js';
import { checkPath } from './places.js';
import { TrainingProgress } from './training-progress.js';

/** Options as commander gives them: named as on the command line. */
interface Flags extends Pick<
  AppendOptions,
  'at' | 'replace' | 'iterations' | 'psnr' | 'seed' | 'threads' | 'engine'
> {
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
    .argument('<lgi>', 'the file, which grows in place')
    .argument('<media>', 'the picture')
    .option('--side <side>', 'right, left, bottom or top')
    .option('--at <x,y>', "place of its corner, from the visible window's", picturePlace)
    .option('--replace', 'with --at: train partitions anew that are there already')
    .option('--iterations <n>', "optimiser steps (default: encode's)", decimal('iterations'))
    .option('--time <seconds>', 'time to train', decimal('time'))
    .option('--psnr <dB>', 'quality of the new part to stop at', decimal('psnr'))
    .option('--engine <name>', "'auto' or 'cpu' (default: auto)")
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .option('--seed <n>', 'the same seed gives the same bytes, unless --time ends it', decimal('seed'))
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, media: string, flags: Flags) => appendFile(lgi, media, flags, context));
};

async function appendFile(
  file: string,
  input: string,
  flags: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  const { time, ...options } = flags;
  checkPath(input);
  checkPath(file);
  const media = await readImage(input, signal);
  media.notices?.forEach((notice) => output.note(notice));
  const target = await FileTarget.open(file);
  const progress = new TrainingProgress();
  let report: AppendReport;
  try {
    report = await namedOpening(
      file,
      target,
      append(target, media, {
        ...options,
        ...(time !== undefined && { seconds: time }),
        signal,
        onProgress: (state) => progress.update(state),
      }),
    );
  } finally {
    progress.stop();
    await target.close();
  }
  const { psnr, ssim, partitions, iterations, seconds, parameters, window, bytes, addedBytes } = report;
  const [y, x] = window.begin;
  output.result(
    report,
    `${file}: ${widthByHeight(boxShape(window))}, ${grouped(bytes)} bytes, generation ${report.generation}`,
    [
      [
        'added',
        `${counted(partitions, 'partition')}, ${grouped(addedBytes)} bytes`,
        `${counted(iterations, 'iteration')} in ${duration(seconds)}`,
      ],
      ['quality', `PSNR ${decibels(psnr)}, SSIM ${ssim.toFixed(4)}`, 'of the new part'],
      ['parameters', parameterLine(parameters)],
      ['corner', `x ${x}, y ${y} of the first encode`],
    ],
  );
}
