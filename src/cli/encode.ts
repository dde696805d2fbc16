import { encode } from '../encode.js';
import type { EncodeOptions } from '../encode-options.js';
import { FileSink } from '../io/file-sink-node.js';
import type { Media } from '../media/media.js';
import type { Rate } from '../rate.js';
import { readMedia } from '../media/read-media.js';
import { SSIM_VARIANT } from '../../codec/structural-similarity.js';
import type { AddCommand, CommandContext } from './command.js';
import {
  counted,
  duration,
  grouped,
  overviewLine,
  parameterLine,
  qualityLine,
  axisOrder,
  extentOf,
} from './figures.js';
import { withFlags } from './option-names.js';
import { CheckpointFile, type CheckpointFlags } from './checkpoint-file.js';
import { KIND_WORDS } from './primary-signals.js';
import { perSecond } from '../time-range.js';
import { decimal, decimalOr, rational, sizesOfAxes } from './option-values.js';
import { checkDistinct, checkPath, checkLgiName, checkOutput } from './places.js';
import { TrainingProgress } from './training-progress.js';

/** Options as commander gives them: named as on the command line. */
type Flags = Omit<EncodeOptions, 'seconds' | 'checkpoint'> &
  CheckpointFlags & {
    readonly output: string;
    readonly time?: number;
    readonly resolution?: number;
    readonly rate?: number;
    readonly fps?: Rate;
  };

const EPILOGUE = `
Training stops at whichever of --iterations, --time and --psnr comes first.
The latent family makes small files of pictures: --family latent, --preset
small, or --bpp or --effort, which are for it alone. Options about networks are
not for it: give --family sine with them. A target of --bpp or --psnr is what
latents come to, not what ends training.
SSIM: ${SSIM_VARIANT}.
Sizes are in the order of the axes, rows x columns of a picture and slices x
rows x columns of a volume or shape: --grid 16x24 has 16 rows of 24 partitions,
--cell 32x64 makes them 32 high and 64 wide.
A mesh becomes a shape on a cubic grid: inside is what its surface winds round,
so that small holes do no harm; open surfaces are refused.
The output is written under a temporary name and then renamed; when encoding
fails or is interrupted, an older file of that name stays as it was. What is
left of a killed process, .NAME.unfinished-*.tmp, goes with the next command
that writes to the same place.
With --checkpoint a run that was killed goes on by --resume OUTPUT.checkpoint,
with the same medium and options, and ends with the same bytes, unless --time
ends it. The checkpoint is removed when the output is there.`;

/** `lgi encode`. */
export const addEncode: AddCommand = (program, context) => {
  program
    .command('encode')
    .summary('train networks on a medium and write them as a file')
    .description(
      'Trains networks on a picture, sound, video, volume or 3D shape and writes them as an LGI file.',
    )
    .argument(
      '<media>',
      'picture, sound or video; .npy, .nii, a folder or pattern of slices; .obj, .stl, .ply, .off, .glb, .gltf, .3mf',
    )
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--family <name>', "'sine', 'latent' for small pictures, or 'auto' (default: auto)")
    .option('--preset <name>', "'fast', 'small' for small files, or 'paper' (default: fast)")
    .option('--iterations <n>', 'optimiser steps (default: by preset)', decimal('iterations'))
    .option('--time <seconds>', 'time to train', decimal('time'))
    .option('--psnr <dB>', 'quality to stop at; of latents, to come to', decimal('psnr'))
    .option('--bpp <bits>', 'bits per pixel that a picture of latents is to come to', decimal('bpp'))
    .option('--effort <name>', "of latents: 'quick', 'normal' or 'thorough' (default: normal)")
    .option(
      '--sample-fraction <x>',
      'part of the samples that a step sees (default: by preset)',
      decimal('sample-fraction'),
    )
    .option(
      '--overlap <n>',
      'samples of neighbours that partitions train on too (default: 0)',
      decimal('overlap'),
    )
    .option('--grid <n>x<n>', 'partitions per axis', sizesOfAxes('grid', 'one number an axis, such as 16x24'))
    .option(
      '--cell <n>x<n>',
      'samples per partition (default: by medium; of pictures 32x32, of latents 64x64)',
      sizesOfAxes('cell', 'one number an axis, such as 32x32'),
    )
    .option('--params <n>', 'parameters altogether; chooses the widths', decimal('params'))
    .option(
      '--global-share <x>',
      'part of --params that is global (default: 0.02 for pictures, else 0; paper: 0.1)',
      decimal('global-share'),
    )
    .option(
      '--local-width <n>',
      'features of local networks (default: by medium and preset; of pictures 15)',
      decimal('local-width'),
    )
    .option(
      '--global-width <n>',
      'features of the global network, 0 for none (default: 32 for pictures, else 0; paper: 84)',
      decimal('global-width'),
    )
    .option('--levels <n>', 'sine levels (default: 4)', decimal('levels'))
    .option(
      '--lattice <n>',
      "samples between global features, or 'none' (default: by preset)",
      decimalOr('lattice', 'none'),
    )
    .option('--coordinates <which>', "'cell' or 'signal': what local networks see (default: by preset)")
    .option(
      '--weights <format>',
      "'fine', 'coarse', float32, float16, or int2 to int16 (default: fine; small: coarse; paper: int11, of sound float32)",
    )
    .option('--coder <name>', "'none', 'deflate' or 'range' (default: none; small: range)")
    .option('--overviews <which>', "'auto' or 'none': reduced copies above a million samples (default: auto)")
    .option('--rate <Hz>', 'convert sound to a sample rate first', decimal('rate'))
    .option('--fps <n>', 'convert a video to a frame rate first', rational('fps'))
    .option('--resolution <n>', 'of a mesh: voxels per axis (default: 256)', decimal('resolution'))
    .option(
      '--checkpoint <seconds>',
      'keep a checkpoint beside the output, anew every so many seconds',
      decimal('checkpoint'),
    )
    .option('--resume <file>', 'go on from a checkpoint of the same encode')
    .option('--engine <name>', "'auto', 'cpu' or 'tensorflow' (default: auto)")
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .option(
      '--seed <n>',
      'the same seed gives the same file, unless --time ends training (default: 0)',
      decimal('seed'),
    )
    .addHelpText('after', EPILOGUE)
    .action((media: string, flags: Flags) => encodeFile(media, flags, context));
};

/** Training judges the weights it has; the file has quantised ones. */
function endReason(psnr: number, asked = 0): string {
  return psnr >= asked ? ', where the PSNR was reached' : ', where the PSNR was reached but for quantisation';
}

async function encodeFile(input: string, flags: Flags, { output, signal }: CommandContext): Promise<void> {
  const { output: place, time, resolution, rate, fps, checkpoint, resume, ...options } = flags;
  checkPath(input);
  checkOutput(place);
  await checkDistinct(input, place);
  checkLgiName(place);
  const asked = {
    ...(checkpoint !== undefined && { checkpoint }),
    ...(resume !== undefined && { resume }),
  };
  const checkpoints = await CheckpointFile.open(place, asked, (text) => output.note(text));
  // Before anything takes time: whether the result can be written at all.
  const sink = await FileSink.open(place);
  const progress = new TrainingProgress(options.psnr);
  let media: readonly Media[] = [];
  try {
    media = await readMedia(input, {
      signal,
      ...(resolution !== undefined && { resolution }),
      ...(rate !== undefined && { rateHz: rate }),
      ...(fps !== undefined && { framesPerSecond: fps }),
    });
    media.forEach(({ notices }) => notices?.forEach((notice) => output.note(notice)));
    const encoding = encode(media, sink, {
      ...options,
      ...(checkpoints && { checkpoint: checkpoints.options }),
      ...(time !== undefined && { seconds: time }),
      signal,
      onProgress: (state) => progress.update(state),
      onNotice: (notice) => {
        // Notices come before the bar is there or after its last turn; on its line they would go with it.
        progress.stop();
        output.note(notice);
      },
    });
    const report = await (checkpoints === undefined ? encoding : checkpoints.named(encoding));
    progress.stop();
    await checkpoints?.remove();
    const { psnr, seconds, iterations, bytes, bitsPerSample, parameters, engine, threads } = report;
    output.result(
      { ...report, notices: report.notices.map(withFlags), ssimVariant: SSIM_VARIANT },
      `${place}: ${media.map(describeMedium).join(' and ')}`,
      [
        ['quality', qualityLine(report)],
        ...report.signals
          .slice(1)
          .map((each) => ['', `${KIND_WORDS[each.kind]}: ${qualityLine(each)}`] as const),
        [
          'size',
          `${grouped(bytes)} bytes, ${bitsPerSample.toFixed(2)} bits per ${report.kind === 'image' ? 'pixel' : 'sample'}`,
        ],
        ['parameters', parameterLine(parameters)],
        ['partitions', `${report.grid.join('x')}${axisOrder(report.kind)}`],
        ...(report.overviews.length === 0 ? [] : [['overviews', overviewLine(report.overviews)] as const]),
        [
          'training',
          `${counted(iterations, 'iteration')} in ${duration(seconds)}` +
            `${report.stoppedBy === 'psnr' ? endReason(psnr, options.psnr) : ''}`,
          `${report.family === 'latent' ? 'latents, effort' : 'preset'} ${report.preset}, engine ${engine}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        ],
      ],
    );
  } catch (error) {
    progress.stop();
    await sink.abort();
    const advice = checkpoints?.adviceAfter(error);
    if (advice !== undefined) output.note(advice);
    throw error;
  } finally {
    media.forEach((each) => each.close?.());
  }
}

/** Size and format as people say them; of sound its length. */
function describeMedium({ kind, shape, channels, format, rate }: Media): string {
  const extent = extentOf({ kind, shape, ...(rate && { rate }) });
  if (kind !== 'audio') return `${extent} ${format.layout}, ${format.sampleType}`;
  return `${extent} of ${counted(channels, 'channel')}` + (rate ? ` at ${perSecond(rate)} Hz` : '');
}
