import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { Grid } from '../../dist/codec/grid.js';
import { joinGrids } from '../../dist/src/container/join-grids.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { crop, type CropOptions } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { join, type JoinOptions } from '../../dist/src/join.js';
import { openBytes, patternBytes, payloadsOf, sampleContent, sampleFile } from './sample-container.js';

async function cropped(file: Uint8Array, options: CropOptions): Promise<Uint8Array> {
  const sink = new MemorySink();
  await crop(file, sink, options);
  return sink.bytes();
}

async function joined(files: readonly Uint8Array[], options: JoinOptions = {}) {
  const sink = new MemorySink();
  const report = await join(files, sink, options);
  return { report, bytes: sink.bytes() };
}

async function refusal(files: readonly Uint8Array[], options: JoinOptions = {}): Promise<LgiError> {
  const sink = new MemorySink();
  const error = await join(files, sink, options).catch((reason: unknown) => reason);
  expect(() => sink.bytes()).toThrow('aborted');
  if (!(error instanceof LgiError)) throw error;
  return error;
}

/** The file of {@link sampleFile} with another payload in one partition. */
async function withPayload(ordinal: number, seed: number): Promise<Uint8Array> {
  const content = sampleContent();
  const [{ grid, chunks }] = content.signals;
  const changed = chunks.map((chunk, i) =>
    i === ordinal ? { ...chunk, payload: patternBytes(chunk.payload.length, seed) } : chunk,
  );
  const sink = new MemorySink();
  await writeContainer(sink, { ...content, signals: [{ grid, chunks: changed }] });
  return sink.bytes();
}

const region = (...[y, x, height, width]: number[]) => ({ begin: [y, x], end: [y + height, x + width] });

describe('join', () => {
  it('of the crops of a file, in any order, is that file, to the byte', async () => {
    const files = fc.record({
      shape: fc.tuple(fc.integer({ min: 2, max: 24 }), fc.integer({ min: 2, max: 24 })),
      cell: fc.integer({ min: 1, max: 7 }),
      format: fc.constantFrom('integer' as const, 'float32' as const),
    });
    await fc.assert(
      fc.asyncProperty(files, fc.nat(999), fc.nat(999), fc.nat(23), async (options, a, b, turn) => {
        const metadata = [{ name: 'x.unknown', bytes: patternBytes(21, 5) }];
        const file = await sampleFile({ ...options, metadata });
        const [height, width] = options.shape;
        const [y, x] = [1 + (a % (height - 1)), 1 + (b % (width - 1))];
        const quarters = await Promise.all(
          [
            region(0, 0, y, x),
            region(0, x, y, width - x),
            region(y, 0, height - y, x),
            region(y, x, height - y, width - x),
          ].map((part) => cropped(file, { region: part })),
        );
        const order = [...quarters];
        for (let i = 3, rest = turn; i > 0; rest = Math.floor(rest / (i + 1)), i--) {
          const at = rest % (i + 1);
          [order[i], order[at]] = [order[at], order[i]];
        }
        const { report, bytes } = await joined(order);
        expect(bytes).toEqual(file);
        const { grid } = (await openBytes(file)).index.signals[0];
        expect(report).toMatchObject({ kept: grid.count, absent: 0, hiddenSamples: 0, notices: [] });
        const parts = await Promise.all(quarters.map(openBytes));
        const chunks = parts.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
        expect(report.duplicates).toBe(chunks - grid.count);
      }),
      { numRuns: 60 },
    );
  });

  it('of one file is that file, and of a file with itself too', async () => {
    const file = await sampleFile();
    expect((await joined([file])).bytes).toEqual(file);
    expect((await joined([file, file])).bytes).toEqual(file);
  });

  it('leaves holes between the files, under the coordinates that they had, and counts what is hidden', async () => {
    const file = await sampleFile({ shape: [40, 40], cell: 4 });
    const parts = [region(0, 0, 8, 8), region(24, 29, 10, 11)];
    const { report, bytes } = await joined(
      await Promise.all(parts.map((part) => cropped(file, { region: part }))),
    );
    const { grid, window, chunks } = (await openBytes(bytes)).index.signals[0];
    expect(window).toEqual(region(0, 0, 34, 40));
    expect(grid.axes.map(({ firstCell }) => firstCell)).toEqual([0, 0]);
    expect(grid.shape).toEqual([9, 10]);
    expect(chunks.count).toBe(4 + 9);
    expect(report).toMatchObject({ kept: 13, absent: 77, hiddenSamples: 2 * 12, windows: [window] });
    const whole = await payloadsOf(await openBytes(file));
    for (const [name, payload] of await payloadsOf(await openBytes(bytes))) {
      expect(payload).toBe(whole.get(name));
    }
    // The holes have the cells of the first encode, so that what is in them can be joined later.
    expect((await joined([bytes, file])).bytes).toEqual(file);
    for await (const problem of verifyContainer(new MemorySource(bytes))) expect(problem).toBeUndefined();
  });

  it('takes metadata of all files, and of two by one name the preferred one', async () => {
    const note = (text: string) => ({ name: 'user.note', bytes: new TextEncoder().encode(text) });
    const icc = { name: 'icc', bytes: patternBytes(40, 1) };
    const files = [
      await sampleFile({ metadata: [note('a')] }),
      await sampleFile({ metadata: [icc, note('b')] }),
    ];
    const noteOf = async (bytes: Uint8Array) => {
      const container = await openBytes(bytes);
      expect(await container.readSection('icc')).toEqual(icc.bytes);
      return new TextDecoder().decode((await container.readSection('user.note'))!);
    };
    const first = await joined(files);
    expect(await noteOf(first.bytes)).toBe('a');
    expect(first.report.notices).toEqual([expect.stringMatching(/user\.note.*file 1/)]);
    expect(await noteOf((await joined(files, { prefer: 'last' })).bytes)).toBe('b');
  });

  it('refuses different chunks of one partition, unless it is told which file counts', async () => {
    const [a, b] = [await sampleFile(), await withPayload(5, 77)];
    const { grid } = (await openBytes(a)).index.signals[0];
    expect(await refusal([a, b], { names: ['a.lgi', 'b.lgi'] })).toMatchObject({
      code: 'conflict',
      section: `chunk ${grid.coordinatesOf(5).join(',')}`,
      message: expect.stringMatching(/a\.lgi and b\.lgi/),
    });
    const last = await joined([a, b], { prefer: 'last' });
    expect(last.bytes).toEqual(b);
    expect(last.report.notices.join()).toContain('1 partition');
    expect((await joined([a, b], { prefer: 'first' })).bytes).toEqual(a);
  });

  it('takes the sound one of two chunks, whichever file has it', async () => {
    const file = await sampleFile();
    const { chunks } = (await openBytes(file)).index.signals[0];
    const broken = file.slice();
    broken[chunks.end(4) - 1] ^= 1;
    for (const files of [
      [file, broken],
      [broken, file],
    ]) {
      const { report, bytes } = await joined(files);
      expect(bytes).toEqual(file);
      expect(report.notices.join()).toContain('sound one');
    }
    // Damage that all files have arrives as damage.
    const both = await openBytes((await joined([broken, broken])).bytes);
    await expect(both.readChunk(0, 4)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('refuses other families, other cuts, and what it has no room for', async () => {
    const file = await sampleFile();
    const other = await sampleFile({ cell: 5 });
    const [{ familyId }, { familyId: otherId }] = [await openBytes(file), await openBytes(other)];
    const error = await refusal([file, other]);
    expect(error).toMatchObject({ code: 'conflict', section: 'header' });
    expect(error.message).toContain(familyId);
    expect(error.message).toContain(otherId);

    const content = sampleContent();
    const [{ grid }] = content.signals;
    const axes = [{ cuts: [0, 4, 9, 10], firstCell: 0 }, grid.axes[1]];
    const sink = new MemorySink();
    await writeContainer(sink, { ...content, signals: [{ grid: new Grid(axes), chunks: [] }] });
    expect(await refusal([file, sink.bytes()])).toMatchObject({
      code: 'conflict',
      section: 'index',
      message: expect.stringContaining('on axis y partition 2 begins at 9 in file 2, and at 8 in another'),
    });

    await expect(join([], new MemorySink())).rejects.toBeInstanceOf(OptionError);
    const many = Array.from({ length: 1025 }, () => file);
    await expect(join(many, new MemorySink())).rejects.toBeInstanceOf(OptionError);
    await expect(join([file], new MemorySink(), { prefer: 'best' as 'last' })).rejects.toBeInstanceOf(
      OptionError,
    );
    expect(await refusal([file, file.subarray(0, 2000)])).toMatchObject({ code: 'truncated' });
  });
});

describe('grids put together', () => {
  const { header } = sampleContent();
  const signal = { ...header.signals[0], firstShape: [2 ** 30, 2 ** 30] };
  const at = (y: number, x: number, firstY = y / 4, firstX = x / 4) =>
    new Grid([
      { cuts: [y, y + 4], firstCell: firstY },
      { cuts: [x, x + 4], firstCell: firstX },
    ]);

  it('may begin before the first encode', () => {
    const grid = joinGrids(signal, [at(-12, 0), at(4, 8)], ['a', 'b']);
    expect(grid.axes[0].firstCell).toBe(-3);
    expect(grid.axes[0].cuts[0]).toBe(-12);
    expect(grid.shape).toEqual([5, 3]);
    expect(grid.boxOf(grid.ordinalOf([-3, 0]))).toEqual({ begin: [-12, 0], end: [-8, 4] });
    expect(grid.boxOf(grid.ordinalOf([1, 2]))).toEqual({ begin: [4, 8], end: [8, 12] });
  });

  it('are refused where coordinates contradict positions, or there would be too many cells', () => {
    const codeOf = (grids: Grid[]) => {
      try {
        return joinGrids(signal, grids, ['a', 'b']).count;
      } catch (error) {
        return (error as LgiError).code;
      }
    };
    expect(codeOf([at(0, 0), at(4, 0)])).toBe(2);
    expect(codeOf([at(0, 0), at(8, 0, 1)])).toBe('conflict');
    expect(codeOf([at(0, 0), at(4, 0, 2)])).toBe('conflict');
    expect(codeOf([at(0, 0), at(4, 0, 9)])).toBe('conflict');
    expect(codeOf([at(8, 0, 0), at(4, 0, 1)])).toBe('conflict');
    expect(codeOf([at(0, 0), at(4096, 4092)])).toBe('limit');
    expect(codeOf([at(0, 0), at(4092, 4092)])).toBe(2 ** 20);
  });
});
