import { OptionError } from '../../codec/errors.js';
import type { Box } from '../../codec/grid.js';
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

/** `WIDTHxHEIGHT` as a shape, rows first. */
export function pictureSize(option: string): OptionParser<number[]> {
  const parse = sizes(option, 'WIDTHxHEIGHT, such as 1024x768');
  return (text) => parse(text).reverse();
}

/** `x,y,width,height` as a box with the signal's axes, rows first. */
export function pictureRegion(text: string): Box {
  const numbers = /^\s*-?\d+(\s*,\s*-?\d+){3}\s*$/.test(text) ? text.split(',').map(Number) : null;
  if (numbers === null) {
    throw new OptionError(
      'region',
      `'${text}' is not four whole numbers; give x,y,width,height in samples, such as 0,0,256,256`,
    );
  }
  const [x, y, width, height] = numbers;
  if (x < 0 || y < 0) {
    throw new OptionError('region', `'${text}' begins at ${x},${y}; the visible window begins at 0,0`);
  }
  if (width < 1 || height < 1) {
    throw new OptionError('region', `'${text}' has ${width}x${height} samples; at least 1x1 is needed`);
  }
  return { begin: [y, x], end: [y + height, x + width] };
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

/** `x,y` as a place on the signal's axes, rows first. */
export function picturePlace(text: string): number[] {
  const numbers = /^\s*-?\d+\s*,\s*-?\d+\s*$/.test(text) ? text.split(',').map(Number) : null;
  if (numbers === null) {
    throw new OptionError('at', `'${text}' is not two whole numbers; give x,y in samples, such as 256,0`);
  }
  return numbers.reverse();
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
