import fc from 'fast-check';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import type { Engine, EvaluationTask } from '../../dist/codec/engine/engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import {
  LgiError,
  MemorySink,
  OptionError,
  crop,
  encode,
  memoryMedia,
  open,
  type Box,
  type EncodeReport,
  type LgiFile,
} from '../../dist/src/index.js';
import { render, gradient } from '../../dist/test/media/patterns.js';

const HEIGHT = 37;
const WIDTH = 50;

const cpu = createCpuEngine(2);
let bytes: Uint8Array;
let report: EncodeReport;
let file: LgiFile;
/** Tasks of every evaluation through `file`, to count what a decode touches. */
let evaluated: EvaluationTask[] = [];

const counting: Engine = {
  name: 'cpu',
  threads: 2,
  createTrainingSession: (setup) => cpu.createTrainingSession(setup),
  createLatentSession: (setup) => cpu.createLatentSession(setup),
  createLatentDecoder: (setup) => cpu.createLatentDecoder(setup),
  createEvaluator: async (model, global) => {
    const evaluator = await cpu.createEvaluator(model, global);
    return {
      evaluate: (tasks, signal) => {
        evaluated.push(...tasks);
        return evaluator.evaluate(tasks, signal);
      },
      decode: (tasks, format, signal) => {
        evaluated.push(...tasks);
        return evaluator.decode(tasks, format, signal);
      },
      dispose: () => evaluator.dispose(),
    };
  },
  dispose: () => cpu.dispose(),
};

beforeAll(async () => {
  const { data } = render(gradient, { width: WIDTH, height: HEIGHT, layout: 'rgb' });
  const sink = new MemorySink();
  report = await encode(memoryMedia({ data, shape: [HEIGHT, WIDTH] }), sink, {
    cell: [10, 12],
    localWidth: 6,
    globalWidth: 8,
    iterations: 1500,
    engine: cpu,
  });
  bytes = sink.bytes().slice();
  file = await open(bytes, { engine: counting });
});
afterAll(() => cpu.dispose());

const anyRegion = fc
  .tuple(
    fc.integer({ min: 0, max: HEIGHT - 1 }),
    fc.integer({ min: 0, max: WIDTH - 1 }),
    fc.integer({ min: 1, max: HEIGHT }),
    fc.integer({ min: 1, max: WIDTH }),
  )
  .map(([y, x, h, w]): Box => ({ begin: [y, x], end: [Math.min(HEIGHT, y + h), Math.min(WIDTH, x + w)] }));

/** The rows and columns of a box out of row-major samples. */
function cut(data: ArrayLike<number>, width: number, { begin, end }: Box, channels = 3): number[] {
  const part: number[] = [];
  for (let y = begin[0]; y < end[0]; y++) {
    for (let i = (y * width + begin[1]) * channels; i < (y * width + end[1]) * channels; i++)
      part.push(data[i]);
  }
  return part;
}

describe('encode', () => {
  test('reports what the file decodes to', async () => {
    const { data } = render(gradient, { width: WIDTH, height: HEIGHT, layout: 'rgb' });
    const decoded = Array.from((await file.signals[0].decode()).data);
    const mse = decoded.reduce((sum, value, i) => sum + (value - data[i]) ** 2, 0) / data.length;
    expect(report.psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / mse), 9);
    expect(report.psnr).toBeGreaterThan(25);
    expect(report.bytes).toBe(bytes.length);
    expect(report.bitsPerSample).toBeCloseTo((8 * bytes.length) / (HEIGHT * WIDTH), 9);
  });
});

describe('decode', () => {
  test('of a region equals that region of the whole, and evaluates the partitions it touches and no other', async () => {
    const whole = (await file.signals[0].decode()).data;
    await fc.assert(
      fc.asyncProperty(anyRegion, async (region) => {
        evaluated = [];
        const part = await file.signals[0].decode({ region });
        expect(Array.from(part.data)).toEqual(cut(whole, WIDTH, region));
        const rows = Math.floor((region.end[0] - 1) / 10) - Math.floor(region.begin[0] / 10) + 1;
        const columns = Math.floor((region.end[1] - 1) / 12) - Math.floor(region.begin[1] / 12) + 1;
        expect(evaluated.length).toBe(rows * columns);
        expect(part.partitionsDecoded).toBe(rows * columns);
      }),
      { numRuns: 30 },
    );
  });

  test('gives the same samples on one thread and on several', async () => {
    const whole = await file.signals[0].decode({ scale: 1.7 });
    const single = await open(bytes, { threads: 1 });
    expect(await single.signals[0].decode({ scale: 1.7 })).toEqual(whole);
    await single.dispose();
  });

  test('gives parts of the outputs with the samples of all of them', async () => {
    const { data, shape } = await file.signals[0].decode({ size: [51, 43] });
    for (const outputs of [
      { begin: [0, 0], end: [1, 43] },
      { begin: [17, 5], end: [40, 6] },
      { begin: [50, 0], end: [51, 43] },
    ]) {
      const part = await file.signals[0].decode({ size: [51, 43], outputs });
      expect(Array.from(part.data)).toEqual(cut(data, shape[1], outputs));
    }
  });

  test('at twice the scale gives, for a region, the samples of the whole at that scale', async () => {
    const whole = await file.signals[0].decode({ scale: 2 });
    expect(whole.shape).toEqual([2 * HEIGHT, 2 * WIDTH]);
    const part = await file.signals[0].decode({ scale: 2, region: { begin: [3, 5], end: [13, 35] } });
    expect(Array.from(part.data)).toEqual(cut(whole.data, 2 * WIDTH, { begin: [6, 10], end: [26, 70] }));
  });

  test('at three times the scale has the samples of scale 1 in the middle of each three', async () => {
    const fine = await file.signals[0].decode({ scale: 3 });
    const plain = await file.signals[0].decode();
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        for (let c = 0; c < 3; c++) {
          const middle = fine.data[((3 * y + 1) * 3 * WIDTH + 3 * x + 1) * 3 + c];
          // Positions (3 i + 1 + 1/2) / 3 and i + 1/2 may differ in the last bit of an f64.
          expect(Math.abs(middle - plain.data[(y * WIDTH + x) * 3 + c])).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  test('takes any size, and any scale down to one sample', async () => {
    expect((await file.signals[0].decode({ size: [5, 91] })).shape).toEqual([5, 91]);
    expect((await file.signals[0].decode({ scale: 0.5 })).shape).toEqual([18, 25]);
    const single = await file.signals[0].decode({ scale: 1e-9 });
    expect([single.shape, single.data.length]).toEqual([[1, 1], 3]);
  });

  test('by the reference engine differs by at most one level', async () => {
    const reference = await open(bytes, { engine: new ReferenceEngine() });
    const expected = (await reference.signals[0].decode()).data;
    const actual = (await file.signals[0].decode()).data;
    expect(Math.max(...actual.map((value, i) => Math.abs(value - expected[i])))).toBeLessThanOrEqual(1);
  });

  test.each([
    ['a region outside', { region: { begin: [0, 40], end: [10, 60] } }, 'region'],
    ['an empty region', { region: { begin: [5, 5], end: [5, 9] } }, 'region'],
    ['a fraction in a region', { region: { begin: [0.5, 0], end: [4, 4] } }, 'region'],
    ['a region of other axes', { region: { begin: [0], end: [4] } }, 'region'],
    ['no scale', { scale: 0 }, 'scale'],
    ['NaN', { scale: NaN }, 'scale'],
    ['an endless scale', { scale: 1e9 }, 'scale'],
    ['a size of 0', { size: [0, 4] }, 'size'],
    ['scale and size', { scale: 2, size: [4, 4] }, 'size'],
    ['outputs beyond the last', { size: [4, 4], outputs: { begin: [0, 0], end: [4, 5] } }, 'outputs'],
    ['no outputs', { size: [4, 4], outputs: { begin: [2, 0], end: [2, 4] } }, 'outputs'],
  ])('refuses %s, naming the option', async (_, options, option) => {
    const error = await file.signals[0].decode(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).option).toBe(option);
  });

  test('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    await expect(file.signals[0].decode({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('a file with a damaged chunk', () => {
  test('fails with the name of the partition, or decodes the rest and lists what is missing', async () => {
    const { chunks, grid } = file.container.index.signals[0];
    const broken = bytes.slice();
    broken[chunks.byteOffsets[3] + 50] ^= 1;
    const name = grid.coordinatesOf(chunks.ordinals[3]);
    const damaged = await open(broken, { engine: cpu });
    await expect(damaged.signals[0].decode()).rejects.toMatchObject({
      code: 'damaged',
      section: `chunk ${name.join(',')}`,
    });
    const { missing, data } = await damaged.signals[0].decode({ allowDamaged: true });
    expect(missing.map(({ coordinates }) => coordinates)).toEqual([name]);
    expect(missing[0].reason).toBeInstanceOf(LgiError);
    const whole = (await file.signals[0].decode()).data;
    const { box } = missing[0];
    data.forEach((value, i) => {
      const [y, x] = [Math.floor(i / 3 / WIDTH), Math.floor(i / 3) % WIDTH];
      const inside = y >= box.begin[0] && y < box.end[0] && x >= box.begin[1] && x < box.end[1];
      expect(value).toBe(inside ? 0 : whole[i]);
    });
  });
});

describe('a cropped file', () => {
  test('decodes to that region of the source, and streams its partitions', async () => {
    const whole = (await file.signals[0].decode()).data;
    await fc.assert(
      fc.asyncProperty(anyRegion, async (region) => {
        const sink = new MemorySink();
        await crop((await open(bytes)).container, sink, { region });
        const cropped = await open(sink.bytes(), { engine: cpu });
        const { data, shape } = await cropped.signals[0].decode();
        expect(shape).toEqual([region.end[0] - region.begin[0], region.end[1] - region.begin[1]]);
        expect(Array.from(data)).toEqual(cut(whole, WIDTH, region));
        let samples = 0;
        for await (const tile of cropped.signals[0].stream()) samples += tile.data?.length ?? 0;
        expect(samples).toBe(data.length);
      }),
      { numRuns: 20 },
    );
  });
});
