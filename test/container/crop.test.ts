import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { crop, type CropOptions } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { openBytes, patternBytes, sampleFile } from './sample-container.js';

async function cropBytes(file: Uint8Array, options: CropOptions) {
  const sink = new MemorySink();
  const report = await crop(new MemorySource(file), sink, options);
  return { report, bytes: sink.bytes() };
}

/** Bytes of every chunk, head and payload, by partition coordinates. */
async function rawChunks(file: Uint8Array): Promise<Map<string, string>> {
  const { grid, chunks } = (await openBytes(file)).index.signals[0];
  return new Map(
    Array.from({ length: chunks.count }, (_, chunk) => [
      grid.coordinatesOf(chunks.ordinals[chunk]).join(','),
      Buffer.from(file.subarray(chunks.byteOffsets[chunk], chunks.end(chunk))).toString('hex'),
    ]),
  );
}

const files = fc.record({
  shape: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })),
  cell: fc.integer({ min: 1, max: 7 }),
  format: fc.constantFrom('integer' as const, 'float32' as const),
});

/** A region inside a box, by fractions. */
const fractions = fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999));
function regionIn(shape: readonly number[], [a, b, c, d]: readonly number[]) {
  const begin = [Math.floor((a * shape[0]) / 1000), Math.floor((b * shape[1]) / 1000)];
  const span = (length: number, at: number, part: number) =>
    at + 1 + Math.floor((part * (length - at)) / 1000);
  return { begin, end: [span(shape[0], begin[0], c), span(shape[1], begin[1], d)] };
}

describe('crop', () => {
  it('keeps header and touched chunks byte for byte, and counts what it hides', async () => {
    await fc.assert(
      fc.asyncProperty(files, fractions, fc.boolean(), async (options, part, isInner) => {
        const file = await sampleFile({
          ...options,
          metadata: [{ name: 'x.unknown', bytes: patternBytes(21, 5) }],
        });
        const source = await openBytes(file);
        const region = regionIn(options.shape, part);
        const { grid } = source.index.signals[0];
        const expected = Array.from({ length: grid.count }, (_, ordinal) => ordinal).filter((ordinal) => {
          const { begin, end } = grid.boxOf(ordinal);
          return isInner
            ? begin.every((at, axis) => at >= region.begin[axis] && end[axis] <= region.end[axis])
            : begin.every((at, axis) => at < region.end[axis] && end[axis] > region.begin[axis]);
        });
        if (expected.length === 0) {
          await expect(cropBytes(file, { region, inner: isInner })).rejects.toBeInstanceOf(OptionError);
          return;
        }
        const { report, bytes } = await cropBytes(file, { region, inner: isInner });
        const cropped = await openBytes(bytes);

        expect(cropped.headerBytes).toEqual(source.headerBytes);
        expect(cropped.familyId).toBe(source.familyId);
        const before = await rawChunks(file);
        const after = await rawChunks(bytes);
        expect([...after.keys()].sort()).toEqual(expected.map((o) => grid.coordinatesOf(o).join(',')).sort());
        for (const [name, raw] of after) expect(raw).toBe(before.get(name));
        for await (const problem of verifyContainer(new MemorySource(bytes))) expect(problem).toBeUndefined();
        expect(await cropped.readSection('x.unknown')).toEqual(patternBytes(21, 5));

        const signal = cropped.index.signals[0];
        if (!isInner) expect(signal.window).toEqual(region);
        let hidden = 0;
        for (const ordinal of expected) {
          const { begin, end } = grid.boxOf(ordinal);
          for (let y = begin[0]; y < end[0]; y++) {
            for (let x = begin[1]; x < end[1]; x++) {
              const sees = [y, x].every(
                (at, axis) => at >= signal.window.begin[axis] && at < signal.window.end[axis],
              );
              if (!sees) hidden++;
            }
          }
        }
        expect(report).toMatchObject({
          kept: expected.length,
          dropped: grid.count - expected.length,
          hiddenSamples: hidden,
          bytes: bytes.length,
          fileId: cropped.fileId,
          window: signal.window,
        });
        if (isInner) expect(hidden).toBe(0);
        // Partitions are where they were, under the same coordinates.
        for (const ordinal of expected) {
          const same = signal.grid.ordinalOf(grid.coordinatesOf(ordinal));
          expect(signal.grid.boxOf(same)).toEqual(grid.boxOf(ordinal));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('of a crop is the crop of both regions at once, to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(files, fractions, fractions, async (options, first, second) => {
        const file = await sampleFile(options);
        const outer = regionIn(options.shape, first);
        const shape = outer.begin.map((at, axis) => outer.end[axis] - at);
        const inner = regionIn(shape, second);
        const direct = {
          begin: inner.begin.map((at, axis) => at + outer.begin[axis]),
          end: inner.end.map((at, axis) => at + outer.begin[axis]),
        };
        const twice = await cropBytes((await cropBytes(file, { region: outer })).bytes, { region: inner });
        expect(twice.bytes).toEqual((await cropBytes(file, { region: direct })).bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('to everything gives the very file again', async () => {
    for (const format of ['integer', 'float32'] as const) {
      const file = await sampleFile({ format });
      expect((await cropBytes(file, {})).bytes).toEqual(file);
      expect((await cropBytes(file, { region: { begin: [0, 0], end: [10, 13] } })).bytes).toEqual(file);
    }
  });

  it('leaves holes where inner partitions are dropped, and shrinks where outer ones are', async () => {
    const file = await sampleFile({ shape: [12, 12], cell: 4 });
    const hole = await cropBytes(file, { drop: [[1, 1]] });
    expect(hole.report).toMatchObject({ kept: 8, dropped: 1, hiddenSamples: 0 });
    const holed = await openBytes(hole.bytes);
    expect(holed.findChunk(0, [1, 1])).toBe(-1);
    expect(holed.index.signals[0].window).toEqual({ begin: [0, 0], end: [12, 12] });

    const left = [0, 1, 2].map((y) => [y, 0]);
    const { bytes } = await cropBytes(file, { drop: left });
    const { grid, window } = (await openBytes(bytes)).index.signals[0];
    expect(window).toEqual({ begin: [0, 4], end: [12, 12] });
    expect(grid.axes[1]).toEqual({ cuts: [4, 8, 12], firstCell: 1 });

    const both = await cropBytes(file, { region: { begin: [0, 0], end: [12, 8] }, drop: left });
    expect((await openBytes(both.bytes)).index.signals[0].window).toEqual({ begin: [0, 0], end: [12, 8] });
    expect(both.report.kept).toBe(3);
  });

  it('refuses what cannot be, with the numbers, and leaves nothing behind', async () => {
    const file = await sampleFile();
    const region = (...[y, x, height, width]: number[]) => ({ begin: [y, x], end: [y + height, x + width] });
    const cases: [CropOptions, string, RegExp][] = [
      [{ region: region(0, 0, 11, 5) }, 'region', /0 to 11 on axis y.*0 to 10/],
      [{ region: region(0, 10, 5, 4) }, 'region', /10 to 14 on axis x.*0 to 13/],
      [{ region: region(-1, 0, 5, 5) }, 'region', /-1 to 4/],
      [{ region: region(3, 3, 0, 5) }, 'region', /empty on axis y/],
      [{ region: region(0.5, 0, 5, 5) }, 'region', /no whole samples/],
      [{ region: region(NaN, 0, 5, 5) }, 'region', /no whole samples/],
      [{ region: { begin: [0], end: [1] } }, 'region', /1 axes given/],
      [{ drop: [[3, 0]] }, 'drop', /no partition 3,0.*0 to 2, 0 to 3/],
      [{ drop: [[0, 0, 0]] }, 'drop', /no partition 0,0,0/],
      [{ drop: [[0.5, 0]] }, 'drop', /no partition 0.5,0/],
      [{ region: region(1, 1, 5, 5), inner: true }, 'inner', /5x5 samples.*4x4/],
      [{ region: region(0, 0, 3, 3), drop: [[0, 0]] }, 'region', /nothing is left/],
      [{ signalIndex: 1 }, 'signalIndex', /1; the file has signals 0 to 0/],
    ];
    for (const [options, option, message] of cases) {
      const sink = new MemorySink();
      const error = await crop(new MemorySource(file), sink, options).catch((reason) => reason);
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ option, message: expect.stringMatching(message) });
      expect(() => sink.bytes()).toThrow('aborted');
    }
  });

  it('keeps nothing of a file of one partition whose middle alone is asked for', async () => {
    const file = await sampleFile({ shape: [4, 4], cell: 4 });
    const region = { begin: [1, 1], end: [3, 3] };
    await expect(cropBytes(file, { region, inner: true })).rejects.toMatchObject({ option: 'inner' });
    expect((await cropBytes(file, { region })).report).toMatchObject({ kept: 1, hiddenSamples: 12 });
  });

  it('carries damage over as damage, and stops where the file does', async () => {
    const file = await sampleFile();
    const { index } = await openBytes(file);
    const { chunks } = index.signals[0];
    const bytes = file.slice();
    bytes[chunks.end(0) - 1] ^= 1;
    const cropped = await cropBytes(bytes, { region: { begin: [0, 0], end: [4, 4] } });
    await expect((await openBytes(cropped.bytes)).readChunk(0, 0)).rejects.toMatchObject({
      section: 'chunk 0,0',
    });

    const sink = new MemorySink();
    await expect(crop(new MemorySource(file.subarray(0, file.length - 1)), sink)).rejects.toBeInstanceOf(
      LgiError,
    );
    expect(() => sink.bytes()).toThrow('aborted');
  });

  it('evaluates no network: nothing that it is made of imports an engine', () => {
    const root = join(process.cwd(), 'dist');
    const seen = new Set<string>();
    const queue = [join(root, 'src/crop.js')];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
        queue.push(join(dirname(path), name));
      }
    }
    const codec = [...seen].map((path) => relative(root, path)).filter((path) => path.startsWith('codec'));
    expect(codec).toContain('codec/architecture.js');
    expect(codec.filter((path) => /engine|codec\/decode|train|reference/.test(path))).toEqual([]);
  });
});
