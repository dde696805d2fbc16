import { LgiError, OptionError } from '../../codec/errors.js';
import { makeGrid, type Box } from '../../codec/grid.js';
import { compareSamples } from '../../codec/metrics.js';
import { seamRatio } from '../../codec/seam.js';
import { peakOf, type SampleArray, type SampleFormat, type SignalKind } from '../../codec/signal.js';
import { SSIM_VARIANT, structuralSimilarity } from '../../codec/structural-similarity.js';
import { foreignFile } from '../container/foreign-file.js';
import { FIRST_READ_BYTES } from '../container/limits.js';
import { MAGIC } from '../container/superblock.js';
import { RemoteSource } from '../io/remote-source.js';
import { compareByParts, type MeasuredQuality } from '../measure.js';
import { isFolder, isPattern, readMedia } from '../media/read-media.js';
import { decibels } from '../decibels.js';
import { open, type LgiFile } from '../open.js';
import type { Rate } from '../rate.js';
import { isSameRate, rateText } from '../same-rate.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, sizeOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import { sizes } from './option-values.js';
import { checkPath, openSource, placeName, type InputSource } from './places.js';
import { primarySignals } from './primary-signals.js';

const EPILOGUE = `
The first is the reference: where it has alpha, colour counts by that.
PSNR has the peak 255 for 8 bits, 65535 for 16 and 1 for sound; with --json the
PSNR of equal pictures is the string "Infinity".
SSIM: ${SSIM_VARIANT}.
Seam: how much more the LGI file jumps across the borders of its partitions
than inside them, by the measure of the other; 1 where borders do not show. Of
two pictures it is given where --grid or --cell say where borders would be.`;

/** Options as commander gives them. */
interface Flags {
  readonly grid?: readonly number[];
  readonly cell?: readonly number[];
}

/** `lgi compare`. */
export const addCompare: AddCommand = (program, context) => {
  program
    .command('compare')
    .summary('measure how far a medium or file is from another')
    .description('Measures how far a medium or LGI file is from another: PSNR, SSIM, IoU, seams.')
    .argument('<a>', 'the reference: a medium, an LGI file or its URL')
    .argument('<b>', 'what is compared with it')
    .option(
      '--grid <rows>x<columns>',
      "borders to measure seams at, instead of the file's: partitions per axis",
      sizes('grid', 'ROWSxCOLUMNS, such as 16x24'),
    )
    .option(
      '--cell <rows>x<columns>',
      'the same by samples per partition',
      sizes('cell', 'ROWSxCOLUMNS, such as 32x32'),
    )
    .addHelpText('after', EPILOGUE)
    .action((a: string, b: string, flags: Flags) => compareFiles(a, b, flags, context));
};

/** What is compared: read box by box. */
interface Content {
  readonly place: string;
  readonly kind: SignalKind;
  readonly shape: readonly number[];
  readonly format: SampleFormat;
  /** Samples per second along axis t. */
  readonly rate?: Rate;
  /** Per axis where partitions meet; media have none. */
  readonly cuts?: readonly (readonly number[])[];
  readonly read: (box: Box) => Promise<SampleArray>;
  readonly close: () => Promise<void>;
}

async function compareFiles(
  a: string,
  b: string,
  flags: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  if (flags.grid !== undefined && flags.cell !== undefined) {
    throw new OptionError('cell', 'given together with `grid`; give one of them');
  }
  const [reference, other] = await readContents(a, b, signal);
  try {
    checkComparable(reference, other);
    const { kind, shape, format } = reference;
    const isPicture = kind === 'image';
    if (!isPicture && (flags.grid ?? flags.cell) !== undefined) {
      throw new OptionError(
        flags.grid ? 'grid' : 'cell',
        'is for seams, which pictures alone are measured for',
      );
    }
    const compared: MeasuredQuality & { seam?: number } = isPicture
      ? await comparePictures(reference, other, flags, output)
      : await compareByParts({
          kind,
          format,
          extent: { begin: shape.map(() => 0), end: shape },
          original: reference.read,
          decoded: other.read,
        });
    const { psnr, ssim, iou, mse, maxError, seam } = compared;

    const { sampleType, layout, channels } = format;
    output.result(
      {
        psnr,
        ...(ssim !== undefined && { ssim }),
        ...(iou !== undefined && { iou }),
        ...(seam !== undefined && { seam }),
        mse,
        maxError,
        ...(ssim !== undefined && { ssimVariant: SSIM_VARIANT }),
        ...(isPicture ? { width: shape[1], height: shape[0] } : { kind, shape }),
        channels,
        layout,
        sampleType,
      },
      `${placeName(b)} against ${placeName(a)}: ${describe(reference)}`,
      [
        ['PSNR', decibels(psnr)],
        ...(ssim === undefined ? [] : [['SSIM', ssim.toFixed(4)] as const]),
        ...(iou === undefined ? [] : [['IoU', iou.toFixed(4)] as const]),
        ...(seam === undefined
          ? []
          : [['seam', `${seam.toFixed(3)} (1 = borders do not show, 2 = twice the jump there)`] as const]),
        ['MSE', mse.toPrecision(4)],
        ['max error', `${Number(maxError.toPrecision(4))} of ${peakOf(sampleType)}`],
      ],
    );
  } finally {
    await reference.close();
    await other.close();
  }
}

/** Pictures as wholes, since seams and SSIM are of all of them. */
async function comparePictures(
  reference: Content,
  other: Content,
  flags: Flags,
  output: CommandContext['output'],
): Promise<MeasuredQuality & { seam?: number }> {
  const { shape, format } = reference;
  const whole = { begin: shape.map(() => 0), end: shape };
  const [first, second] = [await reference.read(whole), await other.read(whole)];
  const { cuts: asked, notice } = bordersAsked(shape, flags);
  if (notice !== undefined) output.note(notice);
  // Of the one that has partitions by the measure of the one that has none, whichever comes first; else of the second.
  const isReversed = other.cuts === undefined && reference.cuts !== undefined;
  const [source, seen] = isReversed ? [second, first] : [first, second];
  const cuts = asked ?? (isReversed ? reference.cuts : other.cuts);
  return {
    ...compareSamples(first, second, format),
    ssim: structuralSimilarity(first, second, [shape[0], shape[1]], format),
    ...(cuts && { seam: seamRatio(source, seen, shape, format, cuts) }),
  };
}

/** The borders that the options say, instead of a file's own. */
function bordersAsked(
  shape: readonly number[],
  { grid, cell }: Flags,
): { cuts?: Content['cuts']; notice?: string } {
  if (grid === undefined && cell === undefined) return {};
  const made = makeGrid(shape, grid === undefined ? { cell: cell ?? [] } : { counts: grid });
  return { ...made, cuts: made.grid.axes.map(({ cuts }) => cuts) };
}

/** Both, an LGI file first: its size says on what grid a mesh is made a shape. */
async function readContents(a: string, b: string, signal: AbortSignal): Promise<[Content, Content]> {
  const files = [await openIfLgi(a, signal), await openIfLgi(b, signal)];
  try {
    const shape = files.find((file) => file !== undefined)?.shape;
    const [first, second] = [files[0] ?? (await openMedium(a, shape, signal)), files[1]];
    files[0] = first;
    return [first, second ?? (await openMedium(b, shape, signal))];
  } catch (error) {
    for (const file of files) await file?.close();
    throw error;
  }
}

/** Of a video that has sound, the video. */
async function openMedium(
  place: string,
  shape: readonly number[] | undefined,
  signal: AbortSignal,
): Promise<Content> {
  checkPath(place);
  const resolution = shape === undefined ? undefined : Math.max(...shape);
  const [media, ...others] = await readMedia(place, {
    signal,
    ...(resolution !== undefined && { resolution }),
  });
  others.forEach((other) => other.close?.());
  const { kind, format, rate } = media;
  return {
    place,
    kind,
    shape: media.shape,
    format,
    ...(rate && { rate }),
    read: (box) => media.read(box, signal),
    close: () => {
      media.close?.();
      return Promise.resolve();
    },
  };
}

/** The first signal of an LGI file; undefined for what is a medium by its first bytes, whatever the name. */
async function openIfLgi(place: string, signal: AbortSignal): Promise<Content | undefined> {
  // Folders and patterns are volumes; a file that is there is not a pattern.
  if ((await isFolder(place)) || (await isPattern(place))) return undefined;
  const source = await openSource(place);
  let file: LgiFile | undefined;
  const close = async (): Promise<void> => {
    await (file === undefined ? source.close() : file.dispose());
  };
  try {
    if (await isMedium(source, signal)) {
      await close();
      return undefined;
    }
    file = await namedOpening(place, open(source, { signal }));
    const [first] = primarySignals(file);
    const { kind, shape, format, cuts } = first;
    const { rate } = first.header;
    return {
      place,
      kind,
      shape,
      format,
      ...(rate && { rate }),
      cuts,
      read: async (region) => {
        const { data, missing } = await first.decode({ region, signal });
        if (missing.length === 0) return data;
        throw new LgiError(
          'missing',
          `${placeName(place)} has ${counted(missing.length, 'partition')} missing, where there is nothing to compare; ` +
            'crop both to a region that is whole',
        );
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * By the first bytes, whatever the name; as many as opening takes, so that of a URL they are fetched once. What is neither is
 * taken for a damaged medium, which readers of media know more about, but of a URL for a page in place of an LGI file.
 */
async function isMedium(source: InputSource, signal: AbortSignal): Promise<boolean> {
  const start = await source.read(0, FIRST_READ_BYTES, signal);
  if (start.length >= MAGIC.length && MAGIC.every((value, i) => value === start[i])) return false;
  return !(source instanceof RemoteSource) || foreignFile(start)?.isPicture === true;
}

function describe({ shape, format }: Content): string {
  return `${sizeOf(shape)} ${format.layout}, ${format.sampleType}`;
}

function checkComparable(a: Content, b: Content): void {
  if (a.kind === b.kind && a.rate !== undefined && b.rate !== undefined && !isSameRate(a.rate, b.rate)) {
    const unit = a.kind === 'audio' ? 'samples' : 'frames';
    throw new LgiError(
      'media',
      `${placeName(a.place)} has ${rateText(a.rate)} ${unit} a second, but ${placeName(b.place)} has ${rateText(b.rate)}; ` +
        'convert one of them to the rate of the other first',
    );
  }
  const sameShape = a.kind === b.kind && a.shape.every((length, axis) => length === b.shape[axis]);
  if (sameShape && a.format.layout === b.format.layout && a.format.sampleType === b.format.sampleType) return;
  throw new LgiError(
    'media',
    `${placeName(a.place)} is ${describe(a)}, but ${placeName(b.place)} is ${describe(b)}; ` +
      'only media of the same kind, size and format can be compared: crop or convert one of them',
  );
}
