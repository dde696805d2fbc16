// What is done with a hostile file. A target ends in a result, or throws; what it throws is judged elsewhere.
import { elementCount, globalTensors, localTensors } from '../../codec/architecture.js';
import type { Engine } from '../../codec/engine/engine.js';
import { boxShape, type Box } from '../../codec/grid.js';
import { crop, type CropOptions } from '../../src/crop.js';
import { growContainer } from '../../src/container/grow.js';
import { openContainer, refreshContainer } from '../../src/container/reader.js';
import { verifyContainer } from '../../src/container/verify.js';
import { MemorySink, MemorySource } from '../../src/io/memory.js';
import { MemoryTarget } from '../../src/io/memory-target.js';
import { join } from '../../src/join.js';
import { open, type LgiFile } from '../../src/open.js';
import { placeMedia, sidesOf } from '../../src/placement.js';
import { repair } from '../../src/repair.js';
import type { DecodeOptions, Signal } from '../../src/signal.js';
import type { Choices } from './choices.js';
import { Finding } from './judge.js';
import { compareReaders } from './second-reader.js';

export interface TargetInput {
  readonly bytes: Uint8Array;
  /** Whether the file is one of the project's own writer. */
  readonly valid: boolean;
  readonly choices: Choices;
  readonly engine: Engine;
}

/** One thing that users do with files; a new verb is a line in {@link TARGETS}. */
export interface Target {
  readonly name: string;
  readonly run: (input: TargetInput) => Promise<void>;
}

/** Multiply-adds that a case's decode may take: a fraction of a second for the reference engine. */
const AFFORDABLE_WORK = 3e6;

/** Of the latent family, about as many for every output of a partition, of which all are made. */
const LATENT_WORK = 1500;

/** Multiply-adds of one output: its own network, and the global one at the corners of its lattice cell. */
function workPerOutput(signal: Signal): number {
  if (signal.header.latents !== undefined) return LATENT_WORK;
  const { architecture } = signal.header.model;
  const corners = architecture.latticeStride > 0 ? 2 ** architecture.inputs : 1;
  const { levels, localWidth, globalWidth } = architecture;
  const merge = globalWidth > 0 ? levels * localWidth * (localWidth + corners * globalWidth) : 0;
  const global = elementCount(globalTensors(architecture)) * corners;
  return elementCount(localTensors(architecture)) + global + merge;
}

/** A region of few samples somewhere in the window. */
export function smallRegion(signal: Signal, most: number, choices: Choices): Box {
  const shape = boxShape(signal.window);
  let rest = Math.max(1, most);
  const lengths = shape.map((length) => {
    const taken = Math.min(length, choices.between(1, Math.max(1, rest)), 64);
    rest = Math.floor(rest / taken);
    return taken;
  });
  const begin = lengths.map((length, axis) =>
    choices.pick([0, choices.below(shape[axis] - length + 1), shape[axis] - length]),
  );
  return { begin, end: begin.map((at, axis) => at + lengths[axis]) };
}

/** How many outputs a case can pay for; 0 where one is too many. */
export function affordableOutputs(signal: Signal): number {
  return Math.min(300, Math.floor(AFFORDABLE_WORK / workPerOutput(signal)));
}

type Use = (file: LgiFile, input: TargetInput) => Promise<void>;

function opened(use: Use): Target['run'] {
  return async (input) => {
    const file = await open(input.bytes, { engine: input.engine });
    try {
      await use(file, input);
    } finally {
      await file.dispose();
    }
  };
}

/** For every signal whose outputs can be paid for. */
function decoding(use: (signal: Signal, most: number, choices: Choices) => Promise<void>): Target['run'] {
  return opened(async ({ signals }, { choices }) => {
    for (const signal of signals) {
      const most = affordableOutputs(signal);
      if (most > 0) await use(signal, most, choices);
    }
  });
}

async function decodeAndCheck(signal: Signal, options: DecodeOptions): Promise<void> {
  const { data, shape, channels, missing } = await signal.decode(options);
  const values = shape.reduce((product, length) => product * length, channels);
  if (data.length !== values) throw new Finding(`${data.length} values for ${shape.join('x')}x${channels}`);
  for (const { box } of missing) {
    if (!box.begin.every((at, axis) => at >= 0 && at < box.end[axis] && box.end[axis] <= shape[axis])) {
      throw new Finding(`a missing box ${JSON.stringify(box)} outside ${shape.join('x')}`);
    }
  }
}

async function describe(file: LgiFile): Promise<void> {
  const said = file.signals.map((signal) => ({
    shape: signal.shape,
    grid: signal.grid,
    cuts: signal.cuts.map((list) => list.length),
    partitions: signal.partitions,
    parameters: signal.parameters,
    format: signal.format,
    colour: signal.colour,
  }));
  const text = JSON.stringify([
    said,
    file.fileId,
    file.familyId,
    file.generation,
    file.container.header.writer ?? 'nobody',
  ]);
  if (/null/.test(text)) throw new Finding(`a number that is none in ${text.slice(0, 300)}`);
}

function cropping(
  optionsOf: (file: LgiFile, choices: Choices, signalIndex: number) => CropOptions,
): Target['run'] {
  return opened(async (file, { choices }) => {
    const signalIndex = choices.below(file.signals.length);
    const sink = new MemorySink();
    const report = await crop(file, sink, { signalIndex, ...optionsOf(file, choices, signalIndex) });
    const bytes = sink.bytes();
    if (bytes.length !== report.bytes) throw new Finding(`${bytes.length} bytes, ${report.bytes} reported`);
    // A crop is a file, whatever its chunks hold.
    const again = await openContainer(new MemorySource(bytes)).catch((error) => {
      throw new Finding(`the crop cannot be opened: ${String(error)}`);
    });
    if (again.familyId !== file.familyId) throw new Finding('the crop has another family');
  });
}

/** Joins a file with what is left of it without a partition. */
async function joinWithPart(file: LgiFile, { choices }: TargetInput): Promise<void> {
  const signalIndex = choices.below(file.signals.length);
  const { grid } = file.container.index.signals[signalIndex];
  const part = new MemorySink();
  const drop = [grid.coordinatesOf(choices.below(grid.count))];
  await crop(file, part, { signalIndex, drop });
  const whole = new MemorySink();
  const { kept } = await join([part.bytes(), file], whole, { prefer: 'first' });
  const again = await openContainer(new MemorySource(whole.bytes())).catch((error) => {
    throw new Finding(`what was joined cannot be opened: ${String(error)}`);
  });
  if (kept !== file.container.chunkCount || again.chunkCount !== kept) {
    throw new Finding(`${kept} partitions joined of ${file.container.chunkCount}`);
  }
}

/** Adds a partition of noise on a side; the file that was there goes on being read. */
async function appendOne({ bytes, choices }: TargetInput): Promise<void> {
  const target = new MemoryTarget(bytes);
  const before = await openContainer(target);
  const signalIndex = choices.below(before.index.signals.length);
  const signal = before.index.signals[signalIndex];
  const header = before.header.signals[signalIndex];
  const { kind } = header;
  const { nominalCell } = header.latents ?? header.model;
  const side = choices.pick(sidesOf(kind));
  const shape = boxShape(signal.window).map((length) => (choices.chance(0.8) ? length : 1));
  const { grid, window, part } = placeMedia(kind, signal, nominalCell, shape, { side });
  if (part.count > 1000) return;
  const chunks = Array.from({ length: part.count }, (_, ordinal) => ({
    coordinates: part.coordinatesOf(ordinal),
    payload: new Uint8Array(choices.below(50)),
  }));
  const growth = before.index.signals.map((_, i) =>
    i === signalIndex ? { grid, window, chunks } : undefined,
  );
  await growContainer(before, target, growth);
  const after = await refreshContainer(before).catch((error) => {
    throw new Finding(`a file that has grown cannot be read: ${String(error)}`);
  });
  if (after.generation !== before.generation + 1) throw new Finding(`generation ${after.generation}`);
  if (after.chunkCount !== before.chunkCount + part.count) {
    throw new Finding(`${after.chunkCount} chunks, ${before.chunkCount} before ${part.count} were added`);
  }
}

export const TARGETS: readonly Target[] = [
  {
    name: 'verify',
    run: async ({ bytes, valid }) => {
      for await (const { code, section, message } of verifyContainer(new MemorySource(bytes))) {
        if (valid) throw new Finding(`${code} in the ${section} of a valid file: ${message}`);
      }
    },
  },
  { name: 'describe', run: opened(describe) },
  {
    name: 'metadata',
    run: opened(async (file) => {
      for (const { name } of file.container.index.sections) await file.readMetadata(name);
      await file.readMetadata('icc');
    }),
  },
  {
    name: 'decode',
    run: decoding((signal, most, choices) =>
      decodeAndCheck(signal, { region: smallRegion(signal, most, choices) }),
    ),
  },
  {
    name: 'decode at a size',
    run: decoding((signal, most, choices) => {
      let rest = most;
      const size = signal.shape.map(() => {
        const count = choices.between(1, Math.max(1, Math.min(rest, 40)));
        rest = Math.floor(rest / count);
        return count;
      });
      return decodeAndCheck(signal, { size, allowDamaged: choices.chance(0.5) });
    }),
  },
  {
    name: 'decode at a scale',
    run: decoding((signal, most, choices) => {
      const region = smallRegion(signal, Math.max(1, Math.floor(most / 27)), choices);
      return decodeAndCheck(signal, { region, scale: choices.pick([0.01, 0.3, 1.5, 3]), allowDamaged: true });
    }),
  },
  {
    name: 'stream',
    run: decoding(async (signal, most, choices) => {
      const region = smallRegion(signal, most, choices);
      for await (const { data, missing } of signal.stream({ region, allowDamaged: choices.chance(0.5) })) {
        if ((data === undefined) === (missing === undefined))
          throw new Finding('a tile that is and is not there');
      }
    }),
  },
  { name: 'crop to all', run: cropping(() => ({})) },
  {
    name: 'crop to a region',
    run: cropping((file, choices, i) => ({
      region: smallRegion(file.signals[i], 100, choices),
      inner: choices.chance(0.2),
    })),
  },
  {
    name: 'crop without a partition',
    run: cropping((file, choices, i) => {
      const { grid } = file.container.index.signals[i];
      return { drop: [grid.coordinatesOf(choices.below(grid.count))] };
    }),
  },
  {
    name: 'view',
    run: decoding(async (signal, most, choices) => {
      if (signal.overviews.length === 0) return;
      const region = smallRegion(signal, most, choices);
      await signal.view({ region, scale: choices.pick([0.1, 0.25, 0.5]), allowDamaged: choices.chance(0.5) });
    }),
  },
  {
    name: 'repair',
    run: async ({ bytes }) => {
      const sink = new MemorySink();
      await repair(bytes, sink);
      for await (const { code, section, message } of verifyContainer(new MemorySource(sink.bytes()))) {
        throw new Finding(`${code} in the ${section} of a repaired file: ${message}`);
      }
    },
  },
  { name: 'join with a part', run: opened(joinWithPart) },
  { name: 'append', run: appendOne },
  { name: 'second reader', run: ({ bytes, choices }) => compareReaders(bytes, choices) },
];
