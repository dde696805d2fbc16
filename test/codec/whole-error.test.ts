import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { wholeError } from '../../dist/codec/whole-error.js';
import { adam, anySetup } from './any-setup.js';

const engine = new ReferenceEngine();

test('the error of the whole is what a full batch of training sees, alpha and all', async () => {
  await fc.assert(
    fc.asyncProperty(anySetup, async (setup) => {
      const session = await engine.createTrainingSession({ ...setup, optimiser: adam });
      const { squaredErrors, counts } = await session.step({
        batches: 1,
        batch: 0,
        localRates: [1e-3],
        globalRate: 0,
      });
      await session.dispose();
      const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
      const seen = sum(squaredErrors) / sum(counts);
      expect(await wholeError(engine, setup.model, setup.weights, setup)).toBeCloseTo(seen, 5);
    }),
    { numRuns: 60 },
  );
});
