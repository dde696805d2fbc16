// Partitions of latents whose cuts claim more samples than a few bytes may stand for.
import { readFileSync } from 'node:fs';
import { ByteBuffer } from 'flatbuffers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { LgiError } from '../../dist/codec/errors.js';
import * as fb from '../../dist/schema/generated/lgi.js';
import { crc32c } from '../../dist/src/container/crc32c.js';
import { MAX_LATENT_CELL } from '../../dist/src/container/limits.js';
import { encodeSuperblock, findSuperblock } from '../../dist/src/container/superblock.js';
import { open } from '../../dist/src/open.js';

/** The picture with its last cut of an axis elsewhere and all that the index says of it in agreement. */
function stretched(axis: 0 | 1, length: number): Uint8Array {
  const bytes = Uint8Array.from(readFileSync('spec/vectors/latent-rgb.lgi'));
  const superblock = findSuperblock(bytes)!.superblock;
  const { byteOffset, byteLength } = superblock.index;
  const part = bytes.subarray(byteOffset, byteOffset + byteLength);
  const signal = fb.Index.getRootAsIndex(new ByteBuffer(part)).signals(0)!;
  const cuts = signal.axes(axis)!.cutsArray()!;
  cuts[cuts.length - 1] = (cuts[cuts.length - 2] ?? 0) + length;
  signal.windowEndArray()![axis] = cuts[cuts.length - 1];
  const { features } = superblock;
  bytes.set(
    encodeSuperblock({
      ...superblock,
      features: { ...features, mustUnderstand: features.mustUnderstand | 1n },
      index: { byteOffset, byteLength, crc: crc32c(part) },
    }),
  );
  return bytes;
}

async function failureOf(bytes: Uint8Array): Promise<unknown> {
  return open(bytes, { engine: new ReferenceEngine() }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('a partition of latents of more samples on an axis than any may have', () => {
  it('is refused before anything is decoded', async () => {
    const bytes = stretched(1, 25_094);
    // The least of several: other work of the machine makes single ones longer.
    let least = Infinity;
    let error: unknown;
    for (let i = 0; i < 20; i++) {
      const started = performance.now();
      error = await failureOf(bytes);
      least = Math.min(least, performance.now() - started);
    }
    expect(least).toBeLessThan(10);
    expect(error).toBeInstanceOf(LgiError);
    expect(error).toMatchObject({ code: 'limit', section: 'index' });
    expect((error as LgiError).message).toContain('25094');
  });

  it('is refused at every length beyond the limit and on both axes, and opened up to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0 as const, 1 as const),
        fc.oneof(
          fc.integer({ min: 1, max: MAX_LATENT_CELL }),
          fc.constantFrom(MAX_LATENT_CELL, MAX_LATENT_CELL + 1),
          fc.integer({ min: MAX_LATENT_CELL + 1, max: 2 ** 31 - 100 }),
        ),
        async (axis, length) => {
          const error = await failureOf(stretched(axis, length));
          if (length <= MAX_LATENT_CELL) expect(error).toBeUndefined();
          else expect(error).toMatchObject({ code: 'limit', section: 'index' });
        },
      ),
      { numRuns: 60 },
    );
  });
});
