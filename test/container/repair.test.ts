import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import type { Box } from '../../dist/codec/grid.js';
import { encodeChunkHead } from '../../dist/src/container/chunk.js';
import { crc32c } from '../../dist/src/container/crc32c.js';
import { unshiftCrc } from '../../dist/src/container/crc-shift.js';
import { growContainer } from '../../dist/src/container/grow.js';
import { encodeIndex } from '../../dist/src/container/encode-index.js';
import { listedColumns } from '../../dist/src/container/choose-columns.js';
import { ChunkTable } from '../../dist/src/container/index-table.js';
import { rebuildGrid } from '../../dist/src/container/rebuild-grid.js';
import { scanChunks } from '../../dist/src/container/scan-chunks.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { encodeSuperblock } from '../../dist/src/container/superblock.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { crop } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { MemoryTarget } from '../../dist/src/io/memory-target.js';
import { placeMedia } from '../../dist/src/placement.js';
import { repair } from '../../dist/src/repair.js';
import { openBytes, patternBytes, sampleFile } from './sample-container.js';

const METADATA = [
  { name: 'icc', bytes: patternBytes(40, 1) },
  { name: 'user.note', bytes: new TextEncoder().encode('a note') },
];

async function repaired(bytes: Uint8Array) {
  const sink = new MemorySink();
  const report = await repair(bytes, sink);
  return { report, bytes: sink.bytes() };
}

async function refusal(bytes: Uint8Array): Promise<LgiError> {
  const sink = new MemorySink();
  const error = await repair(bytes, sink).catch((reason: unknown) => reason);
  expect(() => sink.bytes()).toThrow('aborted');
  if (!(error instanceof LgiError)) throw error;
  return error;
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

function flipped(file: Uint8Array, ...places: number[]): Uint8Array {
  const bytes = file.slice();
  for (const at of places) bytes[at] ^= 0x10;
  return bytes;
}

/** As an append leaves a file that writes partition 0,0 anew: chunk and index after all others. */
async function appended(file: Uint8Array): Promise<Uint8Array> {
  const { header, superblock, index } = await openBytes(file);
  const [{ grid, window, chunks }] = index.signals;
  const payload = patternBytes(11, 99);
  const head = encodeChunkHead(payload, grid.boxOf(0), 0, superblock.header.crc);
  const lengths = chunks.payloadLengths.slice();
  const byteOffsets = chunks.byteOffsets.slice();
  lengths[chunks.find(0)] = payload.length;
  byteOffsets[chunks.find(0)] = file.length;
  const table = new ChunkTable(chunks.ordinals, lengths, byteOffsets);
  const changed = { sections: index.sections, signals: [{ grid, window, chunks: table }] };
  const indexBytes = encodeIndex(changed, listedColumns(changed), header);
  const at = Math.ceil((file.length + head.bytes.length + payload.length) / 8) * 8;
  const bytes = new Uint8Array(at + indexBytes.length);
  bytes.set(file, 0);
  bytes.set(head.bytes, file.length);
  bytes.set(payload, file.length + head.bytes.length);
  bytes.set(indexBytes, at);
  const span = { byteOffset: at, byteLength: indexBytes.length, crc: crc32c(indexBytes) };
  const slots = { ...superblock, generation: 2, index: span, committedByteLength: bytes.length };
  bytes.set(encodeSuperblock(slots), 0);
  return bytes;
}

describe('repair', () => {
  it('of a file without damage is that file, to the byte', async () => {
    for (const format of ['integer', 'float32'] as const) {
      const file = await sampleFile({ format, metadata: METADATA });
      const { report, bytes } = await repaired(file);
      expect(bytes).toEqual(file);
      expect(report).toMatchObject({ kept: 12, lost: [], indexRebuilt: false, notices: [] });
      expect(report.metadata).toEqual({ kept: ['icc', 'user.note'], lost: [] });
    }
  });

  it('leaves out what is damaged, by name, where the index is sound', async () => {
    const file = await sampleFile({ metadata: METADATA });
    const container = await openBytes(file);
    const { chunks } = container.index.signals[0];
    const at = [chunks.end(container.findChunk(0, [1, 2])) - 1, container.index.sections[0].byteOffset];
    const { report, bytes } = await repaired(flipped(file, ...at));
    expect(report.kept).toBe(11);
    expect(report.lost).toMatchObject([
      { signalIndex: 0, coordinates: [1, 2], reason: { code: 'damaged', section: 'chunk 1,2' } },
    ]);
    expect(report.metadata).toMatchObject({
      kept: ['user.note'],
      lost: [{ name: 'icc', reason: { code: 'damaged' } }],
    });
    const saved = await openBytes(bytes);
    expect(saved.findChunk(0, [1, 2])).toBe(-1);
    expect(saved.index.signals[0].window).toEqual(container.index.signals[0].window);
    const dropped = new MemorySink();
    await crop(file, dropped, { drop: [[1, 2]] });
    expect(await rawChunks(bytes)).toEqual(await rawChunks(dropped.bytes()));
  });

  it.each(['integer', 'float32'] as const)(
    'gives back everything from one slot, or from none (%s)',
    async (format) => {
      const file = await sampleFile({ format, metadata: METADATA });
      for (const slot of [0, 1]) {
        const { report, bytes } = await repaired(flipped(file, 512 * slot + 70));
        expect(bytes).toEqual(file);
        expect(report.notices.join()).toContain(`slot ${slot}`);
      }
      const { report, bytes } = await repaired(flipped(file, 70, 582));
      expect(bytes).toEqual(file);
      expect(report).toMatchObject({ kept: 12, lost: [], indexRebuilt: true });
      const overwritten = file.slice().fill(0xff, 0, 1024);
      expect((await repaired(overwritten)).bytes).toEqual(file);
    },
  );

  it('makes a new index from the chunks where the index is gone', async () => {
    const file = await sampleFile({ metadata: METADATA });
    const { superblock } = await openBytes(file);
    const bytes = file.slice();
    bytes.fill(0, superblock.index.byteOffset, superblock.index.byteOffset + superblock.index.byteLength);
    for (const damaged of [bytes, bytes.slice().fill(0, 0, 1024)]) {
      const { report, bytes: saved } = await repaired(damaged);
      expect(report).toMatchObject({ kept: 12, lost: [], indexRebuilt: true });
      expect(report.metadata).toEqual({ kept: [], lost: [] });
      expect(await rawChunks(saved)).toEqual(await rawChunks(file));
      expect((await openBytes(saved)).index.signals[0].grid).toEqual(
        (await openBytes(file)).index.signals[0].grid,
      );
    }
  });

  it('finds the place of a crop in the first encode, and its holes, without any index', async () => {
    const sink = new MemorySink();
    const file = await sampleFile({ shape: [40, 40], cell: 4 });
    await crop(file, sink, { region: { begin: [8, 12], end: [24, 40] }, drop: [[3, 5]] });
    const cropped = sink.bytes();
    const { index, superblock } = await openBytes(cropped);
    const bytes = cropped.slice();
    bytes.fill(0, superblock.index.byteOffset, superblock.index.byteOffset + superblock.index.byteLength);
    const { report, bytes: saved } = await repaired(bytes);
    expect(report.lost).toEqual([{ signalIndex: 0, coordinates: [3, 5], reason: 'not-found' }]);
    const { grid, window } = (await openBytes(saved)).index.signals[0];
    expect(grid).toEqual(index.signals[0].grid);
    expect(window).toEqual(index.signals[0].window);
  });

  it('of a file cut off before its appended index keeps the later of two chunks, if that is sound', async () => {
    const file = await sampleFile({ metadata: METADATA });
    const grown = await appended(file);
    const whole = await rawChunks(grown);
    const { index, superblock } = await openBytes(grown);
    const [{ chunks }] = index.signals;
    const cut = grown.subarray(0, superblock.index.byteOffset + 9);
    const { report, bytes } = await repaired(cut);
    expect(report).toMatchObject({ kept: 12, lost: [], indexRebuilt: true });
    expect(report.metadata.kept).toEqual(['icc', 'user.note']);
    expect(await rawChunks(bytes)).toEqual(whole);
    expect(whole).not.toEqual(await rawChunks(file));
    const older = await repaired(flipped(cut, chunks.end(chunks.find(0)) - 1));
    expect(await rawChunks(older.bytes)).toEqual(await rawChunks(file));
  });

  it('of a grown file whose newest index is gone names what is lost of it, and no hole that was there before', async () => {
    // Two partitions were cropped away on purpose; then 10 more columns came, in cells of 4, 4 and 2.
    const cropped = await sampleFile({ has: (ordinal) => ordinal !== 5 && ordinal !== 6 });
    for (const side of ['right', 'left'] as const) {
      const target = new MemoryTarget(cropped);
      const old = await openContainer(target);
      const placed = placeMedia('image', old.index.signals[0], [4, 4], [10, 10], { side });
      const added = Array.from({ length: placed.part.count }, (_, ordinal) =>
        placed.part.coordinatesOf(ordinal),
      );
      const growth = {
        ...placed,
        chunks: added.map((coordinates, i) => ({ coordinates, payload: patternBytes(16, i) })),
      };
      await growContainer(old, target, [growth]);
      const file = target.bytes().slice();
      const { superblock, index } = await openBytes(file);
      const [{ grid, window, chunks }] = index.signals;
      const outermost =
        side === 'right' ? Math.max(...added.map(([, x]) => x)) : Math.min(...added.map(([, x]) => x));
      // Of the new ones in the first row all but the outermost are lost; an old one, too.
      const lost = [[2, 0], ...added.filter(([y, x]) => y === 0 && x !== outermost)];
      // And of whole columns nothing is left but that.
      for (const [y, x] of added) if (y > 0 && x !== outermost) lost.push([y, x]);
      for (const at of lost) file[chunks.end(chunks.find(grid.ordinalOf(at))) - 1] ^= 1;
      file.fill(0, superblock.index.byteOffset, superblock.index.byteOffset + superblock.index.byteLength);
      const { report, bytes } = await repaired(file);
      expect(report).toMatchObject({
        indexRebuilt: true,
        indexHint: 'earlier',
        absent: 2,
        kept: chunks.count - lost.length,
      });
      expect(new Set(report.lost.map(({ coordinates }) => coordinates.join()))).toEqual(
        new Set(lost.map(String)),
      );
      expect(report.lost.every(({ reason }) => reason === 'not-found')).toBe(true);
      expect(report.notices.join()).toContain('made anew by a scan for chunks');
      const saved = (await openBytes(bytes)).index.signals[0];
      expect([saved.grid, saved.window]).toEqual([grid, window]);
      const named = [];
      for await (const { section } of verifyContainer(new MemorySource(file))) named.push(section);
      for (const at of lost) expect(named).toContain(`chunk ${at.join()}`);
    }
  });

  it('of a file cut off in the middle keeps what is before, and names what is not', async () => {
    const file = await sampleFile();
    const { chunks, grid } = (await openBytes(file)).index.signals[0];
    const { report, bytes } = await repaired(file.subarray(0, chunks.end(6) + 5));
    expect(report.kept).toBe(7);
    expect(report.lost.map(({ coordinates }) => coordinates)).toEqual(
      Array.from({ length: 5 }, (_, i) => grid.coordinatesOf(chunks.ordinals[7 + i])),
    );
    expect(report.notices.join()).toContain(`ends after ${chunks.end(6) + 5} of the ${file.length} bytes`);
    expect((await openBytes(bytes)).index.signals[0].grid).toEqual(grid);
  });

  it('leaves out what an append has not finished', async () => {
    const file = await sampleFile();
    const longer = new Uint8Array(file.length + 100);
    longer.set(file);
    const { report, bytes } = await repaired(longer);
    expect(bytes).toEqual(file);
    expect(report.notices.join()).toContain('append that did not finish');
  });

  it('refuses what has nothing to save, and says why', async () => {
    const file = await sampleFile();
    const { superblock, index } = await openBytes(file);
    const headerAt = superblock.header.byteOffset + 100;
    expect(await refusal(flipped(file, headerAt))).toMatchObject({
      code: 'damaged',
      section: 'header',
      message: expect.stringContaining('nothing can be saved'),
    });
    expect(await refusal(flipped(file, headerAt, 70, 582))).toMatchObject({ code: 'damaged' });
    expect(await refusal(file.subarray(0, 1100))).toMatchObject({ code: 'truncated' });
    const { chunks } = index.signals[0];
    const ends = Array.from({ length: chunks.count }, (_, chunk) => chunks.end(chunk) - 1);
    expect(await refusal(flipped(file, ...ends))).toMatchObject({ code: 'damaged', section: 'chunks' });
    expect(await refusal(flipped(file, 70, 582, ...ends))).toMatchObject({ code: 'damaged' });
    for (const bytes of [new Uint8Array(0), new Uint8Array(5000), patternBytes(3000, 5)]) {
      expect(await refusal(bytes)).toMatchObject({ code: 'not-lgi' });
    }
  });

  it('keeps chunks of the file alone, whatever the damage', async () => {
    const plain = await sampleFile({ metadata: METADATA });
    const files = [plain, await appended(plain), await sampleFile({ format: 'float32', shape: [9, 6] })];
    const known = await Promise.all(files.map(rawChunks));
    const raw = files.map((_, i) => new Set(known[i].values()));
    for (const hex of known[0].values()) raw[1].add(hex);
    let saved = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.array(fc.tuple(fc.nat(9999), fc.nat(255)), { maxLength: 12 }),
        fc.option(fc.nat(9999)),
        fc.boolean(),
        async (which, changes, length, losesSuperblock) => {
          const bytes = files[which].slice(0, length === null ? undefined : 1024 + length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          if (losesSuperblock) bytes.fill(7, 0, 1024);
          const sink = new MemorySink();
          const report = await repair(bytes, sink).catch((error: unknown) => error);
          if (report instanceof LgiError) return;
          if (report instanceof Error) throw report;
          const problems = [];
          for await (const problem of verifyContainer(new MemorySource(sink.bytes()))) problems.push(problem);
          expect(problems).toEqual([]);
          for (const hex of (await rawChunks(sink.bytes())).values()) {
            expect(raw[which].has(hex)).toBe(true);
            saved++;
          }
        },
      ),
      { numRuns: 250 },
    );
    expect(saved).toBeGreaterThan(250);
  });
});

describe('a scan for chunks', () => {
  it('finds them across blocks, wherever they begin, and nothing else', async () => {
    const file = await sampleFile();
    const { header, superblock } = await openBytes(file);
    const crc = superblock.header.crc;
    // One chunk over each border of the blocks of 1 MiB, the head itself cut by it, among heads that are none.
    const payload = patternBytes(17, 3);
    const box = { begin: [-7, 4], end: [-3, 8] };
    const { bytes: head } = encodeChunkHead(payload, box, 0, crc);
    const bytes = new Uint8Array((3 << 20) + 50).fill(1);
    const places = [5, (1 << 20) - 20, (2 << 20) - 36];
    for (const at of places) {
      bytes.set(head, at);
      bytes.set(payload, at + 36);
      for (let i = 1; i < 40; i++) bytes.set(head, at + 100 * i);
    }
    // The file ends inside its last one.
    bytes.set(head, (3 << 20) - 1);
    const { chunks, end } = await scanChunks(new MemorySource(bytes), header, new Set([crc]), {
      begin: 0,
      end: 2 ** 53 - 1,
    });
    expect(end).toBe(bytes.length);
    expect(chunks.map(({ byteOffset }) => byteOffset)).toEqual(places);
    expect(chunks.map(({ box: found }) => found)).toEqual([box, box, box]);
    const whole = await scanChunks(new MemorySource(file), header, new Set([crc]), {
      begin: 1024,
      end: file.length,
    });
    expect(whole.chunks.length).toBe(12);
    const other = await scanChunks(new MemorySource(file), header, new Set([crc ^ 1]), {
      begin: 1024,
      end: file.length,
    });
    expect(other.chunks).toEqual([]);
  });

  it('undoes what later bytes do to a checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(20000), (first, length) => {
        const second = patternBytes(length, 7);
        const both = crc32c(second, crc32c(first));
        expect(unshiftCrc(both ^ crc32c(second), length)).toBe(crc32c(first));
      }),
    );
  });
});

describe('a grid from boxes', () => {
  const header = { firstShape: [40, 50], model: { nominalCell: [8, 7] } } as unknown as Parameters<
    typeof rebuildGrid
  >[0];
  const box = (y: number, y1: number, x: number, x1: number): Box => ({ begin: [y, x], end: [y1, x1] });

  it('has the first encode in its holes, and goes on beyond its ends', () => {
    const { grid, kept } = rebuildGrid(header, [box(-8, 0, 7, 14), box(24, 32, 49, 50), box(40, 48, 21, 28)]);
    expect(kept).toEqual([0, 1, 2]);
    expect(grid.axes).toEqual([
      { cuts: [-8, 0, 8, 16, 24, 32, 40, 48], firstCell: -1 },
      { cuts: [7, 14, 21, 28, 35, 42, 49, 50], firstCell: 1 },
    ]);
    // By number: 50 samples in 7 cells have the largest of 8, their cuts at 7, 14, 21, 28, 35, 42.
    const counted = { firstShape: [50, 50], model: { nominalCell: [8, 8] } } as unknown as typeof header;
    expect(rebuildGrid(counted, [box(7, 14, 42, 50), box(28, 35, 35, 42)]).grid.axes).toEqual([
      { cuts: [7, 14, 21, 28, 35], firstCell: 1 },
      { cuts: [35, 42, 50], firstCell: 5 },
    ]);
  });

  it('takes the side of most boxes where they contradict each other', () => {
    const { grid, kept } = rebuildGrid(header, [
      box(0, 8, 0, 7),
      box(0, 8, 7, 14),
      box(0, 9, 0, 7),
      box(8, 16, 3, 9),
      box(8, 16, 0, 7),
    ]);
    expect(kept).toEqual([0, 1, 4]);
    expect(grid.axes.map(({ cuts }) => cuts)).toEqual([
      [0, 8, 16],
      [0, 7, 14],
    ]);
  });

  it('is refused beyond the limit of cells, and holes are one cell before it comes to that', () => {
    const fine = {
      firstShape: [2 ** 30, 2 ** 30],
      model: { nominalCell: [1, 1] },
    } as unknown as typeof header;
    const far = rebuildGrid(fine, [box(0, 1, 0, 1), box(2 ** 29, 2 ** 29 + 1, 2 ** 29, 2 ** 29 + 1)]);
    expect(far.grid.shape).toEqual([3, 3]);
    const diagonal = Array.from({ length: 600 }, (_, i) => box(3 * i, 3 * i + 1, 3 * i, 3 * i + 1));
    expect(() => rebuildGrid(fine, diagonal)).toThrow(LgiError);
  });

  it('is a grid whose cells the kept boxes are, for any boxes', () => {
    const side = fc.tuple(fc.integer({ min: -20, max: 60 }), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 12 }), (sides) => {
        const boxes = [...new Map(sides.map((both) => [both.join(), both])).values()].map(
          ([[y, height], [x, width]]) => box(y, y + height, x, x + width),
        );
        const { grid, kept } = rebuildGrid(header, boxes);
        expect(kept.length).toBeGreaterThan(0);
        for (const i of kept) {
          const cell = boxes[i].begin.map((at, axis) => grid.axes[axis].firstCell + grid.cellAt(axis, at));
          expect(grid.boxOf(grid.ordinalOf(cell))).toEqual(boxes[i]);
        }
        // A grid that is known stays as it is where it fits.
        expect(
          rebuildGrid(
            header,
            boxes.filter((_, i) => kept.includes(i)),
            grid,
          ),
        ).toMatchObject({
          isKnown: true,
          grid: { axes: grid.axes },
        });
      }),
    );
  });
});
