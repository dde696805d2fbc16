import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { CpuLatentDecoder } from '../../dist/codec/engine/cpu/latent-decoder.js';
import { ThreadPool } from '../../dist/codec/engine/cpu/pool.js';
import { LgiError } from '../../dist/codec/errors.js';
import { gridModels } from '../../dist/codec/latent/entropy-model.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
  type LatentArchitecture,
} from '../../dist/codec/latent/latent-architecture.js';
import { decodeLatents, encodeLatents } from '../../dist/codec/latent/latent-coder.js';
import { synthesise } from '../../dist/codec/latent/reference/synthesis.js';
import { tensorViews } from '../../dist/codec/latent/reference/tensor-views.js';
import { realShared, roundShared, type StoredWeights } from '../../dist/codec/latent/shared-weights.js';
import { RandomStream } from '../../dist/codec/random.js';

const pool = new ThreadPool(2);
afterAll(() => pool.dispose());

const settings = fc.record({
  levels: fc.integer({ min: 2, max: 7 }),
  finestLevels: fc.constantFrom([0], [0, 1, 1], [0, 0], [0, 1, 1, 0]),
  hiddenWidth: fc.constantFrom(4, 12, 32),
  height: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 70 }),
  largest: fc.constantFrom(0.4, 2, 40, 3000),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

function drawn({
  height,
  width,
  largest,
  seed,
  ...rest
}: typeof settings extends fc.Arbitrary<infer T> ? T : never) {
  const architecture: LatentArchitecture = { ...rest, outputs: rest.finestLevels.length, amplitude: 1 };
  const random = new RandomStream(seed, 'noise');
  const weights = new Float32Array(latentWeightCount(architecture));
  for (const { name, rows, columns, offset } of latentTensors(architecture)) {
    for (let i = offset; i < offset + rows * columns; i++) {
      weights[i] = name === 'spread' ? Math.abs(random.symmetric(0.3)) : random.symmetric(0.3);
      if (name === 'presence') weights[i] = 1 + random.below(255);
    }
    if (name === 'scale') weights[offset + 1] = 0.5 + random.symmetric(0.5);
  }
  const stored = roundShared(architecture, weights, [8, 8, 8, 8, 8, 10]);
  const grids = placeGrids(architecture, [height, width]);
  const latents = Int16Array.from({ length: latentCount(grids) }, () =>
    Math.round(random.symmetric(largest)),
  );
  // Some grids are of zeros alone.
  for (const { offset, height: rows, width: columns } of grids) {
    if (random.below(3) === 0) latents.fill(0, offset, offset + rows * columns);
  }
  const bytes = encodeLatents(grids, gridModels(architecture, stored.numbers), latents);
  return { architecture, stored, shape: [height, width] as const, grids, latents, bytes };
}

/** What the reference makes of bytes: outputs as planes, or its error. */
function expected(
  architecture: LatentArchitecture,
  stored: StoredWeights,
  shape: readonly [number, number],
  bytes: Uint8Array,
): Float64Array | LgiError {
  const grids = placeGrids(architecture, shape);
  try {
    const latents = decodeLatents(grids, gridModels(architecture, stored.numbers), bytes);
    const views = tensorViews(architecture, Float64Array.from(realShared(architecture, stored)));
    const { outputs } = synthesise(architecture, grids, views, Float64Array.from(latents), shape);
    const samples = shape[0] * shape[1];
    return outputs.map((_, i) => outputs[(i % samples) * architecture.outputs + Math.floor(i / samples)]);
  } catch (error) {
    return error as LgiError;
  }
}

async function expectSame(
  architecture: LatentArchitecture,
  stored: StoredWeights,
  shape: readonly [number, number],
  payloads: readonly Uint8Array[],
): Promise<void> {
  const decoder = await CpuLatentDecoder.create(pool, { architecture, stored, most: shape });
  try {
    const seen = await decoder.decode(payloads.map((payload) => ({ shape, payload, section: 'chunk 1,2' })));
    payloads.forEach((payload, i) => {
      const [mine, theirs] = [seen[i], expected(architecture, stored, shape, payload)];
      if (theirs instanceof LgiError) {
        expect(mine).toMatchObject({ code: 'damaged', section: 'chunk 1,2' });
        return;
      }
      expect(mine).toBeInstanceOf(Float32Array);
      const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      theirs.forEach((value, k) => {
        if (Math.abs((mine as Float32Array)[k] - value) > 2e-5 * largest) {
          expect((mine as Float32Array)[k]).toBeCloseTo(value, 5);
        }
      });
    });
  } finally {
    await decoder.dispose();
  }
}

it('decodes partitions as the reference does', async () => {
  await fc.assert(
    fc.asyncProperty(settings, async (chosen) => {
      const { architecture, stored, shape, bytes } = drawn(chosen);
      await expectSame(architecture, stored, shape, [bytes]);
    }),
    { numRuns: 40 },
  );
});

it('finds damage where the reference does, and the same outputs where it finds none', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.uint8Array({ maxLength: 50 }), fc.nat(), async (chosen, noise, place) => {
      const { architecture, stored, shape, bytes } = drawn(chosen);
      const changed = bytes.slice();
      if (changed.length > 0) changed[place % changed.length] ^= 1 + (place % 255);
      const cut = bytes.subarray(0, Math.max(0, bytes.length - 1));
      await expectSame(architecture, stored, shape, [noise, changed, cut, Uint8Array.of(...bytes, 7)]);
    }),
    { numRuns: 40 },
  );
});
