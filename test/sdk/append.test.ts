import { beforeAll, describe, expect, test } from 'vitest';
import {
  LgiError,
  MemorySink,
  MemoryTarget,
  append,
  appendAnew,
  compareSamples,
  crop,
  encode,
  memoryMedia,
  open,
  verify,
  type LgiFile,
  type Media,
} from '../../dist/src/index.js';

const HEIGHT = 32;
const WIDTH = 80;
/** Columns of the first encode. */
const FIRST = 40;

const networks = { cell: [8, 8], localWidth: 8, globalWidth: 8, seed: 3, threads: 1 } as const;

/** Colour with an edge and a fine grain, so that networks have something left to learn. */
const data = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => {
  const [channel, x, y] = [i % 3, Math.floor(i / 3) % WIDTH, Math.floor(i / (3 * WIDTH))];
  const smooth = Math.sin(0.13 * x + 0.21 * y * (channel + 1)) * 70;
  const grain = ((Math.imul(i + 1, 2654435761) >>> 24) - 128) / 8;
  return 128 + smooth + grain + (x + y > 60 ? 30 : -30);
});

/** A part of the picture. */
function part(x: number, y: number, width: number, height: number): Media {
  const samples = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * WIDTH + x) * 3;
    samples.set(data.subarray(from, from + width * 3), row * width * 3);
  }
  return memoryMedia({ data: samples, shape: [height, width] });
}

async function psnrOf(bytes: Uint8Array, source: Media): Promise<number> {
  const file = await open(bytes, { threads: 1 });
  const { data: decoded, shape, format, missing } = await file.signals[0].decode();
  await file.dispose();
  expect(missing).toEqual([]);
  expect(shape).toEqual(source.shape);
  const original = await source.read({ begin: [0, 0], end: source.shape });
  return compareSamples(original, decoded, format).psnr;
}

async function isSound(bytes: Uint8Array): Promise<boolean> {
  for await (const problem of verify(new MemoryTarget(bytes))) throw new Error(problem.message);
  return true;
}

/** Raw bytes of every chunk, by partition coordinates. */
function chunksOf(file: LgiFile, bytes: Uint8Array): Map<string, string> {
  const { grid, chunks } = file.container.index.signals[0];
  return new Map(
    Array.from(chunks.ordinals, (ordinal, chunk) => [
      grid.coordinatesOf(ordinal).join(','),
      Buffer.from(bytes.subarray(chunks.byteOffsets[chunk], chunks.end(chunk))).toString('hex'),
    ]),
  );
}

let first: Uint8Array;
beforeAll(async () => {
  const sink = new MemorySink();
  await encode(part(0, 0, FIRST, HEIGHT), sink, { ...networks, iterations: 600 });
  first = sink.bytes();
});

describe('append', () => {
  test('keeps every old chunk and comes within 1 dB of a file of the new part alone', async () => {
    // Cells of more samples than weights, as they are in use.
    const options = { ...networks, cell: [16, 16], localWidth: 7, iterations: 400 };
    const old = new MemorySink();
    await encode(part(0, 0, 48, HEIGHT), old, options);
    const added = part(48, 0, 32, HEIGHT);
    const target = new MemoryTarget(old.bytes());
    const report = await append(target, added, { side: 'right', iterations: 400, threads: 1 });
    const alone = new MemorySink();
    const { psnr } = await encode(added, alone, options);
    expect(report.psnr).toBeGreaterThan(psnr - 1);
    expect(report).toMatchObject({ generation: 2, partitions: 4, iterations: 400 });
    const [before, after] = [await open(old.bytes()), await open(target.bytes())];
    const chunks = chunksOf(after, target.bytes());
    for (const [name, bytes] of chunksOf(before, old.bytes())) expect(chunks.get(name)).toBe(bytes);
    expect(after.container.headerBytes).toEqual(before.container.headerBytes);
    expect(await isSound(target.bytes())).toBe(true);
    // What the report says of the new part is what it decodes to.
    const seen = new MemorySink();
    await crop(after, seen, { region: { begin: [0, 48], end: [HEIGHT, WIDTH] } });
    expect(await psnrOf(seen.bytes(), added)).toBeCloseTo(report.psnr, 9);
  });

  test('adds on every side, parts that are no multiple of a cell too, the same bytes each time', async () => {
    const run = async (): Promise<Uint8Array> => {
      const sink = new MemorySink();
      await encode(part(16, 8, 32, 16), sink, { ...networks, iterations: 300 });
      const target = new MemoryTarget(sink.bytes());
      const options = { iterations: 300, threads: 1 };
      await append(target, part(48, 8, 13, 16), { ...options, side: 'right' });
      await append(target, part(5, 8, 11, 16), { ...options, side: 'left' });
      await append(target, part(5, 1, 56, 7), { ...options, side: 'top' });
      await append(target, part(5, 24, 56, 5), { ...options, side: 'bottom' });
      return target.bytes().slice();
    };
    const bytes = await run();
    expect(await psnrOf(bytes, part(5, 1, 56, 28))).toBeGreaterThan(30);
    const file = await open(bytes);
    expect(file.generation).toBe(5);
    expect(file.signals[0].window).toEqual({ begin: [-7, -11], end: [21, 45] });
    expect(await isSound(bytes)).toBe(true);
    expect(await run()).toEqual(bytes);
  });

  test('fills holes, and trains partitions anew where it may', async () => {
    const holed = new MemorySink();
    await crop(await open(first), holed, {
      drop: [
        [1, 1],
        [1, 2],
      ],
    });
    const target = new MemoryTarget(holed.bytes());
    const patch = part(8, 8, 16, 8);
    const options = { at: [8, 8], iterations: 300, threads: 1 } as const;
    const { window, partitions } = await append(target, patch, options);
    expect(window).toEqual({ begin: [0, 0], end: [HEIGHT, FIRST] });
    expect(partitions).toBe(2);
    expect(await psnrOf(target.bytes(), part(0, 0, FIRST, HEIGHT))).toBeGreaterThan(30);
    await expect(append(target, patch, options)).rejects.toThrow(/2 of the 2 partitions/);
    const { generation } = await append(target, patch, { ...options, replace: true });
    expect(generation).toBe(3);
    expect(await isSound(target.bytes())).toBe(true);
  });

  test('goes on at a crop, whose partitions stay where they are', async () => {
    const cropped = new MemorySink();
    await crop(await open(first), cropped, { region: { begin: [8, 8], end: [24, 32] } });
    const target = new MemoryTarget(cropped.bytes());
    await append(target, part(32, 8, 24, 16), { side: 'right', iterations: 300, threads: 1 });
    expect(await psnrOf(target.bytes(), part(8, 8, 48, 16))).toBeGreaterThan(30);
  });

  test('takes a grey picture into a colour file, and refuses what has no form there', async () => {
    const grey = memoryMedia({ data: new Uint8Array(HEIGHT * 8).fill(100), shape: [HEIGHT, 8] });
    const target = new MemoryTarget(first);
    const { psnr } = await append(target, grey, { side: 'right', iterations: 300, threads: 1 });
    expect(psnr).toBeGreaterThan(35);
    const refused = async (media: Media, message: RegExp): Promise<void> => {
      const error = await append(new MemoryTarget(first), media, { side: 'right' }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(LgiError);
      expect((error as LgiError).message).toMatch(message);
    };
    const shape = [HEIGHT, 8];
    await refused(
      memoryMedia({ data: new Uint8Array(HEIGHT * 32), shape }),
      /rgb, uint8; .* rgb-alpha, uint8/,
    );
    await refused(memoryMedia({ data: new Uint16Array(HEIGHT * 24), shape }), /no exact form there/);
    await refused(
      memoryMedia({ data: new Uint8Array(64), shape: [64], kind: 'audio' }),
      /holds image, .* audio/,
    );
  });

  test('refuses a file whose end is missing, before it is covered up', async () => {
    for (const missing of [1, 500]) {
      const cut = first.slice(0, first.length - missing);
      const target = new MemoryTarget(cut);
      const added = part(FIRST, 0, 8, HEIGHT);
      const appending = append(target, added, { side: 'right', iterations: 1, threads: 1 });
      await expect(appending).rejects.toMatchObject({ code: 'truncated' });
      expect(target.bytes()).toEqual(cut);
    }
  });

  test('ended by its signal leaves the file as it was', async () => {
    const target = new MemoryTarget(first);
    const reason = new Error('enough');
    const controller = new AbortController();
    const appending = append(target, part(FIRST, 0, 40, HEIGHT), {
      side: 'right',
      threads: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(appending).rejects.toBe(reason);
    expect(target.bytes()).toEqual(first);
  });

  test('into a new file gives the same partitions, the index in front', async () => {
    const options = { side: 'right', iterations: 100, threads: 1 } as const;
    const added = part(FIRST, 0, 40, HEIGHT);
    const target = new MemoryTarget(first);
    await append(target, added, options);
    const sink = new MemorySink();
    const { generation } = await appendAnew(first, added, sink, options);
    expect(generation).toBe(1);
    const [inPlace, anew] = [await open(target.bytes()), await open(sink.bytes())];
    expect(new Map([...chunksOf(anew, sink.bytes())].sort())).toEqual(
      new Map([...chunksOf(inPlace, target.bytes())].sort()),
    );
    expect(anew.familyId).toBe(inPlace.familyId);
    expect(anew.container.superblock.index.byteOffset).toBeLessThan(8192);
    expect(await isSound(sink.bytes())).toBe(true);
  });

  test('with fine-tuning beats a new file of everything at equal steps', async () => {
    const iterations = 60;
    const whole = part(0, 0, WIDTH, HEIGHT);
    const fresh = new MemorySink();
    await encode(whole, fresh, { ...networks, iterations });
    const tuned = new MemorySink();
    const report = await appendAnew(first, part(FIRST, 0, 40, HEIGHT), tuned, {
      side: 'right',
      iterations,
      threads: 1,
      finetune: true,
    });
    expect(await psnrOf(tuned.bytes(), whole)).toBeGreaterThan(await psnrOf(fresh.bytes(), whole));
    expect(report.keptPsnr).toBeGreaterThan(report.psnr);
    const [before, after] = [await open(first), await open(tuned.bytes())];
    expect(after.familyId).not.toBe(before.familyId);
    expect(await isSound(tuned.bytes())).toBe(true);
  });
});

describe('fine-tuning with the source of what is there', () => {
  test('learns from it instead of from what the file decodes to', async () => {
    const whole = part(0, 0, WIDTH, HEIGHT);
    const options = { side: 'right', iterations: 400, threads: 1, finetune: true } as const;
    const results: number[] = [];
    for (const source of [undefined, part(0, 0, FIRST, HEIGHT)]) {
      const sink = new MemorySink();
      const added = part(FIRST, 0, 40, HEIGHT);
      await appendAnew(first, added, sink, { ...options, ...(source && { source }) });
      results.push(await psnrOf(sink.bytes(), whole));
    }
    expect(results[1]).toBeGreaterThan(results[0]);
  });

  test.each([
    ['of another size', part(0, 0, FIRST - 1, HEIGHT), { finetune: true }, /the file shows/],
    ['without fine-tuning', part(0, 0, FIRST, HEIGHT), {}, /only `finetune`/],
  ])('refuses one %s', async (_, source, options, message) => {
    const added = part(FIRST, 0, 40, HEIGHT);
    await expect(
      appendAnew(first, added, new MemorySink(), { side: 'right', iterations: 1, source, ...options }),
    ).rejects.toThrow(message);
  });
});

describe('an open file that grows', () => {
  test('stays what it was until it is refreshed, and then reads superblock and index alone', async () => {
    const target = new MemoryTarget(first);
    const reads: [number, number][] = [];
    const source = {
      read: (byteOffset: number, byteLength: number, signal?: AbortSignal) => {
        reads.push([byteOffset, byteLength]);
        return target.read(byteOffset, byteLength, signal);
      },
    };
    const file = await open(source, { threads: 1 });
    expect(await file.refresh()).toEqual([]);
    const [signal] = file.signals;
    const before = await signal.decode();
    await append(target, part(FIRST, 0, 40, HEIGHT), { side: 'right', iterations: 50, threads: 1 });
    expect((await signal.decode()).data).toEqual(before.data);
    reads.length = 0;
    const changed = await file.refresh();
    const { index } = file.container.superblock;
    expect(reads).toEqual([
      [0, 1024],
      [index.byteOffset, index.byteLength],
    ]);
    expect(changed.map(({ coordinates }) => coordinates[1])).toEqual(expect.arrayContaining([5, 6, 7, 8, 9]));
    expect(changed).toHaveLength(20);
    expect(file.generation).toBe(2);
    expect(file.signals[0].shape).toEqual([HEIGHT, 80]);
    const left = await file.signals[0].decode({ region: { begin: [0, 0], end: [HEIGHT, FIRST] } });
    expect(left.data).toEqual(before.data);
    expect((await signal.decode()).data).toEqual(before.data);
    await file.dispose();
  });

  test('is refused once another file has taken its place', async () => {
    const target = new MemoryTarget(first);
    const file = await open(target);
    const sink = new MemorySink();
    await crop(await open(first), sink, { drop: [[0, 0]] });
    await target.truncate(0);
    await target.write(0, sink.bytes());
    await expect(file.refresh()).rejects.toMatchObject({ code: 'replaced' });
  });
});
