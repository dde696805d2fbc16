import type { Architecture } from '../../codec/architecture.js';
import type { LatentArchitecture } from '../../codec/latent/latent-architecture.js';
import { countSignalParameters } from '../count-parameters.js';
import { countNetworks, hasLocalOrigin } from '../container/local-weights.js';
import { boxShape } from '../../codec/grid.js';
import { COARSE, precisionOf } from '../../codec/quantise.js';
import type { SineSignal } from '../container/header.js';
import { openContainer, type Container } from '../container/reader.js';
import { superblockBytesOf } from '../container/superblock.js';
import type { AddCommand, CommandContext } from './command.js';
import { axisOrder, counted, grouped, parameterLine, placeOn, extentOf, sizeOf } from './figures.js';
import type { Row } from './output.js';
import { namedOpening } from './named-opening.js';
import { openSource, placeName } from './places.js';

/** `lgi info`. */
export const addInfo: AddCommand = (program, context) => {
  program
    .command('info')
    .summary('say what is in a file')
    .description('Says what is in an LGI file: signals, networks, partitions, sizes. Chunks are not read.')
    .argument('<lgi>', 'the file, or its URL')
    .action((lgi: string) => describeFile(lgi, context));
};

async function describeFile(input: string, { output, signal }: CommandContext): Promise<void> {
  const source = await openSource(input);
  try {
    const opening = openContainer(source, { signal, allowTruncated: true });
    const container = await namedOpening(input, opening);
    const info = fileInfo(container);
    const missing = missingEnd(container);
    output.result(
      { ...info, ...(missing && { missing }) },
      `${placeName(input)}: LGI ${info.version}, ${grouped(info.bytes.total)} bytes`,
      [
        ...fileRows(info),
        ...info.signals.flatMap((one, i) => {
          const cutOff = missing?.partitions[i] ?? 0;
          return one.overviewFactor === undefined
            ? signalRows(one, info.signals.length > 1 ? ` ${i}` : '', cutOff)
            : [overviewRow(one, one.overviewFactor, i, cutOff)];
        }),
      ],
    );
    if (missing) output.warning(endNotice(missing, info.bytes.total));
  } finally {
    await source.close();
  }
}

/** What lies behind the end of a file that is cut short; as far as its length is known, which no request is made for. */
interface MissingEnd {
  /** Bytes that there are. */
  readonly bytesPresent: number;
  /** Partitions that are missing wholly or in part, by signal. */
  readonly partitions: readonly number[];
  /** Names of metadata sections likewise. */
  readonly metadata: readonly string[];
}

function missingEnd({ superblock, index, knownByteLength }: Container): MissingEnd | undefined {
  if (knownByteLength === undefined || knownByteLength >= superblock.committedByteLength) return undefined;
  const partitions = index.signals.map(({ chunks }) => {
    let count = 0;
    for (let chunk = 0; chunk < chunks.count; chunk++) if (chunks.end(chunk) > knownByteLength) count++;
    return count;
  });
  const metadata = index.sections
    .filter(({ byteOffset, byteLength }) => byteOffset + byteLength > knownByteLength)
    .map(({ name }) => name);
  return { bytesPresent: knownByteLength, partitions, metadata };
}

function endNotice({ bytesPresent, partitions, metadata }: MissingEnd, promised: number): string {
  const all = partitions.reduce((sum, count) => sum + count, 0);
  const parts = [
    ...(all === 0 ? [] : [counted(all, 'partition')]),
    ...metadata.map((name) => `metadata ${name}`),
  ];
  const loss = parts.length === 0 ? 'but with all partitions' : `without ${parts.join(' and ')}`;
  return (
    `the file ends after ${grouped(bytesPresent)} of the ${grouped(promised)} bytes that its superblock promises, ${loss}; ` +
    "fetch it again, or save what is sound with 'lgi repair'"
  );
}

type FileInfo = ReturnType<typeof fileInfo>;
type SignalInfo = FileInfo['signals'][number];

function fileInfo(container: Container) {
  const { superblock, header, index, fileId, familyId, generation } = container;
  const { major, minor } = superblock.version;
  const superblockBytes = superblockBytesOf(superblock.features);
  const chunks = index.signals.reduce((sum, signal) => sum + chunkBytes(signal.chunks), 0);
  const metadata = index.sections.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const used =
    superblockBytes + superblock.header.byteLength + superblock.index.byteLength + chunks + metadata;
  return {
    version: `${major}.${minor}`,
    generation,
    fileId,
    familyId,
    ...(header.writer !== undefined && { writer: header.writer }),
    signals: header.signals.map((_, i) => signalInfo(container, i)),
    metadata: index.sections.map(({ name, byteLength }) => ({ name, bytes: byteLength })),
    bytes: {
      superblock: superblockBytes,
      header: superblock.header.byteLength,
      index: superblock.index.byteLength,
      /** Heads and payloads, without the padding between them. */
      chunks,
      /** Padding, and what appends have left behind: earlier indexes, chunks that were made anew. */
      unused: superblock.committedByteLength - used,
      total: superblock.committedByteLength,
    },
  };
}

function chunkBytes(chunks: Container['index']['signals'][number]['chunks']): number {
  let sum = 0;
  for (let chunk = 0; chunk < chunks.count; chunk++) sum += chunks.byteLength(chunk);
  return sum;
}

function signalInfo({ header, index }: Container, i: number) {
  const { kind, role, overviewFactor, format, colour, firstShape, rate, startSeconds } = header.signals[i];
  const signal = header.signals[i];
  const { grid, window, chunks } = index.signals[i];
  const networks = countNetworks(header.signals[i], chunks.payloadLengths);
  return {
    kind,
    role,
    ...(overviewFactor !== undefined && { overviewFactor }),
    shape: boxShape(window),
    ...(rate && { rate }),
    ...(startSeconds !== undefined && { startSeconds }),
    channels: format.channels,
    layout: format.layout,
    sampleType: format.sampleType,
    ...(colour && { colour }),
    /** The visible window in positions of the first encode; its corner is `begin`. */
    window,
    firstShape,
    grid: grid.shape,
    cell: (signal.latents ?? signal.model).nominalCell,
    firstPartition: grid.axes.map(({ firstCell }) => firstCell),
    partitions: { present: networks, constant: chunks.count - networks, absent: grid.count - chunks.count },
    parameters: countSignalParameters(signal, index.signals[i]),
    /** Whether weights are stored as differences from those that training began with. */
    isFromOrigin: hasLocalOrigin(signal),
    ...(signal.latents === undefined
      ? {
          architecture: { family: 'local-global' as const, ...signal.model.architecture },
          weights: weightsName(signal),
          coder: signal.coder,
        }
      : {
          architecture: { family: 'latent' as const, ...signal.latents.architecture },
          weights: 'latents' as const,
          coder: 'range' as const,
        }),
  };
}

/** As `encode --weights` takes it. */
function weightsName({ model, quantiser, coder }: SineSignal): string {
  const precision = precisionOf(quantiser, model.architecture, coder);
  if (precision.format !== 'integer') return precision.format;
  if (precision.roundingShare === undefined) return `int${precision.bits}`;
  return precision === COARSE ? 'coarse' : 'fine';
}

function fileRows({ generation, fileId, familyId, writer, metadata, bytes }: FileInfo): Row[] {
  return [
    ['file id', `${fileId}, generation ${generation}`],
    ['family id', familyId],
    ...(writer === undefined ? [] : [['writer', writer] as const]),
    [
      'bytes',
      `superblock ${grouped(bytes.superblock)}, header ${grouped(bytes.header)}, index ${grouped(bytes.index)}`,
      `chunks ${grouped(bytes.chunks)}` +
        (generation > 1 ? `, left behind by appends ${grouped(bytes.unused)}` : ''),
    ],
    ...metadata.map((section) => ['metadata', `${section.name}, ${grouped(section.bytes)} bytes`] as const),
  ];
}

/** An overview is the signal before it in everything but size. */
function overviewRow({ shape, partitions }: SignalInfo, factor: number, i: number, cutOff: number): Row {
  return [
    `signal ${i}`,
    `overview at 1/${factor} per axis, ${sizeOf(shape)}`,
    `${counted(partitions.present, 'partition')}` +
      (partitions.absent === 0 ? '' : `, ${grouped(partitions.absent)} absent`) +
      (cutOff === 0 ? '' : `, ${grouped(cutOff)} cut off`),
  ];
}

/** What signals with time have. */
function timeLines({ kind, channels, rate, startSeconds }: SignalInfo): string[] {
  if (rate === undefined) return [];
  const perSecond = Number((rate.numerator / rate.denominator).toFixed(3));
  const start = startSeconds === undefined ? '' : `, begins at ${Number(startSeconds.toFixed(3))} s`;
  return [
    kind === 'audio'
      ? `${counted(channels, 'channel')} at ${perSecond} Hz${start}`
      : `${perSecond} frames a second${start}`,
  ];
}

function sineLines(network: Architecture): string[] {
  const { local, global, merge } = network.activations;
  const hasGlobal = network.globalWidth > 0;
  const lattice =
    network.latticeStride === 0 ? 'at every position' : `every ${network.latticeStride} samples`;
  return [
    `${network.levels} levels, local width ${network.localWidth}, global width ${network.globalWidth}`,
    `local networks see ${network.localCoordinates} coordinates`,
    ...(hasGlobal ? [`global features ${lattice}`] : []),
    `omega first/hidden: local ${local.omegaFirst}/${local.omegaHidden}` +
      (hasGlobal ? `, global ${global.omegaFirst}/${global.omegaHidden}, merge ${merge.omegaHidden}` : ''),
  ];
}

function latentLines({ levels, finestLevels, hiddenWidth, amplitude }: LatentArchitecture): string[] {
  return [
    `${levels} levels of latents, the finest of each channel one in ${finestLevels.map((level) => `${2 ** level}x${2 ** level}`).join(', ')}`,
    `${hiddenWidth} hidden features, amplitude ${Number(amplitude.toPrecision(3))}`,
  ];
}

/** @param cutOff partitions behind the end of a file that is cut short. */
function signalRows(signal: SignalInfo, number: string, cutOff: number): Row[] {
  const { architecture: network, partitions, window } = signal;
  const isWhole = partitions.absent === 0 && partitions.constant === 0 && cutOff === 0;
  return [
    [
      `signal${number}`,
      `${signal.kind}, ${extentOf(signal)} ${signal.layout}, ${signal.sampleType}`,
      ...timeLines(signal),
      `corner ${placeOn(signal.kind, window.begin)} of ${sizeOf(signal.firstShape)} at the first encode`,
    ],
    [
      'partitions',
      `${signal.grid.join('x')}${axisOrder(signal.kind)} of ${signal.cell.join('x')} samples`,
      isWhole
        ? `${grouped(partitions.present)}, all present`
        : `${grouped(partitions.present - cutOff)} present, ${grouped(partitions.constant)} constant, ` +
          `${grouped(partitions.absent)} absent` +
          (cutOff === 0 ? '' : `, ${grouped(cutOff)} cut off`),
    ],
    ['network', ...(network.family === 'latent' ? latentLines(network) : sineLines(network))],
    ['parameters', parameterLine(signal.parameters)],
    [
      'weights',
      `${signal.weights}, coder ${signal.coder}` +
        (signal.isFromOrigin ? ', as differences from those of the beginning' : ''),
    ],
  ];
}
