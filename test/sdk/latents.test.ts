import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { append } from '../../dist/src/append.js';
import { crop } from '../../dist/src/crop.js';
import { encode, type EncodeReport } from '../../dist/src/encode.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { MemoryTarget } from '../../dist/src/io/memory-target.js';
import { join } from '../../dist/src/join.js';
import { memoryMedia } from '../../dist/src/media/media.js';
import { open } from '../../dist/src/open.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { verifyContainer } from '../../dist/src/container/verify.js';

const engine = createCpuEngine(2);
afterAll(() => engine.dispose());

const [HEIGHT, WIDTH, CELL] = [70, 104, 32];

/** Waves, edges and a little noise: what is smooth, sharp and unforeseeable. */
function picture(height: number, width: number, channels: number, left = 0): Uint8Array {
  let state = 7;
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const channel = i % channels;
    const [y, x] = [Math.floor(i / channels / width), (Math.floor(i / channels) % width) + left];
    if (channels === 4 && channel === 3) return x < 40 ? 255 : y < 30 ? 90 : 255;
    const wave = 60 * Math.sin((x + 10 * channel) / 9) * Math.cos(y / 13);
    const edge = (x + y) % 47 < 20 ? 40 : 0;
    return Math.round(110 + wave + edge + 6 * (state / 2 ** 32));
  });
}

async function encoded(channels: number, options = {}): Promise<{ bytes: Uint8Array; report: EncodeReport }> {
  const media = memoryMedia({ data: picture(HEIGHT, WIDTH, channels), shape: [HEIGHT, WIDTH], channels });
  const sink = new MemorySink();
  const settings = { family: 'latent', cell: [CELL, CELL], iterations: 60, engine, ...options } as const;
  const report = await encode(media, sink, settings);
  return { bytes: sink.bytes(), report };
}

async function decoded(bytes: Uint8Array, options = {}): Promise<Uint8Array> {
  const file = await open(bytes, { engine });
  try {
    return (await file.signals[0].decode(options)).data as Uint8Array;
  } finally {
    await file.dispose();
  }
}

/** Rows of a box out of samples of the whole picture. */
function part(
  whole: Uint8Array,
  [top, left]: number[],
  [bottom, right]: number[],
  width: number,
): Uint8Array {
  const rows = [];
  for (let y = top; y < bottom; y++)
    rows.push(...whole.subarray(3 * (y * width + left), 3 * (y * width + right)));
  return Uint8Array.from(rows);
}

let bytes: Uint8Array;
let report: EncodeReport;
let whole: Uint8Array;

beforeAll(async () => {
  ({ bytes, report } = await encoded(3));
  whole = await decoded(bytes);
});

describe('a picture of latents', () => {
  it('is a fraction of the samples, and looks like them', () => {
    expect(report.family).toBe('latent');
    expect(report.psnr).toBeGreaterThan(24);
    expect(bytes.length).toBeLessThan((HEIGHT * WIDTH * 3) / 3);
    expect(report.grid).toEqual([3, 4]);
  });

  it.each([1, 2, 4])('may have %d channels', async (channels) => {
    const other = await encoded(channels);
    expect(other.report.psnr).toBeGreaterThan(20);
    const file = await open(other.bytes, { engine });
    expect((await file.signals[0].decode()).channels).toBe(channels);
    await file.dispose();
  });

  it('comes out the same from the reference, but for rounding', async () => {
    const file = await open(bytes, { engine: new ReferenceEngine() });
    const { data } = await file.signals[0].decode();
    const far = whole.filter((value, i) => Math.abs(value - data[i]) > 1).length;
    expect(far).toBe(0);
    await file.dispose();
  });

  it('gives equal bytes for equal seeds, and other ones for others', async () => {
    expect((await encoded(3)).bytes).toEqual(bytes);
    expect((await encoded(3, { seed: 1 })).bytes).not.toEqual(bytes);
  });

  it('is sound, and every changed byte of a chunk shows', async () => {
    const problems = [];
    for await (const problem of verifyContainer(new MemorySource(bytes))) problems.push(problem);
    expect(problems).toEqual([]);
    const { index } = await openContainer(new MemorySource(bytes));
    const { chunks } = index.signals[0];
    for (const at of [chunks.byteOffsets[5], chunks.end(5) - 1]) {
      const changed = bytes.slice();
      changed[at] ^= 16;
      await expect(decoded(changed)).rejects.toMatchObject({ code: 'damaged' });
      const file = await open(changed, { engine });
      const { missing } = await file.signals[0].decode({ allowDamaged: true });
      expect(missing).toHaveLength(1);
      await file.dispose();
    }
  });

  it('has at every position one value, whatever region is decoded', async () => {
    const region = { begin: [5, 20], end: [66, 90] };
    expect(await decoded(bytes, { region })).toEqual(part(whole, region.begin, region.end, WIDTH));
    const scaled = await decoded(bytes, { scale: 2 });
    const inner = await decoded(bytes, { scale: 2, region });
    expect(inner).toEqual(part(scaled, [10, 40], [132, 180], 2 * WIDTH));
  });
});

describe('cropping a picture of latents', () => {
  const region = { begin: [0, 32], end: [64, 96] };
  let cropped: Uint8Array;

  beforeAll(async () => {
    const sink = new MemorySink();
    await crop(new MemorySource(bytes), sink, { region });
    cropped = sink.bytes();
  });

  it('copies header and chunks byte for byte', async () => {
    const [before, after] = [
      await openContainer(new MemorySource(bytes)),
      await openContainer(new MemorySource(cropped)),
    ];
    expect(after.headerBytes).toEqual(before.headerBytes);
    const { grid, chunks } = after.index.signals[0];
    expect(chunks.count).toBe(4);
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const coordinates = grid.coordinatesOf(chunks.ordinals[chunk]);
      const old = before.findChunk(0, coordinates);
      const place = before.index.signals[0].chunks;
      expect(cropped.subarray(chunks.byteOffsets[chunk], chunks.end(chunk))).toEqual(
        bytes.subarray(place.byteOffsets[old], place.end(old)),
      );
    }
  });

  it('changes nothing but the two samples at borders to what was lost', async () => {
    const samples = await decoded(cropped);
    const expected = part(whole, region.begin, region.end, WIDTH);
    const changed = new Set<string>();
    samples.forEach((value, i) => {
      if (value === expected[i]) return;
      const [y, x] = [Math.floor(i / 3 / 64), Math.floor(i / 3) % 64];
      // Lost neighbours: left, right and below.
      if (x >= 2 && x < 62 && y < 62) changed.add(`${y},${x}`);
    });
    expect([...changed]).toEqual([]);
  });

  it('is undone by joining with the rest', async () => {
    const parts = [];
    for (const other of [
      { begin: [0, 0], end: [64, 32] },
      { begin: [0, 96], end: [64, WIDTH] },
      { begin: [64, 0], end: [HEIGHT, WIDTH] },
    ]) {
      const sink = new MemorySink();
      await crop(new MemorySource(bytes), sink, { region: other });
      parts.push(new MemorySource(sink.bytes()));
    }
    const sink = new MemorySink();
    await join([new MemorySource(cropped), ...parts], sink);
    expect(await decoded(sink.bytes())).toEqual(whole);
  });
});

describe('appending to a picture of latents', () => {
  it('leaves header and old chunks as they are, and adds what it is given', async () => {
    const target = new MemoryTarget(bytes.slice());
    const data = picture(HEIGHT, 40, 3, WIDTH);
    const media = memoryMedia({ data, shape: [HEIGHT, 40], channels: 3 });
    const appended = await append(target, media, { side: 'right', iterations: 60, engine });
    expect(appended.psnr).toBeGreaterThan(22);
    const grown = target.bytes();
    const [before, after] = [
      await openContainer(new MemorySource(bytes)),
      await openContainer(new MemorySource(grown)),
    ];
    expect(after.headerBytes).toEqual(before.headerBytes);
    expect(grown.subarray(1024, bytes.length)).toEqual(bytes.subarray(1024));
    const samples = await decoded(grown);
    const old = part(samples, [0, 0], [HEIGHT, WIDTH - 2], WIDTH + 40);
    expect(old).toEqual(part(whole, [0, 0], [HEIGHT, WIDTH - 2], WIDTH));
  });
});

describe('options of latents', () => {
  it.each([
    [{ levels: 3 }, 'levels'],
    [{ effort: 'huge' }, 'effort'],
    [{ bpp: 0.01 }, 'bpp'],
    [{ cell: [300, 300] }, 'cell'],
    [{ family: 'wave' }, 'family'],
    [{ family: 'sine', bpp: 1 }, 'bpp'],
    [{ bpp: -1 }, 'bpp'],
    [{ bpp: 1, psnr: 30 }, 'psnr'],
    [{ cell: [1, 1] }, 'cell'],
    [{ grid: [100, 2] }, 'cell'],
    [{ preset: 'paper' }, 'preset'],
    [{ family: 'auto', preset: 'small', localWidth: 8 }, 'localWidth'],
    [{ family: 'auto', preset: 'small', checkpoint: {} }, 'checkpoint'],
  ])('%j is refused by its name', async (options, option) => {
    const media = memoryMedia({ data: new Uint8Array(400 * 400), shape: [400, 400] });
    const asked = { family: 'latent', iterations: 1, engine, ...options } as never;
    await expect(encode(media, new MemorySink(), asked)).rejects.toMatchObject({ option });
  });

  it('of which one is missed by far say so', async () => {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    const { report } = await encoded(3, { bpp: 20, onNotice });
    expect(report.notices).toEqual(notices);
    expect(notices).toEqual([
      expect.stringMatching(/^asked for 20 bits a sample, came to \d+\.\d+: more `iterations` may/),
    ]);
    const dark = await encoded(3, { psnr: 70, iterations: 6 });
    expect(String(dark.report.notices)).toMatch(
      /asked for 70 dB, came to \d+\.\d\d dB: more `iterations` may/,
    );
    expect((await encoded(3)).report.notices).toEqual([]);
  });

  it('tell of all of it how far it is', async () => {
    const seen: { fraction?: number; secondsLeft: number; iteration: number }[] = [];
    await encoded(3, { onProgress: (progress: (typeof seen)[number]) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ fraction: 1, secondsLeft: 0, iteration: 60 });
    const fractions = seen.map(({ fraction = 0 }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it('are an effort of appending, too, where there are latents', async () => {
    const added = memoryMedia({ data: picture(HEIGHT, 40, 3, WIDTH), shape: [HEIGHT, 40], channels: 3 });
    const iterationsBy = async (effort: 'quick' | 'normal') => {
      const options = { side: 'right', effort, engine } as const;
      return (await append(new MemoryTarget(bytes.slice()), added, options)).iterations;
    };
    expect(await iterationsBy('quick')).toBeLessThan((await iterationsBy('normal')) / 3);
    const sink = new MemorySink();
    await encode(added, sink, { cell: [35, 40], iterations: 2, engine });
    for (const [file, effort] of [
      [bytes, 'huge'],
      [sink.bytes(), 'quick'],
    ] as const) {
      const grow = append(new MemoryTarget(file.slice()), added, { side: 'right', effort, engine } as never);
      await expect(grow).rejects.toMatchObject({ option: 'effort' });
    }
  });

  it('sound is refused', async () => {
    const media = memoryMedia({ kind: 'audio', data: new Float32Array(100), shape: [100] });
    await expect(encode(media, new MemorySink(), { family: 'latent', engine })).rejects.toMatchObject({
      option: 'family',
    });
  });
});
