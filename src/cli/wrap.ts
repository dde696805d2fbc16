/** Stands in words for a space at which no line ends; no text that is shown has it. */
const KEPT_SPACE = '\u0000';

/**
 * Lines of words that stay whole, each shorter than the columns where its words allow.
 *
 * @param columns of the terminal; Infinity for text that is not wrapped.
 * @param indent columns that are kept free in the lines after the first.
 * @param unbroken texts with spaces that stay whole too, such as paths, wherever they occur.
 */
export function wrap(
  text: string,
  columns: number,
  indent: number,
  unbroken: readonly string[] = [],
): string[] {
  let words = text;
  // The longest first: a folder's path is the beginning of its files'.
  for (const whole of [...unbroken].sort((a, b) => b.length - a.length)) {
    if (whole.includes(' ')) words = words.replaceAll(whole, whole.replaceAll(' ', KEPT_SPACE));
  }
  const lines = [''];
  for (const word of words.split(' ')) {
    const line = lines[lines.length - 1];
    const taken = lines.length === 1 ? 0 : indent;
    if (line === '') lines[lines.length - 1] = word;
    else if (taken + line.length + 1 + word.length < columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(KEPT_SPACE, ' '));
}

/** Narrower than this, wrapping only makes a terminal's own wrapping worse. */
const LEAST_COLUMNS = 40;

/** Columns to wrap at: those of a terminal; what goes elsewhere, where programs look for whole lines, is not wrapped. */
export function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY === true && columns >= LEAST_COLUMNS ? columns : Infinity;
}
