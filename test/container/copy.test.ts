import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { crc32c } from '../../dist/src/container/crc32c.js';
import { encodeIndex } from '../../dist/src/container/encode-index.js';
import { listedColumns } from '../../dist/src/container/choose-columns.js';
import { ChunkTable } from '../../dist/src/container/index-table.js';
import { chunkLayoutOf, nextChunkOffset } from '../../dist/src/container/chunk.js';
import { COPY_BUFFER_BYTES } from '../../dist/src/container/limits.js';
import { sha256 } from '../../dist/src/container/sha256.js';
import { encodeSuperblock } from '../../dist/src/container/superblock.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { crop, type CropOptions } from '../../dist/src/crop.js';
import { FileSink } from '../../dist/src/io/file-sink-node.js';
import { FileSource } from '../../dist/src/io/file-source-node.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import type { Sink } from '../../dist/src/io/sink.js';
import type { Source } from '../../dist/src/io/source.js';
import { openBytes, patternBytes, payloadsOf, sampleContent, sampleFile } from './sample-container.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'lgi-copy-'))));
afterAll(() => rm(folder, { recursive: true }));

async function cropBytes(source: MemorySource | FileSource, options: CropOptions): Promise<Uint8Array> {
  const sink = new MemorySink();
  await crop(source, sink, options);
  return sink.bytes();
}

/** A file of chunks of these lengths, which differ from one another. */
async function fileOf(lengths: readonly number[], format: 'integer' | 'float32'): Promise<Uint8Array> {
  const content = sampleContent({ shape: [1, lengths.length], cell: 1, format });
  const [{ grid, chunks }] = content.signals;
  const sized = chunks.map(({ coordinates }, i) => ({ coordinates, payload: patternBytes(lengths[i], i) }));
  const sink = new MemorySink();
  await writeContainer(sink, { ...content, signals: [{ grid, chunks: sized }] });
  return sink.bytes();
}

/**
 * The same file as others may write it: chunks in any order with noise between them, in another order in the index, which
 * comes last.
 */
async function rearranged(
  file: Uint8Array,
  places: readonly number[],
  gaps: readonly number[],
): Promise<Uint8Array> {
  const { header, index, superblock } = await openBytes(file);
  const [{ grid, window, chunks }] = index.signals;
  const layout = chunkLayoutOf(header.signals[0]);
  const order = [...chunks.ordinals.keys()].sort((a, b) => places[a] - places[b] || a - b);
  const byteOffsets = new Float64Array(chunks.count);
  let end = file.length;
  order.forEach((chunk, i) => {
    byteOffsets[chunk] = nextChunkOffset(end + gaps[i], layout);
    end = byteOffsets[chunk] + chunks.byteLength(chunk);
  });
  const at = Math.ceil(end / 8) * 8;
  const table = new ChunkTable(chunks.ordinals, chunks.payloadLengths, byteOffsets);
  const moved = { signals: [{ grid, window, chunks: table }], sections: index.sections };
  const indexBytes = encodeIndex(moved, listedColumns(moved), header);
  const bytes = patternBytes(at + indexBytes.length, 9);
  bytes.set(file);
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    bytes.set(file.subarray(chunks.byteOffsets[chunk], chunks.end(chunk)), byteOffsets[chunk]);
  }
  bytes.set(indexBytes, at);
  const span = { byteOffset: at, byteLength: indexBytes.length, crc: crc32c(indexBytes) };
  bytes.set(encodeSuperblock({ ...superblock, index: span, committedByteLength: bytes.length }));
  return bytes;
}

/** Expects a sound file of these partitions, whose gaps are zeros and no wider than alignment asks for. */
async function expectSound(bytes: Uint8Array, payloads: ReadonlyMap<string, string>): Promise<void> {
  for await (const problem of verifyContainer(new MemorySource(bytes))) expect(problem).toBeUndefined();
  const container = await openBytes(bytes);
  expect(await payloadsOf(container)).toEqual(payloads);
  const { chunks } = container.index.signals[0];
  const order = [...chunks.ordinals.keys()].sort((a, b) => chunks.byteOffsets[a] - chunks.byteOffsets[b]);
  for (let i = 1; i < order.length; i++) {
    const gap = bytes.subarray(chunks.end(order[i - 1]), chunks.byteOffsets[order[i]]);
    expect(gap.length).toBeLessThan(16);
    expect(gap.every((byte) => byte === 0)).toBe(true);
  }
}

describe('copying chunks', () => {
  it('gives a sound file of what is kept, from near and from afar, whatever lies between', async () => {
    const COUNT = 12;
    const numbers = (max: number) => fc.array(fc.nat(max), { minLength: COUNT, maxLength: COUNT });
    const path = join(folder, 'source.lgi');
    await fc.assert(
      fc.asyncProperty(
        numbers(200),
        numbers(20),
        // Below and beyond what is read through, from near and from afar.
        fc.array(fc.constantFrom(0, 1, 30, 20_000, 300_000), { minLength: COUNT, maxLength: COUNT }),
        fc.uniqueArray(fc.nat(COUNT - 1), { maxLength: COUNT - 1 }),
        fc.constantFrom('integer' as const, 'float32' as const),
        async (lengths, places, gaps, dropped, format) => {
          const file = await fileOf(lengths, format);
          const drop = dropped.map((x) => [0, x]);
          const expected = await payloadsOf(await openBytes(file));
          for (const x of dropped) expected.delete(`0,${x}`);
          const other = await rearranged(file, places, gaps);
          await writeFile(path, other);
          const near = await FileSource.open(path);
          const cropped = await cropBytes(near, { drop });
          await near.close();
          await expectSound(cropped, expected);
          expect(await cropBytes(new MemorySource(other), { drop })).toEqual(cropped);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes chunks that are longer than its buffer, and others around them', async () => {
    for (const format of ['integer', 'float32'] as const) {
      const long = 2 * COPY_BUFFER_BYTES + 5;
      const lengths = [
        100,
        COPY_BUFFER_BYTES - 37,
        long,
        3,
        COPY_BUFFER_BYTES / 2,
        COPY_BUFFER_BYTES / 2,
        40,
      ];
      const file = await fileOf(lengths, format);
      const path = join(folder, 'long.lgi');
      await writeFile(path, file);
      for (const drop of [[], [[0, 0]], [[0, 3]], [[0, 2]]]) {
        const expected = await payloadsOf(await openBytes(file));
        for (const [y, x] of drop) expected.delete(`${y},${x}`);
        const near = await FileSource.open(path);
        const cropped = await cropBytes(near, { drop });
        await near.close();
        await expectSound(cropped, expected);
      }
    }
  });

  it('stops where the source ends, in any chunk', async () => {
    const lengths = [100, 2 * COPY_BUFFER_BYTES, 100];
    const file = await fileOf(lengths, 'integer');
    const { chunks, grid } = (await openBytes(file)).index.signals[0];
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const path = join(folder, 'short.lgi');
      await writeFile(path, file.subarray(0, chunks.end(chunk) - 1));
      const source = await FileSource.open(path);
      const name = grid.coordinatesOf(chunks.ordinals[chunk]).join(',');
      // The file is so short that opening it sees its end, where the first chunk is the last one there.
      const section = chunk === 0 ? 'superblock' : `chunk ${name}`;
      await expect(cropBytes(source, {})).rejects.toMatchObject({ code: 'truncated', section });
      await source.close();
    }
  });

  it('gives a sink up only when nothing is being written to it any more', async () => {
    const file = await fileOf([2 * COPY_BUFFER_BYTES, 2 * COPY_BUFFER_BYTES, 50], 'integer');
    let log: string[];
    let writes: number;
    const sinkThatFails = (failing: number): Sink => ({
      write: async () => {
        const number = ++writes;
        log.push('begin');
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.push('end');
        if (number === failing) throw new Error(`write ${number} failed`);
      },
      flush: async () => undefined,
      close: async () => void log.push('close'),
      abort: async () => void log.push('abort'),
    });
    const sourceThatFails = (failing: number): Source => {
      let reads = 0;
      return {
        read: async (byteOffset, byteLength) => {
          if (++reads === failing) throw new Error(`read ${reads} failed`);
          return file.subarray(byteOffset, byteOffset + byteLength);
        },
      };
    };
    for (let failing = 1; failing <= 6; failing++) {
      for (const which of ['read', 'write']) {
        [log, writes] = [[], 0];
        const source = which === 'read' ? sourceThatFails(failing) : new MemorySource(file);
        const sink = sinkThatFails(which === 'write' ? failing : 0);
        await expect(crop(source, sink)).rejects.toThrow(`${which} ${failing} failed`);
        // One at a time, and the abort last.
        expect(log.join(' ')).toMatch(/^(begin end )*abort$/);
      }
    }
  });

  it('leaves nothing behind when it is aborted while it copies', async () => {
    const file = await fileOf([COPY_BUFFER_BYTES, COPY_BUFFER_BYTES, COPY_BUFFER_BYTES], 'integer');
    const place = await mkdtemp(join(folder, 'aborted-'));
    const controller = new AbortController();
    const source: Source = {
      read: async (byteOffset, byteLength) => {
        if (byteOffset > COPY_BUFFER_BYTES) controller.abort(new Error('enough'));
        return file.subarray(byteOffset, byteOffset + byteLength);
      },
    };
    const sink = await FileSink.open(join(place, 'a.lgi'));
    await expect(crop(source, sink, { signal: controller.signal })).rejects.toThrow('enough');
    expect(await readdir(place)).toEqual([]);
  });
});

describe('the file id', () => {
  it('is what the specification recommends', async () => {
    const file = await sampleFile();
    const { fileId, familyId, superblock, index } = await openBytes(file);
    const hash = createHash('sha256').update(Buffer.from(familyId, 'hex'));
    hash.update(
      file.subarray(superblock.index.byteOffset, superblock.index.byteOffset + superblock.index.byteLength),
    );
    for (const at of index.signals[0].chunks.byteOffsets) hash.update(file.subarray(at, at + 4));
    expect(fileId).toBe(hash.digest('hex').slice(0, 32));
  });

  it('is the same on pages without a crypto of their own', async () => {
    const parts = [patternBytes(100, 1), new Uint8Array(0), patternBytes(3, 2)];
    const expected = createHash('sha256').update(parts[0]).update(parts[2]).digest();
    expect(Buffer.from(await sha256(parts))).toEqual(expected);
    for (const missing of [undefined, {}]) {
      vi.stubGlobal('crypto', missing);
      expect(Buffer.from(await sha256(parts))).toEqual(expected);
      vi.unstubAllGlobals();
    }
  });
});
