import { verifyContainer, type Problem } from '../container/verify.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted } from './figures.js';
import { openSource, placeName } from './places.js';

/** One line for what a missing end does to chunk after chunk; every other problem is one of its own. */
function grouped(problems: readonly Problem[]): [string, string][] {
  const isTruncatedChunk = ({ code, section }: Problem): boolean =>
    code === 'truncated' && section.startsWith('chunk ');
  const cut = problems.filter(isTruncatedChunk);
  return problems
    .filter((problem) => problem === cut[0] || !isTruncatedChunk(problem))
    .map((problem) => {
      const { code, section, byteOffset, message } = problem;
      const more = problem === cut[0] && cut.length > 1 ? ` (and ${counted(cut.length - 1, 'other')})` : '';
      return [`${section}${more}`, `${code} at byte ${byteOffset}: ${message}`];
    });
}

/** `lgi verify`. */
export const addVerify: AddCommand = (program, context) => {
  program
    .command('verify')
    .summary('check every checksum of a file')
    .description('Reads all of an LGI file and says what is wrong with it. Exit code 1 where anything is.')
    .argument('<lgi>', 'the file, or its URL')
    .addHelpText('after', "\n'lgi repair' makes a new file of what is sound.")
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
    ok
      ? `${placeName(input)}: everything is as it was written`
      : `${placeName(input)}: ${counted(problems.length, 'problem')}`,
    grouped(problems),
  );
  output.exitCode = ok ? 0 : 1;
}
