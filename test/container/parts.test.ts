import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Builder, ByteBuffer } from 'flatbuffers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutsByCell, cutsByCount, Grid } from '../../dist/codec/grid.js';
import {
  CHUNK_HEAD_BYTES,
  decodeChunkHead,
  encodeChunkHead,
  nextChunkOffset,
} from '../../dist/src/container/chunk.js';
import { Checksums, crc32c } from '../../dist/src/container/crc32c.js';
import { hilbertCells, hilbertOrder } from '../../dist/src/container/hilbert.js';
import { FIRST_READ_BYTES } from '../../dist/src/container/limits.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { planReads } from '../../dist/src/io/coalesce.js';
import { MemorySource } from '../../dist/src/io/memory.js';
import { ChunkHead } from '../../dist/schema/generated/lgi.js';
import { patternBytes, sampleContent, sampleFile } from './sample-container.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { MemorySink } from '../../dist/src/io/memory.js';

describe('CRC-32C', () => {
  it('has the check value and test vectors of RFC 3720', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  it('of two parts is that of the second, seeded with that of the first', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, cut) => {
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
      }),
    );
  });
});

describe('CRC-32C of ranges', () => {
  it('is that of their bytes, wherever these and the ranges begin', () => {
    const places = fc.tuple(
      fc.nat(5),
      fc.nat(300),
      fc.nat(300),
      fc.uint8Array({ minLength: 5, maxLength: 300 }),
    );
    fc.assert(
      fc.property(places, fc.nat(), ([offset, one, other, content], before) => {
        const bytes = content.subarray(offset);
        const [begin, end] = [one, other].map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b);
        // Bit after bit, as the standard defines it.
        let crc = ~before;
        for (const byte of bytes.subarray(begin, end)) {
          crc ^= byte;
          for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
        }
        expect(new Checksums(bytes).crc32c(begin, end, before)).toBe(~crc >>> 0);
      }),
      { numRuns: 300 },
    );
  });
});
/** The key of section 5.1 of the format, by its letter. */
function curveKey(coordinates: readonly number[]): bigint {
  const x = coordinates.map((coordinate) => BigInt(coordinate) + 2n ** 31n);
  const n = x.length;
  for (let q = 2n ** 31n; q >= 2n; q /= 2n) {
    for (let a = 0; a < n; a++) {
      if (x[a] & q) x[0] ^= q - 1n;
      else {
        const t = (x[0] ^ x[a]) & (q - 1n);
        x[0] ^= t;
        x[a] ^= t;
      }
    }
  }
  for (let a = 1; a < n; a++) x[a] ^= x[a - 1];
  let t = 0n;
  for (let q = 2n ** 31n; q >= 2n; q /= 2n) if (x[n - 1] & q) t ^= q - 1n;
  let key = 0n;
  for (let bit = 31n; bit >= 0n; bit--) for (const each of x) key = key * 2n + (((each ^ t) >> bit) & 1n);
  return key;
}

const anyGrid = fc
  .array(
    fc.tuple(fc.integer({ min: 1, max: 9 }), fc.oneof(fc.constant(0), fc.constant(-4), fc.maxSafeInteger())),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map(
    (axes) =>
      new Grid(
        axes.map(([cells, first]) => ({
          cuts: Array.from({ length: cells + 1 }, (_, i) => i),
          // Anywhere among the coordinates that there can be.
          firstCell: Math.min(first | 0, 2 ** 31 - 1 - cells),
        })),
      ),
  );

describe('the Hilbert curve', () => {
  it.each([1, 2, 3])('visits every cell of a cube of %i axes once, in steps of one', (axes) => {
    const side = axes === 3 ? 8 : 16;
    const grid = new Grid(Array.from({ length: axes }, () => cutsByCount(side, side)));
    const cells = hilbertCells(grid);
    expect([...cells].sort((a, b) => a - b)).toEqual(Array.from({ length: grid.count }, (_, i) => i));
    const path = Array.from(cells, (ordinal) => grid.coordinatesOf(ordinal));
    for (let i = 1; i < path.length; i++) {
      expect(path[i].reduce((sum, at, axis) => sum + Math.abs(at - path[i - 1][axis]), 0)).toBe(1);
    }
  });

  it('has the cells of any grid by the key that the format defines', () => {
    fc.assert(
      fc.property(anyGrid, (grid) => {
        const keys = Array.from({ length: grid.count }, (_, ordinal) =>
          curveKey(grid.coordinatesOf(ordinal)),
        );
        const byKey = keys.map((_, ordinal) => ordinal).sort((a, b) => (keys[a] < keys[b] ? -1 : 1));
        expect([...hilbertCells(grid)]).toEqual(byKey);
      }),
    );
  });

  it('has the check values and passes the grids that the format shows', () => {
    const text = readFileSync('spec/container.md', 'utf8');
    const [, section] = /^#### Hilbert curve$([^]*?)^#### Runs$/m.exec(text)!;
    const numbers = (list: string): number[] => list.split(',').map(Number);
    const values = [...section.matchAll(/`([-\d,]+)`\s+(?:is )?at\s+`(0x[0-9A-F]+)`/g)];
    expect(values.length).toBe(4);
    for (const [, coordinates, key] of values) expect(curveKey(numbers(coordinates))).toBe(BigInt(key));
    const paths = [...section.matchAll(/^ {4}((?:-?\d+(?:,-?\d+)+(?: {2})?){2,})$/gm)].map(
      ([, path]) => path,
    );
    expect(paths.length).toBe(3);
    for (const path of paths) {
      const cells = path.split('  ').map(numbers);
      const axes = cells[0].map((_, axis) => {
        const all = cells.map((cell) => cell[axis]);
        const [firstCell, last] = [Math.min(...all), Math.max(...all)];
        return { cuts: Array.from({ length: last - firstCell + 2 }, (_, i) => i), firstCell };
      });
      const grid = new Grid(axes);
      expect(Array.from(hilbertCells(grid), (ordinal) => grid.coordinatesOf(ordinal))).toEqual(cells);
    }
  });

  it('orders some of the cells of a grid, however long it is', () => {
    const grid = new Grid([2, 2, 1 << 18].map((length) => cutsByCount(length, length)));
    const some = Array.from({ length: 500 }, (_, i) => i * 2001);
    const order = Array.from(hilbertOrder(grid, some), (i) => some[i]);
    const all = hilbertCells(grid);
    expect(order).toEqual([...all].filter((ordinal) => some.includes(ordinal)));
  });

  it('keeps a quarter of a square in one run', () => {
    const grid = new Grid([cutsByCell(16, 1), cutsByCell(16, 1)]);
    const quarter = new Set(grid.ordinalsIn({ begin: [8, 0], end: [16, 8] }));
    const places = [...hilbertCells(grid)].flatMap((ordinal, place) => (quarter.has(ordinal) ? [place] : []));
    expect(places[63] - places[0]).toBe(63);
  });
});

describe('the chunk head', () => {
  it('is the struct of the schema', () => {
    const box = { begin: [-7, 12], end: [9, 13] };
    const { bytes, crc } = encodeChunkHead(patternBytes(99, 1), box, 5, 0x12345678);
    const struct = new ChunkHead().__init(0, new ByteBuffer(bytes));
    expect(ChunkHead.sizeOf()).toBe(CHUNK_HEAD_BYTES);
    expect(bytes.length).toBe(CHUNK_HEAD_BYTES);
    expect([struct.crc(), struct.payloadLength(), struct.signal(), struct.kind(), struct.reserved()]).toEqual(
      [crc, 99, 5, 0, 0],
    );
    expect([0, 1, 2].map((axis) => struct.boxBegin(axis))).toEqual([-7, 12, 0]);
    expect([0, 1, 2].map((axis) => struct.boxSize(axis))).toEqual([16, 1, 1]);
    const plain = { crc, payloadLength: 99, box, signal: 5, kind: 0 };
    expect(decodeChunkHead(bytes, 2)).toEqual({ ...plain, otherAxesAreUnused: true });
    for (const other of [16, 28]) {
      const changed = bytes.slice();
      changed[other]++;
      expect(decodeChunkHead(changed, 2)).toEqual({ ...plain, otherAxesAreUnused: false });
    }

    const builder = new Builder();
    ChunkHead.createChunkHead(builder, crc, 99, [-7, 12, 0], [16, 1, 1], 5, 0, 0);
    expect(builder.dataBuffer().bytes().slice(-CHUNK_HEAD_BYTES)).toEqual(bytes);
  });

  it('puts float payloads at multiples of 16 and others anywhere, with as little padding as can be', () => {
    for (let end = 0; end < 100; end++) {
      expect(nextChunkOffset(end, { headBytes: CHUNK_HEAD_BYTES, isAligned: false })).toBe(end);
      const aligned = nextChunkOffset(end, { headBytes: CHUNK_HEAD_BYTES, isAligned: true });
      expect((aligned + CHUNK_HEAD_BYTES) % 16).toBe(0);
      expect(aligned - end).toBeGreaterThanOrEqual(0);
      expect(aligned - end).toBeLessThan(16);
    }
  });
});

describe('reading', () => {
  class CountingSource extends MemorySource {
    readonly reads: [number, number][] = [];
    override read(byteOffset: number, byteLength: number, signal?: AbortSignal) {
      this.reads.push([byteOffset, byteLength]);
      return super.read(byteOffset, byteLength, signal);
    }
  }

  it('opens a small file and reads all of it by one request', async () => {
    const source = new CountingSource(await sampleFile());
    const container = await openContainer(source);
    for (let chunk = 0; chunk < container.chunkCount; chunk++) await container.readChunk(0, chunk);
    expect(source.reads).toEqual([[0, FIRST_READ_BYTES]]);
  });

  it('reads the rest of a long header and its index by one more, and neighbouring chunks together', async () => {
    const content = sampleContent({ shape: [64, 64], cell: 4 });
    const [signal] = content.header.signals;
    const header = { ...content.header, signals: [{ ...signal, globalPayload: patternBytes(150_000, 2) }] };
    const sink = new MemorySink();
    const { headerBytes, indexBytes } = await writeContainer(sink, { ...content, header });
    expect(headerBytes).toBeGreaterThan(150_000);
    const source = new CountingSource(sink.bytes());
    const container = await openContainer(source);
    expect(source.reads.length).toBe(2);
    expect(source.reads[1][1]).toBeLessThan(headerBytes + indexBytes);

    const wanted = [...Array(100).keys()].reverse();
    const seen: number[] = [];
    for await (const { chunk } of container.readChunks(0, wanted)) seen.push(chunk);
    expect(seen).toEqual([...wanted].reverse());
    expect(source.reads.length).toBe(3);
  });

  it('plans reads that cover every range within gap and size', () => {
    const ranges = fc.array(
      fc.record({ byteOffset: fc.nat(5000), byteLength: fc.integer({ min: 1, max: 300 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(ranges, fc.nat(200), fc.integer({ min: 1, max: 1500 }), (list, gap, most) => {
        const reads = planReads(list, gap, most);
        expect(reads.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...list.keys()]);
        for (const { byteOffset, byteLength, members } of reads) {
          const end = byteOffset + byteLength;
          expect(Math.min(...members.map((i) => list[i].byteOffset))).toBe(byteOffset);
          expect(Math.max(...members.map((i) => list[i].byteOffset + list[i].byteLength))).toBe(end);
          if (members.length > 1) expect(byteLength).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(openContainer(new MemorySource(await sampleFile()), { signal })).rejects.toThrow('enough');
  });
});

describe('the schema', () => {
  it('is what the generated code was made from', () => {
    execFileSync(process.execPath, ['scripts/generate-schema.mjs', '--check'], { stdio: 'pipe' });
  });
});
