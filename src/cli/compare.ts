import { LgiError, OptionError } from '../../codec/errors.js';
import { makeGrid } from '../../codec/grid.js';
import { compareSamples } from '../../codec/metrics.js';
import { seamRatio } from '../../codec/seam.js';
import { peakOf, type SampleArray, type SampleFormat } from '../../codec/signal.js';
import { SSIM_VARIANT, structuralSimilarity } from '../../codec/structural-similarity.js';
import { foreignFile } from '../container/foreign-file.js';
import { FIRST_READ_BYTES } from '../container/limits.js';
import { MAGIC } from '../container/superblock.js';
import { RemoteSource } from '../io/remote-source.js';
import { readImage } from '../media/read-image.js';
import { decibels } from '../decibels.js';
import { open, type LgiFile } from '../open.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, sizeOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import { sizes } from './option-values.js';
import { checkPath, openSource, placeName, type InputSource } from './places.js';
import { primaryImage } from './primary-image.js';

const EPILOGUE = `
The first is the reference: where it has alpha, colour counts by that.
PSNR has the peak 255 for 8 bits and 65535 for 16; with --json the PSNR of
equal pictures is the string "Infinity".
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
    .summary('measure how far a picture or file is from another')
    .description('Measures how far a picture or LGI file is from another: PSNR, SSIM, seams, errors.')
    .argument('<a>', 'the reference: a picture, an LGI file or its URL')
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

interface Content {
  readonly place: string;
  readonly data: SampleArray;
  readonly shape: readonly number[];
  readonly format: SampleFormat;
  /** Per axis where partitions meet; pictures have none. */
  readonly cuts?: readonly (readonly number[])[];
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
  const reference = await readContent(a, signal);
  const other = await readContent(b, signal);
  checkComparable(reference, other);
  const { data, shape, format } = reference;
  const { mse, psnr, maxError } = compareSamples(data, other.data, format);
  const [height, width] = shape;
  const ssim = structuralSimilarity(data, other.data, [height, width], format);
  const { cuts, notice } = bordersAsked(shape, flags);
  if (notice !== undefined) output.note(notice);
  const seam = seamOf(reference, other, cuts);
  const { sampleType, layout, channels } = format;
  output.result(
    {
      psnr,
      ssim,
      ...(seam !== undefined && { seam }),
      mse,
      maxError,
      ssimVariant: SSIM_VARIANT,
      width,
      height,
      channels,
      layout,
      sampleType,
    },
    `${placeName(b)} against ${placeName(a)}: ${describe(reference)}`,
    [
      ['PSNR', decibels(psnr)],
      ['SSIM', ssim.toFixed(4)],
      ...(seam === undefined
        ? []
        : [['seam', `${seam.toFixed(3)} (1 = borders do not show, 2 = twice the jump there)`] as const]),
      ['MSE', mse.toPrecision(4)],
      ['max error', `${maxError} of ${peakOf(sampleType)}`],
    ],
  );
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

/** Of the one that has partitions by the measure of the one that has none, whichever comes first; else of the second. */
function seamOf(first: Content, second: Content, asked: Content['cuts']): number | undefined {
  const [source, other] =
    second.cuts === undefined && first.cuts !== undefined ? [second, first] : [first, second];
  const cuts = asked ?? other.cuts;
  if (cuts === undefined) return undefined;
  return seamRatio(source.data, other.data, source.shape, source.format, cuts);
}

/** All samples of a picture or of an LGI file. */
async function readContent(place: string, signal: AbortSignal): Promise<Content> {
  const source = await openSource(place);
  if (!(await isPicture(source, signal).catch((error: unknown) => closeAndThrow(source, error)))) {
    return readLgi(place, source, signal);
  }
  await source.close();
  checkPath(place);
  const media = await readImage(place, signal);
  const { shape, format } = media;
  try {
    const data = await media.read({ begin: shape.map(() => 0), end: shape }, signal);
    return { place, data, shape, format };
  } finally {
    media.close?.();
  }
}

/**
 * By the first bytes, whatever the name; as many as opening takes, so that of a URL they are fetched once. What is neither is
 * taken for a damaged picture, which readers of pictures know more about, but of a URL for a page in place of an LGI file.
 */
async function isPicture(source: InputSource, signal: AbortSignal): Promise<boolean> {
  const start = await source.read(0, FIRST_READ_BYTES, signal);
  if (start.length >= MAGIC.length && MAGIC.every((value, i) => value === start[i])) return false;
  return !(source instanceof RemoteSource) || foreignFile(start)?.isPicture === true;
}

async function closeAndThrow(source: InputSource, error: unknown): Promise<never> {
  await source.close();
  throw error;
}

async function readLgi(place: string, source: InputSource, signal: AbortSignal): Promise<Content> {
  let file: LgiFile | undefined;
  try {
    file = await namedOpening(place, open(source, { signal }));
    const image = primaryImage(file);
    const { data, shape, format, missing } = await image.decode({ signal });
    if (missing.length > 0) {
      throw new LgiError(
        'missing',
        `${placeName(place)} has ${counted(missing.length, 'partition')} missing, where there is nothing to compare; ` +
          'crop both to a region that is whole',
      );
    }
    return { place, data, shape, format, cuts: image.cuts };
  } finally {
    await (file === undefined ? source.close() : file.dispose());
  }
}

function describe({ shape, format }: Content): string {
  return `${sizeOf(shape)} ${format.layout}, ${format.sampleType}`;
}

function checkComparable(a: Content, b: Content): void {
  const sameShape = a.shape.every((length, axis) => length === b.shape[axis]);
  if (sameShape && a.format.layout === b.format.layout && a.format.sampleType === b.format.sampleType) return;
  throw new LgiError(
    'media',
    `${placeName(a.place)} is ${describe(a)}, but ${placeName(b.place)} is ${describe(b)}; ` +
      'only pictures of the same size and format can be compared: crop or convert one of them',
  );
}
