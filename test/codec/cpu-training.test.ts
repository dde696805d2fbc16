import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Step, TrainingSession, TrainingSetup } from '../../dist/codec/engine/engine.js';
import { boxSize } from '../../dist/codec/grid.js';
import type { Weights } from '../../dist/codec/model.js';
import type { Optimiser } from '../../dist/codec/optimiser.js';
import { permutation } from '../../dist/codec/random.js';
import { adam, anySetup, flat, soap } from './any-setup.js';

const reference = new ReferenceEngine();
const single = createCpuEngine(1);
const several = createCpuEngine(3);
afterAll(async () => {
  await single.dispose();
  await several.dispose();
});

/** Orders of three batches and a session of any optimiser, already trained a little, so that moments are not young. */
async function startedSession(
  engine: typeof reference | typeof single,
  setup: Omit<TrainingSetup, 'optimiser'>,
  optimiser: Optimiser,
): Promise<{ session: TrainingSession; local: Omit<Step, 'batch' | 'localRates'> }> {
  const session = await engine.createTrainingSession({ ...setup, optimiser });
  const sizes = new Set(setup.boxes.map(boxSize));
  const orders = new Map([...sizes].map((size) => [size, permutation(size, 2, size)]));
  const local = { orders, batches: 3, globalRate: 0 };
  for (let batch = 0; batch < 3; batch++) {
    await session.step({ ...local, batch, localRates: [1e-3], globalRate: 1e-3 });
  }
  return { session, local };
}

describe('a call of several steps', () => {
  test('does what as many calls of one step do, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.constantFrom(adam, soap), async (setup, optimiser) => {
        const rates = [1e-3, 8e-4, 5e-4, 2e-4];
        const run = async (calls: readonly number[][]): Promise<[Float32Array, Float64Array]> => {
          const { session, local } = await startedSession(several, setup, optimiser);
          const errors = new Float64Array(setup.boxes.length);
          let batch = 0;
          for (const localRates of calls) {
            const { squaredErrors } = await session.step({ ...local, batch, localRates });
            squaredErrors.forEach((error, p) => (errors[p] += error));
            batch += localRates.length;
          }
          const weights = flat(await session.weights());
          await session.dispose();
          return [weights, errors];
        };
        const [together, apart] = [await run([rates]), await run(rates.map((rate) => [rate]))];
        expect(together[0]).toEqual(apart[0]);
        expect(together[1]).toEqual(apart[1]);
      }),
      { numRuns: 30 },
    );
  });

  test('trains each partition as if the others were not there', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async (setup) => {
        const run = async (factors: Float32Array): Promise<Weights> => {
          const { session, local } = await startedSession(single, setup, soap);
          await session.step({ ...local, batch: 0, localRates: [1e-3, 1e-3], rateFactors: factors });
          const weights = await session.weights();
          await session.dispose();
          return weights;
        };
        const all = await run(new Float32Array(setup.boxes.length).fill(1));
        const first = await run(Float32Array.from(setup.boxes, (_, p) => (p === 0 ? 1 : 0)));
        expect(first.local[0]).toEqual(all.local[0]);
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    ['the reference', reference],
    ['the cpu engine', several],
  ])('is refused by %s where it would not be what was asked for', async (_, engine) => {
    const [setup] = fc.sample(anySetup, { numRuns: 1, seed: 1 });
    const session = await engine.createTrainingSession({ ...setup, optimiser: adam });
    const step = { batches: 1, batch: 0, globalRate: 0 };
    const wrong: Step[] = [
      { ...step, localRates: [] },
      { ...step, localRates: [1e-3, 1e-3], globalRate: 1e-3 },
      { ...step, localRates: [1e-3], rateFactors: new Float32Array(setup.boxes.length + 1) },
    ];
    for (const each of wrong) await expect(session.step(each)).rejects.toBeInstanceOf(RangeError);
    await session.dispose();
  });
});

describe('a snapshot', () => {
  test('gives the weights back, all or those of some partitions, and what was learned since is forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySetup,
        fc.constantFrom(adam, soap),
        fc.boolean(),
        fc.constantFrom(reference, several),
        async (setup, optimiser, all, engine) => {
          const { session, local } = await startedSession(engine, setup, optimiser);
          const [before, snapshot] = [await session.weights(), await session.snapshot()];
          await session.step({ ...local, batch: 0, localRates: [1e-2], globalRate: 1e-2 });
          const changed = await session.weights();
          await session.restore(snapshot, all ? undefined : [0]);
          const restored = await session.weights();
          expect(restored.local[0]).toEqual(before.local[0]);
          expect(restored.global).toEqual((all ? before : changed).global);
          expect(restored.local.slice(1)).toEqual((all ? before : changed).local.slice(1));
          if (all && engine === several) {
            // Trained on from there it is as a session that starts with these weights; the reference's have more bits.
            const fresh = await engine.createTrainingSession({ ...setup, weights: before, optimiser });
            const step: Step = { ...local, batch: 1, localRates: [1e-3], globalRate: 1e-3 };
            await session.step(step);
            await fresh.step(step);
            expect(await session.weights()).toEqual(await fresh.weights());
            await fresh.dispose();
          }
          await session.dispose();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('training on the cpu engine', () => {
  test('gives the same bytes on any number of threads', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async (setup) => {
        const run = async (engine: typeof single): Promise<Float32Array> => {
          const session = await engine.createTrainingSession({ ...setup, optimiser: adam });
          for (let batch = 0; batch < 3; batch++) {
            await session.step({ batches: 3, batch, localRates: [1e-3], globalRate: 1e-3 });
          }
          const weights = flat(await session.weights());
          await session.dispose();
          return weights;
        };
        expect(await run(several)).toEqual(await run(single));
      }),
      { numRuns: 20 },
    );
  });
});
