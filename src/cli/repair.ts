import { LgiError } from '../../codec/errors.js';
import { FileSink } from '../io/file-sink-node.js';
import { repair, type RepairReport, type UnsavedPartition } from '../repair.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, grouped } from './figures.js';
import { namedOpening } from './named-opening.js';
import { checkDistinct, checkLgiName, checkOutput, openSource } from './places.js';

const EPILOGUE = `
What is sound is copied byte for byte, into a file of its own; the damaged one
stays as it is. Lost partitions become holes, which decode to transparency or
to --background. Where the index is lost, the file is scanned for chunks.
Exit code 0 where anything was saved.`;

/** Names of what is lost that people are told, one line's worth; the rest are in the JSON. */
const MAX_NAMES = 4;

/** `lgi repair`. */
export const addRepair: AddCommand = (program, context) => {
  program
    .command('repair')
    .summary('save what is sound in a damaged file')
    .description('Makes a new LGI file of what is sound in a damaged one, and says what is lost.')
    .argument('<lgi>', 'the damaged file, or its URL')
    .requiredOption('-o, --output <file>', 'file to write')
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, flags: { readonly output: string }) => repairFile(lgi, flags.output, context));
};

async function repairFile(input: string, place: string, { output, signal }: CommandContext): Promise<void> {
  checkOutput(place);
  checkLgiName(place);
  await checkDistinct(input, place);
  const source = await openSource(input);
  try {
    const sink = await FileSink.open(place);
    const report = await namedOpening(input, repair(source, sink, { signal }), () => '');
    const { kept, lost, absent, metadata, indexRebuilt, indexHint, notices, bytes, fileId, familyId } =
      report;
    output.result(
      {
        kept,
        lost: lost.map(({ signalIndex, coordinates, reason }) => ({
          signal: signalIndex,
          partition: coordinates,
          ...describeReason(reason),
        })),
        absent,
        metadata: {
          kept: metadata.kept,
          lost: metadata.lost.map(({ name, reason }) => ({ name, ...describeReason(reason) })),
        },
        indexRebuilt,
        ...(indexHint !== undefined && { indexHint }),
        notices,
        bytes,
        fileId,
        familyId,
      },
      `${place}: ${counted(kept, 'partition')} saved, ${grouped(bytes)} bytes`,
      rowsOf(report),
    );
    for (const notice of notices) output.note(notice);
  } finally {
    await source.close();
  }
}

function describeReason(reason: UnsavedPartition['reason']): object {
  return reason instanceof LgiError
    ? { reason: reason.code, message: reason.message }
    : { reason, message: 'no sound chunk was found' };
}

function rowsOf({ lost, absent, metadata, indexRebuilt, indexHint }: RepairReport): [string, ...string[]][] {
  const rows: [string, ...string[]][] = [];
  if (lost.length > 0) {
    const names = lost.slice(0, MAX_NAMES).map(({ coordinates }) => coordinates.join(','));
    const more = lost.length > MAX_NAMES ? ' ...' : '';
    const doubt = indexHint === 'none' ? ', lost or never there' : '';
    rows.push(['lost', `${counted(lost.length, 'partition')}${doubt}: ${names.join(' ')}${more}`]);
  } else rows.push(['lost', indexRebuilt ? 'no partition that is known of' : 'no partition']);
  if (absent > 0) rows.push(['absent', `${counted(absent, 'partition')}, before the damage too`]);
  if (metadata.lost.length > 0) {
    rows.push(['metadata lost', ...metadata.lost.slice(0, MAX_NAMES).map(({ name }) => name)]);
  }
  rows.push(['index', indexRebuilt ? 'made anew by a scan for chunks' : 'as it was']);
  return rows;
}
