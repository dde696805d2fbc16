import { alphaChannel, peakOf, type SampleArray, type SampleFormat } from './signal.js';

/**
 * Squared jump in 8-bit steps that rounding alone makes: each of the four samples has a variance of 1/12, and the
 * squares of their weights add up to 5. What is less cannot be told from nothing.
 */
const ROUNDING_JUMP = 5 / 12;

/** Sums over one axis's neighbours in every cell; squared jumps times weights, and the weights. */
interface CellSums {
  readonly borderSource: Float64Array;
  readonly borderSamples: Float64Array;
  readonly borderWeight: Float64Array;
  readonly insideSource: Float64Array;
  readonly insideSamples: Float64Array;
  readonly insideWeight: Float64Array;
}

/** What kind of place a jump is taken at: across a border, inside a cell, or touching a border without being across it. */
type Place = 'border' | 'inside' | 'beside';

/** Ends of the cells on one axis of `length` samples: 0, the cuts that lie inside, the length. */
function endsOf(cuts: readonly number[], length: number): number[] {
  const inside = [...new Set(cuts)].filter((cut) => cut > 0 && cut < length);
  return [0, ...inside.sort((a, b) => a - b), length];
}

function placesOf(ends: readonly number[], length: number): Place[] {
  const places = new Array<Place>(length).fill('inside');
  const borders = ends.slice(1, -1);
  for (const cut of borders) places[cut - 1] = places[cut + 1] = 'beside';
  for (const cut of borders) places[cut] = 'border';
  return places;
}

/** Cell of each sample on an axis. */
function cellsOf(ends: readonly number[]): Int32Array {
  const cells = new Int32Array(ends[ends.length - 1]);
  for (let cell = 0; cell + 1 < ends.length; cell++) cells.fill(cell, ends[cell], ends[cell + 1]);
  return cells;
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

/** Everything that is compared, and its partitions. */
interface Comparison {
  readonly source: SampleArray;
  readonly samples: SampleArray;
  readonly shape: readonly number[];
  readonly channels: number;
  readonly alpha: number;
  readonly opaque: number;
  readonly floor: number;
  /** Per axis the ends of its cells. */
  readonly ends: readonly (readonly number[])[];
}

/** Jumps between neighbours along one axis, added up by cell. */
function sumJumps(comparison: Comparison, axis: number): CellSums {
  const { source, samples, shape, channels, alpha, opaque, floor, ends } = comparison;
  const counts = ends.map(({ length }) => length - 1);
  const sums: CellSums = {
    borderSource: new Float64Array(product(counts)),
    borderSamples: new Float64Array(product(counts)),
    borderWeight: new Float64Array(product(counts)),
    insideSource: new Float64Array(product(counts)),
    insideSamples: new Float64Array(product(counts)),
    insideWeight: new Float64Array(product(counts)),
  };
  const cells = ends.map(cellsOf);
  const places = placesOf(ends[axis], shape[axis]);
  const stride = product(shape.slice(axis + 1)) * channels;
  const positions = product(shape);
  const at = shape.map(() => 0);
  for (let position = 0; position < positions; position++) {
    const along = at[axis];
    if (along >= 2 && along < shape[axis] - 1 && places[along] !== 'beside') {
      let cell = 0;
      for (let a = 0; a < shape.length; a++) cell = cell * counts[a] + cells[a][at[a]];
      const first = position * channels;
      let opacity = 1;
      if (alpha >= 0) {
        for (let tap = -2; tap <= 1; tap++) {
          opacity = Math.min(opacity, source[first + tap * stride + alpha] / opaque);
        }
      }
      let [sourceJumps, sampleJumps, weights] = [0, 0, 0];
      for (let channel = 0; channel < channels; channel++) {
        const weight = channel === alpha ? 1 : opacity;
        const i = first + channel;
        const inSource = jump(source, i, stride);
        const inSamples = jump(samples, i, stride);
        sourceJumps += weight * (inSource * inSource + floor);
        sampleJumps += weight * (inSamples * inSamples + floor);
        weights += weight;
      }
      const isBorder = places[along] === 'border';
      (isBorder ? sums.borderSource : sums.insideSource)[cell] += sourceJumps;
      (isBorder ? sums.borderSamples : sums.insideSamples)[cell] += sampleJumps;
      (isBorder ? sums.borderWeight : sums.insideWeight)[cell] += weights;
    }
    for (let a = shape.length - 1; a >= 0 && ++at[a] === shape[a]; a--) at[a] = 0;
  }
  return sums;
}

/** The step from the sample before `i` to the one at `i`, less the mean of the slopes on both sides of it. */
function jump(values: SampleArray, i: number, stride: number): number {
  const [before, after] = [values[i - stride], values[i]];
  const slopes = before - values[i - 2 * stride] + (values[i + stride] - after);
  return after - before - slopes / 2;
}

/**
 * How much more the samples jump across the borders of partitions than elsewhere, by the measure of the source: 1 where
 * borders look like any other place, 2 where jumps are twice as large as they should be.
 *
 * A jump is the step between two neighbours along an axis less the mean of the slopes on both sides of it (the difference
 * of slopes of Minami and Zakhor 1995, for blocks of DCT coders), so that shading and lines that run across a border
 * count little. The result is the root of
 *
 *     (samples at borders / source at borders) / (samples inside / source inside),
 *
 * each a sum of squared jumps over all pairs of cells that share a border: those across it, and those inside of the two.
 * Why so:
 *
 * - The source's own jumps divide out, and so does what a codec makes of jumps everywhere, by blurring or by noise. White
 *   noise over the source gives 1.
 * - Jumps of the error (samples minus source) are no such measure: what blurred partitions lack is texture, the missing
 *   texture is the error's largest part and jumps inside as much as across, while on the smooth partitions every step
 *   between them shows. By errors, a 768x512 photograph at 28 dB by the paper's recipe, whose borders are plain to see,
 *   had 1.03, and one full of noise, whose borders are not, 1.11; by this measure they have 1.63 and 1.28.
 * - A pair of cells weighs the inverse of its mean squared jump in the source: smooth ground shows what texture hides.
 * - To every squared jump is added what rounding to 8 bits makes of one, less than which does not show. Equal samples thus
 *   give exactly 1, flat ones too.
 *
 * Places where one of the four samples touches a border that the jump is not across do not count; a cell must be 4 wide
 * to have any inside. Colour counts by the least alpha that the source has at the four samples, alpha with 1.
 *
 * @param source row-major `[...shape, channels]`, of the format's type.
 * @param samples the same length; what has the borders.
 * @param shape samples per axis, any number of axes.
 * @param cuts per axis the positions where a partition begins, in samples; those not inside the axis do not count.
 * @param peak the sample range, 255 steps of which are 8-bit steps; default by sample type: 255, 65535, 1.
 * @returns undefined where there is no border, or no place inside the cells on either side.
 * @throws RangeError when a length is not that of the shape, or there are not as many axes of cuts.
 */
export function seamRatio(
  source: SampleArray,
  samples: SampleArray,
  shape: readonly number[],
  format: Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>,
  cuts: readonly (readonly number[])[],
  peak: number = peakOf(format.sampleType),
): number | undefined {
  const { channels } = format;
  const expected = product(shape) * channels;
  if (source.length !== expected || samples.length !== expected) {
    throw new RangeError(
      `${source.length} and ${samples.length} samples are not the ${expected} of ${shape.join('x')}, ${channels} channels`,
    );
  }
  if (cuts.length !== shape.length) {
    throw new RangeError(
      `cuts of ${cuts.length} axes given for ${shape.length}; give as many, empty ones where none`,
    );
  }
  const comparison: Comparison = {
    source,
    samples,
    shape,
    channels,
    alpha: alphaChannel(format),
    opaque: peakOf(format.sampleType),
    floor: ROUNDING_JUMP * (peak / 255) ** 2,
    ends: shape.map((length, axis) => endsOf(cuts[axis], length)),
  };
  let [borderSource, borderSamples, insideSource, insideSamples] = [0, 0, 0, 0];
  comparison.ends.forEach(({ length }, axis) => {
    if (length === 2) return;
    const sums = sumJumps(comparison, axis);
    const step = product(comparison.ends.slice(axis + 1).map((ends) => ends.length - 1));
    for (let after = step; after < sums.borderSource.length; after++) {
      const both = (of: Float64Array): number => of[after - step] + of[after];
      const insideWeight = both(sums.insideWeight);
      if (sums.borderWeight[after] === 0 || insideWeight === 0) continue;
      const activity =
        (sums.borderSource[after] + both(sums.insideSource)) / (sums.borderWeight[after] + insideWeight);
      borderSource += sums.borderSource[after] / activity;
      borderSamples += sums.borderSamples[after] / activity;
      insideSource += both(sums.insideSource) / activity;
      insideSamples += both(sums.insideSamples) / activity;
    }
  });
  if (borderSource === 0) return undefined;
  return Math.sqrt(borderSamples / borderSource / (insideSamples / insideSource));
}
