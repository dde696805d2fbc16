import { OptionError } from '../../codec/errors.js';
import { mediaFault } from './image-limits.js';

/** Where the numbers of slices stand in a path's file name. */
export interface SlicePattern {
  /** As it was given. */
  readonly pattern: string;
  /** With the separator at its end; empty for the working folder. */
  readonly folder: string;
  readonly prefix: string;
  readonly suffix: string;
  /** Digits that a number is filled up to with zeros; null for `*`, which stands for any text. */
  readonly digits: number | null;
}

/** Where a number stands: `%d`, `%04d` filled up with zeros, or `*` for any text. */
const MARK = /%d|%0[1-9]d|\*/g;

/**
 * The pattern that a path is, such as `slices/%04d.png` or `slices/*.png`; null where it has no mark.
 *
 * @throws OptionError `input` or `output` for two marks, or one in a folder's name.
 */
export function slicePatternOf(path: string, option: 'input' | 'output'): SlicePattern | null {
  const marks = [...path.matchAll(MARK)];
  if (marks.length === 0) return null;
  const nameBegin =
    Math.max(path.lastIndexOf('/'), process.platform === 'win32' ? path.lastIndexOf('\\') : -1) + 1;
  const [mark] = marks;
  if (marks.length > 1 || mark.index < nameBegin) {
    throw new OptionError(
      option,
      `${path} has ${marks.length} marks, of %d, %04d or *; give one, in the name of the file`,
    );
  }
  const digits = mark[0] === '*' ? null : mark[0] === '%d' ? 1 : Number(mark[0][2]);
  return {
    pattern: path,
    folder: path.slice(0, nameBegin),
    prefix: path.slice(nameBegin, mark.index),
    suffix: path.slice(mark.index + mark[0].length),
    digits,
  };
}

/** The path of the slice of a number. */
export function slicePath({ folder, prefix, suffix, digits }: SlicePattern, number: number): string {
  return `${folder}${prefix}${String(number).padStart(digits ?? 1, '0')}${suffix}`;
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** Names in the order that their numbers have, so that 10 comes after 9. */
export function inNaturalOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => NATURAL.compare(a, b) || (a < b ? -1 : 1));
}

/** What stands in place of the mark; null where the name does not fit. */
function markedText({ prefix, suffix }: SlicePattern, name: string): string | null {
  const fits =
    name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix);
  return fits ? name.slice(prefix.length, name.length - suffix.length) : null;
}

/**
 * The names in a folder that a pattern means, in the order of their numbers.
 *
 * @throws LgiError `media` where none fits, or a number between the first and the last is missing.
 */
export function matchingNames(pattern: SlicePattern, names: readonly string[]): string[] {
  const { digits } = pattern;
  const nothing = () =>
    mediaFault(pattern.pattern, 'no file fits this pattern', 'check the folder and the number of digits');
  if (digits === null) {
    const found = names.filter((name) => !name.startsWith('.') && markedText(pattern, name) !== null);
    if (found.length === 0) throw nothing();
    return inNaturalOrder(found);
  }
  const numbers: number[] = [];
  for (const name of names) {
    const text = markedText(pattern, name);
    // Only the number's own form counts: 7.png and 0007.png are not the same slice.
    if (text === null || !/^\d{1,9}$/.test(text)) continue;
    if (String(Number(text)).padStart(digits, '0') === text) numbers.push(Number(text));
  }
  if (numbers.length === 0) throw nothing();
  numbers.sort((a, b) => a - b);
  const gap = numbers.findIndex((number, i) => i > 0 && number !== numbers[i - 1] + 1);
  if (gap > 0) {
    const [from, to] = [numbers[gap - 1] + 1, numbers[gap] - 1];
    throw mediaFault(
      pattern.pattern,
      `${from === to ? `slice ${from} is` : `slices ${from} to ${to} are`} missing of ${numbers[0]} to ${numbers.at(-1)}`,
      'add what is missing, or use * in the pattern to take what is there',
    );
  }
  return numbers.map((number) => slicePath({ ...pattern, folder: '' }, number));
}
