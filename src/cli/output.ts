import { dirname, resolve } from 'node:path';
import picocolors from 'picocolors';
import type { Failure } from './failure.js';
import { withFlags } from './option-names.js';
import { columnsOf, wrap } from './wrap.js';

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
  readonly #unbroken: readonly string[];
  /** What the command ends with; 0 until something says otherwise. */
  exitCode = 0;

  /** @param argv of the command; the paths in it stay whole where lines are wrapped. */
  constructor({ isJson, argv }: { isJson: boolean; argv: readonly string[] }) {
    this.#isJson = isJson;
    this.#unbroken = argv
      .flatMap((argument) => [argument, resolve(argument)])
      .flatMap((path) => [path, dirname(path)])
      .map(printable);
  }

  /** The command's one result. */
  result(json: object, title: string, rows: readonly Row[]): void {
    if (this.#isJson) {
      process.stdout.write(`${toJson(json)}\n`);
      return;
    }
    const { bold, dim } = coloursOf(process.stdout);
    const titleLines = this.#wrapped(title, process.stdout, TITLE_INDENT.length);
    process.stdout.write(`${titleLines.map(bold).join(`\n${TITLE_INDENT}`)}\n`);
    const width = Math.max(0, ...rows.map(([label]) => label.length));
    for (const [label, ...lines] of rows) {
      const wrapped = lines.flatMap((line) => this.#wrapped(line, process.stdout, width + 4));
      wrapped.forEach((line, i) => {
        process.stdout.write(`  ${dim((i === 0 ? label : '').padEnd(width))}  ${line}\n`);
      });
    }
  }

  /** Something to know, which is no failure. */
  note(message: string): void {
    this.#say(`lgi: ${withFlags(message)}`);
  }

  /** Something to beware of. */
  warning(message: string): void {
    this.#say(`lgi: warning: ${withFlags(message)}`, (text) => coloursOf(process.stderr).yellow(text));
  }

  /** @returns the exit code. */
  failure({ exitCode, error, hint }: Failure): number {
    if (error === undefined) return exitCode;
    if (this.#isJson) process.stdout.write(`${toJson({ error })}\n`);
    this.#say(`lgi: ${error.message}`, (text) => coloursOf(process.stderr).red(text));
    if (hint !== undefined) {
      const lines = hint.split('\n').flatMap((line) => this.#wrapped(line, process.stderr, INDENT.length));
      process.stderr.write(`${lines.map((line) => `${INDENT}${line}\n`).join('')}`);
    }
    return exitCode;
  }

  /** A message to stderr, its first word or two coloured. */
  #say(message: string, colour: (text: string) => string = (text) => text): void {
    const prefix = /^lgi:( warning:)?/.exec(message)?.[0] ?? '';
    const lines = this.#wrapped(message.slice(INDENT.length), process.stderr, INDENT.length);
    const text = `lgi: ${lines.join(`\n${INDENT}`)}`;
    process.stderr.write(`${colour(prefix)}${text.slice(prefix.length)}\n`);
  }

  /** Text as it is shown behind some columns that are taken: in lines of the terminal, paths whole. */
  #wrapped(text: string, stream: NodeJS.WriteStream, taken: number): string[] {
    const columns = columnsOf(stream) - taken;
    return wrap(printable(text), columns < LEAST_LINE_COLUMNS ? Infinity : columns, 0, this.#unbroken);
  }
}

/** Lines after the first stand below its text, behind `lgi: `. */
const INDENT = ' '.repeat('lgi: '.length);

/** A title's further lines are told from rows, which stand at 2. */
const TITLE_INDENT = ' '.repeat(4);

/** Where fewer are left beside a table's labels, a word a line would be worse than the terminal's own wrapping. */
const LEAST_LINE_COLUMNS = 20;
