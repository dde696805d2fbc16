import { LgiError, OptionError } from '../../codec/errors.js';
import type { Box } from '../../codec/grid.js';
import { FileSink } from '../io/file-sink-node.js';
import { MeasuredSource } from '../io/measured-source.js';
import { RemoteSource } from '../io/remote-source.js';
import { fillHoles, type BackgroundColour } from '../media/fill-holes.js';
import { imageFormatOf } from '../media/image-format.js';
import { writeImage } from '../media/write-image.js';
import { open, type LgiFile } from '../open.js';
import type { MissingPartition, Samples } from '../signal.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, duration, grouped } from './figures.js';
import { namedOpening } from './named-opening.js';
import { decimal, hexColour, pictureRegion, pictureSize } from './option-values.js';
import { checkDistinct, checkOutput, openSource } from './places.js';
import { primaryImage } from './primary-image.js';

interface Flags {
  readonly output: string;
  readonly region?: Box;
  readonly scale?: number;
  readonly size?: number[];
  readonly background?: BackgroundColour;
  readonly allowDamaged?: true;
  readonly threads?: number;
  readonly overview?: true;
}

const EPILOGUE = `
Pictures above 4 million samples carry reduced copies of themselves (overviews).
With --overview a smaller picture comes from the coarsest of them that is fine
enough; without it, and without overviews, outputs are points of the picture.
The extension says the format: .png (exact, 8 and 16 bits), .jpg or .webp.
A file may be cropped, partitions may be missing: they become transparent, for
which the picture gets an alpha channel, or with --background of that colour.`;

/** `lgi decode`. */
export const addDecode: AddCommand = (program, context) => {
  program
    .command('decode')
    .summary('make a picture of a file, or of a part of it, at any size')
    .description('Makes a picture of an LGI file, or of a part of it, at any size.')
    .argument('<lgi>', 'the file, or its URL')
    .requiredOption('-o, --output <file>', 'picture to write')
    .option('--region <x,y,width,height>', "samples, from the visible window's corner", pictureRegion)
    .option('--scale <factor>', 'outputs per sample', decimal('scale'))
    .option('--size <width>x<height>', 'outputs', pictureSize('size'))
    .option('--overview', 'for smaller pictures: area averages, and reads little, where the file has them')
    .option('--background <#rrggbb>', 'colour instead of transparency', hexColour)
    .option('--allow-damaged', 'leave holes for what is damaged or cut off, and go on')
    .option('--threads <n>', 'threads (default: what the machine runs at once)', decimal('threads'))
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, flags: Flags) => decodeFile(lgi, flags, context));
};

async function decodeFile(input: string, flags: Flags, context: CommandContext): Promise<void> {
  const { output, signal } = context;
  const startMs = performance.now();
  const { output: place, background, threads, overview, ...options } = flags;
  checkOutput(place);
  const format = imageFormatOf(place);
  await checkDistinct(input, place);
  const origin = await openSource(input);
  const source = new MeasuredSource(origin);
  let file: LgiFile | undefined;
  let sink: FileSink | undefined;
  try {
    file = await namedOpening(
      input,
      open(source, {
        signal,
        allowTruncated: options.allowDamaged === true,
        ...(threads !== undefined && { threads }),
      }),
    );
    const picture = primaryImage(file);
    const openedMs = performance.now();
    const readOpening = source.seconds;
    sink = await FileSink.open(place);
    const decoding = { ...options, signal };
    const { factor, ...samples } =
      overview === true ? await picture.view(decoding) : { ...(await picture.decode(decoding)), factor: 1 };
    if (format === 'jpeg' && samples.missing.length > 0 && background === undefined) throw noAlpha(samples);
    const iccProfile = await readProfile(file, options.allowDamaged === true, context);
    const filled = fillHoles({ ...samples, holes: samples.missing.map(({ box }) => box) }, background);
    const decodedMs = performance.now();
    const bytes = await writeImage(
      sink,
      { ...filled, ...(picture.colour && { colour: picture.colour }), ...(iccProfile && { iccProfile }) },
      { format, signal },
    );
    const seconds = {
      read: source.seconds,
      parse: (openedMs - startMs) / 1000 - readOpening,
      decode: (decodedMs - openedMs) / 1000 - (source.seconds - readOpening),
      write: (performance.now() - decodedMs) / 1000,
    };
    warnOfMissing(samples, output);
    const fetched = origin instanceof RemoteSource ? origin.statistics : undefined;
    const cost = fetched === undefined ? '' : `, ${counted(fetched.requests, 'request')}`;
    const [height, width] = filled.shape;
    output.result(
      {
        width,
        height,
        channels: filled.channels,
        layout: filled.layout,
        sampleType: filled.sampleType,
        missing: samples.missing.map(describeMissing),
        partitionsDecoded: samples.partitionsDecoded,
        ...(overview === true && { overviewFactor: factor }),
        bytes,
        bytesRead: source.bytes,
        ...(fetched && { bytesFetched: fetched.bytesFetched, requests: fetched.requests }),
        seconds,
      },
      `${place}: ${width}x${height} ${filled.layout}, ${filled.sampleType}, ${grouped(bytes)} bytes`,
      [
        [
          'decoded',
          counted(samples.partitionsDecoded, 'partition') +
            (factor === 1 ? '' : ` of the overview at 1/${factor} per axis`),
        ],
        ['read', `${duration(seconds.read)} (${grouped(source.bytes)} bytes${cost})`],
        ['parse', duration(seconds.parse)],
        ['decode', duration(seconds.decode)],
        ['write', duration(seconds.write)],
      ],
    );
  } catch (error) {
    await sink?.abort();
    throw options.allowDamaged === true ? error : nameAllowDamaged(error);
  } finally {
    await (file === undefined ? source.close() : file.dispose());
  }
}

/** A picture whose colour profile is lost is still a picture. */
async function readProfile(
  file: LgiFile,
  allowDamaged: boolean,
  { output, signal }: CommandContext,
): Promise<Uint8Array | null> {
  try {
    return await file.readMetadata('icc', signal);
  } catch (error) {
    if (!allowDamaged || !(error instanceof LgiError) || error.code === 'io') throw error;
    output.warning(`the colour profile is left out: ${error.message}`);
    return null;
  }
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

function noAlpha({ missing }: Samples): OptionError {
  return new OptionError(
    'background',
    `${counted(missing.length, 'partition')} of the region ${missing.length === 1 ? 'is' : 'are'} missing and JPEG has ` +
      'no transparency; give a colour for the holes, or write a .png',
  );
}

function describeMissing({ coordinates, reason }: MissingPartition): object {
  if (reason === 'absent') return { partition: coordinates, reason };
  return { partition: coordinates, reason: reason.code, message: reason.message };
}

function warnOfMissing({ missing }: Samples, output: CommandContext['output']): void {
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
