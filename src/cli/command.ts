import type { Command } from 'commander';
import type { Output } from './output.js';

/** What a command has besides its options. */
export interface CommandContext {
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Adds one command to the program; its action gives a result to the output, or throws. */
export type AddCommand = (program: Command, context: CommandContext) => void;
