import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { encodeBySettings } from '../../dist/src/encode.js';
import { resolveSettings, type EncodeSettings } from '../../dist/src/encode-settings.js';
import {
  crop,
  memoryMedia,
  MemorySink,
  open,
  OptionError,
  verify,
  MemorySource,
  type Box,
  type CropOptions,
  type EncodeOptions,
  type LgiFile,
  type Progress,
} from '../../dist/src/index.js';
import { overviewFactors, overviewMedia } from '../../dist/src/overview-media.js';
import { scene } from '../../dist/test/media/scene.js';

const HEIGHT = 75;
const WIDTH = 100;
const engine = createCpuEngine(2);
const { data } = scene(WIDTH, HEIGHT, 'grey');
const media = memoryMedia({ data, shape: [HEIGHT, WIDTH] });

async function encoded(
  options: EncodeOptions,
  changes: Partial<EncodeSettings>,
  onProgress?: (progress: Progress) => void,
) {
  const sink = new MemorySink();
  const settings = { ...resolveSettings(media, options), ...changes };
  const report = await encodeBySettings([{ media, settings }], sink, {
    engine,
    ...(onProgress && { onProgress }),
  });
  return { report, bytes: sink.bytes().slice() };
}

const small: EncodeOptions = { cell: [8, 8], localWidth: 6, globalWidth: 8, iterations: 400 };
let bytes: Uint8Array;
let file: LgiFile;
beforeAll(async () => {
  ({ bytes } = await encoded(small, { overviews: [4, 8] }));
  file = await open(bytes, { engine });
});
afterAll(() => engine.dispose());

async function cropped(options: CropOptions) {
  const sink = new MemorySink();
  const report = await crop(new MemorySource(bytes), sink, options);
  const part = await open(sink.bytes().slice(), { engine });
  for await (const problem of part.verify()) expect(problem).toBeUndefined();
  return { report, part };
}

const meanError = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;

describe('overviews', () => {
  test('have the powers of two from 4 to the first whose longer side is at most 512', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 21 }), fc.integer({ min: 1, max: 2 ** 21 }), (a, b) => {
        const factors = overviewFactors([a, b]);
        expect(factors).toEqual(factors.map((_, i) => 4 * 2 ** i));
        const longest = Math.max(a, b);
        expect(longest / factors[factors.length - 1]).toBeLessThanOrEqual(512);
        if (factors.length > 1) expect(longest / factors[factors.length - 2]).toBeGreaterThan(512);
      }),
    );
  });

  test('are written for pictures of more than a million samples, one up to 4 million, unless they are declined', () => {
    const large = (shape: readonly number[], options = {}) => resolveSettings({ ...media, shape }, options);
    expect(large([1000, 1000]).overviews).toEqual([]);
    expect(large([1000, 1001]).overviews).toEqual([8]);
    expect(large([2000, 2000]).overviews).toEqual([8]);
    expect(large([2000, 2001]).overviews).toEqual([4]);
    expect(large([2000, 5000]).overviews).toEqual([4, 8, 16]);
    expect(large([2000, 5000], { overviews: 'none' }).overviews).toEqual([]);
    expect(() => large([20, 20], { overviews: 'some' })).toThrow(OptionError);
  });

  test('of a picture read in several squares are as of one read at once', async () => {
    const shape = [1030, 2050];
    const samples = Uint8Array.from({ length: shape[0] * shape[1] }, (_, i) => (i * 7919) >> 7);
    const [, eighth] = await overviewMedia(memoryMedia({ data: samples, shape }), [4, 8]);
    expect(eighth.shape).toEqual([129, 257]);
    for (const [y, x] of [
      [0, 0],
      [127, 128],
      [128, 256],
      [60, 255],
    ]) {
      let [sum, count] = [0, 0];
      for (let v = 8 * y; v < Math.min(shape[0], 8 * y + 8); v++) {
        for (let u = 8 * x; u < Math.min(shape[1], 8 * x + 8); u++, count++) sum += samples[v * shape[1] + u];
      }
      const [mean] = await eighth.read({ begin: [y, x], end: [y + 1, x + 1] });
      expect(mean).toBe(Math.floor(sum / count + 0.5));
    }
  });

  test('stand in the file behind their picture, which is decoded as without them', async () => {
    expect(file.signals.map(({ header }) => [header.role, header.overviewFactor])).toEqual([
      ['primary', undefined],
      ['overview', 4],
      ['overview', 8],
    ]);
    const [picture, quarter, eighth] = file.signals;
    expect(picture.overviews).toEqual([
      { factor: 4, signal: quarter },
      { factor: 8, signal: eighth },
    ]);
    expect([quarter.shape, eighth.shape]).toEqual([
      [19, 25],
      [10, 13],
    ]);
    expect(quarter.overviews).toEqual([]);
    const without = await open((await encoded(small, { overviews: [] })).bytes, { engine });
    expect(await picture.decode()).toEqual(await without.signals[0].decode());
    for await (const problem of verify(new MemorySource(bytes))) expect(problem).toBeUndefined();
    for (const { factor, signal } of picture.overviews) {
      const [means] = await overviewMedia(media, [factor]);
      const expected = await means.read({ begin: [0, 0], end: means.shape });
      expect(meanError((await signal.decode()).data, expected)).toBeLessThan(8);
    }
  });
});

describe('a view', () => {
  test('takes the coarsest level with as many samples as outputs, or the picture itself', async () => {
    const [picture] = file.signals;
    const factorOf = async (options: object) => (await picture.view(options)).factor;
    expect(await factorOf({})).toBe(1);
    expect(await factorOf({ scale: 2 })).toBe(1);
    expect(await factorOf({ scale: 0.26 })).toBe(1);
    expect(await factorOf({ scale: 0.25 })).toBe(4);
    expect(await factorOf({ scale: 0.126 })).toBe(4);
    expect(await factorOf({ size: [9, 12] })).toBe(8);
    expect(await factorOf({ size: [9, 13] })).toBe(4);
    expect(await factorOf({ size: [1, 1] })).toBe(8);
    expect(await factorOf({ size: [9, 12], region: { begin: [0, 0], end: [40, 50] } })).toBe(4);
    expect(await factorOf({ size: [9, 26] })).toBe(1);
  });

  test('at full density is decode, to the sample', async () => {
    const [picture] = file.signals;
    const region = { begin: [3, 5], end: [40, 61] };
    const { factor, ...view } = await picture.view({ region });
    expect(factor).toBe(1);
    expect(view).toEqual(await picture.decode({ region }));
  });

  test('of an overview shows the averages of its region, wherever that begins', async () => {
    const [picture] = file.signals;
    await fc.assert(
      fc.asyncProperty(fc.nat(8), fc.nat(11), async (row, column) => {
        const begin = [row * 4, column * 4];
        const region: Box = { begin, end: [begin[0] + 40, begin[1] + 48] };
        const view = await picture.view({ region, size: [10, 12] });
        expect([view.factor, view.shape, view.missing]).toEqual([4, [10, 12], []]);
        // Output j is sample j of the overview, from the region's first.
        const direct = await picture.overviews[0].signal.decode({
          region: { begin: [row, column], end: [row + 10, column + 12] },
        });
        expect(view.data).toEqual(direct.data);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a crop', () => {
  test('takes along what of the overviews the window touches, and counts what they hide', async () => {
    const region = { begin: [10, 33], end: [50, 70] };
    const { part, report } = await cropped({ region });
    expect(part.signals.map(({ window }) => window)).toEqual([
      region,
      { begin: [2, 8], end: [13, 18] },
      { begin: [1, 4], end: [7, 9] },
    ]);
    // 1/4: rows 0 to 16, columns 8 to 24; 1/8: rows 0 to 8, columns 0 to 13; partitions of 8x8.
    expect(part.signals.map(({ partitions }) => partitions)).toEqual([
      { present: 30, constant: 0, absent: 0 },
      { present: 4, constant: 0, absent: 0 },
      { present: 2, constant: 0, absent: 0 },
    ]);
    expect(report.hiddenSamples).toBe(48 * 40 - 40 * 37 + (16 * 16 - 11 * 10) + (8 * 13 - 6 * 5));
    const [picture] = part.signals;
    const whole = await file.signals[0].view({ region, size: [10, 9] });
    expect(await picture.view({ size: [10, 9] })).toEqual(whole);
  });

  test('with inner keeps of overviews what shows nothing else, which may be nothing at all', async () => {
    const { part, report } = await cropped({ region: { begin: [0, 0], end: [72, 70] }, inner: true });
    expect(report.hiddenSamples).toBe(0);
    expect(part.signals[0].window).toEqual({ begin: [0, 0], end: [72, 64] });
    // A partition of the overview at 1/4 shows 32x32 samples: two rows of two; at 1/8 64x64, one.
    expect(part.signals.map(({ partitions: { present } }) => present)).toEqual([72, 4, 1]);

    const few = await cropped({ region: { begin: [20, 20], end: [45, 45] }, inner: true });
    expect(few.part.signals.map(({ partitions: { present } }) => present)).toEqual([4, 0, 0]);
    const view = await few.part.signals[0].view({ size: [2, 2] });
    expect([view.factor, view.missing, view.partitionsDecoded]).toEqual([8, [], 4]);
    expect(view.data).toEqual((await few.part.signals[0].decode({ size: [2, 2] })).data);
  });

  test('leaves out of overviews all that shows a dropped partition; views take that from the picture', async () => {
    const { part } = await cropped({ drop: [[5, 6]] });
    const [picture, quarter, eighth] = part.signals;
    // Rows 40 to 48, columns 48 to 56.
    expect((await quarter.decode()).missing.map(({ coordinates }) => coordinates)).toEqual([[1, 1]]);
    expect((await eighth.decode()).missing.map(({ coordinates }) => coordinates)).toEqual([[0, 0]]);
    const view = await picture.view({ size: [9, 12] });
    expect(view.factor).toBe(8);
    expect(view.missing.map(({ coordinates }) => coordinates)).toEqual([[5, 6]]);
    const before = await file.signals[0].view({ size: [9, 12] });
    // What the overview at 1/8 still has is as it was.
    for (let y = 0; y < 9; y++)
      expect(view.data.subarray(y * 12 + 8, y * 12 + 12)).toEqual(
        before.data.subarray(y * 12 + 8, y * 12 + 12),
      );
  });

  test('to everything gives the very file again', async () => {
    const sink = new MemorySink();
    await crop(new MemorySource(bytes), sink);
    expect(sink.bytes()).toEqual(bytes);
  });
});

describe('a damaged overview', () => {
  test('fails by its name, or with allowDamaged is replaced by the picture', async () => {
    const { chunks } = file.container.index.signals[2];
    const broken = bytes.slice();
    broken[chunks.byteOffsets[0] + 40] ^= 1;
    const [picture] = (await open(broken, { engine })).signals;
    await expect(picture.view({ size: [4, 4] })).rejects.toMatchObject({
      code: 'damaged',
      section: expect.stringMatching(/^chunk 2:/),
    });
    const { missing, factor } = await picture.view({ size: [4, 4], allowDamaged: true });
    expect([missing, factor]).toEqual([[], 8]);
  });
});

describe('groups', () => {
  const groups = { partitions: 20, samples: 1 << 24, weights: 1 << 25 };

  test('come close to training all at once, whatever holds the weights', async () => {
    // Ten partitions are little to learn global features from: at 384x512 in cells of 32, twenty cost 0.4 dB.
    const options: EncodeOptions = { ...small, cell: [16, 16], localWidth: 10 };
    for (const weights of ['int11', 'float32']) {
      const whole = await encoded({ ...options, weights }, {});
      const parts = await encoded({ ...options, weights }, { groups: { ...groups, partitions: 10 } });
      expect(parts.report.psnr).toBeGreaterThan(whole.report.psnr - 5);
      expect(parts.report).toMatchObject({ iterations: 400, stoppedBy: 'iterations', grid: [5, 7] });
    }
  });

  test('give the same bytes for the same seed, and report what the file decodes to', async () => {
    const first = await encoded(small, { groups, overviews: [4] });
    const second = await encoded(small, { groups, overviews: [4] });
    expect(second.bytes).toEqual(first.bytes);
    const decoded = (await (await open(first.bytes, { engine })).signals[0].decode()).data;
    const mse = Array.from(decoded).reduce((sum, value, i) => sum + (value - data[i]) ** 2, 0) / data.length;
    expect(first.report.psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / mse), 9);
  });

  test('report progress over the whole, and share a budget of time out', async () => {
    const seen: Progress[] = [];
    const whole = await encoded(small, { groups, overviews: [4] }, (progress) => seen.push(progress));
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => Number(a) - Number(b)));
    expect(fractions[fractions.length - 1]).toBeCloseTo(1, 9);
    const last = seen[seen.length - 1];
    // What the bar counts is what the report says, however many groups and overviews there are.
    expect([last.iteration, last.iterations]).toEqual([whole.report.iterations, 400]);
    for (const [i, { iteration, iterations, seconds, iterationsPerSecond }] of seen.entries()) {
      expect(iterations).toBe(400);
      expect(iteration).toBeGreaterThanOrEqual(seen[Math.max(0, i - 1)].iteration);
      expect(Math.floor(iterationsPerSecond * seconds + 1e-6)).toBe(iteration);
    }

    const { report } = await encoded({ ...small, iterations: undefined, seconds: 0.5 }, { groups });
    expect(report.stoppedBy).toBe('seconds');
    const reached = await encoded({ ...small, iterations: 4000, psnr: 18 }, { groups });
    expect(reached.report.stoppedBy).toBe('psnr');
    expect(reached.report.psnr).toBeGreaterThan(18);
  });

  test('are not made by recipes that train everything together', async () => {
    const options: EncodeOptions = { ...small, preset: 'paper', iterations: 3 };
    expect((await encoded(options, { groups })).bytes).toEqual((await encoded(options, {})).bytes);
  });
});
