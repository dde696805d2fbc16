import { CommanderError } from 'commander';
import { LgiError, OptionError, type LgiErrorCode } from '../../codec/errors.js';
import { Interruption } from './interruption.js';
import { flagOf, withFlags } from './option-names.js';

/** How a command ended that did not do what it was asked to. */
export interface Failure {
  readonly exitCode: number;
  /** What goes under `error` with `--json`; absent where nothing is wrong, as after `--help`. */
  readonly error?: {
    /** `usage` for wrong options and arguments, `internal` for a mistake in this program. */
    readonly code: LgiErrorCode | 'usage' | 'interrupted' | 'internal';
    readonly message: string;
    readonly section?: string;
    readonly byteOffset?: number;
    readonly option?: string;
  };
  /** What to do next, for people. */
  readonly hint?: string;
}

/** Tells wrong usage, failures from outside and our own mistakes apart. */
export function describeFailure(error: unknown, commandName = ''): Failure {
  if (error instanceof Interruption) {
    return { exitCode: error.exitCode, error: { code: 'interrupted', message: error.message } };
  }
  if (error instanceof OptionError) {
    // `option: fact` as the library says it, under the command line's name.
    const option = flagOf(error.option);
    const prefix = `${error.option}: `;
    const message = error.message.startsWith(prefix)
      ? `--${option}: ${error.message.slice(prefix.length)}`
      : error.message;
    return { exitCode: 2, error: { code: 'usage', message: withFlags(message), option } };
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { exitCode: 0 };
    const option = /'(?:-\w, )?--([a-z-]+)/.exec(error.message)?.[1];
    const help =
      /^[a-z]+$/.test(commandName) && !error.message.includes('unknown command') ? ` ${commandName}` : '';
    return {
      exitCode: 2,
      error: {
        code: 'usage',
        message: error.message.replace(/^error: /, '').replaceAll('\n', ' '),
        ...(option !== undefined && { option }),
      },
      hint: `'lgi${help} --help' says what there is`,
    };
  }
  if (error instanceof LgiError) {
    const { code, message, section, byteOffset } = error;
    return {
      exitCode: 1,
      error: {
        code,
        message: withFlags(message),
        ...(section !== undefined && { section }),
        ...(byteOffset !== undefined && { byteOffset }),
      },
    };
  }
  return describeUnexpected(error);
}

function describeUnexpected(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (
    error instanceof RangeError &&
    /allocation failed|Invalid (typed )?array (buffer )?length/.test(message)
  ) {
    return {
      exitCode: 1,
      error: {
        code: 'limit',
        message: `this does not fit into memory (${message}); take a smaller picture or region`,
      },
    };
  }
  return {
    exitCode: 1,
    error: { code: 'internal', message: `unexpected error: ${message}` },
    hint:
      process.env['LGI_DEBUG'] === undefined
        ? 'this is a mistake in lgi: please report it with what LGI_DEBUG=1 makes it print'
        : String(error instanceof Error ? error.stack : error),
  };
}
