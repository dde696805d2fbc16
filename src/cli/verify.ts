import { verifyContainer, type Problem } from '../container/verify.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted } from './figures.js';
import { openSource } from './places.js';

/** `lgi verify`. */
export const addVerify: AddCommand = (program, context) => {
  program
    .command('verify')
    .summary('check every checksum of a file')
    .description('Reads all of an LGI file and says what is wrong with it. Exit code 1 where anything is.')
    .argument('<lgi>', 'the file')
    .action((lgi: string) => verifyFile(lgi, context));
};

async function verifyFile(input: string, { output, signal }: CommandContext): Promise<void> {
  const source = await openSource(input);
  const problems: Problem[] = [];
  try {
    for await (const problem of verifyContainer(source, signal)) problems.push(problem);
  } finally {
    await source.close();
  }
  const ok = problems.length === 0;
  output.result(
    {
      ok,
      errors: problems.map(({ code, section, byteOffset, message }) => ({
        code,
        section,
        offset: byteOffset,
        message,
      })),
    },
    ok ? `${input}: everything is as it was written` : `${input}: ${counted(problems.length, 'problem')}`,
    problems.map(({ code, section, byteOffset, message }) => [
      `${section} at ${byteOffset}`,
      `${code}: ${message}`,
    ]),
  );
  output.exitCode = ok ? 0 : 1;
}
