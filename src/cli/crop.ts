import { boxShape } from '../../codec/grid.js';
import { crop } from '../crop.js';
import { openContainer } from '../container/reader.js';
import type { TimeRange } from '../time-range.js';
import { FileSink } from '../io/file-sink-node.js';
import type { AddCommand, CommandContext } from './command.js';
import { counted, grouped, parameterLine, placeOn, extentOf } from './figures.js';
import { namedOpening } from './named-opening.js';
import { partitionList, timeRange } from './option-values.js';
import { checkLgiName, checkOutput, openSource } from './places.js';
import { regionNumbers, regionOf } from './region-option.js';

interface Flags {
  readonly output: string;
  readonly region?: readonly number[];
  readonly time?: TimeRange;
  readonly drop?: number[][];
  readonly inner?: true;
}

const EPILOGUE = `
Whole partitions are kept and copied byte for byte; nothing is decoded. What a
region cuts off from them is hidden, not gone: whoever has the file can recover
it. --inner keeps only partitions that lie wholly inside, so nothing is hidden.
The output may be the file itself, which is then replaced in one step.
Of a URL only what is kept is fetched, with superblock, header and index, and
gaps of up to 16 KiB where that saves a request.`;

/** `lgi crop`. */
export const addCrop: AddCommand = (program, context) => {
  program
    .command('crop')
    .summary('copy a part of a file byte for byte, without decoding')
    .description('Copies a part of an LGI file into a new one, byte for byte, without decoding.')
    .argument('<lgi>', 'the file, or its URL')
    .requiredOption('-o, --output <file>', 'file to write')
    .option(
      '--region <x,y,width,height>',
      "samples to keep, from the visible window's corner; of volumes x,y,z,width,height,depth",
      regionNumbers,
    )
    .option('--time <from:to>', "seconds to keep, from the visible window's begin, such as 2:4", timeRange)
    .option('--drop <partitions>', "partitions to leave out, row,column: '0,3 1,3'", partitionList)
    .option('--inner', 'keep only partitions that lie wholly inside the region')
    .addHelpText('after', EPILOGUE)
    .action((lgi: string, flags: Flags) => cropFile(lgi, flags, context));
};

async function cropFile(input: string, flags: Flags, { output, signal }: CommandContext): Promise<void> {
  const { output: place, region: numbers, ...options } = flags;
  checkOutput(place);
  checkLgiName(place);
  const source = await openSource(input);
  try {
    const container = await namedOpening(input, openContainer(source, { signal }));
    const [{ kind }] = container.header.signals;
    const [{ window: visible }] = container.index.signals;
    const region = numbers && regionOf(kind, visible, numbers);
    const report = await crop(container, await FileSink.open(place), {
      ...options,
      ...(region && { region }),
      signal,
    });
    const { kept, dropped, hiddenSamples, bytes, parameters, fileId, familyId, window } = report;
    output.result(
      { kept, dropped, hiddenSamples, bytes, parameters, fileId, familyId, window },
      `${place}: ${extentOf({ ...container.header.signals[0], shape: boxShape(window) })}, ${grouped(bytes)} bytes`,
      [
        ['partitions', `${grouped(kept)} kept, ${grouped(dropped)} dropped`],
        ['parameters', parameterLine(parameters)],
        ['corner', `${placeOn(kind, window.begin)} of the first encode`],
      ],
    );
    if (hiddenSamples > 0) {
      output.warning(
        `${counted(hiddenSamples, 'sample')} outside the region ${hiddenSamples === 1 ? 'stays' : 'stay'} recoverable; ` +
          'crop with --inner to leave none',
      );
    }
  } finally {
    await source.close();
  }
}
