import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { verifyContainer } from '../../dist/src/container/verify.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { crop } from '../../dist/src/crop.js';
import { BlobSource } from '../../dist/src/io/blob.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import type { Source } from '../../dist/src/io/source.js';
import { withCache } from '../../dist/src/io/with-cache.js';
import { withCoalescing } from '../../dist/src/io/with-coalescing.js';
import { openBytes, patternBytes, payloadsOf, sampleFile } from './sample-container.js';

const METADATA = [
  { name: 'icc', bytes: patternBytes(40, 1) },
  { name: 'user.note', bytes: new TextEncoder().encode('a note') },
];

/** Everything that a reader can learn from a file, as one comparable value. */
async function contentOf(bytes: Uint8Array) {
  const container = await openBytes(bytes);
  const sections: [string, string][] = [];
  for (const { name } of container.index.sections) {
    sections.push([name, Buffer.from((await container.readSection(name))!).toString('hex')]);
  }
  return {
    header: container.header,
    grids: container.index.signals.map(({ grid, window }) => ({ axes: grid.axes, window })),
    payloads: [...(await payloadsOf(container))],
    sections,
    ids: [container.fileId, container.familyId, container.generation],
  };
}

async function problemsOf(bytes: Uint8Array) {
  const problems = [];
  for await (const problem of verifyContainer(new MemorySource(bytes))) problems.push(problem);
  return problems;
}

/** The error that reading everything ends in, or null. */
async function failureOf(bytes: Uint8Array): Promise<LgiError | null> {
  try {
    await contentOf(bytes);
    return null;
  } catch (error) {
    if (error instanceof LgiError) return error;
    throw error;
  }
}

describe('a damaged file', () => {
  it.each(['integer', 'float32'] as const)(
    'shows any flipped byte, or loses nothing by it (%s)',
    async (format) => {
      const file = await sampleFile({ format, metadata: METADATA, shape: [6, 9], cell: 5 });
      const intact = JSON.stringify(await contentOf(file));
      expect(await problemsOf(file)).toEqual([]);
      const { superblock, index } = await openBytes(file);
      const { chunks } = index.signals[0];
      // Without an index nobody knows that metadata is what it is: it is `chunks` then.
      const names = /^(superblock|header|index|icc|user\.note|chunks|chunk \d+,\d+)$/;
      const wrong: string[] = [];
      let unseen = 0;
      for (let at = 0; at < file.length; at++) {
        const bytes = file.slice();
        bytes[at] ^= 1 << (at % 8);
        const problems = await problemsOf(bytes);
        const named =
          problems.every(({ section }) => names.test(section)) && (problems[0]?.byteOffset ?? 0) <= at;
        const failure = await failureOf(bytes);
        if (failure !== null) {
          const reported = failure.code === 'damaged' && problems[0]?.section === failure.section;
          if (!named || !reported) wrong.push(`byte ${at}: ${failure.message}`);
          continue;
        }
        // The other slot of the superblock counts, or the byte is padding: nobody sees another file than the intact one.
        if (!named || JSON.stringify(await contentOf(bytes)) !== intact)
          wrong.push(`byte ${at}: other content`);
        if (problems.length === 0) unseen++;
        else if (at >= 1024) wrong.push(`byte ${at}: reported and read`);
      }
      expect(wrong).toEqual([]);
      let padding = file.length - 1024 - superblock.header.byteLength - superblock.index.byteLength;
      for (const { byteLength } of index.sections) padding -= byteLength;
      for (let chunk = 0; chunk < chunks.count; chunk++) padding -= chunks.byteLength(chunk);
      expect(unseen).toBe(padding);
    },
  );

  it('is called truncated at every length', async () => {
    const file = await sampleFile({ metadata: METADATA });
    expect((await failureOf(file.subarray(0, 0)))?.code).toBe('not-lgi');
    for (let length = 1; length < file.length; length++) {
      const bytes = file.subarray(0, length);
      const failure = await failureOf(bytes);
      if (failure?.code !== 'truncated') expect(failure).toBe(`truncated at ${length}`);
      if (!(await problemsOf(bytes)).some(({ code }) => code === 'truncated'))
        expect(length).toBe('reported');
    }
  });

  it('says where the file ends, though what is read begins beyond', async () => {
    const file = await sampleFile({ metadata: METADATA });
    const length = 1024;
    const failure = await failureOf(file.subarray(0, length));
    expect(failure?.byteOffset).toBe(length);
    const problems = await problemsOf(file.subarray(0, file.length - 300));
    const truncations = problems.filter(({ code, section }) => code === 'truncated' && section !== 'end');
    expect(truncations.length).toBeGreaterThan(0);
    for (const { byteOffset, message } of truncations) {
      expect(byteOffset).toBe(file.length - 300);
      expect(message).toContain(
        `ends after ${file.length - 300} of the ${file.length} bytes that its superblock promises, without all of chunk`,
      );
    }
  });

  it('says how long it is, of whatever source knows it, however much of it was read', async () => {
    // Longer than what opening reads, so that reading chunks alone meets the end, and those at the end lie beyond it.
    const file = await sampleFile({ shape: [200, 200] });
    const bytes = file.subarray(0, file.length - 500);
    expect(bytes.length).toBeGreaterThan(1 << 16);
    const { chunks } = (await openBytes(file)).index.signals[0];
    const last = chunks.byteOffsets.indexOf(Math.max(...chunks.byteOffsets));
    const blind: Source = { read: async (at, length) => bytes.subarray(at, at + length) };
    const sources: [Source, string][] = [
      [new MemorySource(bytes), `after ${bytes.length} of the ${file.length} bytes`],
      [
        new BlobSource(new Blob([Uint8Array.from(bytes)])),
        `after ${bytes.length} of the ${file.length} bytes`,
      ],
      [withCache(withCoalescing(new MemorySource(bytes))), `after ${bytes.length} of the`],
      [blind, `at or before ${chunks.byteOffsets[last]} of the`],
    ];
    for (const [source, fact] of sources) {
      const container = await openContainer(source);
      const error = await container.readChunk(0, last).catch((reason: unknown) => reason);
      const message = expect.stringContaining(`the file ends ${fact}`) as string;
      expect(error).toMatchObject({ code: 'truncated', message });
      // Copying meets the end by other reads.
      const cropped = crop(container, new MemorySink()).catch((reason: unknown) => reason);
      expect(await cropped).toMatchObject({
        code: 'truncated',
        message: expect.stringMatching(/of the \d+ bytes/),
      });
    }
  });

  it('gives what is there when truncation is allowed, and names what is missing', async () => {
    const file = await sampleFile();
    const last = 3;
    const whole = await openBytes(file);
    const bytes = file.subarray(0, whole.index.signals[0].chunks.byteOffsets[last] + 1);
    const container = await openContainer(new MemorySource(bytes), { allowTruncated: true });
    const { chunks, grid } = container.index.signals[0];
    const missing: string[] = [];
    const present: number[] = [];
    const all = Array.from({ length: chunks.count }, (_, chunk) => chunk);
    const onDamage = (error: LgiError) => missing.push(`${error.code} ${error.section}`);
    for await (const { chunk } of container.readChunks(0, all, { onDamage })) present.push(chunk);
    expect(present).toEqual([0, 1, 2]);
    expect(missing).toEqual(
      all
        .slice(last)
        .map((chunk) => `truncated chunk ${grid.coordinatesOf(chunks.ordinals[chunk]).join(',')}`),
    );
  });

  it('is told apart from what is no LGI file, and from one that text mode has changed', async () => {
    const file = await sampleFile();
    expect((await failureOf(new Uint8Array(5000)))?.code).toBe('not-lgi');
    expect((await failureOf(new Uint8Array(3)))?.code).toBe('not-lgi');
    expect((await failureOf(new TextEncoder().encode('<!doctype html>')))?.code).toBe('not-lgi');
    const unix = Uint8Array.from([...file].filter((byte, i) => byte !== 0x0d || file[i + 1] !== 0x0a));
    const sevenBit = file.map((byte) => byte & 0x7f);
    for (const changed of [unix, sevenBit]) {
      const failure = await failureOf(changed);
      expect(failure?.code).toBe('damaged');
      expect(failure?.message).toContain('binary');
    }
  });

  it('reports bytes after the committed end and otherwise ignores them', async () => {
    const file = await sampleFile();
    const longer = new Uint8Array(file.length + 5);
    longer.set(file);
    expect(await contentOf(longer)).toEqual(await contentOf(file));
    expect(await problemsOf(longer)).toMatchObject([
      { code: 'trailing', section: 'end', byteOffset: file.length },
    ]);
  });

  it('never ends in anything but a result or a typed error, whatever its bytes are', async () => {
    const file = await sampleFile({ metadata: METADATA });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        async (changes) => {
          const bytes = file.slice();
          for (const [at, value] of changes) bytes[at] = value;
          await failureOf(bytes);
        },
      ),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        expect(await failureOf(bytes)).not.toBeNull();
      }),
    );
  });

  it('does not pass a chunk off as one of another file or place', async () => {
    const file = await sampleFile();
    const container = await openBytes(file);
    const { chunks } = container.index.signals[0];
    // Payloads of 17 - ordinal % 5 bytes: partitions 0 and 5 have the same length.
    const [a, b] = [chunks.find(0), chunks.find(5)];
    const bytes = file.slice();
    const range = (chunk: number) => file.subarray(chunks.byteOffsets[chunk], chunks.end(chunk));
    bytes.set(range(a), chunks.byteOffsets[b]);
    bytes.set(range(b), chunks.byteOffsets[a]);
    const problems = await problemsOf(bytes);
    expect(problems.map(({ section }) => section).sort()).toEqual(['chunk 0,0', 'chunk 1,1']);
    expect(problems[0].message).toContain('another one than the index says');
  });
});
