import { placeTile } from '../codec/decode.js';
import type { Box } from '../codec/grid.js';
import { doubleSquares, meansOf, sumSquares } from '../codec/reduce.js';
import { allocateSamples, type SampleArray } from '../codec/signal.js';
import { MAX_OVERVIEW_FACTOR } from './container/limits.js';
import { memoryMedia, type Media } from './media/media.js';

/** The finest overview: between it and the picture itself, views read at most sixteen times what they need. */
const FINEST_FACTOR = 4;

/**
 * Longest side of the coarsest overview: with default cells at most 256 chunks, 320 KB, for a thumbnail of any picture. Up to
 * here levels cost a view less and the file next to nothing: all beyond the first are a third of it.
 */
const COARSEST_SIDE = 512;

/** Side of the squares of a picture that are read to make its overviews; as large as the coarsest factor where that is more. */
const READ_SIDE = 1024;

/** Samples from which on zoomed-out views are worth copies at every size: at default cells a view reads 5 MB without one. */
const LARGE_SAMPLES = 4_000_000;

/**
 * Samples from which on a first picture is worth a copy. Without one a 2040x1356 picture was there after 31 requests and 3.4 MB;
 * with it after 2 and 124 KB, for 1.9 % of the file.
 */
const MIDDLE_SAMPLES = 1_000_000;

/** The overview of pictures in between. */
const MIDDLE_FACTOR = 8;

/** Factors of the overviews that a picture gets by its size; none for small ones. */
export function chosenOverviews(shape: readonly number[]): number[] {
  const samples = shape.reduce((product, length) => product * length, 1);
  if (samples > LARGE_SAMPLES) return overviewFactors(shape);
  return samples > MIDDLE_SAMPLES ? [MIDDLE_FACTOR] : [];
}

/** Factors of the overviews that a large picture gets: 4, 8, 16, ... until the longer side is at most 512 samples. */
export function overviewFactors(shape: readonly number[], coarsestSide = COARSEST_SIDE): number[] {
  const factors: number[] = [];
  const longest = Math.max(...shape);
  for (let factor = FINEST_FACTOR; factor <= MAX_OVERVIEW_FACTOR; factor *= 2) {
    factors.push(factor);
    if (longest / factor <= coarsestSide) break;
  }
  return factors;
}

/**
 * A picture's overviews as media in memory, each sample the mean of the picture's samples that it covers; the picture is read
 * once.
 *
 * @param factors 4 times powers of two, each twice the one before.
 */
export async function overviewMedia(
  media: Media,
  factors: readonly number[],
  signal?: AbortSignal,
): Promise<Media[]> {
  const { format, channels } = media;
  const [height, width] = media.shape;
  const shapes = factors.map((factor): [number, number] => [
    Math.ceil(height / factor),
    Math.ceil(width / factor),
  ]);
  const levels = shapes.map(([rows, columns]) =>
    allocateSamples(format.sampleType, rows * columns * channels),
  );
  const side = Math.max(READ_SIDE, ...factors);
  for (let y = 0; y < height && factors.length > 0; y += side) {
    for (let x = 0; x < width; x += side) {
      const box = { begin: [y, x], end: [Math.min(height, y + side), Math.min(width, x + side)] };
      const samples = await media.read(box, signal);
      signal?.throwIfAborted();
      placeMeans(samples, box, media, factors, levels, shapes);
    }
  }
  return levels.map((data, level) => ({
    ...memoryMedia({ data, shape: shapes[level], channels, layout: format.layout }),
    // A medium may map its values as it likes.
    format,
    ...(media.colour && { colour: media.colour }),
  }));
}

function placeMeans(
  samples: SampleArray,
  { begin, end }: Box,
  { format }: Media,
  factors: readonly number[],
  levels: readonly SampleArray[],
  shapes: readonly (readonly number[])[],
): void {
  let sums = sumSquares(samples, [end[0] - begin[0], end[1] - begin[1]], format, factors[0]);
  factors.forEach((factor, level) => {
    if (level > 0) sums = doubleSquares(sums);
    const at = begin.map((first) => first / factor);
    const box = { begin: at, end: at.map((first, axis) => first + sums.shape[axis]) };
    placeTile(meansOf(sums, format), box, format.channels, levels[level], shapes[level]);
  });
}
