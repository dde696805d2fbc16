import fc from 'fast-check';
import { expect, test } from 'vitest';
import { siren, type Architecture, type Role, type SineActivation } from '../../dist/codec/architecture.js';
import { gradients, type DoubleWeights, type Fit } from '../../dist/codec/engine/reference/gradients.js';
import { Grid, boxSize, cutsByCell, linspaceMap, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { RandomStream } from '../../dist/codec/random.js';
import { fullRangeMapping, type ChannelLayout } from '../../dist/codec/signal.js';

const ROLES = ['local', 'global', 'merge'] as const;

const channelsOf: Partial<Record<ChannelLayout, number>> = {
  grey: 1,
  'grey-alpha': 2,
  rgb: 3,
  'rgb-alpha': 4,
};

/** Any network of the family on any small signal: cells that do not divide it, every option on and off. */
const settings = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
  cell: fc.integer({ min: 2, max: 4 }),
  layout: fc.constantFrom<ChannelLayout>('grey', 'grey-alpha', 'rgb', 'rgb-alpha'),
  levels: fc.integer({ min: 1, max: 3 }),
  localWidth: fc.integer({ min: 1, max: 4 }),
  globalWidth: fc.integer({ min: 0, max: 5 }),
  localCoordinates: fc.constantFrom<'signal' | 'cell'>('signal', 'cell'),
  latticeStride: fc.integer({ min: 0, max: 4 }),
  merge: fc.constantFrom('concat' as const, 'fc-add' as const),
  modulated: fc.boolean(),
  linspace: fc.boolean(),
  batches: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

function makeFit(chosen: Settings): { fit: Fit; weights: DoubleWeights; batch: Uint32Array[] } {
  const { shape, layout, seed } = chosen;
  const random = new RandomStream(seed, 'permutation');
  const activation = (): SineActivation => {
    // Low frequencies, so that the third derivative, and with it the error of a central difference, stays small.
    const plain = siren(4, 3);
    if (!chosen.modulated) return plain;
    return {
      ...plain,
      a: random.symmetric(0.3),
      b: random.symmetric(0.3),
      c: random.symmetric(0.3),
      d: random.symmetric(0.3),
    };
  };
  const channels = channelsOf[layout] ?? 1;
  const architecture: Architecture = {
    inputs: shape.length,
    outputs: channels,
    levels: chosen.levels,
    localWidth: chosen.localWidth,
    globalWidth: chosen.globalWidth,
    localCoordinates: chosen.localCoordinates,
    latticeStride: chosen.latticeStride,
    merge: chosen.merge,
    activations: { local: activation(), global: activation(), merge: activation() },
  };
  const grid = new Grid(shape.map((length) => cutsByCell(length, Math.min(length, chosen.cell))));
  const boxes = Array.from({ length: grid.count }, (_, p) => grid.boxOf(p));
  const samples = Uint8Array.from({ length: boxSize(grid.extent) * channels }, () => random.below(256));
  const batch = boxes.map((box, p) =>
    Uint32Array.from({ length: boxSize(box) }, (_, i) => i).filter((i) => (i + p) % chosen.batches === 0),
  );
  const { global, local } = initialWeights(architecture, grid.count, { seed });
  return {
    fit: {
      model: {
        architecture,
        maps: shape.map((length) => (chosen.linspace ? linspaceMap(length) : spreadMap(length))),
        nominalCell: grid.largestCell(),
      },
      boxes,
      format: { sampleType: 'uint8', channels, layout, mapping: fullRangeMapping('uint8') },
      samples,
    },
    weights: { global: Float64Array.from(global), local: local.map((w) => Float64Array.from(w)) },
    batch,
  };
}

/** Step of the central difference; its error is of order h^2, the rounding's of 1e-16 / h. */
const H = 1e-5;

function expectSlope(lossAt: (shift: number) => number, gradient: number): void {
  const slope = (lossAt(H) - lossAt(-H)) / (2 * H);
  expect(Math.abs(slope - gradient)).toBeLessThan(1e-6 * Math.max(1, Math.abs(gradient)));
}

test('gradients are the slopes of the loss, for any network of the family on any small signal', () => {
  fc.assert(
    fc.property(settings, (chosen) => {
      const { fit, weights, batch } = makeFit(chosen);
      const analytic = gradients(fit, weights, batch);
      const random = new RandomStream(chosen.seed, 'permutation', 1);
      const shifted = (array: Float64Array, at: number) => (shift: number) => {
        const kept = array[at];
        array[at] = kept + shift;
        const { loss } = gradients(fit, weights, batch);
        array[at] = kept;
        return loss;
      };
      for (let probe = 0; probe < 6; probe++) {
        const p = random.below(weights.local.length);
        const at = random.below(weights.local[p].length);
        expectSlope(shifted(weights.local[p], at), analytic.weights.local[p][at]);
        if (weights.global.length === 0) continue;
        const globalAt = random.below(weights.global.length);
        expectSlope(shifted(weights.global, globalAt), analytic.weights.global[globalAt]);
      }
    }),
    { numRuns: 150, seed: 1 },
  );
});

test('gradients of a, b, c and d are the slopes of the loss', () => {
  fc.assert(
    fc.property(settings, fc.constantFrom<Role>(...ROLES), (chosen, role) => {
      const { fit, weights, batch } = makeFit(chosen);
      const analytic = gradients(fit, weights, batch);
      const { architecture } = fit.model;
      (['a', 'b', 'c', 'd'] as const).forEach((name, i) => {
        const lossAt = (shift: number): number => {
          const moved = {
            ...architecture.activations[role],
            [name]: architecture.activations[role][name] + shift,
          };
          const activations = { ...architecture.activations, [role]: moved };
          const model = { ...fit.model, architecture: { ...architecture, activations } };
          return gradients({ ...fit, model }, weights, batch).loss;
        };
        expectSlope(lossAt, analytic.activations[role][i]);
      });
    }),
    { numRuns: 60, seed: 2 },
  );
});
