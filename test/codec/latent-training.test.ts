import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CpuLatentSession } from '../../dist/codec/engine/cpu/latent-training.js';
import { ThreadPool } from '../../dist/codec/engine/cpu/pool.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
  type LatentArchitecture,
} from '../../dist/codec/latent/latent-architecture.js';
import { LatentDivergenceCheck } from '../../dist/codec/latent/divergence-check.js';
import { RateControl } from '../../dist/codec/latent/rate-control.js';
import { LATENT_RECIPE, trainLatents } from '../../dist/codec/latent/train-latents.js';
import { ReferenceLatentSession } from '../../dist/codec/latent/reference/reference-session.js';
import type { LatentSetup, LatentStep } from '../../dist/codec/latent/session.js';
import { RandomStream } from '../../dist/codec/random.js';

const pools = [1, 2].map((threads) => new ThreadPool(threads));
afterAll(() => Promise.all(pools.map((pool) => pool.dispose())));

const settings = fc.record({
  levels: fc.integer({ min: 2, max: 7 }),
  finestLevels: fc.constantFrom([0], [0, 1, 1], [0, 0], [0, 1, 1, 0]),
  hiddenWidth: fc.constantFrom(4, 12, 32),
  height: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 70 }),
  isWeighted: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** A setup of three partitions, one of them smaller, with latents as training comes to. */
function setupOf({ height, width, isWeighted, seed, ...rest }: Settings): LatentSetup {
  const outputs = rest.finestLevels.length;
  const architecture: LatentArchitecture = { ...rest, outputs, amplitude: 1 };
  const random = new RandomStream(seed, 'noise');
  const weights = new Float32Array(latentWeightCount(architecture));
  for (const { name, rows, columns, offset } of latentTensors(architecture)) {
    for (let i = offset; i < offset + rows * columns; i++) {
      weights[i] = name === 'spread' ? Math.abs(random.symmetric(0.3)) : random.symmetric(0.3);
    }
    if (name === 'scale') weights[offset + 1] = 0.5 + random.symmetric(0.5);
  }
  const shapes = [
    [height, width],
    [Math.ceil(height / 3), Math.ceil(width / 2)],
    [height, width],
  ] as const;
  const partitions = shapes.map((shape) => {
    const grids = placeGrids(architecture, shape);
    const samples = shape[0] * shape[1];
    return {
      shape,
      latents: Float32Array.from({ length: latentCount(grids) }, () => random.symmetric(3)),
      target: Float32Array.from({ length: samples * outputs }, () => random.symmetric(2)),
      ...(isWeighted && {
        opacity: Float32Array.from({ length: samples }, () => Math.abs(random.symmetric(1))),
      }),
    };
  });
  return {
    architecture,
    weights,
    partitions,
    latentAdam: { beta1: 0.5, beta2: 0.99, epsilon: 1e-8 },
    sharedAdam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  };
}

function steps(seed: number): LatentStep[] {
  const rates = { bitFactor: 0.08, latentRate: 0.1, sharedRate: 1e-2, tapFactor: 0.3 };
  const soft = (key: number): LatentStep['rounding'] => ({ temperature: 0.3, noise: 0.7, key });
  return [
    { batch: [0, 1, 2], rounding: soft(seed), ...rates },
    { batch: [2, 1], rounding: soft(seed + 77), ...rates },
    { batch: [1, 0], rounding: 'hard', ...rates },
    { batch: [0, 1, 2], rounding: 'hard', ...rates, sharedRate: 0 },
  ];
}

it('losses, weights and latents of a few steps are those of the reference', async () => {
  await fc.assert(
    fc.asyncProperty(settings, async (chosen) => {
      const setup = setupOf(chosen);
      const cpu = await CpuLatentSession.create(pools[1], setup);
      const reference = new ReferenceLatentSession(setup);
      try {
        for (const step of steps(chosen.seed)) {
          const [seen, expected] = [await cpu.step(step), await reference.step(step)];
          for (const key of ['squaredErrors', 'bits'] as const) {
            seen[key].forEach((value, i) => {
              expect(Math.abs(value - expected[key][i])).toBeLessThan(1e-3 * (1 + expected[key][i]));
            });
          }
        }
        const [mine, theirs] = [await cpu.latents(), await reference.latents()];
        // A latent whose gradient is nearly nothing may go either way by Adam, which sees only its sign.
        const far = mine.map(
          (latents, p) => latents.filter((latent, i) => Math.abs(latent - theirs[p][i]) > 2e-3).length,
        );
        const count = mine.reduce((sum, { length }) => sum + length, 0);
        expect(far.reduce((sum, each) => sum + each, 0)).toBeLessThan(1 + count / 50);
      } finally {
        await cpu.dispose();
      }
    }),
    { numRuns: 25 },
  );
});

it('any number of threads comes to the same bytes', async () => {
  const setup = setupOf({
    levels: 6,
    finestLevels: [0, 1, 1],
    hiddenWidth: 12,
    height: 33,
    width: 64,
    isWeighted: false,
    seed: 4,
  });
  const results = [];
  for (const pool of pools) {
    const session = await CpuLatentSession.create(pool, setup);
    for (const step of steps(5)) await session.step(step);
    results.push({ weights: await session.weights(), latents: await session.latents() });
    await session.dispose();
  }
  expect(results[0]).toEqual(results[1]);
});

it('a state that is taken back is gone on from as if it were new', async () => {
  await fc.assert(
    fc.asyncProperty(settings, async (chosen) => {
      const setup = setupOf(chosen);
      for (const session of [
        await CpuLatentSession.create(pools[1], setup),
        new ReferenceLatentSession(setup),
      ]) {
        const results = [];
        for (let run = 0; run < 2; run++) {
          for (const step of steps(chosen.seed)) await session.step(step);
          results.push({ weights: await session.weights(), latents: await session.latents() });
          await session.restore({
            weights: setup.weights,
            latents: setup.partitions.map(({ latents }) => latents),
          });
        }
        expect(results[1]).toEqual(results[0]);
        await session.dispose();
      }
    }),
    { numRuns: 10 },
  );
});

describe('training that gets worse instead of better', () => {
  const setup = setupOf({
    levels: 3,
    finestLevels: [0],
    hiddenWidth: 4,
    height: 12,
    width: 9,
    isWeighted: false,
    seed: 1,
  });
  const sizes = setup.partitions.map(({ shape }) => shape[0] * shape[1]);

  it('goes back to what was good, at half the rate', async () => {
    const session = new ReferenceLatentSession(setup);
    const check = await LatentDivergenceCheck.create(session, 30);
    // Up to there it is none, and what has got worse is not kept.
    for (let epoch = 0; epoch < 8; epoch++) await check.epoch(2 + Math.sin(epoch));
    const good = await session.latents();
    for (const worse of [Infinity, NaN, 31]) {
      await session.step(steps(3)[0]);
      for (let epoch = 0; epoch < 8; epoch++) await check.epoch(29);
      expect(await session.latents()).not.toEqual(good);
      const before = check.rateFactor;
      await check.epoch(worse);
      expect(await session.latents()).toEqual(good);
      expect(check.rateFactor).toBe(before / 2);
    }
    await check.epoch(2);
    expect(check.rateFactor).toBe(1 / 8);
  });

  it('is given up in words where no rate is low enough', async () => {
    const session = new ReferenceLatentSession(setup);
    const run = trainLatents(
      session,
      { ...LATENT_RECIPE, sharedRate: 1e20 },
      {
        sizes,
        channels: 1,
        energy: 4,
        control: new RateControl(undefined, 1),
        steps: 60,
        seed: 1,
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'diverged' });
  });
});
