import { describe, expect, it } from 'vitest';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { MemorySource } from '../../dist/src/io/memory.js';
import { openBytes, patternBytes, sampleFile } from './sample-container.js';

const METADATA = [{ name: 'icc', bytes: patternBytes(60, 1) }];
const file = await sampleFile({ metadata: METADATA });
const { superblock, index } = await openBytes(file);
const [{ chunks, grid }] = index.signals;

/** Code and section of all problems, in the order in which they are found. */
async function problemsOf(bytes: Uint8Array): Promise<string[]> {
  const problems: string[] = [];
  for await (const { code, section } of verifyContainer(new MemorySource(bytes))) {
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
