import { LgiError } from '../../codec/errors.js';
import { openContainer } from '../container/reader.js';
import type { Source } from '../io/source.js';
import { MeasuredSource } from '../io/measured-source.js';
import { RemoteSource } from '../io/remote-source.js';
import { open, type LgiFile } from '../open.js';
import type { Rate } from '../rate.js';
import type { MissingPartition } from '../signal.js';
import type { TimeRange } from '../time-range.js';
import type { BackgroundColour } from '../media/fill-holes.js';
import type { AddCommand, CommandContext } from './command.js';
import { decodeClip } from './decode-clip.js';
import { decodePicture } from './decode-picture.js';
import { decodeSound } from './decode-sound.js';
import { decodeVolume } from './decode-volume.js';
import type { Decoded, Decoding } from './decoding.js';
import { counted, duration, grouped } from './figures.js';
import { namedOpening } from './named-opening.js';
import { decimal, hexColour, outputSize, rational, timeRange } from './option-values.js';
import { checkDistinct, checkOutput, openSource } from './places.js';
import { regionNumbers } from './region-option.js';
import { primarySignals } from './primary-signals.js';
import { audioFormatOf } from '../media/write-audio.js';

/** Options as commander gives them. */
export interface DecodeFlags {
  readonly output: string;
  readonly region?: readonly number[];
  readonly time?: TimeRange;
  readonly scale?: number;
  readonly size?: readonly number[];
  readonly fps?: Rate;
  readonly rate?: Rate;
  readonly background?: BackgroundColour;
  readonly allowDamaged?: true;
  readonly threads?: number;
  readonly overview?: true;
}

const EPILOGUE = `
The extension says the format. Pictures: .png (exact, 8 and 16 bits), .jpg,
.webp. Sound: .wav and .flac (16 bits), .mp3, .m4a, .ogg, .opus. Video, with its
sound: .mp4, .mov, .mkv, .webm; of such a file .wav and the like take the sound
alone. Volumes and shapes: .npy, or slices by a pattern such as out/%04d.png;
shapes also the mesh of their surface, .obj, .stl or .ply.
Pictures above a million samples carry reduced copies of themselves (overviews).
With --overview a smaller picture comes from the coarsest of them that is fine
enough; without it, and without overviews, outputs are points of the picture.
A file may be cropped, partitions may be missing: in pictures they become
transparent, for which the picture gets an alpha channel, or with --background
of that colour; in video black; in sound silent; elsewhere 0.`;

/** `lgi decode`. */
export const addDecode: AddCommand = (program, context) => {
  program
    .command('decode')
    .summary('make a picture, sound, video or volume of a file, or of a part of it')
    .description('Makes a picture, sound, video or volume of an LGI file, or of a part of it, at any size.')
    .argument('<lgi>', 'the file, or its URL')
    .requiredOption('-o, --output <file>', 'file to write')
    .option(
      '--region <x,y,width,height>',
      "samples, from the visible window's corner; of volumes x,y,z,width,height,depth",
      regionNumbers,
    )
    .option('--time <from:to>', "seconds, from the visible window's begin, such as 2:4", timeRange)
    .option('--scale <factor>', 'outputs per sample (of video per pixel)', decimal('scale'))
    .option('--size <width>x<height>', 'outputs; of volumes <width>x<height>x<depth>', outputSize('size'))
    .option('--fps <n>', 'frames a second (default: as encoded), such as 50 or 30000/1001', rational('fps'))
    .option('--rate <Hz>', 'of sound: samples a second (default: as encoded)', rational('rate'))
    .option('--overview', 'for smaller pictures: area averages, and reads little, where the file has them')
    .option('--background <#rrggbb>', 'colour instead of transparency', hexColour)
    .option('--allow-damaged', 'leave holes for what is damaged or cut off, and go on')
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, flags: DecodeFlags) => decodeFile(lgi, flags, context));
};

/** By the first signal's kind; of a file with sound, the output's name may ask for that alone. */
function decoderOf(file: LgiFile, place: string): (decoding: Decoding) => Promise<Decoded> {
  if (audioFormatOf(place) !== undefined) return decodeSound;
  switch (primarySignals(file)[0].kind) {
    case 'image':
      return decodePicture;
    case 'audio':
      return decodeSound;
    case 'video':
      return decodeClip;
    case 'volume':
    case 'shape':
      return decodeVolume;
  }
}

async function decodeFile(input: string, flags: DecodeFlags, context: CommandContext): Promise<void> {
  const { output, signal } = context;
  const startMs = performance.now();
  const { output: place, threads, overview, allowDamaged = false } = flags;
  checkOutput(place);
  await checkDistinct(input, place);
  const origin = await openSource(input);
  const source = new MeasuredSource(origin);
  let file: LgiFile | undefined;
  try {
    file = await namedOpening(
      input,
      open(source, { signal, allowTruncated: allowDamaged, ...(threads !== undefined && { threads }) }),
    );
    const openedMs = performance.now();
    const readOpening = source.seconds;
    const decoded = await decoderOf(file, place)({ file, place, flags, context });
    const { missing, partitionsDecoded, bytes, writeSeconds, factor = 1 } = decoded;
    const seconds = {
      read: source.seconds,
      parse: (openedMs - startMs) / 1000 - readOpening,
      decode: (performance.now() - openedMs) / 1000 - writeSeconds - (source.seconds - readOpening),
      write: writeSeconds,
    };
    warnOfMissing(missing, output);
    if (decoded.notice !== undefined) output.note(decoded.notice);
    const fetched = origin instanceof RemoteSource ? origin.statistics : undefined;
    const cost = fetched === undefined ? '' : `, ${counted(fetched.requests, 'request')}`;
    output.result(
      {
        ...decoded.fields,
        missing: missing.map(describeMissing),
        partitionsDecoded,
        ...(overview === true && { overviewFactor: factor }),
        bytes,
        bytesRead: source.bytes,
        ...(fetched && { bytesFetched: fetched.bytesFetched, requests: fetched.requests }),
        seconds,
      },
      `${place}: ${decoded.title}, ${grouped(bytes)} bytes`,
      [
        [
          'decoded',
          counted(partitionsDecoded, 'partition') +
            (factor === 1 ? '' : ` of the overview at 1/${factor} per axis`),
        ],
        ['read', `${duration(seconds.read)} (${grouped(source.bytes)} bytes${cost})`],
        ['parse', duration(seconds.parse)],
        ['decode', duration(seconds.decode)],
        ['write', duration(seconds.write)],
      ],
    );
  } catch (error) {
    const isUnopened = file === undefined && error instanceof LgiError && error.code === 'truncated';
    const helps = !allowDamaged && (!isUnopened || (await opensWithoutEnd(source)));
    throw helps ? nameAllowDamaged(error) : error;
  } finally {
    await (file === undefined ? source.close() : file.dispose());
  }
}

/** Whether enough of a file is there to open it without what was cut off. */
async function opensWithoutEnd(source: Source): Promise<boolean> {
  return openContainer(source, { allowTruncated: true }).then(
    () => true,
    () => false,
  );
}

/** Says how to go on, where it is a partition or the profile that is damaged, or the end that is missing. */
function nameAllowDamaged(error: unknown): unknown {
  if (!(error instanceof LgiError) || (error.code !== 'damaged' && error.code !== 'truncated')) return error;
  const isCut = error.code === 'truncated' && error.section === 'superblock';
  if (!isCut && error.section !== 'icc' && !error.section?.startsWith('chunk ')) return error;
  const { code, section, byteOffset, message } = error;
  const fields = {
    ...(section !== undefined && { section }),
    cause: error,
    ...(byteOffset !== undefined && { byteOffset }),
  };
  return new LgiError(code, `${message}, or decode with --allow-damaged to go on without`, fields);
}

function describeMissing({ coordinates, reason }: MissingPartition): object {
  if (reason === 'absent') return { partition: coordinates, reason };
  return { partition: coordinates, reason: reason.code, message: reason.message };
}

function warnOfMissing(missing: readonly MissingPartition[], output: CommandContext['output']): void {
  const damaged = missing.filter(({ reason }) => reason !== 'absent');
  const absent = missing.length - damaged.length;
  if (absent > 0)
    output.note(
      `${counted(absent, 'partition')} of the region ${absent === 1 ? 'is' : 'are'} not in the file`,
    );
  if (damaged.length === 0) return;
  const names = damaged.slice(0, 5).map(({ coordinates }) => coordinates.join(','));
  const more = damaged.length > names.length ? ' ...' : '';
  const isCut = damaged.every(({ reason }) => reason !== 'absent' && reason.code === 'truncated');
  const fact = isCut ? 'cut off with the end of the file' : 'damaged and left out';
  output.warning(`${counted(damaged.length, 'partition')} ${fact}: ${names.join(' ')}${more}`);
}
