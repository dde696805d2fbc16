import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gridModels } from '../../dist/codec/latent/entropy-model.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
  type LatentArchitecture,
} from '../../dist/codec/latent/latent-architecture.js';
import { countLatents, countShared } from '../../dist/codec/latent/latent-sizes.js';
import { partitionGradients } from '../../dist/codec/latent/reference/partition-gradients.js';
import { RandomStream } from '../../dist/codec/random.js';

const settings = fc.record({
  levels: fc.integer({ min: 2, max: 4 }),
  finestLevels: fc.constantFrom([0], [0, 1, 1], [0, 0], [0, 1, 1, 0]),
  hiddenWidth: fc.integer({ min: 1, max: 4 }),
  outputs: fc.integer({ min: 1, max: 4 }),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  isWeighted: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

/** Weights and relaxed latents between which the loss has no kink. */
function drawn({
  height,
  width,
  isWeighted,
  seed,
  ...rest
}: typeof settings extends fc.Arbitrary<infer T> ? T : never) {
  const architecture: LatentArchitecture = { ...rest, amplitude: 1 };
  const random = new RandomStream(seed, 'noise');
  const grids = placeGrids(architecture, [height, width]);
  const weights = new Float64Array(latentWeightCount(architecture));
  for (const { name, rows, columns, offset } of latentTensors(architecture)) {
    for (let i = offset; i < offset + rows * columns; i++) {
      weights[i] = name === 'spread' ? Math.abs(random.symmetric(0.4)) : random.symmetric(0.6);
    }
    // A scale of about 1, inside the tables' range.
    if (name === 'scale') weights[offset] = random.symmetric(1);
  }
  const values = Float64Array.from({ length: latentCount(grids) }, () => random.symmetric(3));
  const count = height * width * architecture.outputs;
  const target = {
    shape: [height, width] as const,
    values: Float64Array.from({ length: count }, () => random.symmetric(2)),
    ...(isWeighted && { weights: Float64Array.from({ length: count }, () => Math.abs(random.symmetric(1))) }),
  };
  return { architecture, grids, weights, values, target };
}

it('gradients of a partition are those of finite differences', () => {
  fc.assert(
    fc.property(settings, fc.nat(), (chosen, pick) => {
      const { architecture, grids, weights, values, target } = drawn(chosen);
      const factors = { error: 0.3, bit: 0.2 };
      const loss = (): number => {
        const { squaredError, bits } = partitionGradients(
          architecture,
          grids,
          weights,
          values,
          target,
          factors,
          new Float64Array(weights.length),
        );
        return factors.error * squaredError + factors.bit * bits;
      };
      const weightGradients = new Float64Array(weights.length);
      const { values: valueGradients } = partitionGradients(
        architecture,
        grids,
        weights,
        values,
        target,
        factors,
        weightGradients,
      );
      const check = (numbers: Float64Array, gradients: Float64Array, at: number): void => {
        const kept = numbers[at];
        const slope = (step: number): number => {
          numbers[at] = kept + step;
          const above = loss();
          numbers[at] = kept - step;
          const below = loss();
          numbers[at] = kept;
          return (above - below) / (2 * step);
        };
        const [coarse, fine] = [slope(2e-5), slope(1e-5)];
        // Where the two differ there is a kink between: of the rectifier, or of a magnitude.
        if (Math.abs(coarse - fine) > 1e-6 * (1 + Math.abs(fine))) return;
        expect(Math.abs(gradients[at] - fine)).toBeLessThan(2e-6 * (1 + Math.abs(fine)));
      };
      for (let i = 0; i < 12; i++) {
        check(weights, weightGradients, (pick + 7919 * i) % weights.length);
        check(values, valueGradients, (pick + 104_729 * i) % values.length);
      }
    }),
    { numRuns: 60 },
  );
});

it('counts what its lists have', () => {
  fc.assert(
    fc.property(settings, ({ height, width, ...rest }) => {
      const architecture = { ...rest, amplitude: 1 };
      expect(countShared(architecture)).toBe(latentWeightCount(architecture));
      expect(countLatents(architecture, [height, width])).toBe(
        latentCount(placeGrids(architecture, [height, width])),
      );
    }),
  );
});

it('has whole-number models of as many contexts as real ones', () => {
  const architecture: LatentArchitecture = {
    levels: 7,
    finestLevels: [0, 1, 1],
    hiddenWidth: 32,
    outputs: 3,
    amplitude: 1,
  };
  const models = gridModels(architecture, new Int32Array(latentWeightCount(architecture)));
  expect(models.map(({ mean }) => mean.length).join(' ')).toBe(
    '8 9 10 9 10 11 9 10 11 9 10 11 9 10 11 9 10 11 9',
  );
});
