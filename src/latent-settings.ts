import { OptionError } from '../codec/errors.js';
import { boxSize, makeGrid, type Grid } from '../codec/grid.js';
import type { LatentTarget } from '../codec/latent/rate-control.js';
import { signalPeak } from '../codec/signal.js';
import type { Budget } from '../codec/train.js';
import { MAX_PLANES } from './container/limits.js';
import type { EncodeOptions } from './encode-options.js';
import { checkBudget, checkSeed } from './encode-settings.js';
import { EFFORTS, type Effort } from './latent-effort.js';
import type { Media } from './media/media.js';

/** Samples of a cell per axis: of 128, files are 1 to 3 % smaller, and a crop is coarser. */
const DEFAULT_CELL = 64;

/** And of pictures that are to have fewer bits a sample than these: heads and index of smaller cells would be a tenth of the file. */
const LARGE_CELL = 128;
const LARGE_CELL_BELOW_BPP = 0.4;

/** Largest cell: its working memory is 7 MB a thread at 64, 100 at this. */
const MAX_CELL = 256;

/** Smallest cell: of fewer samples a chunk's head and length are more than what they hold. */
const MIN_CELL = 8;

/** Options that speak of sine networks. */
const SINE_OPTIONS = [
  'params',
  'globalShare',
  'localWidth',
  'globalWidth',
  'levels',
  'lattice',
  'coordinates',
  'activations',
  'weights',
  'coder',
  'sampleFraction',
  'overlap',
  'checkpoint',
] as const satisfies readonly (keyof EncodeOptions)[];

/** An option that latents have no use for, if any is given. */
function sineOption(options: EncodeOptions): (typeof SINE_OPTIONS)[number] | undefined {
  return SINE_OPTIONS.find((name) => options[name] !== undefined);
}

/** Whether a medium that is to be small can be latents. */
export function suitsLatents({ kind, channels }: Media): boolean {
  return kind === 'image' && channels <= MAX_PLANES;
}

/** What an encode by latents is to be, of options. */
export interface LatentSettings {
  readonly grid: Grid;
  readonly effort: Effort;
  readonly budget: Budget;
  /** What the file is to come to; absent: as good as latents are by default. */
  readonly target?: LatentTarget;
  readonly seed: number;
  readonly notices: readonly string[];
}

/**
 * Settings of an encode by latents.
 *
 * @throws OptionError for options out of range, of the sine family, or of a medium that is no picture.
 */
export function latentSettings(media: Media, options: EncodeOptions): LatentSettings {
  if (media.kind !== 'image') {
    throw new OptionError('family', `latent is for pictures, the medium is ${media.kind}; take sine`);
  }
  if (media.channels > MAX_PLANES) {
    throw new OptionError(
      'family',
      `latent takes up to ${MAX_PLANES} channels, the picture has ${media.channels}; take sine`,
    );
  }
  const name = sineOption(options);
  if (name !== undefined) {
    throw new OptionError(name, 'is for the sine family; leave it out, or give `family` sine');
  }
  if (options.preset !== undefined && options.preset !== 'small') {
    throw new OptionError(
      'preset',
      `${options.preset} is for the sine family, and latents have \`effort\`; give one of them`,
    );
  }
  const effort = options.effort ?? 'normal';
  if (!EFFORTS.includes(effort)) {
    throw new OptionError('effort', `'${String(effort)}' is no effort; give ${EFFORTS.join(' or ')}`);
  }
  const { grid, notice } = makeGrid(media.shape, partitioning(media, options));
  const [tall, wide] = grid.largestCell();
  if (Math.max(tall, wide) > MAX_CELL) {
    throw new OptionError('cell', `makes partitions of ${tall}x${wide} samples, the limit is ${MAX_CELL}`);
  }
  if (grid.largestCell().some((length, axis) => length < Math.min(MIN_CELL, media.shape[axis]))) {
    throw new OptionError(
      'cell',
      `makes partitions of ${tall}x${wide} samples, latents take ${MIN_CELL}x${MIN_CELL} at least`,
    );
  }
  const budget = checkBudget(options);
  const target = targetOf(media, grid, options);
  return {
    grid,
    effort,
    budget,
    ...(target && { target }),
    seed: checkSeed(options.seed),
    notices: notice === undefined ? [] : [notice],
  };
}

function partitioning(
  { shape }: Media,
  { grid, cell, bpp = Infinity }: EncodeOptions,
): { counts: readonly number[] } | { cell: readonly number[] } {
  if (grid !== undefined && cell !== undefined) {
    throw new OptionError('cell', 'given together with `grid`; give one of them');
  }
  if (grid !== undefined) return { counts: grid };
  const samples = bpp < LARGE_CELL_BELOW_BPP ? LARGE_CELL : DEFAULT_CELL;
  return { cell: cell ?? shape.map((length) => Math.min(samples, length)) };
}

/** Bytes of a file besides shared weights and chunks: superblock, header and index; a head and a length of every chunk. */
const FILE_BYTES = 224 + 320 + 150;
const CHUNK_BYTES = 6;
/** Bytes of shared weights, about. */
const SHARED_BYTES = 1000;

/** What latents are to come to so that the file does. */
function targetOf(
  { kind, format }: Media,
  grid: Grid,
  { bpp, psnr }: EncodeOptions,
): LatentTarget | undefined {
  if (bpp !== undefined && !(bpp > 0)) throw new OptionError('bpp', `${bpp} is no number of bits above 0`);
  if (bpp !== undefined && psnr !== undefined) {
    throw new OptionError('psnr', 'given together with `bpp`, which decides on it; give one of them');
  }
  if (psnr !== undefined) {
    const peak = signalPeak(kind, format) / Math.abs(format.mapping.scale);
    return { squaredError: peak ** 2 / 10 ** (psnr / 10) };
  }
  if (bpp === undefined) return undefined;
  const samples = boxSize(grid.extent);
  const fixed = (8 * (FILE_BYTES + SHARED_BYTES + CHUNK_BYTES * grid.count)) / samples;
  if (!(bpp > fixed)) {
    throw new OptionError(
      'bpp',
      `${bpp} is too little: header and index alone take ${fixed.toFixed(3)} bits a sample of this picture`,
    );
  }
  return { bits: bpp - fixed };
}
