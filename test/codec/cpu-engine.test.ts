import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Step, TrainingSetup } from '../../dist/codec/engine/engine.js';
import { boxSize } from '../../dist/codec/grid.js';
import { permutation } from '../../dist/codec/random.js';
import type { Optimiser } from '../../dist/codec/optimiser.js';
import { adam, anySetup, flat, relativeError, soap } from './any-setup.js';
import { loadVector } from './paper-vectors.js';
import { totals } from './step-totals.js';

const reference = new ReferenceEngine();
const single = createCpuEngine(1);
const several = createCpuEngine(3);
afterAll(async () => {
  await single.dispose();
  await several.dispose();
});

/** An optimiser whose step is the gradient itself, but for a part in 10^4: root and momentum vanish beside epsilon. */
const gradientStep: Optimiser = { kind: 'adam', beta1: 0, beta2: 0, epsilon: 1e4 };
const gradientRate = 1e4;

async function gradientsBy(
  engine: typeof reference | typeof single,
  setup: Omit<TrainingSetup, 'optimiser'>,
  step: Omit<Step, 'localRates' | 'globalRate'>,
): Promise<{ change: Float32Array; squaredError: number; count: number }> {
  const session = await engine.createTrainingSession({ ...setup, optimiser: gradientStep });
  const report = totals(
    await session.step({ ...step, localRates: [gradientRate], globalRate: gradientRate }),
  );
  const after = flat(await session.weights());
  await session.dispose();
  return { change: flat(setup.weights).map((before, i) => before - after[i]), ...report };
}

describe('the cpu engine agrees with the reference', () => {
  test('in outputs, at any position of any network, to 1e-4 of the largest', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async (setup) => {
        const { model, weights, boxes } = setup;
        const tasks = boxes.map((box, p) => ({
          box,
          weights: weights.local[p],
          positions: box.begin.map((begin, axis) =>
            Float64Array.from({ length: 5 }, (_, i) => begin + ((i + 0.5) / 5) * (box.end[axis] - begin)),
          ),
        }));
        const expected = await (await reference.createEvaluator(model, weights.global)).evaluate(tasks);
        const evaluator = await several.createEvaluator(model, weights.global);
        const actual = await evaluator.evaluate(tasks);
        await evaluator.dispose();
        expected.forEach((outputs, p) => expect(relativeError(actual[p], outputs)).toBeLessThan(1e-4));
      }),
      { numRuns: 60 },
    );
  });

  test('in loss and gradients of full batches and of slices, to 1e-3 of the largest', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySetup,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (shared, batches, own) => {
          const setup = { ...shared, hasOwnOrders: own };
          const sizes = setup.boxes.map(boxSize);
          // Own orders may take a sample several times.
          const orders = new Map(
            own
              ? sizes.map((size, p) => [p, permutation(size, 1, p).map((i) => i - (i % 2))])
              : sizes.map((size) => [size, permutation(size, 1, size)]),
          );
          const step = { orders, batches, batch: batches - 1 };
          const expected = await gradientsBy(reference, setup, step);
          const actual = await gradientsBy(several, setup, step);
          expect(actual.count).toBeCloseTo(expected.count, 3);
          expect(Math.abs(actual.squaredError - expected.squaredError)).toBeLessThan(
            1e-4 * Math.max(1, expected.squaredError),
          );
          expect(relativeError(actual.change, expected.change)).toBeLessThan(1e-3);
        },
      ),
      { numRuns: 80 },
    );
  });

  test.each([
    'local-global-image',
    'local-global-rgb',
    'local-global-video',
    'local-global-audio',
    'siren',
    'siren-per-partition',
  ])("in the losses of the paper's 20 Adam steps: %s", async (name) => {
    const vector = loadVector(name);
    const session = await single.createTrainingSession({ ...vector, optimiser: adam });
    for (const loss of vector.adam.losses) {
      const { rate } = vector.adam;
      const report = totals(
        await session.step({ batches: 1, batch: 0, localRates: [rate], globalRate: rate }),
      );
      expect(Math.abs(report.squaredError / report.count - loss)).toBeLessThan(1e-4 * Math.max(loss, 0.01));
    }
    await session.dispose();
  });

  test("in SOAP's steps, through refreshes of the bases and with the global network frozen", async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async (setup) => {
        const losses = async (engine: typeof reference | typeof single): Promise<number[]> => {
          const session = await engine.createTrainingSession({ ...setup, optimiser: soap });
          const seen: number[] = [];
          for (const globalRate of [1e-3, 1e-3, 1e-3, 1e-3, 0, 0, 0, 0]) {
            seen.push(
              totals(await session.step({ batches: 1, batch: 0, localRates: [1e-3], globalRate }))
                .squaredError,
            );
          }
          await session.dispose();
          return seen;
        };
        const [expected, actual] = [await losses(reference), await losses(several)];
        expected.forEach((loss, i) =>
          expect(Math.abs(actual[i] - loss)).toBeLessThan(1e-3 * Math.max(1, loss)),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('in steps of some partitions, at rates of their own and of the output layer, which leave the others alone', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.constantFrom(adam, soap), async (setup, optimiser) => {
        const run = async (engine: typeof reference | typeof single): Promise<[number[], Float32Array]> => {
          const session = await engine.createTrainingSession({ ...setup, optimiser });
          const seen: number[] = [];
          for (let turn = 0; turn < 6; turn++) {
            const rateFactors = Float32Array.from(setup.boxes, (_, p) =>
              p % 3 === turn % 3 ? 1 / (1 + (p % 2)) : 0,
            );
            const globalRate = turn < 4 ? 1e-3 : 0;
            const step = {
              batches: 1,
              batch: 0,
              rateFactors,
              localRates: [1e-3],
              outputRateFactor: 3,
              globalRate,
            };
            seen.push(totals(await session.step(step)).squaredError);
          }
          const { local } = await session.weights();
          await session.dispose();
          return [seen, local[0]];
        };
        const [expected, expectedFirst] = await run(reference);
        const [actual, actualFirst] = await run(several);
        expected.forEach((loss, i) =>
          expect(Math.abs(actual[i] - loss)).toBeLessThan(2e-3 * Math.max(1, loss)),
        );
        expect(relativeError(actualFirst, expectedFirst)).toBeLessThan(0.02);
      }),
      { numRuns: 30 },
    );
  });

  test('in local-only steps, which leave the global weights as they are', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async (setup) => {
        const losses = async (
          engine: typeof reference | typeof single,
        ): Promise<[number[], Float32Array]> => {
          const session = await engine.createTrainingSession({ ...setup, optimiser: adam });
          const seen: number[] = [];
          for (const globalRate of [1e-3, 0, 0, 1e-3, 0]) {
            seen.push(
              totals(await session.step({ batches: 1, batch: 0, localRates: [1e-3], globalRate }))
                .squaredError,
            );
          }
          const { global } = await session.weights();
          await session.dispose();
          return [seen, global];
        };
        const [expected, expectedGlobal] = await losses(reference);
        const [actual, actualGlobal] = await losses(several);
        expected.forEach((loss, i) =>
          expect(Math.abs(actual[i] - loss)).toBeLessThan(2e-3 * Math.max(1, loss)),
        );
        expect(relativeError(actualGlobal, expectedGlobal)).toBeLessThan(0.02);
      }),
      { numRuns: 30 },
    );
  });
});
