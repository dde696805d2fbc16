import { EVEN, PROBABILITY_ONE, RangeDecoder, RangeEncoder } from '../coder/range-coder.js';
import { LgiError } from '../errors.js';
import { CONTEXT_ONE, LEAST_SPREAD, MAX_LATENT, scaleStep, type GridModel } from './entropy-model.js';
import { latentCount, NEIGHBOURS, type PlacedGrid } from './latent-architecture.js';
import { coarserStep, digitsOf, PROBABILITIES, SHIFTS } from './probability-tables.js';

/** Steps of a count before what is left of it is coded by its length; rarely reached, as the scale makes one or two likely. */
const LONGEST_COUNT = 16;

/** Bits of the largest number that follows a count: a distance is at most 2 * 32,767. */
const ESCAPE_BITS = 17;

/** What foretells one latent. */
interface Forecast {
  /** The whole number next to the mean. */
  nearest: number;
  /** Place in the tables of a step and a distance from the mean. */
  entry: number;
  /** Of the scale. */
  step: number;
  /** Whether the mean is above its whole number. */
  isAbove: boolean;
}

/** Walks a partition's latents in the order of coding; both directions share it, so that they cannot differ. */
function walk(
  grids: readonly PlacedGrid[],
  models: readonly GridModel[],
  latents: Int16Array,
  isAbsent: (grid: PlacedGrid, model: GridModel) => boolean,
  code: (at: number, forecast: Forecast) => void,
): void {
  const forecast: Forecast = { nearest: 0, entry: 0, step: 0, isAbove: false };
  grids.forEach((grid, number) => {
    const model = models[number];
    if (isAbsent(grid, model)) return;
    const { height, width, offset } = grid;
    const parent = grid.parent < 0 ? undefined : grids[grid.parent];
    const earlier = grid.earlier.map((at) => grids[at]);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        let mean = 0;
        let spread = LEAST_SPREAD;
        let context = 0;
        const add = (value: number): void => {
          mean += model.mean[context] * value;
          spread += model.spread[context] * Math.abs(value);
          context++;
        };
        for (const [rows, columns] of NEIGHBOURS) {
          const [y, x] = [row + rows, column + columns];
          add(y < 0 || x < 0 || x >= width ? 0 : latents[offset + y * width + x]);
        }
        if (parent !== undefined) add(latents[parent.offset + (row >> 1) * parent.width + (column >> 1)]);
        for (const other of earlier) add(latents[other.offset + row * width + column]);
        const nearest = (mean + CONTEXT_ONE / 2) >> 6;
        const shift = mean - CONTEXT_ONE * nearest;
        forecast.nearest = Math.max(-MAX_LATENT, Math.min(MAX_LATENT, nearest));
        forecast.step = scaleStep(spread, model);
        forecast.entry = forecast.step * SHIFTS + ((Math.abs(shift) + 2) >> 2);
        forecast.isAbove = shift > 0;
        code(offset + row * width + column, forecast);
      }
    }
  });
}

/** Takes bits with their probabilities. */
interface BitSink {
  encode(bit: number, zero: number): void;
  encodeEven(value: number, bits: number): void;
}

/** Gives all bits of a partition's latents to a sink. */
function give(
  sink: BitSink,
  grids: readonly PlacedGrid[],
  models: readonly GridModel[],
  latents: Int16Array,
): void {
  walk(
    grids,
    models,
    latents,
    ({ offset, height, width }, { absent }) => {
      const isAbsent = latents.subarray(offset, offset + height * width).every((latent) => latent === 0);
      sink.encode(isAbsent ? 0 : 1, absent);
      return isAbsent;
    },
    (at, { nearest, entry, step, isAbove }) => {
      const difference = latents[at] - nearest;
      sink.encode(difference === 0 ? 0 : 1, PROBABILITIES.same[entry]);
      if (difference === 0) return;
      sink.encode(difference > 0 === isAbove ? 0 : 1, PROBABILITIES.toward[entry]);
      giveDistance(sink, Math.abs(difference) - 1, step);
    },
  );
}

/**
 * Codes the latents of one partition.
 *
 * @param latents i16, none of -32,768.
 */
export function encodeLatents(
  grids: readonly PlacedGrid[],
  models: readonly GridModel[],
  latents: Int16Array,
): Uint8Array {
  const encoder = new RangeEncoder();
  give(encoder, grids, models, latents);
  return encoder.finish();
}

/** Adds up what bits cost. */
class BitCounter implements BitSink {
  bits = 0;

  encode(bit: number, zero: number): void {
    this.bits -= Math.log2((bit === 0 ? zero : PROBABILITY_ONE - zero) / PROBABILITY_ONE);
  }

  encodeEven(_: number, bits: number): void {
    this.bits += bits;
  }
}

/** Bits that {@link encodeLatents} takes, but for the end of its stream. */
export function latentBits(
  grids: readonly PlacedGrid[],
  models: readonly GridModel[],
  latents: Int16Array,
): number {
  const counter = new BitCounter();
  give(counter, grids, models, latents);
  return counter.bits;
}

function giveDistance(sink: BitSink, distance: number, step: number): void {
  const digits = digitsOf(step);
  for (let digit = 0; digit < digits; digit++) {
    sink.encode((distance >> digit) & 1, PROBABILITIES.digit[coarserStep(step, digit)]);
  }
  const count = distance >> digits;
  const end = PROBABILITIES.end[coarserStep(step, digits)];
  for (let i = 0; i < Math.min(count, LONGEST_COUNT); i++) sink.encode(1, end);
  if (count < LONGEST_COUNT) {
    sink.encode(0, end);
    return;
  }
  const rest = count - LONGEST_COUNT + 1;
  const bits = 31 - Math.clz32(rest);
  for (let i = 0; i < bits; i++) sink.encode(1, EVEN);
  sink.encode(0, EVEN);
  sink.encodeEven(rest, bits);
}

/**
 * The latents that these bytes hold: i16.
 *
 * Work is bounded by the partition's size, whatever the bytes are.
 *
 * @throws LgiError `damaged`: a latent beyond 16 bits, or bytes that no coder ends with.
 */
export function decodeLatents(
  grids: readonly PlacedGrid[],
  models: readonly GridModel[],
  bytes: Uint8Array,
  section?: string,
): Int16Array {
  const latents = new Int16Array(latentCount(grids));
  const decoder = new RangeDecoder(bytes);
  walk(
    grids,
    models,
    latents,
    (_, { absent }) => decoder.decode(absent) === 0,
    (at, { nearest, entry, step, isAbove }) => {
      let latent = nearest;
      if (decoder.decode(PROBABILITIES.same[entry]) === 1) {
        const isToward = decoder.decode(PROBABILITIES.toward[entry]) === 0;
        const distance = decodeDistance(decoder, step) + 1;
        latent = isToward === isAbove ? nearest + distance : nearest - distance;
      }
      if (!(Math.abs(latent) <= MAX_LATENT)) {
        throw damaged(`a latent is ${latent}, the limit is ${MAX_LATENT}`, section);
      }
      latents[at] = latent;
    },
  );
  if (!decoder.isAtEnd()) {
    throw damaged(`the ${bytes.length} bytes of latents do not end where the latents do`, section);
  }
  return latents;
}

function decodeDistance(decoder: RangeDecoder, step: number): number {
  const digits = digitsOf(step);
  let low = 0;
  for (let digit = 0; digit < digits; digit++) {
    low |= decoder.decode(PROBABILITIES.digit[coarserStep(step, digit)]) << digit;
  }
  const end = PROBABILITIES.end[coarserStep(step, digits)];
  let count = 0;
  while (count < LONGEST_COUNT && decoder.decode(end) === 1) count++;
  if (count === LONGEST_COUNT) {
    let bits = 0;
    while (bits < ESCAPE_BITS && decoder.decode(EVEN) === 1) bits++;
    count += ((1 << bits) | decoder.decodeEven(bits)) - 1;
  }
  // Of 2^18 at most, times 2^10.
  return (count << digits) | low;
}

function damaged(fact: string, section?: string): LgiError {
  return new LgiError('damaged', `${fact}; fetch the file again`, { section });
}
