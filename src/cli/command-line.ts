import { Command } from 'commander';
import { VERSION } from '../version.js';
import type { AddCommand } from './command.js';
import { describeFailure } from './failure.js';
import { listenForInterruption } from './interruption.js';
import { Output } from './output.js';

/** In the order of the help text. Each is loaded when it is wanted: `info` and `crop` never load an engine. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  encode: async () => (await import('./encode.js')).addEncode,
  decode: async () => (await import('./decode.js')).addDecode,
  crop: async () => (await import('./crop.js')).addCrop,
  append: async () => (await import('./append.js')).addAppend,
  join: async () => (await import('./join.js')).addJoin,
  repair: async () => (await import('./repair.js')).addRepair,
  info: async () => (await import('./info.js')).addInfo,
  verify: async () => (await import('./verify.js')).addVerify,
  compare: async () => (await import('./compare.js')).addCompare,
  serve: async () => (await import('./serve.js')).addServe,
  doctor: async () => (await import('./doctor.js')).addDoctor,
};

const EPILOGUE = `
With --json a command prints exactly one JSON object on stdout, also when it
fails: {"error": {"code", "message", "section"?, "byteOffset"?, "option"?}}.
Numbers that JSON has no form for are the strings "Infinity" and "NaN", as the
PSNR of equal pictures. Progress and messages go to stderr.

Exit codes: 0 done, 1 failed, 2 wrong usage; 130 after Ctrl-C, 143 after
SIGTERM, when nothing half-made is left. A second Ctrl-C ends at once.`;

/**
 * Runs one command.
 *
 * @param given arguments after the program's name.
 * @returns the exit code.
 */
export async function runCommandLine(given: readonly string[]): Promise<number> {
  // The option of all commands is also taken before the command.
  const argv =
    given[0] === '--json' && given.length > 1 ? [...given.slice(1, 2), '--json', ...given.slice(2)] : given;
  const output = new Output({ isJson: wantsJson(argv), argv });
  const interruption = listenForInterruption();
  const program = new Command('lgi')
    .description('Media as Local-Global implicit neural representations: encode, cut, decode.')
    .version(VERSION, '--version', 'print the version')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    const context = { output, signal: interruption.signal };
    const names = Object.hasOwn(COMMANDS, argv[0] ?? '') ? [argv[0]] : Object.keys(COMMANDS);
    for (const name of names) (await COMMANDS[name]())(program, context);
    for (const command of program.commands) {
      command.option('--json', 'print one JSON object on stdout').exitOverride();
      command.configureOutput({ writeErr: () => undefined });
    }
    if (argv.length === 0) {
      process.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync(argv, { from: 'user' });
    return output.exitCode;
  } catch (error) {
    // An abort surfaces as whatever it interrupted; the cause is what counts.
    const { signal } = interruption;
    return output.failure(describeFailure(signal.aborted ? signal.reason : error, argv[0]));
  } finally {
    interruption.stopListening();
  }
}

/** Looked up before parsing, since also what fails to parse is reported as JSON. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}
