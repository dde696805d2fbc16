import { PROBABILITY_ONE } from '../coder/range-coder.js';

/**
 * Probabilities of the bits that a latent is coded by, for a Laplace distribution rounded to whole numbers.
 *
 * Entries are rounded to whole numbers from values that are nowhere near a half (a test measures how near), so that every `exp` gives
 * the same tables.
 */
export interface ProbabilityTables {
  /** u16 [{@link SCALES}, {@link SHIFTS}]: that the latent is the whole number next to the mean. */
  readonly same: Uint16Array;
  /** u16 [{@link SCALES}, {@link SHIFTS}]: that one which is not lies on the mean's side of it. */
  readonly toward: Uint16Array;
  /** u16 [{@link SCALES}]: that a distance, counted in steps from the whole number next to that, ends here. */
  readonly end: Uint16Array;
  /** u16 [{@link SCALES}]: that a binary digit of such a distance is 0, where one unit of it spans as much as the scale says. */
  readonly digit: Uint16Array;
}

/** Steps of the scale `b`, eight to an octave: step `s` is `2^((s - 40) / 8)`, from 1/32 to nearly 2^11. */
export const SCALES = 128;
const SCALES_PER_OCTAVE = 8;

/** The step at which `b` is 1. */
export const UNIT_SCALE = 40;

/** Distances of the mean from the whole number next to it: 0, 1/16, ... 1/2. */
export const SHIFTS = 9;

/** `b` of a step. */
export function scaleOf(step: number): number {
  return 2 ** ((step - UNIT_SCALE) / SCALES_PER_OCTAVE);
}

function probability(value: number): number {
  return Math.max(1, Math.min(PROBABILITY_ONE - 1, Math.round(value * PROBABILITY_ONE)));
}

/** The values that {@link PROBABILITIES} rounds. */
export function exactProbabilities(step: number, shift: number): Record<keyof ProbabilityTables, number> {
  const b = scaleOf(step);
  const mean = shift / 16;
  return {
    same: 1 - (Math.exp(-(0.5 - mean) / b) + Math.exp(-(0.5 + mean) / b)) / 2,
    toward: 1 / (1 + Math.exp((-2 * mean) / b)),
    end: 1 - Math.exp(-1 / b),
    digit: 1 / (1 + Math.exp(-1 / b)),
  };
}

function makeTables(): ProbabilityTables {
  const tables = {
    same: new Uint16Array(SCALES * SHIFTS),
    toward: new Uint16Array(SCALES * SHIFTS),
    end: new Uint16Array(SCALES),
    digit: new Uint16Array(SCALES),
  };
  for (let step = 0; step < SCALES; step++) {
    for (let shift = 0; shift < SHIFTS; shift++) {
      const { same, toward } = exactProbabilities(step, shift);
      tables.same[step * SHIFTS + shift] = probability(same);
      tables.toward[step * SHIFTS + shift] = probability(toward);
    }
    const { end, digit } = exactProbabilities(step, 0);
    tables.end[step] = probability(end);
    tables.digit[step] = probability(digit);
  }
  return tables;
}

/** The tables that coder and decoders share. */
export const PROBABILITIES: ProbabilityTables = makeTables();

/**
 * Low binary digits that a distance is coded by before what is left is counted: as many as make a count of one or two likely. The digits
 * of a geometrically distributed number are independent, so this loses nothing.
 */
export function digitsOf(step: number): number {
  return step < UNIT_SCALE + SCALES_PER_OCTAVE ? 0 : (step - UNIT_SCALE) >> 3;
}

/** The step whose unit is `2^digit` of this one's. */
export function coarserStep(step: number, digit: number): number {
  return step - SCALES_PER_OCTAVE * digit;
}

/** Entries of an octave in {@link logarithm}. */
const LOGARITHM_ENTRIES = 64;

/** u8 [{@link LOGARITHM_ENTRIES}]: `round(32 log2(1 + i / 64))`. */
export const LOGARITHMS: Uint8Array = Uint8Array.from({ length: LOGARITHM_ENTRIES }, (_, i) =>
  Math.round(32 * Math.log2(1 + i / LOGARITHM_ENTRIES)),
);

/** `32 log2(value)` in whole numbers. @param value 1 to 2^31 - 1. */
export function logarithm(value: number): number {
  const octave = 31 - Math.clz32(value);
  const mantissa = octave >= 6 ? value >>> (octave - 6) : value << (6 - octave);
  return 32 * octave + LOGARITHMS[mantissa & 63];
}
