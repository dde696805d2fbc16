import { describe, expect, it } from 'vitest';
import { compareSamples } from '../../dist/codec/metrics.js';
import { signalPeak } from '../../dist/codec/signal.js';
import { resolveSettings } from '../../dist/src/encode-settings.js';
import {
  append,
  crop,
  encode,
  memoryMedia,
  MemorySink,
  MemorySource,
  MemoryTarget,
  open,
  seamRatio,
  type Box,
  type EncodeOptions,
  type Media,
  type MemoryMediaOptions,
  type SampleArray,
} from '../../dist/src/index.js';

/** Smooth samples of any shape. */
function wave(shape: readonly number[], channels: number, [low, high]: readonly [number, number]): number[] {
  const count = shape.reduce((product, length) => product * length, channels);
  return Array.from({ length: count }, (_, i) => {
    let rest = Math.floor(i / channels);
    let phase = (i % channels) * 0.7;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      phase += ((rest % shape[axis]) / shape[axis]) * (5 + axis);
      rest = Math.floor(rest / shape[axis]);
    }
    return low + (high - low) * (0.5 + 0.45 * Math.sin(phase));
  });
}

/** A ball in the middle of a cube. */
function ball(side: number): Uint8Array {
  return Uint8Array.from({ length: side ** 3 }, (_, i) => {
    const at = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    const squared = at.reduce((sum, position) => sum + (position + 0.5 - side / 2) ** 2, 0);
    return squared < (0.35 * side) ** 2 ? 255 : 0;
  });
}

const KINDS: Readonly<Record<string, MemoryMediaOptions & { readonly cell: readonly number[] }>> = {
  audio: {
    kind: 'audio',
    data: Float32Array.from(wave([3000], 2, [-0.8, 0.8])),
    shape: [3000],
    rate: { numerator: 8000, denominator: 1 },
    startSeconds: 1.5,
    cell: [500],
  },
  video: {
    kind: 'video',
    data: Uint8Array.from(wave([12, 20, 24], 3, [0, 255])),
    shape: [12, 20, 24],
    rate: { numerator: 30000, denominator: 1001 },
    cell: [4, 10, 12],
  },
  volume: {
    kind: 'volume',
    data: Uint16Array.from(wave([16, 16, 16], 1, [0, 65535])),
    shape: [16, 16, 16],
    cell: [8, 8, 8],
  },
  shape: { kind: 'shape', data: ball(16), shape: [16, 16, 16], cell: [8, 8, 8] },
};

const OPTIONS: EncodeOptions = { iterations: 400, threads: 2 };

function whole(media: Media): Promise<SampleArray> {
  return media.read({ begin: media.shape.map(() => 0), end: media.shape });
}

it.each(Object.keys(KINDS))('%s goes into a file and comes back, time and all', async (kind) => {
  const { cell, ...options } = KINDS[kind];
  const media = memoryMedia(options);
  const sink = new MemorySink();
  const report = await encode(media, sink, { ...OPTIONS, cell });
  expect(report.psnr).toBeGreaterThan(kind === 'shape' ? 14 : 35);
  expect('ssim' in report).toBe(kind === 'video' || kind === 'volume');
  if (kind === 'shape') expect(report.iou).toBeGreaterThan(0.9);

  const file = await open(sink.bytes(), { threads: 2 });
  const [signal] = file.signals;
  expect(signal.header).toMatchObject({
    kind,
    ...(options.rate && { rate: options.rate }),
    ...(options.startSeconds !== undefined && { startSeconds: options.startSeconds }),
  });
  const { data, shape } = await signal.decode();
  expect(shape).toEqual(media.shape);
  const peak = signalPeak(media.kind, media.format);
  expect(compareSamples(await whole(media), data, media.format, peak).psnr).toBeCloseTo(report.psnr, 6);
  await file.dispose();
});

it.each(Object.keys(KINDS))('a crop of %s decodes to exactly those samples', async (kind) => {
  const { cell, ...options } = KINDS[kind];
  const sink = new MemorySink();
  await encode(memoryMedia(options), sink, { ...OPTIONS, iterations: 20, cell });
  const region: Box = {
    begin: options.shape.map((length) => Math.floor(0.55 * length)),
    end: options.shape.map((length) => Math.floor(0.9 * length)),
  };
  const part = new MemorySink();
  const { kept, dropped } = await crop(sink.bytes(), part, { region });
  expect(kept).toBeGreaterThan(0);
  expect(dropped).toBeGreaterThan(0);
  const [before, after] = [
    await open(sink.bytes(), { threads: 2 }),
    await open(part.bytes(), { threads: 2 }),
  ];
  const expected = await before.signals[0].decode({ region });
  const found = await after.signals[0].decode();
  expect(found.shape).toEqual(expected.shape);
  expect(found.data).toEqual(expected.data);
  await Promise.all([before.dispose(), after.dispose()]);
});

it.each(Object.keys(KINDS))('%s grows behind its end, and stays what it was', async (kind) => {
  const { cell, ...options } = KINDS[kind];
  const media = memoryMedia(options);
  const sink = new MemorySink();
  await encode(media, sink, { ...OPTIONS, iterations: 100, cell });
  const target = new MemoryTarget(sink.bytes());
  await append(target, media, { side: 'after', iterations: 400, threads: 2 });
  const file = await open(new MemorySource(target.bytes()), { threads: 2 });
  const old = await open(sink.bytes(), { threads: 2 });
  const length = options.shape[0];
  const grown = file.signals[0];
  expect(grown.shape).toEqual([2 * length, ...options.shape.slice(1)]);
  const region = { begin: options.shape.map(() => 0), end: options.shape };
  expect((await grown.decode({ region })).data).toEqual((await old.signals[0].decode()).data);
  const added = await grown.decode({
    region: { begin: [length, ...region.begin.slice(1)], end: grown.shape },
  });
  const peak = signalPeak(media.kind, media.format);
  const { psnr } = compareSamples(await whole(media), added.data, media.format, peak);
  expect(psnr).toBeGreaterThan(kind === 'shape' ? 12 : 30);
  await Promise.all([file.dispose(), old.dispose()]);
});

it('of a sound, seconds are cropped and decoded by their samples', async () => {
  const { cell, ...options } = KINDS['audio'];
  const sink = new MemorySink();
  await encode(memoryMedia(options), sink, { ...OPTIONS, iterations: 20, cell });
  const part = new MemorySink();
  const { window, dropped } = await crop(sink.bytes(), part, { time: { begin: 0.125, end: 0.25 } });
  expect(window).toEqual({ begin: [1000], end: [2000] });
  expect(dropped).toBe(4);
  const [before, after] = [
    await open(sink.bytes(), { threads: 2 }),
    await open(part.bytes(), { threads: 2 }),
  ];
  const expected = await before.signals[0].decode({ region: { begin: [1000], end: [2000] } });
  expect((await before.signals[0].decode({ time: { begin: 0.125, end: 0.25 } })).data).toEqual(expected.data);
  expect((await after.signals[0].decode()).data).toEqual(expected.data);
  const wrong = [
    { begin: 0.1, end: 0.4 },
    { begin: -0.1, end: 0.2 },
    { begin: 0.2, end: 0.2 },
    { begin: 0.2, end: 0.1 },
    { begin: NaN, end: 0.1 },
  ];
  for (const time of wrong) {
    await expect(before.signals[0].decode({ time })).rejects.toMatchObject({ option: 'time' });
    await expect(crop(sink.bytes(), new MemorySink(), { time })).rejects.toMatchObject({ option: 'time' });
  }
  await Promise.all([before.dispose(), after.dispose()]);
});

it('a span of time takes the sound of a video along, by the clock of both', async () => {
  const { cell, ...video } = KINDS['video'];
  const sink = new MemorySink();
  // 12 frames in 0.4 s; the sound begins 0.1 s later and has 0.375 s.
  const parts = [memoryMedia(video), memoryMedia({ ...KINDS['audio'], startSeconds: 0.1 })];
  await encode(parts, sink, { ...OPTIONS, iterations: 20, cell });
  const part = new MemorySink();
  const { hiddenSamples } = await crop(sink.bytes(), part, { time: { begin: 0.2, end: 0.3 } });
  const file = await open(part.bytes(), { threads: 2 });
  expect(file.signals.map((signal) => [signal.window.begin[0], signal.window.end[0]])).toEqual([
    [6, 9],
    [800, 1600],
  ]);
  // Frames 4 to 12 are whole partitions, and samples 0 to 3000 of the sound in cells of 1024.
  expect(hiddenSamples).toBe(5 * 20 * 24 + (2048 - 800));
  const early = await crop(sink.bytes(), new MemorySink(), { time: { begin: 0, end: 0.05 } });
  expect(early.window).toEqual({ begin: [0, 0, 0], end: [1, 20, 24] });
  await file.dispose();
});

it('a video and its sound are two signals of one file', async () => {
  const { cell, ...video } = KINDS['video'];
  const sink = new MemorySink();
  const report = await encode([memoryMedia(video), memoryMedia(KINDS['audio'])], sink, { ...OPTIONS, cell });
  expect(report.signals.map(({ kind }) => kind)).toEqual(['video', 'audio']);
  expect(report.psnr).toBe(report.signals[0].psnr);
  for (const { psnr } of report.signals) expect(psnr).toBeGreaterThan(30);
  const file = await open(sink.bytes(), { threads: 2 });
  expect(file.signals.map(({ kind, shape }) => [kind, shape])).toEqual([
    ['video', [12, 20, 24]],
    ['audio', [3000]],
  ]);
  await file.dispose();
});

describe('the part of the samples that a step sees', () => {
  const clip = memoryMedia({ kind: 'video', data: new Uint8Array(8 * 8 * 8), shape: [8, 8, 8] });
  const batchesOf = (options: EncodeOptions): number[] =>
    resolveSettings(clip, options).preset.recipe.phases.map(({ batches }) => batches);

  it("is the paper's of video, or another of its", () => {
    expect(batchesOf({ preset: 'paper' })).toEqual([263]);
    expect(batchesOf({ preset: 'paper', sampleFraction: 0.02 })).toEqual([50]);
    expect(batchesOf({ sampleFraction: 1, globalWidth: 4 })).toEqual([1, 1]);
  });

  it.each([0, -1, 1.5, NaN])('is not %d', (sampleFraction) => {
    expect(() => batchesOf({ sampleFraction })).toThrow(/above 0 and at most 1/);
  });
});

describe('partitions that overlap in training', () => {
  const side = 48;
  const data = Uint8Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side), i % side];
    return 128 + 60 * Math.sin(x / 2.3) * Math.cos(y / 3.1) + 40 * Math.sin((x + y) / 1.7);
  });
  const picture = memoryMedia({ data, shape: [side, side] });

  it('show their seams less', async () => {
    const seams: number[] = [];
    for (const overlap of [0, 2]) {
      const sink = new MemorySink();
      const networks = { cell: [12, 12], localWidth: 5, globalWidth: 0 };
      await encode(picture, sink, { ...networks, iterations: 250, threads: 1, overlap });
      const file = await open(sink.bytes());
      const [signal] = file.signals;
      const decoded = await signal.decode();
      seams.push(seamRatio(data, decoded.data, decoded.shape, decoded.format, signal.cuts) ?? NaN);
      await file.dispose();
    }
    expect(seams[1]).toBeLessThan(seams[0]);
  });

  it.each([
    [{ overlap: 1 }, /without a lattice/],
    [{ overlap: 7, globalWidth: 0, cell: [12, 12] }, /from 0 to 6/],
    [{ overlap: 0.5, globalWidth: 0 }, /no whole number/],
  ])('are refused as %j', (options, message) => {
    expect(() => resolveSettings(picture, options)).toThrow(message);
  });
});
