import picocolors from 'picocolors';
import type { Failure } from './failure.js';
import { wrap } from './wrap.js';

type Colours = ReturnType<typeof picocolors.createColors>;

/**
 * Terminals alone get colours. Left to itself picocolors takes any CI for a terminal, and so it does for undefined, which
 * is what `isTTY` of a pipe is.
 */
function coloursOf(stream: NodeJS.WriteStream): Colours {
  const isWanted =
    stream.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  return picocolors.createColors(isWanted);
}

/** JSON of a result; Infinity and NaN, which JSON lacks, as the strings that most parsers of numbers read. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'number' && !Number.isFinite(item) ? String(item) : item,
  );
}

/** Names in files and paths are others' text: what steers a terminal does not reach it. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** A row of a table: what it is, and the lines it has. */
export type Row = readonly [label: string, ...lines: string[]];

/** Where results and messages go: the result to stdout, everything else to stderr. */
export class Output {
  readonly #isJson: boolean;
  /** What the command ends with; 0 until something says otherwise. */
  exitCode = 0;

  constructor({ isJson }: { isJson: boolean }) {
    this.#isJson = isJson;
  }

  /** The command's one result. */
  result(json: object, title: string, rows: readonly Row[]): void {
    if (this.#isJson) {
      process.stdout.write(`${toJson(json)}\n`);
      return;
    }
    const colours = coloursOf(process.stdout);
    const width = Math.max(0, ...rows.map(([label]) => label.length));
    process.stdout.write(`${colours.bold(printable(title))}\n`);
    for (const [label, ...lines] of rows) {
      lines.forEach((line, i) => {
        const name = (i === 0 ? label : '').padEnd(width);
        process.stdout.write(`  ${colours.dim(name)}  ${printable(line)}\n`);
      });
    }
  }

  /** Something to know, which is no failure. */
  note(message: string): void {
    this.#say(`lgi: ${message}`);
  }

  /** Something to beware of. */
  warning(message: string): void {
    this.#say(`lgi: warning: ${message}`, (text) => coloursOf(process.stderr).yellow(text));
  }

  /** @returns the exit code. */
  failure({ exitCode, error, hint }: Failure): number {
    if (error === undefined) return exitCode;
    if (this.#isJson) process.stdout.write(`${toJson({ error })}\n`);
    this.#say(`lgi: ${error.message}`, (text) => coloursOf(process.stderr).red(text));
    if (hint !== undefined) process.stderr.write(`     ${hint}\n`);
    return exitCode;
  }

  /** A message to stderr, its first word or two coloured, wrapped between words in a terminal. */
  #say(message: string, colour: (text: string) => string = (text) => text): void {
    const prefix = /^lgi:( warning:)?/.exec(message)?.[0] ?? '';
    const columns = process.stderr.isTTY ? process.stderr.columns : Infinity;
    const lines = wrap(printable(message), columns >= LEAST_COLUMNS ? columns : Infinity, INDENT.length);
    process.stderr.write(`${colour(prefix)}${lines.join(`\n${INDENT}`).slice(prefix.length)}\n`);
  }
}

/** Narrower than this, wrapping only makes a terminal's own wrapping worse. */
const LEAST_COLUMNS = 40;
/** Lines after the first stand below its text, behind `lgi: `. */
const INDENT = ' '.repeat('lgi: '.length);
