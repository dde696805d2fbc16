import { LgiError } from '../../codec/errors.js';
import { compareSamples } from '../../codec/metrics.js';
import { peakOf, type SampleArray, type SampleFormat } from '../../codec/signal.js';
import { SSIM_VARIANT, structuralSimilarity } from '../../codec/structural-similarity.js';
import { MAGIC } from '../container/superblock.js';
import { readImage } from '../media/read-image.js';
import { open, type LgiFile } from '../open.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, decibels, widthByHeight } from './figures.js';
import { namedOpening } from './named-opening.js';
import { openSource } from './places.js';
import { primaryImage } from './primary-image.js';

const EPILOGUE = `
The first is the reference: where it has alpha, colour counts by that.
PSNR has the peak 255 for 8 bits and 65535 for 16; with --json the PSNR of
equal pictures is the string "Infinity".
SSIM: ${SSIM_VARIANT}.`;

/** `lgi compare`. */
export const addCompare: AddCommand = (program, context) => {
  program
    .command('compare')
    .summary('measure how far a picture or file is from another')
    .description('Measures how far a picture or LGI file is from another: PSNR, SSIM, errors.')
    .argument('<a>', 'the reference: a picture or an LGI file')
    .argument('<b>', 'what is compared with it')
    .addHelpText('after', EPILOGUE)
    .action((a: string, b: string) => compareFiles(a, b, context));
};

interface Content {
  readonly place: string;
  readonly data: SampleArray;
  readonly shape: readonly number[];
  readonly format: SampleFormat;
}

async function compareFiles(a: string, b: string, { output, signal }: CommandContext): Promise<void> {
  const reference = await readContent(a, signal);
  const other = await readContent(b, signal);
  checkComparable(reference, other);
  const { data, shape, format } = reference;
  const { mse, psnr, maxError } = compareSamples(data, other.data, format);
  const [height, width] = shape;
  const ssim = structuralSimilarity(data, other.data, [height, width], format);
  const { sampleType, layout, channels } = format;
  output.result(
    { psnr, ssim, mse, maxError, ssimVariant: SSIM_VARIANT, width, height, channels, layout, sampleType },
    `${b} against ${a}: ${describe(reference)}`,
    [
      ['PSNR', decibels(psnr)],
      ['SSIM', `${ssim.toFixed(4)} (${SSIM_VARIANT})`],
      ['MSE', mse.toPrecision(4)],
      ['max error', `${maxError} of ${peakOf(sampleType)}`],
    ],
  );
}

/** All samples of a picture or of an LGI file. */
async function readContent(place: string, signal: AbortSignal): Promise<Content> {
  if (await isLgi(place, signal)) return readLgi(place, signal);
  const media = await readImage(place, signal);
  const { shape, format } = media;
  try {
    const data = await media.read({ begin: shape.map(() => 0), end: shape }, signal);
    return { place, data, shape, format };
  } finally {
    media.close?.();
  }
}

/** By the first bytes, whatever the name. */
async function isLgi(place: string, signal: AbortSignal): Promise<boolean> {
  const source = await openSource(place);
  try {
    const start = await source.read(0, MAGIC.length, signal);
    return start.length === MAGIC.length && MAGIC.every((value, i) => value === start[i]);
  } finally {
    await source.close();
  }
}

async function readLgi(place: string, signal: AbortSignal): Promise<Content> {
  const source = await openSource(place);
  let file: LgiFile | undefined;
  try {
    file = await namedOpening(place, source, open(source, { signal }));
    const { data, shape, format, missing } = await primaryImage(file).decode({ signal });
    if (missing.length > 0) {
      throw new LgiError(
        'missing',
        `${place}: ${counted(missing.length, 'partition')} not in the file, so there is nothing to compare there; ` +
          'crop to a region that is whole',
      );
    }
    return { place, data, shape, format };
  } finally {
    await (file === undefined ? source.close() : file.dispose());
  }
}

function describe({ shape, format }: Content): string {
  return `${widthByHeight(shape)} ${format.layout}, ${format.sampleType}`;
}

function checkComparable(a: Content, b: Content): void {
  const sameShape = a.shape.every((length, axis) => length === b.shape[axis]);
  if (sameShape && a.format.layout === b.format.layout && a.format.sampleType === b.format.sampleType) return;
  throw new LgiError(
    'media',
    `${a.place} is ${describe(a)}, ${b.place} is ${describe(b)}; only pictures of one size and format can be compared, ` +
      'decode, crop or convert one of them',
  );
}
