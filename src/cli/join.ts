import { LgiError } from '../../codec/errors.js';
import { boxShape } from '../../codec/grid.js';
import { openContainer, type Container } from '../container/reader.js';
import { FileSink } from '../io/file-sink-node.js';
import { join, MAX_JOINED_FILES, type JoinOptions } from '../join.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, grouped, parameterLine, placeOn, extentOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import { checkLgiName, checkOutput, openSource, placeName, type InputSource } from './places.js';

interface Flags {
  readonly output: string;
  readonly prefer?: JoinOptions['prefer'];
}

const EPILOGUE = `
Chunks are copied byte for byte; nothing is decoded. All files must have the
same header, as crops of one file have. The window becomes the box of all
windows, and what is in none of the files is a hole; samples that a crop has
hidden are seen again where they lie inside that box. A partition that two files
have is taken once; if its bytes differ, --prefer says whose count.
The output may be one of the files, which is then replaced in one step.`;

/** `lgi join`. */
export const addJoin: AddCommand = (program, context) => {
  program
    .command('join')
    .summary('put parts of one file together again, without decoding')
    .description('Puts LGI files together that have the same header, such as crops of one file.')
    .argument('<lgi...>', 'the files, or their URLs')
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--prefer <first|last>', 'whose partitions and metadata count where files differ')
    .addHelpText('after', EPILOGUE)
    .action((files: string[], flags: Flags) => joinFiles(files, flags, context));
};

async function joinFiles(
  inputs: readonly string[],
  { output: place, prefer }: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  checkOutput(place);
  checkLgiName(place);
  if (inputs.length > MAX_JOINED_FILES) {
    throw new LgiError(
      'limit',
      `${inputs.length} files given, at most ${MAX_JOINED_FILES} are joined at once; join parts first`,
    );
  }
  const sources: InputSource[] = [];
  try {
    const containers: Container[] = [];
    for (const input of inputs) {
      const source = await openSource(input);
      sources.push(source);
      containers.push(await namedOpening(input, openContainer(source, { signal })));
    }
    const sink = await FileSink.open(place);
    const options = { names: inputs.map(placeName), signal, ...(prefer !== undefined && { prefer }) };
    const report = await join(containers, sink, options);
    const { kept, duplicates, absent, hiddenSamples, bytes, parameters, fileId, familyId, notices } = report;
    const [window] = report.windows;
    const { kind } = containers[0].header.signals[0];
    output.result(
      {
        kept,
        duplicates,
        absent,
        hiddenSamples,
        bytes,
        parameters,
        fileId,
        familyId,
        window,
        notices,
      },
      `${place}: ${extentOf({ ...containers[0].header.signals[0], shape: boxShape(window) })}, ${grouped(bytes)} bytes`,
      [
        ['partitions', `${grouped(kept)} of ${counted(inputs.length, 'file')}, ${grouped(absent)} absent`],
        ['parameters', parameterLine(parameters)],
        ['corner', `${placeOn(kind, window.begin)} of the first encode`],
      ],
    );
    for (const notice of notices) output.note(notice);
    if (hiddenSamples > 0) {
      output.warning(
        `${counted(hiddenSamples, 'sample')} outside the window ${hiddenSamples === 1 ? 'stays' : 'stay'} recoverable`,
      );
    }
  } finally {
    for (const source of sources) await source.close();
  }
}
