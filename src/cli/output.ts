import picocolors from 'picocolors';
import type { Failure } from './failure.js';

type Colours = ReturnType<typeof picocolors.createColors>;

/** Terminals alone get colours: picocolors by itself also takes any CI for one. */
function coloursOf(stream: NodeJS.WriteStream): Colours {
  const isWanted = stream.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  return picocolors.createColors(isWanted);
}

/** JSON of a result; Infinity and NaN, which JSON lacks, as the strings that most parsers of numbers read. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'number' && !Number.isFinite(item) ? String(item) : item,
  );
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
    for (const stream of [process.stdout, process.stderr]) {
      // The reader of a pipe, such as `head`, may leave before the end; that is no failure of ours.
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
      });
    }
  }

  /** The command's one result. */
  result(json: object, title: string, rows: readonly Row[]): void {
    if (this.#isJson) {
      process.stdout.write(`${toJson(json)}\n`);
      return;
    }
    const colours = coloursOf(process.stdout);
    const width = Math.max(0, ...rows.map(([label]) => label.length));
    process.stdout.write(`${colours.bold(title)}\n`);
    for (const [label, ...lines] of rows) {
      lines.forEach((line, i) => {
        const name = (i === 0 ? label : '').padEnd(width);
        process.stdout.write(`  ${colours.dim(name)}  ${line}\n`.replace(/ +\n$/, '\n'));
      });
    }
  }

  /** Something to know, which is no failure. */
  note(message: string): void {
    process.stderr.write(`lgi: ${message}\n`);
  }

  /** Something to beware of. */
  warning(message: string): void {
    process.stderr.write(`lgi: ${coloursOf(process.stderr).yellow('warning:')} ${message}\n`);
  }

  /** @returns the exit code. */
  failure({ exitCode, error, hint }: Failure): number {
    if (error === undefined) return exitCode;
    if (this.#isJson) process.stdout.write(`${toJson({ error })}\n`);
    process.stderr.write(`${coloursOf(process.stderr).red('lgi:')} ${error.message}\n`);
    if (hint !== undefined) process.stderr.write(`     ${hint}\n`);
    return exitCode;
  }
}
