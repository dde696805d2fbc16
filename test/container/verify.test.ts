import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_HEAD_BYTES } from '../../dist/src/container/chunk.js';
import { crc32c } from '../../dist/src/container/crc32c.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { FileSource } from '../../dist/src/io/file-source-node.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { MAX_READ_BYTES } from '../../dist/src/io/read-budgets.js';
import { openBytes, patternBytes, sampleContent, sampleFile } from './sample-container.js';

const METADATA = [{ name: 'icc', bytes: patternBytes(60, 1) }];
const file = await sampleFile({ metadata: METADATA });
const { superblock, index } = await openBytes(file);
const [{ chunks, grid }] = index.signals;

/** Code and section of all problems, in the order in which they are found. */
async function problemsOf(from: Uint8Array | FileSource): Promise<string[]> {
  const problems: string[] = [];
  const source = from instanceof Uint8Array ? new MemorySource(from) : from;
  for await (const { code, section } of verifyContainer(source)) {
    problems.push(`${code} ${section}`);
  }
  return problems;
}

function flipped(...places: number[]): Uint8Array {
  const bytes = file.slice();
  for (const at of places) bytes[at] ^= 0x10;
  return bytes;
}

function withoutIndex(bytes: Uint8Array): Uint8Array {
  const { byteOffset, byteLength } = superblock.index;
  return bytes.slice().fill(0, byteOffset, byteOffset + byteLength);
}

const nameOf = (chunk: number) => `chunk ${grid.coordinatesOf(chunks.ordinals[chunk]).join(',')}`;
const [A, B] = [3, 7].map((chunk) => chunks.end(chunk) - 1);
/** A bit of the window in the index, which stays an index in all but its checksum. */
const IN_INDEX = (() => {
  const { byteOffset, byteLength } = superblock.index;
  const bytes = file.subarray(byteOffset, byteOffset + byteLength);
  // `window_end` of 10 rows and 13 columns, as a vector of two.
  const at = bytes.findIndex((_, i) =>
    [2, 0, 0, 0, 10, 0, 0, 0, 13].every((value, k) => bytes[i + k] === value),
  );
  return byteOffset + at + 4;
})();

describe('verify', () => {
  it('names every damaged section and partition once', async () => {
    const bytes = flipped(5, index.sections[0].byteOffset, A, B);
    expect(await problemsOf(bytes)).toEqual([
      'damaged superblock',
      'damaged icc',
      `damaged ${nameOf(3)}`,
      `damaged ${nameOf(7)}`,
    ]);
  });

  it('takes no chunk for another one, however well its checksum fits', async () => {
    const [at, end] = [chunks.byteOffsets[3], chunks.end(3)];
    for (let field = 4; field < CHUNK_HEAD_BYTES; field++) {
      const bytes = flipped(at + field);
      const crc = crc32c(bytes.subarray(at + 4, end), superblock.header.crc);
      new DataView(bytes.buffer).setUint32(at, crc, true);
      // The last two bytes have no meaning.
      const expected = field < 34 ? [`damaged ${nameOf(3)}`] : [];
      expect(await problemsOf(bytes)).toEqual(expected);
    }
  });

  it('finds in files what it finds in memory, of chunks that come by many reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lgi-verify-'));
    const content = sampleContent({ shape: [6, 11], cell: 1 });
    const [signal] = content.signals;
    // Some longer than a read, most shorter, all together some reads long.
    const sized = signal.chunks.map(({ coordinates }, i) => {
      const byteLength = i % 31 === 7 ? MAX_READ_BYTES + 5 : 40_000 + i;
      return { coordinates, payload: new Uint8Array(byteLength).fill(i) };
    });
    const sink = new MemorySink();
    await writeContainer(sink, { ...content, signals: [{ ...signal, chunks: sized }] });
    const whole = sink.bytes();
    const [long] = (await openBytes(whole)).index.signals;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(long.chunks.count - 1), { maxLength: 5 }),
        fc.option(fc.nat(long.chunks.count - 1)),
        async (damaged, cut) => {
          const end = cut === null ? whole.length : long.chunks.end(cut) - 1;
          const bytes = whole.slice(0, end);
          for (const chunk of damaged) {
            const middle = (long.chunks.byteOffsets[chunk] + long.chunks.end(chunk)) >> 1;
            if (middle < end) bytes[middle] ^= 4;
          }
          const expected = await problemsOf(bytes);
          const isCut = (chunk: number): boolean => long.chunks.end(chunk) > end;
          const chunksOf = (wanted: (chunk: number) => boolean): number =>
            Array.from(long.chunks.ordinals.keys()).filter(wanted).length;
          const wrong = chunksOf((chunk) => isCut(chunk) || damaged.includes(chunk));
          expect(expected.filter((problem) => problem.includes('chunk'))).toHaveLength(wrong);
          const path = join(folder, 'file.lgi');
          await writeFile(path, bytes);
          const source = await FileSource.open(path);
          expect(await problemsOf(source)).toEqual(expected);
          await source.close();
        },
      ),
      { numRuns: 20 },
    );
    await rm(folder, { recursive: true });
  });

  it('goes on behind a damaged index, by a scan', async () => {
    const wrong = file.slice();
    wrong[IN_INDEX] = 9;
    wrong[A] ^= 1;
    wrong[index.sections[0].byteOffset] ^= 1;
    expect(await problemsOf(wrong)).toEqual(['damaged index', 'damaged icc', `damaged ${nameOf(3)}`]);
    // Nothing of the index is left: metadata and the two chunks are bytes that nobody knows.
    const lost = withoutIndex(flipped(A, B));
    const unknown: number[] = [];
    for await (const { section, byteOffset } of verifyContainer(new MemorySource(lost))) {
      if (section === 'chunks') unknown.push(byteOffset);
    }
    const { byteOffset, byteLength } = superblock.index;
    expect(unknown).toEqual([byteOffset + byteLength, chunks.byteOffsets[3], chunks.byteOffsets[7]]);
    expect(await problemsOf(lost)).toEqual(['damaged index', ...unknown.map(() => 'damaged chunks')]);
  });

  it('goes on without a superblock, as long as there is a header', async () => {
    expect(await problemsOf(flipped(5, 70, 600))).toEqual(['damaged superblock']);
    expect(await problemsOf(flipped(5, 70, 600, A))).toEqual(['damaged superblock', `damaged ${nameOf(3)}`]);
  });

  it('says of a damaged header and index that both are, and no more: chunks cannot be told then', async () => {
    const header = superblock.header.byteOffset + 64;
    expect(await problemsOf(flipped(header, A))).toEqual(['damaged header']);
    expect(await problemsOf(flipped(header, IN_INDEX))).toEqual(['damaged header', 'damaged index']);
    expect(await problemsOf(flipped(header, 5, 600))).toEqual(['damaged superblock', 'damaged header']);
  });
});
