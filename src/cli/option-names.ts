/** The command line's name for an option of the library. */
export function flagOf(option: string): string {
  if (option === 'seconds') return 'time';
  if (option === 'rateHz') return 'rate';
  if (option === 'framesPerSecond') return 'fps';
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A message of the library, which has names of options in backticks, with the command line's: `seconds` as --time. */
export function withFlags(message: string): string {
  // As words of their own, so that paths with backticks stay what they are.
  return message.replace(
    /(?<![^\s(])`([a-z]+)`(?![^\s,;:.)])/gi,
    (_, option: string) => `--${flagOf(option)}`,
  );
}
