import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutsByCount, Grid } from '../../dist/codec/grid.js';
import { nextChunkOffset } from '../../dist/src/container/chunk.js';
import { hilbertCells } from '../../dist/src/container/hilbert.js';
import { decodeIndex } from '../../dist/src/container/decode-index.js';
import { encodeIndex } from '../../dist/src/container/encode-index.js';
import { listedColumns, shortestColumns } from '../../dist/src/container/choose-columns.js';
import { type IndexColumns } from '../../dist/src/container/index-columns.js';
import { ChunkTable, type Index } from '../../dist/src/container/index-table.js';
import { FEATURES } from '../../dist/src/container/superblock.js';
import { crop, type CropOptions } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { openBytes, sampleFile, sampleHeader } from './sample-container.js';

const KINDS = ['audio', 'image', 'volume'] as const;
const COMMITTED = 2 ** 40;

/** A header for grids of as many axes, whose extent may be anywhere. */
function headerFor(axes: number) {
  const [signal] = sampleHeader(Array<number>(axes).fill(9), 4, 'integer').signals;
  return { signals: [{ ...signal, kind: KINDS[axes - 1] }] };
}

const superblockWith = (mustUnderstand: bigint, committedByteLength = COMMITTED) => ({
  version: { major: 1, minor: 2 },
  features: { mustUnderstand, mustUnderstandToWrite: 0n, mayIgnore: 0n },
  generation: 1,
  fileId: new Uint8Array(16),
  header: { byteOffset: 1024, byteLength: 8, crc: 0 },
  index: { byteOffset: 2048, byteLength: 8, crc: 0 },
  committedByteLength,
});
const BOTH = FEATURES.extentBeyondFirst | FEATURES.impliedChunks;

/** A grid that begins at any coordinates, some of its cells, their lengths, and the order in which they lie in the file. */
const anySignal = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
    maxLength: 3,
  })
  .chain((axes) => {
    const count = axes.reduce((product, [cells]) => product * cells, 1);
    return fc.record({
      axes: fc.constant(axes),
      kept: fc.oneof(
        fc.constant(Array<boolean>(count).fill(true)),
        fc.array(fc.boolean(), { minLength: count, maxLength: count }),
        fc.array(
          fc.nat(20).map((n) => n === 0),
          { minLength: count, maxLength: count },
        ),
      ),
      lengths: fc.oneof(
        fc.nat(2 ** 24).map((length) => Array<number>(count).fill(length)),
        fc.array(fc.nat(300), { minLength: count, maxLength: count }),
      ),
      along: fc.boolean(),
      places: fc.array(fc.nat(3), { minLength: count, maxLength: count }),
    });
  })
  .map(({ axes, kept, lengths, along, places }): Index => {
    const grid = new Grid(
      axes.map(([cells, first]) => ({
        cuts: Array.from({ length: cells + 1 }, (_, i) => first + i),
        firstCell: first,
      })),
    );
    const curve = [...hilbertCells(grid)].filter((ordinal) => kept[ordinal]);
    const order = along ? curve : [...curve].sort((a, b) => places[a] - places[b]);
    let at = 4096;
    const byteOffsets = order.map((ordinal) => {
      const here = at;
      at = nextChunkOffset(at + 36 + lengths[ordinal], { headBytes: 36, isAligned: false });
      return here;
    });
    const chunks = new ChunkTable(
      Int32Array.from(order),
      Uint32Array.from(order, (ordinal) => lengths[ordinal]),
      Float64Array.from(byteOffsets),
    );
    return { signals: [{ grid, window: grid.extent, chunks }], sections: [] };
  });

/** Length and place of every chunk, by cell. */
function placesOf({ signals: [{ grid, chunks }] }: Index): (readonly number[] | null)[] {
  return Array.from({ length: grid.count }, (_, ordinal) => {
    const chunk = chunks.find(ordinal);
    return chunk < 0 ? null : [chunks.byteOffsets[chunk], chunks.payloadLengths[chunk]];
  });
}

describe('an index that leaves out what follows', () => {
  it('says of any chunks of any grid what a list of them says, in no more bytes', () => {
    fc.assert(
      fc.property(anySignal, (index) => {
        const header = headerFor(index.signals[0].grid.shape.length);
        const columns = shortestColumns(index, header);
        const short = encodeIndex(index, columns, header);
        const long = encodeIndex(index, listedColumns(index), header);
        const features = columns[0].isImplied ? BOTH : FEATURES.extentBeyondFirst;
        const expected = placesOf(index);
        expect(placesOf(decodeIndex(short, header, superblockWith(features)))).toEqual(expected);
        expect(placesOf(decodeIndex(long, header, superblockWith(BOTH)))).toEqual(expected);
        // A field more in the virtual table, and its alignment.
        expect(short.length).toBeLessThanOrEqual(long.length + 16);
        if (!columns[0].isImplied) expect(short).toEqual(long);
      }),
    );
  });

  it('takes no bytes for the chunks of a whole file, a crop, or what is left when a partition is dropped, but bits', async () => {
    const cropBytes = async (bytes: Uint8Array, options: CropOptions) => {
      const sink = new MemorySink();
      await crop(new MemorySource(bytes), sink, options);
      return sink.bytes();
    };
    const indexBytes = async (bytes: Uint8Array) => (await openBytes(bytes)).superblock.index.byteLength;
    const small = await indexBytes(await sampleFile({ shape: [20, 30], cell: 1, payloadLength: 9 }));
    const file = await sampleFile({ shape: [40, 60], cell: 1, payloadLength: 9 });
    // Cuts, and alignment.
    expect((await indexBytes(file)) - small).toBeLessThanOrEqual(4 * (20 + 30) + 8);
    const region = { begin: [7, 11], end: [27, 41] };
    expect(await indexBytes(await cropBytes(file, { region }))).toBe(small);
    const holed = await indexBytes(await cropBytes(file, { region, drop: [[9, 12]] }));
    expect(holed - small).toBeLessThanOrEqual((20 * 30) / 8 + 16);
  });
});

describe('columns are refused', () => {
  const grid = new Grid([cutsByCount(3, 3), cutsByCount(6, 6)]);
  const header = headerFor(2);
  const chunks = new ChunkTable(
    hilbertCells(grid),
    new Uint32Array(18).fill(5),
    Float64Array.from({ length: 18 }, (_, i) => 4096 + 41 * i),
  );
  const index: Index = { signals: [{ grid, window: grid.extent, chunks }], sections: [] };
  const [columns] = shortestColumns(index, header);
  const decode = (changes: Partial<IndexColumns>, features = BOTH, committed = COMMITTED) =>
    decodeIndex(
      encodeIndex(index, [{ ...columns, ...changes }], header),
      header,
      superblockWith(features, committed),
    );

  it('unless they are these', () => {
    expect(decode({}).signals[0].chunks.count).toBe(18);
    const presence = Uint8Array.of(0xff, 0xff, 0x03);
    expect(decode({ presence }).signals[0].chunks.ordinals).toEqual(hilbertCells(grid));
  });

  it.each<[string, RegExp, Partial<IndexColumns>]>([
    ['of two lengths for all', /2 payload lengths for 18 chunks/, { payloadLengths: Uint32Array.of(5, 5) }],
    ['of no length', /1 runs for 0 chunks/, { payloadLengths: new Uint32Array(0) }],
    [
      'of presence without a length',
      /3 bytes for which partitions have chunks, and coordinates/,
      { payloadLengths: new Uint32Array(0), presence: Uint8Array.of(255, 255, 3) },
    ],
    ['of presence of nothing', /a payload length and no chunk/, { presence: new Uint8Array(3) }],
    ['of presence too short', /2 bytes for which of 18 .* not 3/, { presence: Uint8Array.of(255, 255) }],
    ['of presence too long', /4 bytes for which of 18/, { presence: Uint8Array.of(255, 255, 3, 0) }],
    [
      'of presence beyond the last cell',
      /more partitions than the 18/,
      { presence: Uint8Array.of(255, 255, 7) },
    ],
    [
      'of presence beside coordinates',
      /3 bytes .* and coordinates/,
      { coordinates: grid.coordinatesOfAll(hilbertCells(grid)), presence: Uint8Array.of(255, 255, 3) },
    ],
    ['of half a partition', /35 partition coordinates/, { coordinates: new Int32Array(35) }],
    [
      'of a payload longer than any may be',
      /payload .* of 2147483648/,
      { payloadLengths: Uint32Array.of(2 ** 31) },
    ],
  ])('%s', (_, message, changes) => {
    const code = /2147483648/.test(message.source) ? 'limit' : 'damaged';
    expect(() => decode(changes)).toThrow(expect.objectContaining({ code, section: 'index' }));
    expect(() => decode(changes)).toThrow(message);
  });

  it('of one packed length for all, in signals with short heads', () => {
    const short = { signals: [{ ...header.signals[0], coder: 'range' as const }] };
    const decodeShort = (payloadLengths: Uint32Array) =>
      decodeIndex(encodeIndex(index, [{ ...columns, payloadLengths }], short), short, superblockWith(BOTH));
    expect(decodeShort(chunks.payloadLengths).signals[0].chunks.count).toBe(18);
    expect(() => decodeShort(Uint32Array.of(5))).toThrow(/1 payload lengths for 18 chunks/);
  });

  it('that leave anything out where the superblock does not say so', () => {
    const none = FEATURES.extentBeyondFirst;
    expect(() => decode({}, none)).toThrow(/0 partition coordinates for 1 chunks of 2 axes/);
    const coordinates = grid.coordinatesOfAll(hilbertCells(grid));
    expect(() => decode({ coordinates }, none)).toThrow(/36 partition coordinates for 1 chunks/);
    expect(() => decode({ coordinates, payloadLengths: chunks.payloadLengths }, none)).not.toThrow();
  });

  it('of more chunks than the file has room for, before anything is made of them', () => {
    const side = 1024;
    const many = new Grid([cutsByCount(side, side), cutsByCount(side, side)]);
    const signals = [{ grid: many, window: many.extent, chunks: index.signals[0].chunks }];
    for (const presence of [new Uint8Array(0), new Uint8Array(2 ** 17).fill(255)]) {
      const bytes = encodeIndex({ signals, sections: [] }, [{ ...columns, presence }], header);
      const superblock = superblockWith(BOTH, 41 * 2 ** 20 - 1);
      expect(() => decodeIndex(bytes, header, superblock)).toThrow(
        /1048576 chunks .* have 42991616 bytes or more, the committed length is 42991615/,
      );
    }
  });

  it('of more chunks in all signals together than the file has room for, or than any has', () => {
    const side = 1024;
    const many = new Grid([cutsByCount(side, side), cutsByCount(side, side)]);
    const five = {
      signals: Array.from({ length: 5 }, () => ({ grid: many, window: many.extent, chunks })),
      sections: [],
    };
    const headers = { signals: five.signals.map(() => header.signals[0]) };
    const bytes = encodeIndex(
      five,
      five.signals.map(() => columns),
      headers,
    );
    expect(() => decodeIndex(bytes, headers, superblockWith(BOTH, 3 * 41 * 2 ** 20))).toThrow(
      /4194304 chunks up to those of signal 3 have 171966464 bytes or more/,
    );
    expect(() => decodeIndex(bytes, headers, superblockWith(BOTH))).toThrow(
      expect.objectContaining({ code: 'limit', message: expect.stringContaining('5242880') }),
    );
  });
});
