import type { Progress } from '../../codec/train.js';
import { append, appendAnew, type AppendAnewOptions, type AppendReport } from '../append.js';
import { boxShape } from '../../codec/grid.js';
import { LgiError, OptionError } from '../../codec/errors.js';
import type { SignalKind } from '../../codec/signal.js';
import { openContainer } from '../container/reader.js';
import { decibels } from '../decibels.js';
import { FileSink } from '../io/file-sink-node.js';
import { FileTarget } from '../io/file-target-node.js';
import type { Media } from '../media/media.js';
import { matchingMedia } from '../matching-media.js';
import { readMedia, type ReadMediaOptions } from '../media/read-media.js';
import { soundBeside } from '../media/sound-beside.js';
import type { Side } from '../placement.js';
import type { Rate } from '../rate.js';
import { perSecond } from '../time-range.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, duration, grouped, parameterLine, placeOn, qualityLine, extentOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import type { Output } from './output.js';
import { KIND_WORDS } from './primary-signals.js';
import { decimal, decimalOr, placeNumbers, rationalOr } from './option-values.js';
import { checkLgiName, checkOutput, checkPath, openSource, placeName } from './places.js';
import { TrainingProgress } from './training-progress.js';

/** Options as commander gives them: named as on the command line. */
interface Flags extends Pick<
  AppendAnewOptions,
  | 'at'
  | 'replace'
  | 'iterations'
  | 'psnr'
  | 'effort'
  | 'seed'
  | 'threads'
  | 'engine'
  | 'finetune'
  | 'ignoreColour'
  | 'ignorePlacement'
> {
  readonly output?: string;
  readonly source?: string;
  readonly side?: Side;
  readonly time?: number;
  readonly rate?: number | 'file';
  readonly fps?: Rate | 'file';
}

const EPILOGUE = `
Only the new partitions are trained; what the file has stays byte for byte. The
file grows in place: killed at any moment, it is the old one or the new one. A
program that has it open goes on seeing the old one until it looks again.
A medium at another rate than the file's is refused; --rate and --fps convert it,
sound by resampling, frames by being repeated or left out.
A video's sound is appended after it, as a step of its own.
With --at the medium goes into a hole, as a crop has them; it must begin and
end where partitions do. --replace trains partitions anew that are there.`;

/** `lgi append`. */
export const addAppend: AddCommand = (program, context) => {
  program
    .command('append')
    .summary('add a medium to a file, on a side or into a hole')
    .description('Adds a picture, sound, video, volume or shape to an LGI file, on a side or into a hole.')
    .argument('<lgi>', 'the file, which grows in place; with --output also its URL')
    .argument('<media>', 'of the kind that the file has')
    .option('--side <side>', 'right, left, bottom or top; in time and of slices after or before')
    .option(
      '--at <x,y>',
      "place of its corner, from the visible window's; slices and frames last",
      placeNumbers,
    )
    .option(
      '--rate <Hz>',
      "convert the medium's sound to a sample rate; 'file' for that of the file",
      decimalOr('rate', 'file'),
    )
    .option(
      '--fps <n>',
      "convert the medium's frames to a frame rate; 'file' for that of the file",
      rationalOr('fps', 'file'),
    )
    .option('--ignore-colour', 'take numbers of another colour space as they are')
    .option('--ignore-placement', 'take voxels of another size or place as they are')
    .option('--replace', 'with --at: train partitions anew that are there already')
    .option('-o, --output <file>', 'write a new file instead, the index in front')
    .option('--finetune', 'train all weights, the old partitions too: a new file')
    .option(
      '--source <media>',
      'with --finetune: what the file was made from; better than what it decodes to',
    )
    .option('--iterations <n>', "optimiser steps (default: encode's)", decimal('iterations'))
    .option('--time <seconds>', 'time to train', decimal('time'))
    .option('--psnr <dB>', 'quality of the new part to stop at', decimal('psnr'))
    .option('--effort <name>', "of latents: 'quick', 'normal' or 'thorough' (default: normal)")
    .option('--engine <name>', "'auto', 'cpu' or 'tensorflow' (default: auto)")
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .option('--seed <n>', 'the same seed gives the same bytes, unless --time ends it', decimal('seed'))
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, media: string, flags: Flags) => appendFile(lgi, media, flags, context));
};

/** The file, which nobody else changes meanwhile. */
async function withTarget<T>(file: string, work: (target: FileTarget) => Promise<T>): Promise<T> {
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

/** What goes into one signal of a file. */
interface SignalPart {
  readonly media: Media;
  readonly signalIndex: number;
  /** Of the time to train. */
  readonly timeShare: number;
}

/** Time that the sound of a clip gets beside its pictures, as in an encode. */
const SOUND_TIME_SHARE = 0.1;

/** Which signal each medium goes to: the first of its kind; a clip's sound is cut to the pictures it is heard with. */
async function partsOf(
  file: string,
  [first, sound]: readonly Media[],
  { side, ignoreColour }: Flags,
  output: Output,
  signal: AbortSignal,
): Promise<SignalPart[]> {
  const source = await openSource(file);
  try {
    const { header, index } = await namedOpening(file, openContainer(source, { signal }));
    const indexOf = (kind: SignalKind): number =>
      header.signals.findIndex((each) => each.role === 'primary' && each.kind === kind);
    const at = indexOf(first.kind);
    if (at < 0) {
      const kinds = header.signals
        .filter(({ role }) => role === 'primary')
        .map(({ kind }) => KIND_WORDS[kind]);
      throw new LgiError(
        'media',
        `the medium is a ${KIND_WORDS[first.kind]}, the file has ${kinds.join(' and ')}; give a medium of that kind`,
      );
    }
    const soundAt = indexOf('audio');
    const goesAlong = first.kind === 'video' && soundAt >= 0 && (side === 'after' || side === 'before');
    if (sound !== undefined && !goesAlong) output.note('its sound is left out: the file has none');
    if (!goesAlong) return [{ media: first, signalIndex: at, timeShare: 1 }];
    if (sound === undefined) output.note('it has no sound, where the file has some; silence is appended');
    // Before the pictures are in the file: else one without the other would be.
    matchingMedia(first, header.signals[at], { ...(ignoreColour !== undefined && { ignoreColour }) });
    if (sound !== undefined) matchingMedia(sound, header.signals[soundAt]);
    const heard = soundBeside(
      { timing: header.signals[at], window: index.signals[at].window, media: first },
      { timing: header.signals[soundAt], window: index.signals[soundAt].window, media: sound },
      side,
      header.signals[soundAt].format.channels,
    );
    return [
      { media: first, signalIndex: at, timeShare: 1 - SOUND_TIME_SHARE },
      { media: heard, signalIndex: soundAt, timeShare: SOUND_TIME_SHARE },
    ];
  } finally {
    await source.close();
  }
}

/** The rates to convert to, with those of the file in place of its name. */
async function ratesAsked(
  file: string,
  { rate, fps }: Pick<Flags, 'rate' | 'fps'>,
  signal: AbortSignal,
): Promise<Pick<ReadMediaOptions, 'rateHz' | 'framesPerSecond'>> {
  const asked = (sound?: Rate, frames?: Rate): ReturnType<typeof ratesAskedOf> =>
    ratesAskedOf({ rate, fps }, sound, frames);
  if (rate !== 'file' && fps !== 'file') return asked();
  const source = await openSource(file);
  try {
    const { header } = await namedOpening(file, openContainer(source, { signal }));
    const rateOf = (kind: SignalKind): Rate | undefined =>
      header.signals.find((each) => each.role === 'primary' && each.kind === kind)?.rate;
    return asked(rateOf('audio'), rateOf('video'));
  } finally {
    await source.close();
  }
}

function ratesAskedOf(
  { rate, fps }: Pick<Flags, 'rate' | 'fps'>,
  sound: Rate | undefined,
  frames: Rate | undefined,
): { rateHz?: number; framesPerSecond?: Rate } {
  if (rate === 'file' && sound === undefined) {
    throw new OptionError('rate', 'the file has no sound with a sample rate; leave it out');
  }
  if (fps === 'file' && frames === undefined) {
    throw new OptionError('fps', 'the file has no frames with a frame rate; leave it out');
  }
  const rateHz = rate === 'file' ? sound && perSecond(sound) : rate;
  const framesPerSecond = fps === 'file' ? frames : fps;
  return {
    ...(rateHz !== undefined && { rateHz }),
    ...(framesPerSecond !== undefined && { framesPerSecond }),
  };
}

/** What the signal that a medium goes to was made from. */
function sourceFor({ kind }: Media, sources: readonly Media[]): { source?: Media } {
  const source = sources.find((each) => each.kind === kind);
  return source === undefined ? {} : { source };
}

async function appendFile(
  file: string,
  input: string,
  flags: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  const { time, output: place, finetune, source: sourcePath, rate, fps, ...rest } = flags;
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
  if (place === undefined && /^[a-z][a-z0-9+.-]+:\/\//i.test(file)) {
    throw new LgiError(
      'unavailable',
      `${placeName(file)}: what is behind a URL cannot be changed in place; write a new file by --output`,
    );
  }
  if (sourcePath !== undefined && finetune !== true) {
    throw new OptionError('source', 'is what old partitions are trained against, which only `finetune` does');
  }
  const rates = await ratesAsked(file, { rate, fps }, signal);
  const media = await readMedia(input, { signal, ...rates });
  const sources = sourcePath === undefined ? [] : await readMedia(sourcePath, { signal, ...rates });
  media.forEach(({ notices }) => notices?.forEach((notice) => output.note(notice)));
  const progress = new TrainingProgress();
  const options = { ...rest, signal, onProgress: (state: Progress) => progress.update(state) };
  const into = async (
    from: string,
    { media: each, signalIndex, timeShare }: SignalPart,
  ): Promise<AppendReport> => {
    const own = { ...options, signalIndex, ...(time !== undefined && { seconds: time * timeShare }) };
    return place === undefined
      ? withTarget(from, (target) => append(target, each, own))
      : appendInto(from, each, place, { ...own, finetune, ...sourceFor(each, sources) });
  };
  let report: AppendReport;
  try {
    const [first, ...others] = await partsOf(file, media, rest, output, signal);
    report = await into(file, first);
    for (const other of others) await into(place ?? file, other);
  } finally {
    progress.stop();
    [...media, ...sources].forEach((each) => each.close?.());
  }
  const { partitions, iterations, seconds, parameters, window, bytes, addedBytes, keptPsnr } = report;
  output.result(
    report,
    `${place ?? file}: ${extentOf({ ...media[0], shape: boxShape(window) })}, ${grouped(bytes)} bytes, generation ${report.generation}`,
    [
      [
        'added',
        `${counted(partitions, 'partition')}, ${grouped(addedBytes)} bytes`,
        `${counted(iterations, 'iteration')} in ${duration(seconds)}`,
      ],
      ['quality', qualityLine(report), 'of the new part'],
      ...(keptPsnr === undefined
        ? []
        : [['old part', `PSNR ${decibels(keptPsnr)} against ${sourcePath ?? 'what it was'}`] as const]),
      ['parameters', parameterLine(parameters)],
      ['corner', `${placeOn(media[0].kind, window.begin)} of the first encode`],
    ],
  );
}
