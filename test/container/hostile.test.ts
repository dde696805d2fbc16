import { Builder } from 'flatbuffers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError } from '../../dist/codec/errors.js';
import { crc32c } from '../../dist/src/container/crc32c.js';
import { decodeHeader } from '../../dist/src/container/decode-header.js';
import { encodeHeader } from '../../dist/src/container/encode-header.js';
import { decodeIndex } from '../../dist/src/container/decode-index.js';
import { findSuperblock, encodeSuperblock, FEATURES } from '../../dist/src/container/superblock.js';
import { crop } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import * as fb from '../../dist/schema/generated/lgi.js';
import { verifyFlatBuffer } from '../../dist/src/container/flatbuffer-verifier.js';
import { findPlaces } from '../../dist/test/fuzz/places.js';
import { openBytes, patternBytes, payloadsOf, sampleFile, sampleHeader } from './sample-container.js';

type Change = readonly [at: number, value: number];

/** Changes that find what matters: small numbers, and the ends of the ranges of 8, 16 and 32 bits. */
function changes(length: number) {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 4, 8, 0x7f, 0x80, 0xff));
  return fc.array(fc.tuple(fc.nat(length - 1), byte), { minLength: 1, maxLength: 6 });
}

function changed(bytes: Uint8Array, list: readonly Change[]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of list) copy[at] = value;
  return copy;
}

/** A file with other header or index bytes of the same length, whose checksums are right. */
function withSection(file: Uint8Array, section: 'header' | 'index', bytes: Uint8Array): Uint8Array {
  const { superblock } = findSuperblock(file)!;
  const copy = file.slice();
  const span = superblock[section];
  copy.set(bytes, span.byteOffset);
  copy.set(encodeSuperblock({ ...superblock, [section]: { ...span, crc: crc32c(bytes) } }), 0);
  return copy;
}

function onlyLgiError(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof LgiError)) throw error;
    expect(['damaged', 'limit', 'unsupported']).toContain(error.code);
    expect(error.section).toMatch(/^(header|index)$/);
  }
}

describe('a hostile file whose checksums are right', () => {
  it('has a header that is refused or sound, whatever is changed in it', () => {
    const bytes = encodeHeader(sampleHeader([10, 13], 4, 'integer'));
    let sound = 0;
    fc.assert(
      fc.property(changes(bytes.length), (list) => {
        onlyLgiError(() => {
          const header = decodeHeader(changed(bytes, list), 1024);
          // Sound means: a writer would write it, and it comes back the same.
          expect(decodeHeader(encodeHeader(header), 1024)).toEqual(header);
          sound++;
        });
      }),
      { numRuns: 1500 },
    );
    expect(sound).toBeGreaterThan(0);
  });

  it('has an index that is refused or sound, and never more of anything than its bytes hold', async () => {
    const file = await sampleFile({ metadata: [{ name: 'icc', bytes: patternBytes(9, 1) }] });
    const { header, superblock } = await openBytes(file);
    const { byteOffset, byteLength } = superblock.index;
    const bytes = file.slice(byteOffset, byteOffset + byteLength);
    fc.assert(
      fc.property(changes(bytes.length), (list) => {
        onlyLgiError(() => {
          const index = decodeIndex(changed(bytes, list), header, superblock);
          for (const { grid, chunks } of index.signals) {
            const cuts = grid.axes.reduce((sum, axis) => sum + axis.cuts.length, 0);
            expect(4 * (cuts + chunks.count * 3)).toBeLessThanOrEqual(byteLength);
          }
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('ends in a result or a typed error when it is read or cropped', async () => {
    const file = await sampleFile();
    const { superblock } = findSuperblock(file)!;
    for (const section of ['header', 'index'] as const) {
      const { byteOffset, byteLength } = superblock[section];
      const bytes = file.slice(byteOffset, byteOffset + byteLength);
      await fc.assert(
        fc.asyncProperty(changes(byteLength), async (list) => {
          const hostile = withSection(file, section, changed(bytes, list));
          const refused = await openBytes(hostile).then(
            () => false,
            (error) => error instanceof LgiError || Promise.reject(error),
          );
          if (refused) return;
          await payloadsOf(await openBytes(hostile)).catch((error) => expect(error).toBeInstanceOf(LgiError));
          await crop(new MemorySource(hostile), new MemorySink(), {
            region: { begin: [0, 0], end: [1, 1] },
          }).catch((error) => expect(String(error.name)).toMatch(/^(LgiError|OptionError)$/));
        }),
        { numRuns: 150 },
      );
    }
  });

  it('is refused for absurd places and lengths, and nothing of that size is read', async () => {
    const file = await sampleFile();
    const { superblock } = findSuperblock(file)!;
    const lengths = [2 ** 31, 2 ** 32 - 1, 2 ** 26, 70_000, superblock.header.byteLength + 8, 0, 15];
    const places = [2 ** 53 - 1, 2 ** 40, 2 ** 31, 0, 512, 1023, 1028];
    for (const section of ['header', 'index'] as const) {
      for (const span of [
        ...lengths.map((byteLength) => ({ ...superblock[section], byteLength })),
        ...places.map((byteOffset) => ({ ...superblock[section], byteOffset })),
      ]) {
        for (const committedByteLength of [file.length, 2 ** 53 - 1]) {
          const hostile = file.slice();
          hostile.set(encodeSuperblock({ ...superblock, [section]: span, committedByteLength }), 0);
          const error = await openBytes(hostile).catch((reason) => reason);
          expect(error).toBeInstanceOf(LgiError);
          expect(['damaged', 'limit', 'truncated']).toContain(error.code);
        }
      }
    }
    const beyond = file.slice();
    for (const slot of [0, 512]) {
      const view = new DataView(beyond.buffer, slot, 512);
      view.setBigUint64(64, 2n ** 64n - 1n, true);
      view.setUint32(508, crc32c(beyond.subarray(slot, slot + 508)), true);
    }
    await expect(openBytes(beyond)).rejects.toMatchObject({ code: 'damaged', section: 'superblock' });
  });

  it('cannot make the reader visit one table many times over', () => {
    // Signals that are all one and the same table, in a vector of very many: small to store, long to read.
    const builder = new Builder(1024);
    const signal = encodeSignalless(builder);
    const vector = fb.Header.createSignalsVector(builder, new Array<number>(50_000).fill(signal));
    fb.Header.startHeader(builder);
    fb.Header.addSignals(builder, vector);
    builder.finish(fb.Header.endHeader(builder), 'LGIH');
    // At the first of them, since it says so little; one that said more would soon use up the buffer's bytes.
    expect(() => decodeHeader(builder.asUint8Array(), 0)).toThrow(/share bytes|lacks/);
  });

  it('may share virtual tables, as writers do, but no objects', () => {
    const header = sampleHeader([10, 13], 4, 'float32');
    const twice = { ...header, signals: [header.signals[0], header.signals[0]] };
    expect(decodeHeader(encodeHeader(twice), 0)).toEqual(twice);
  });

  it('cannot have two offsets to one vector, nor to one that begins inside another', async () => {
    const { superblock } = await openBytes(await sampleFile());
    const { byteOffset, byteLength } = superblock.index;
    const index = (await sampleFile()).slice(byteOffset, byteOffset + byteLength);
    verifyFlatBuffer(index, 'Index', 'LGIX', 'index', 0);
    const { vectors } = findPlaces(index, 'Index');
    const named = (name: string) => vectors.find((vector) => vector.name === name)!;
    const [begin, end] = [named('SignalIndex.window_begin'), named('SignalIndex.window_end')];
    for (const shift of [0, 4]) {
      const copy = index.slice();
      // Its first number, read as a count of 0, keeps the shifted one inside the buffer.
      new DataView(copy.buffer).setUint32(begin.offsetAt, end.at + shift - begin.offsetAt, true);
      if (shift > 0) new DataView(copy.buffer).setUint32(end.at + shift, 0, true);
      expect(() => verifyFlatBuffer(copy, 'Index', 'LGIX', 'index', 0)).toThrow(/share bytes/);
    }
  });

  it('cannot have a string that is no UTF-8', () => {
    const bytes = encodeHeader({ ...sampleHeader([10, 13], 4, 'float32'), writer: 'caf\u00e9' });
    expect(decodeHeader(bytes, 0).writer).toBe('caf\u00e9');
    const at = bytes.findIndex((value, i) => value === 0xc3 && bytes[i + 1] === 0xa9);
    bytes[at + 1] = 0x20;
    expect(() => decodeHeader(bytes, 0)).toThrow(/no UTF-8/);
  });
});

/** A table that lacks what a signal needs. */
function encodeSignalless(builder: Builder): number {
  builder.startObject(14);
  return builder.endObject();
}

describe('versions and features', () => {
  async function withSuperblock(change: object): Promise<Uint8Array> {
    const file = await sampleFile();
    file.set(encodeSuperblock({ ...findSuperblock(file)!.superblock, ...change }), 0);
    return file;
  }
  const features = { mustUnderstand: FEATURES.impliedChunks, mustUnderstandToWrite: 0n, mayIgnore: 0n };

  it('refuses a later major version and takes a later minor one', async () => {
    await expect(openBytes(await withSuperblock({ version: { major: 2, minor: 0 } }))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('2.0'),
    });
    const minor = await openBytes(await withSuperblock({ version: { major: 1, minor: 7 } }));
    expect(minor.superblock.version.minor).toBe(7);
  });

  it('refuses unknown features by what they forbid', async () => {
    const unreadable = await withSuperblock({ features: { ...features, mustUnderstand: 1n << 63n } });
    await expect(openBytes(unreadable)).rejects.toMatchObject({ code: 'unsupported', section: 'superblock' });

    // Whatever else the feature may have changed.
    const view = new DataView(unreadable.buffer, unreadable.byteOffset);
    for (const slot of [0, 512]) {
      view.setBigUint64(slot + 40, 2n ** 60n, true);
      view.setUint32(slot + 508, crc32c(unreadable.subarray(slot, slot + 508)), true);
    }
    await expect(openBytes(unreadable)).rejects.toMatchObject({ code: 'unsupported', section: 'superblock' });

    const readOnly = await withSuperblock({ features: { ...features, mustUnderstandToWrite: 4n } });
    await openBytes(readOnly);
    await expect(crop(new MemorySource(readOnly), new MemorySink())).rejects.toMatchObject({
      code: 'unsupported',
    });

    const ignorable = await withSuperblock({ features: { ...features, mayIgnore: 5n } });
    const sink = new MemorySink();
    await crop(new MemorySource(ignorable), sink);
    expect((await openBytes(sink.bytes())).superblock.features.mayIgnore).toBe(5n);
  });

  it('takes the valid slot of higher generation, and refuses two that contradict each other', async () => {
    const file = await sampleFile();
    const { superblock } = findSuperblock(file)!;
    const slot = (generation: number, at: number, id = superblock.fileId) =>
      file.set(encodeSuperblock({ ...superblock, generation, fileId: id }).subarray(0, 512), at);
    slot(2, 512);
    expect((await openBytes(file)).generation).toBe(2);
    slot(3, 0);
    expect((await openBytes(file)).generation).toBe(3);
    file[100] ^= 1;
    expect((await openBytes(file)).generation).toBe(2);
    slot(2, 0, new Uint8Array(16));
    await expect(openBytes(file)).rejects.toMatchObject({ code: 'damaged', section: 'superblock' });
  });
});
