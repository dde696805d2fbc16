// Files made to hurt, whose checksums are right; each test is an attack of spec/attacks.md.
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  elementCount,
  globalTensors,
  localTensors,
  siren,
  type Architecture,
} from '../../dist/codec/architecture.js';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { splitTask } from '../../dist/codec/engine/cpu/evaluation-tasks.js';
import type { Engine, SampleTask } from '../../dist/codec/engine/engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { Grid, spreadMap, type AxisCuts } from '../../dist/codec/grid.js';
import { allocateSamples, fullRangeMapping, type SignalKind } from '../../dist/codec/signal.js';
import { encodeHeader } from '../../dist/src/container/encode-header.js';
import { decodeIndex } from '../../dist/src/container/decode-index.js';
import { sineSignal } from '../../dist/src/container/sine-signal.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { crop } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { open } from '../../dist/src/open.js';
import { verifyFlatBuffer } from '../../dist/src/container/flatbuffer-verifier.js';
import { installAllocationMeter } from '../../dist/test/fuzz/allocations.js';
import { findPlaces } from '../../dist/test/fuzz/places.js';
import { openBytes, patternBytes, sampleFile, sampleHeader } from './sample-container.js';

const meter = installAllocationMeter();
const MIB = 2 ** 20;

/** Bytes asked for while something is done. */
async function allocatedBy(work: () => unknown): Promise<number> {
  meter.reset();
  await work();
  return meter.total;
}

async function failure(work: () => unknown): Promise<LgiError | OptionError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof LgiError || error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

interface Wish {
  readonly kind?: SignalKind;
  readonly axes: readonly AxisCuts[];
  readonly architecture?: Partial<Architecture>;
  /** Of every chunk; absent, DEFLATE of zeros, the shortest stream of any number of weights. */
  readonly payload?: Uint8Array;
  readonly hasChunks?: boolean;
}

/** A file of float32 weights under DEFLATE, as anybody can write it. */
async function fileOf({ kind = 'image', axes, architecture: changes, payload, hasChunks = true }: Wish) {
  const architecture: Architecture = {
    inputs: axes.length,
    outputs: 1,
    levels: 2,
    localWidth: 4,
    globalWidth: 0,
    localCoordinates: 'cell',
    latticeStride: 0,
    merge: 'concat',
    activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
    ...changes,
  };
  const zeros = (count: number) => Uint8Array.from(deflateRawSync(new Uint8Array(4 * count)));
  const firstShape = axes.map(({ cuts }) => cuts[cuts.length - 1]);
  const header = {
    signals: [
      {
        kind,
        role: 'primary',
        format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
        firstShape,
        model: {
          architecture,
          maps: firstShape.map((length) => spreadMap(length)),
          nominalCell: firstShape.map(() => 4),
        },
        quantiser: { format: 'float32', local: [], global: [] },
        coder: 'deflate',
        globalPayload:
          architecture.globalWidth === 0
            ? new Uint8Array(0)
            : zeros(elementCount(globalTensors(architecture))),
      },
    ],
  } as const;
  const grid = new Grid(axes);
  const common = payload ?? zeros(elementCount(localTensors(architecture)));
  const chunks = Array.from({ length: hasChunks ? grid.count : 0 }, (_, ordinal) => ({
    coordinates: grid.coordinatesOf(ordinal),
    payload: common,
  }));
  const sink = new MemorySink();
  await writeContainer(sink, { header, signals: [{ grid, chunks }] });
  return sink.bytes().slice();
}

const cells = (count: number, size: number): AxisCuts => ({
  cuts: Array.from({ length: count + 1 }, (_, i) => i * size),
  firstCell: 0,
});

describe('a FlatBuffer whose checksum is right', () => {
  let buffers: {
    name: 'header' | 'index';
    bytes: Uint8Array;
    root: 'Header' | 'Index';
    identifier: string;
  }[];
  beforeAll(async () => {
    const file = await sampleFile({ metadata: [{ name: 'icc', bytes: patternBytes(9, 1) }] });
    const { superblock } = await openBytes(file);
    const part = (name: 'header' | 'index') => {
      const { byteOffset, byteLength } = superblock[name];
      return file.slice(byteOffset, byteOffset + byteLength);
    };
    buffers = [
      { name: 'header', bytes: part('header'), root: 'Header', identifier: 'LGIH' },
      { name: 'index', bytes: part('index'), root: 'Index', identifier: 'LGIX' },
    ];
  });

  /** How many places of a kind there are, each with every one of these values refused. */
  async function refusedAt(kind: string, values: readonly number[], fact: RegExp): Promise<number> {
    let places = 0;
    for (const { name, bytes, root, identifier } of buffers) {
      for (const { at, size } of findPlaces(bytes, root).numbers.filter((place) => place.kind === kind)) {
        if (size !== 4) continue;
        places++;
        for (const value of values) {
          const copy = bytes.slice();
          new DataView(copy.buffer).setUint32(at, value, true);
          const error = await failure(() => verifyFlatBuffer(copy, root, identifier, name, 0));
          expect(error).toMatchObject({ code: 'damaged', section: name });
          expect(error.message).toMatch(fact);
        }
      }
    }
    return places;
  }

  it('cannot have an offset that leads to itself, back or outside', async () => {
    const fact = /points to itself|points beyond the end|is not aligned/;
    expect(await refusedAt('offset', [0, 1, 3, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 1], fact)).toBeGreaterThan(20);
  });

  it('cannot have a vector longer than itself', async () => {
    const fact = /reaches beyond the end/;
    const lengths = [2 ** 20, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32 - 1];
    expect(await refusedAt('count', lengths, fact)).toBeGreaterThan(15);
  });

  it('cannot have a virtual table outside itself', async () => {
    const fact = /virtual table|outside its table|is not aligned/;
    expect(
      await refusedAt('virtual', [2 ** 31, 2 ** 31 - 1, 2 ** 30, 2 ** 32 - 2 ** 20], fact),
    ).toBeGreaterThan(8);
  });

  it('has numbers that are refused or sound at every place, whichever they are', async () => {
    const [, index] = buffers;
    const { header, superblock } = await openBytes(
      await sampleFile({ metadata: [{ name: 'icc', bytes: patternBytes(9, 1) }] }),
    );
    let sound = 0;
    for (const { at, size, kind } of findPlaces(index.bytes, 'Index').numbers) {
      if (kind !== 'value' || size !== 4) continue;
      for (const value of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
        const copy = index.bytes.slice();
        new DataView(copy.buffer).setUint32(at, value, true);
        try {
          decodeIndex(copy, header, superblock);
          sound++;
        } catch (error) {
          expect(error).toMatchObject({ section: 'index', code: expect.stringMatching(/^(damaged|limit)$/) });
        }
      }
    }
    expect(sound).toBeGreaterThan(0);
  });
});

describe('a small file', () => {
  it('that describes a signal of 2^62 samples is opened, cropped and read in parts, and refused as a whole', async () => {
    const bytes = await fileOf({ axes: [cells(1, 2 ** 31 - 1), cells(1, 2 ** 31 - 1)] });
    const allocated = await allocatedBy(async () => {
      const file = await open(bytes, { engine: new ReferenceEngine() });
      const [signal] = file.signals;
      expect(await failure(() => signal.decode())).toMatchObject({ name: 'OptionError', option: 'scale' });
      const region = { begin: [2 ** 30, 5], end: [2 ** 30 + 2, 8] };
      expect((await signal.decode({ region })).data.length).toBe(6);
      await crop(file, new MemorySink(), { region });
    });
    expect(allocated).toBeLessThan(2 * MIB);
  });

  it('of 2^20 partitions by 2,050 cuts costs what its cuts cost', async () => {
    const bytes = await fileOf({ axes: [cells(1024, 8), cells(1024, 8)], hasChunks: false });
    expect(bytes.length).toBeLessThan(12_000);
    const allocated = await allocatedBy(async () => {
      const file = await open(bytes, { engine: new ReferenceEngine() });
      expect(file.signals[0].partitions).toEqual({ present: 0, constant: 0, absent: 2 ** 20 });
      const { missing } = await file.signals[0].decode({ region: { begin: [0, 0], end: [17, 17] } });
      expect(missing.length).toBe(9);
    });
    expect(allocated).toBeLessThan(MIB);
    const cuts = await failure(() => fileOf({ axes: [cells(1024, 8), cells(1025, 8)], hasChunks: false }));
    expect(cuts).toMatchObject({ code: 'limit', section: 'index' });
  });

  it('cannot have a network of more weights than are allowed', async () => {
    for (const architecture of [
      { levels: 17 },
      { localWidth: 2049 },
      { globalWidth: 4097 },
      { levels: 2, localWidth: 2048 },
      { levels: 3, localWidth: 1, globalWidth: 4096 },
      { levels: 2, latticeStride: 4097 },
    ]) {
      const header = sampleHeader([10, 13], 4, 'float32');
      const [signal] = header.signals;
      const model = { ...signal.model, architecture: { ...signal.model.architecture, ...architecture } };
      expect(await failure(() => encodeHeader({ ...header, signals: [{ ...signal, model }] }))).toMatchObject(
        { code: 'limit', section: 'header' },
      );
    }
  });

  it('cannot make its reader allocate for weights that a stream so short does not give', async () => {
    const architecture = { levels: 2, localWidth: 2000 };
    const bytes = await fileOf({
      axes: [cells(1, 8), cells(1, 8)],
      architecture,
      payload: patternBytes(50, 1),
    });
    const file = await open(bytes, { engine: new ReferenceEngine() });
    const allocated = await allocatedBy(async () => {
      const error = await failure(() => file.signals[0].decode());
      expect(error).toMatchObject({ code: 'damaged', section: 'chunk 0,0' });
      expect(error.message).toMatch(
        /50 bytes cannot give the 16024\d* that are expected|50 bytes cannot give/,
      );
    });
    expect(allocated).toBeLessThan(MIB);
  });

  it('of many partitions that inflate a thousandfold has few of them in memory at a time', async () => {
    const architecture = { levels: 2, localWidth: 1000 };
    const bytes = await fileOf({ axes: [cells(2, 4), cells(3, 4)], architecture });
    const waiting: number[] = [];
    const reference = new ReferenceEngine();
    /** The reference, and a look at what it is given. */
    const engine: Engine = {
      name: 'watched',
      threads: 1,
      createTrainingSession: (setup) => reference.createTrainingSession(setup),
      createLatentSession: (setup) => reference.createLatentSession(setup),
      createLatentDecoder: (setup) => reference.createLatentDecoder(setup),
      createEvaluator: async (model, global) => {
        const evaluator = await reference.createEvaluator(model, global);
        return {
          evaluate: (tasks, signal) => evaluator.evaluate(tasks, signal),
          decode: (tasks: readonly SampleTask[], format, signal) => {
            waiting.push(tasks.reduce((sum, { weights }) => sum + weights.length, 0));
            return evaluator.decode(tasks, format, signal);
          },
          dispose: () => evaluator.dispose(),
        };
      },
      dispose: () => reference.dispose(),
    };
    const file = await open(bytes, { engine });
    const { partitionsDecoded, data } = await file.signals[0].decode({ size: [2, 3] });
    expect(partitionsDecoded).toBe(6);
    expect([...new Set(data)]).toEqual([128]);
    const ofOne = elementCount(localTensors(sineSignal(file.signals[0].header).model.architecture));
    expect(waiting.reduce((sum, count) => sum + count, 0)).toBe(6 * ofOne);
    // 2^22 weights and the partition that goes beyond them.
    expect(Math.max(...waiting)).toBeLessThan(2 ** 22 + ofOne);
  });
});

describe('outputs that lie far apart', () => {
  const cpu = createCpuEngine(1);
  afterAll(() => cpu.dispose());

  it('need no more lattice at a time than a wave of kernels may have', async () => {
    const architecture = { levels: 16, localWidth: 64, globalWidth: 2, latticeStride: 1 };
    const axes = [1, 2, 3].map(() => cells(1, 2 ** 30));
    const bytes = await fileOf({ kind: 'volume', axes, architecture });
    const file = await open(bytes, { engine: cpu });
    const allocated = await allocatedBy(async () => {
      const { data } = await file.signals[0].decode({ size: [16, 16, 16] });
      expect([...new Set(data)]).toEqual([128]);
    });
    // Eight points for each of 4,096 outputs, of 4 KiB each, would be 128 MiB.
    expect(allocated).toBeLessThan(100 * MIB);
    await file.dispose();
  });

  it('have the values that they have one by one', async () => {
    const { model } = sampleHeader([10, 13], 4, 'float32').signals[0];
    const positions = [7, 5].map((count) => Float64Array.from({ length: count }, (_, i) => 100 * i + 0.5));
    const task: SampleTask = {
      box: { begin: [0, 0], end: [700, 700] },
      weights: new Float32Array(0),
      positions,
      target: { data: new Uint8Array(99), shape: [9, 11] },
      at: [2, 3],
    };
    const parts = splitTask(task, model, 8);
    const seen = parts.flatMap((part) => {
      const points = part.positions.map(({ length }) => 2 * length);
      expect(points[0] * points[1]).toBeLessThanOrEqual(8);
      return Array.from(part.positions[0], (y, i) =>
        Array.from(part.positions[1], (x, j) => `${y},${x} at ${part.at[0] + i},${part.at[1] + j}`),
      ).flat();
    });
    const expected = Array.from(positions[0], (y, i) =>
      Array.from(positions[1], (x, j) => `${y},${x} at ${2 + i},${3 + j}`),
    ).flat();
    expect(seen.sort()).toEqual(expected.sort());
    expect(splitTask(task, model, 140)).toEqual([task]);
  });
});

describe('what a host refuses to allocate', () => {
  it('ends in an error of a type', async () => {
    expect(await failure(() => allocateSamples('float32', 2 ** 52))).toMatchObject({ code: 'limit' });
    expect(await failure(() => allocateSamples('uint8', 2 ** 52))).toMatchObject({ code: 'limit' });
  });
});

describe('bytes between chunks', () => {
  it('do not pass into a crop', async () => {
    const file = await sampleFile({ format: 'float32' });
    const { index } = await openBytes(file);
    const { chunks } = index.signals[0];
    const marked = file.slice();
    let gaps = 0;
    for (let chunk = 1; chunk < chunks.count; chunk++) {
      const [begin, end] = [chunks.end(chunk - 1), chunks.byteOffsets[chunk]];
      marked.fill(0xa5, begin, end);
      gaps += end - begin;
    }
    expect(gaps).toBeGreaterThan(0);
    const cropped = async (bytes: Uint8Array) => {
      const sink = new MemorySink();
      await crop(new MemorySource(bytes), sink, { region: { begin: [0, 0], end: [9, 9] } });
      return sink.bytes();
    };
    expect(await cropped(marked)).toEqual(await cropped(file));
  });
});
