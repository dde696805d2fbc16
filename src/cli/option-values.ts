import { OptionError } from '../../codec/errors.js';
import type { Rate } from '../rate.js';
import type { TimeRange } from '../time-range.js';

/** Turns the text of an option into its value. */
export type OptionParser<T> = (text: string) => T;

/** A decimal number, all of the text and nothing else; whether it is in range is for the library to say. */
export function decimal(option: string): OptionParser<number> {
  return (text) => {
    if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
      throw new OptionError(option, `'${text}' is no number`);
    }
    const value = Number(text);
    if (!Number.isFinite(value)) throw new OptionError(option, `${text} is too large a number`);
    return value;
  };
}

/** A decimal number or a word. */
export function decimalOr<W extends string>(option: string, word: W): OptionParser<number | W> {
  const parse = decimal(option);
  return (text) => {
    if (text === word) return word;
    if (!/\d/.test(text)) throw new OptionError(option, `'${text}' is no number; give one, or '${word}'`);
    return parse(text);
  };
}

/** Whole numbers with an x between them, such as 16x24. */
export function sizesOfAxes(option: string, form: string): OptionParser<number[]> {
  return (text) => {
    if (!/^\d+(x\d+)*$/.test(text)) {
      throw new OptionError(option, `'${text}' is no list of whole numbers; give ${form}`);
    }
    return text.split('x').map(Number);
  };
}

/** Two whole numbers, as every picture has two axes; the form says what they are called. */
export function sizes(option: string, form: string): OptionParser<number[]> {
  const parse = sizesOfAxes(option, form);
  return (text) => {
    const numbers = parse(text);
    if (numbers.length !== 2) throw new OptionError(option, `'${text}' has not two numbers; give ${form}`);
    return numbers;
  };
}

/** `WIDTHxHEIGHT`, or with a depth behind, as a shape, slowest axis first. */
export function outputSize(option: string): OptionParser<number[]> {
  const form = 'WIDTHxHEIGHT, such as 1024x768, or WIDTHxHEIGHTxDEPTH of a volume';
  const parse = sizesOfAxes(option, form);
  return (text) => {
    const numbers = parse(text);
    if (numbers.length < 2 || numbers.length > 3) {
      throw new OptionError(option, `'${text}' has ${numbers.length} numbers; give ${form}`);
    }
    return numbers.reverse();
  };
}

/** A number of frames or samples a second: whole, with a point, or a fraction such as `30000/1001`. */
export function rational(option: string): OptionParser<Rate> {
  return (text) => {
    const [numerator, denominator = '1', ...rest] = text.split('/');
    const decimals = /\.(\d+)$/.exec(numerator)?.[1].length ?? 0;
    const rate = {
      numerator: Math.round(decimal(option)(numerator) * 10 ** decimals),
      denominator: decimal(option)(denominator) * 10 ** decimals,
    };
    const isRate = [rate.numerator, rate.denominator].every((each) => Number.isSafeInteger(each) && each > 0);
    if (rest.length === 0 && isRate) return rate;
    throw new OptionError(option, `'${text}' is no rate; give one such as 25 or 30000/1001`);
  };
}

/** {@link rational} or a word. */
export function rationalOr<W extends string>(option: string, word: W): OptionParser<Rate | W> {
  const parse = rational(option);
  return (text) => (text === word ? word : parse(text));
}

/** `FROM:TO` in seconds as a span of time. */
export function timeRange(text: string): TimeRange {
  const parts = text.split(':');
  if (parts.length !== 2 || parts.some((part) => part.trim() === '')) {
    throw new OptionError('time', `'${text}' is no span; give FROM:TO in seconds, such as 1.5:4`);
  }
  const [begin, end] = parts.map((part) => decimal('time')(part.trim()));
  return { begin, end };
}

/** `x,y`, with a slice or frame behind, as a place on the signal's axes, slowest first. */
export function placeNumbers(text: string): number[] {
  if (!/^\s*-?\d+(\s*,\s*-?\d+){0,2}\s*$/.test(text)) {
    throw new OptionError('at', `'${text}' is not two whole numbers; give x,y in samples, such as 256,0`);
  }
  return text.split(',').map(Number).reverse();
}

/** Partition coordinates such as `0,3 1,3` or `0,0,2 0,1,2`; of pictures, which have two axes, also `0,3, 1,3`. */
export function partitionList(text: string): number[][] {
  const groups = text
    .trim()
    .replace(/\s*,\s*/g, ',')
    .split(/\s+/)
    .map((group) => group.split(','));
  const isWhole = groups.flat().every((number) => /^-?\d+$/.test(number));
  const [{ length }] = groups;
  if (isWhole && length <= MOST_AXES && groups.every((group) => group.length === length)) {
    return groups.map((group) => group.map(Number));
  }
  if (!isWhole || groups.some((group) => group.length % 2 !== 0)) {
    throw new OptionError(
      'drop',
      `'${text}' is no list of partitions; give row,column pairs with spaces between, such as '0,3 1,3'`,
    );
  }
  const numbers = groups.flat().map(Number);
  return Array.from({ length: numbers.length / 2 }, (_, i) => numbers.slice(2 * i, 2 * i + 2));
}

/** Axes that a signal has at most. */
const MOST_AXES = 3;

/** `#rrggbb` as three numbers from 0 to 1. */
export function hexColour(text: string): [number, number, number] {
  const digits = /^#?([0-9a-f]{6})$/i.exec(text)?.[1];
  if (digits === undefined) {
    throw new OptionError(
      'background',
      `'${text}' is no colour; give six hexadecimal digits, such as '#ffffff'`,
    );
  }
  const part = (at: number): number => parseInt(digits.slice(at, at + 2), 16) / 255;
  return [part(0), part(2), part(4)];
}
