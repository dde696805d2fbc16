import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growContainer } from '../../dist/src/container/grow.js';
import { openContainer, refreshContainer } from '../../dist/src/container/reader.js';
import { encodeSuperblock, FEATURES } from '../../dist/src/container/superblock.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { MemorySource } from '../../dist/src/io/memory.js';
import { MemoryTarget } from '../../dist/src/io/memory-target.js';
import type { Target } from '../../dist/src/io/target.js';
import { placeMedia, type Side } from '../../dist/src/placement.js';
import { openBytes, patternBytes, payloadsOf, sampleFile } from './sample-container.js';

/** Stands for a machine that stops. */
class PowerCut extends Error {}

/** A target that stops before its write with a given number, having written some bytes of it. */
class FailingTarget extends MemoryTarget {
  #writes = 0;

  constructor(
    bytes: Uint8Array,
    private readonly stopsAt: number,
    private readonly writtenOfLast = 0,
  ) {
    super(bytes);
  }

  override async write(byteOffset: number, bytes: Uint8Array): Promise<void> {
    if (this.#writes++ < this.stopsAt) return super.write(byteOffset, bytes);
    await super.write(byteOffset, bytes.subarray(0, this.writtenOfLast));
    throw new PowerCut();
  }
}

/** Adds partitions of 4 x 13 samples below, their payloads as different as their seed. */
async function appendBelow(target: Target, rows: number, seed: number): Promise<void> {
  const container = await openContainer(target);
  const signal = container.index.signals[0];
  const { grid, window, part } = placeMedia('image', signal, [4, 4], [rows, 13], { side: 'bottom' });
  const chunks = Array.from({ length: part.count }, (_, ordinal) => ({
    coordinates: part.coordinatesOf(ordinal),
    payload: patternBytes(17 + (ordinal % 5), ordinal + seed),
  }));
  await growContainer(container, target, [{ grid, window, chunks }]);
}

async function grown(file: Uint8Array, rows: number, seed: number): Promise<Uint8Array> {
  const target = new MemoryTarget(file);
  await appendBelow(target, rows, seed);
  return target.bytes().slice();
}

async function problems(bytes: Uint8Array): Promise<string[]> {
  const codes: string[] = [];
  for await (const { code } of verifyContainer(new MemorySource(bytes))) codes.push(code);
  return codes;
}

/** What a file shows: its partitions, and their bytes. */
async function contentOf(bytes: Uint8Array) {
  const container = await openBytes(bytes);
  const { generation, fileId, index } = container;
  return { generation, fileId, window: index.signals[0].window, payloads: await payloadsOf(container) };
}

describe('growing in place', () => {
  it('leaves every byte that was there but the superblock, and adds partitions that all decode', async () => {
    const file = await sampleFile();
    const bytes = await grown(file, 7, 50);
    expect(bytes.subarray(1024, file.length)).toEqual(file.subarray(1024));
    const [before, after] = [await contentOf(file), await contentOf(bytes)];
    expect(after.generation).toBe(2);
    expect(after.fileId).toBe(before.fileId);
    expect(after.window).toEqual({ begin: [0, 0], end: [17, 13] });
    expect(after.payloads.size).toBe(before.payloads.size + 8);
    for (const [name, payload] of before.payloads) expect(after.payloads.get(name)).toBe(payload);
    expect(await problems(bytes)).toEqual([]);
    expect(bytes.subarray(0, 512)).toEqual(bytes.subarray(512, 1024));
  });

  it('is found by a reader who had seen bytes behind the end, as an append that stopped leaves them', async () => {
    const file = await sampleFile();
    const target = new MemoryTarget(Uint8Array.of(...file, ...new Uint8Array(2000).fill(0xab)));
    const reader = await openContainer(target);
    await appendBelow(target, 7, 50);
    const refreshed = await refreshContainer(reader);
    expect(refreshed.generation).toBe(2);
    expect(await payloadsOf(refreshed)).toEqual((await contentOf(target.bytes())).payloads);
  });

  it('ends at the last generation, before anything is written', async () => {
    const file = await sampleFile();
    const { superblock } = await openBytes(file);
    file.set(encodeSuperblock({ ...superblock, generation: Number.MAX_SAFE_INTEGER }), 0);
    const target = new MemoryTarget(file);
    await expect(appendBelow(target, 7, 50)).rejects.toMatchObject({ code: 'limit', section: 'superblock' });
    expect(target.bytes()).toEqual(file);
  });

  it('says that it needs readers who know of extents beyond the first encode', async () => {
    const file = await sampleFile();
    const { superblock } = await openBytes(await grown(file, 4, 1));
    expect(superblock.features.mustUnderstand).toBe(FEATURES.extentBeyondFirst | FEATURES.impliedChunks);
    const before = (await openBytes(file)).superblock;
    expect(before.features.mustUnderstand).toBe(FEATURES.impliedChunks);
    expect([before.version, superblock.version]).toEqual([
      { major: 1, minor: 2 },
      { major: 1, minor: 2 },
    ]);
  });

  it('stopped before any of its writes leaves the old file or the new one, and can be begun again', async () => {
    const file = await grown(await sampleFile(), 3, 20);
    const finished = await grown(file, 7, 50);
    const [before, after] = [await contentOf(file), await contentOf(finished)];
    const outcomes: number[] = [];
    for (let stopsAt = 0; ; stopsAt++) {
      const target = new FailingTarget(file, stopsAt);
      const error = await appendBelow(target, 7, 50).catch((reason: unknown) => reason);
      if (error === undefined) {
        expect(target.bytes()).toEqual(finished);
        break;
      }
      expect(error).toBeInstanceOf(PowerCut);
      const content = await contentOf(target.bytes());
      expect(content).toEqual(content.generation === before.generation ? before : after);
      outcomes.push(content.generation);
      const again = await contentOf(await grown(target.bytes(), 5, 80));
      expect(again.generation).toBe(content.generation + 1);
      expect(again.payloads.size).toBe(content.payloads.size + 8);
    }
    // Chunks and index by one write, then the slots.
    expect(outcomes).toEqual([2, 2, 3]);
  });

  it('cut off at every byte leaves the old file or the new one, and can be begun again', async () => {
    const file = await sampleFile({ shape: [4, 13] });
    const finished = await grown(file, 3, 50);
    const [before, after] = [await contentOf(file), await contentOf(finished)];
    const lengths = [finished.length - file.length, 512, 512];
    for (let write = 0; write < lengths.length; write++) {
      for (let written = 0; written <= lengths[write]; written++) {
        const target = new FailingTarget(file, write, written);
        await expect(appendBelow(target, 3, 50)).rejects.toBeInstanceOf(PowerCut);
        const isNew = write === 2 || (write === 1 && written === 512);
        expect(await contentOf(target.bytes())).toEqual(isNew ? after : before);
        if (written % 16 !== 0) continue;
        const again = await grown(target.bytes(), 3, 90);
        expect((await contentOf(again)).generation).toBe(isNew ? 3 : 2);
        expect(await problems(again)).toEqual([]);
      }
    }
  });

  it('replaces a partition by a later chunk, of which the earlier one is no part any more', async () => {
    const file = await sampleFile();
    const target = new MemoryTarget(file);
    const container = await openContainer(target);
    const { grid, window, chunks } = container.index.signals[0];
    const payload = patternBytes(23, 99);
    await growContainer(container, target, [{ grid, window, chunks: [{ coordinates: [1, 2], payload }] }]);
    const after = await openBytes(target.bytes());
    expect(after.index.signals[0].chunks.count).toBe(chunks.count);
    expect((await payloadsOf(after)).get('1,2')).toBe(Buffer.from(payload).toString('hex'));
    expect(await problems(target.bytes())).toEqual([]);
  });

  it('writes nothing where the result would not be a file', async () => {
    const file = await sampleFile();
    const target = new FailingTarget(file, 0);
    const container = await openContainer(target);
    const { grid, window } = container.index.signals[0];
    const payload = new Uint8Array((1 << 24) + (1 << 16) + 1);
    await expect(
      growContainer(container, target, [{ grid, window, chunks: [{ coordinates: [0, 0], payload }] }]),
    ).rejects.toMatchObject({ code: 'limit' });
    expect(target.bytes()).toEqual(file);
  });
});

describe('the place of a new part', () => {
  const sides: Side[] = ['left', 'right', 'top', 'bottom'];

  it('has the old cells where they were, and new ones without a gap, side after side', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
        fc.array(fc.record({ side: fc.constantFrom(...sides), length: fc.integer({ min: 1, max: 11 }) }), {
          maxLength: 5,
        }),
        async (shape, steps) => {
          let signal = (await openBytes(await sampleFile({ shape }))).index.signals[0];
          for (const { side, length } of steps) {
            const axis = side === 'left' || side === 'right' ? 1 : 0;
            const size = signal.window.end.map((end, a) =>
              a === axis ? length : end - signal.window.begin[a],
            );
            const { grid, window, part } = placeMedia('image', signal, [4, 4], size, { side });
            expect(window).toEqual(grid.extent);
            expect(grid.count).toBe(signal.grid.count + part.count);
            for (const old of [signal.grid, part]) {
              for (let ordinal = 0; ordinal < old.count; ordinal++) {
                const coordinates = old.coordinatesOf(ordinal);
                expect(grid.boxOf(grid.ordinalOf(coordinates))).toEqual(old.boxOf(ordinal));
              }
            }
            signal = { ...signal, grid, window };
          }
        },
      ),
    );
  });

  it('must begin and end where partitions do, with the nearest cuts named', async () => {
    const signal = (await openBytes(await sampleFile())).index.signals[0];
    const place = (shape: number[], request: Parameters<typeof placeMedia>[4]) => () =>
      placeMedia('image', signal, [4, 4], shape, request);
    expect(place([4, 4], { at: [4, 6] })).toThrow(
      /at 6 on axis x, inside a partition; the nearest cuts are 4 and 8/,
    );
    expect(place([4, 4], { at: [4, 4] })).toThrow(
      /1 of the 1 partitions there are in the file already \(1,1\)/,
    );
    expect(place([4, 4], { at: [4, 12] })).toThrow(/4?12 to 16 on axis x reach outside/);
    expect(place([9, 4], { side: 'right' })).toThrow(/has 9 samples on axis y, the file 10/);
    expect(place([10, 4], { side: 'after' })).toThrow(
      /'after' is none of image; give left, right, top, bottom/,
    );
    expect(place([10, 4], {})).toThrow(/side: is missing/);
    expect(place([10, 4], { side: 'right', replace: true })).toThrow(/replace: is for a place inside/);
    expect(place([10, 2 ** 31 - 10], { side: 'left' })).toThrow(/would have 1610612742 partitions/);
    const wide = [4, 2 ** 30];
    expect(() => placeMedia('image', signal, wide, [10, 2 ** 31 - 10], { side: 'left' })).toThrow(
      /axis x would go from -2147483638 to 13/,
    );
    const cropped = { ...signal, window: { begin: [0, 0], end: [10, 6] } };
    expect(() => placeMedia('image', cropped, [4, 4], [10, 4], { side: 'right' })).toThrow(
      /window ends inside a partition on axis x, .* crop off its last 2 samples on this axis first/,
    );
  });
});
