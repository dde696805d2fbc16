import fc from 'fast-check';
import { expect } from 'vitest';
import type { Architecture } from '../../dist/codec/architecture.js';
import type { TrainingSetup } from '../../dist/codec/engine/engine.js';
import { Grid, boxSize, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import type { Weights } from '../../dist/codec/model.js';
import type { Optimiser } from '../../dist/codec/optimiser.js';
import { fullRangeMapping, type ChannelLayout, type SampleType } from '../../dist/codec/signal.js';

export const adam: Optimiser = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export const soap: Optimiser = {
  kind: 'soap',
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  factorDecay: 0.9,
  refreshSteps: 3,
};

const LAYOUTS: readonly (readonly [ChannelLayout, number])[] = [
  ['grey', 1],
  ['grey-alpha', 2],
  ['rgb', 3],
  ['rgb-alpha', 4],
  ['plain', 5],
];

const activation = fc.record({
  omegaFirst: fc.constantFrom(10, 30),
  omegaHidden: fc.constantFrom(10, 30),
  a: fc.constantFrom(0, -0.2),
  b: fc.constantFrom(0, 0.1),
  c: fc.constantFrom(0, 0.3),
  d: fc.constantFrom(0, -0.1),
});

/**
 * Networks of every kind on small ragged signals: 1 to 3 axes, with and without global network, lattice, alpha, bounds of
 * local weights; where the first encode was, or beyond it on either side.
 */
export const anySetup = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    cell: fc.integer({ min: 2, max: 6 }),
    shift: fc.oneof(fc.constant(0), fc.integer({ min: -40, max: 40 })),
    localBound: fc.constantFrom(undefined, 0.2),
    layout: fc.constantFrom(...LAYOUTS),
    sampleType: fc.constantFrom<SampleType>('uint8', 'uint16', 'float32'),
    levels: fc.integer({ min: 1, max: 3 }),
    localWidth: fc.integer({ min: 1, max: 9 }),
    globalWidth: fc.integer({ min: 0, max: 10 }),
    localCoordinates: fc.constantFrom('signal' as const, 'cell' as const),
    latticeStride: fc.constantFrom(0, 1, 3, 4),
    merge: fc.constantFrom('concat' as const, 'fc-add' as const),
    activations: fc.record({ local: activation, global: activation, merge: activation }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ shape, cell, layout: [layout, channels], sampleType, seed, shift, localBound, ...rest }) => {
    const architecture: Architecture = { inputs: shape.length, outputs: channels, ...rest };
    const grid = new Grid(
      shape.map((length) => ({
        cuts: cutsByCell(length, cell).cuts.map((cut) => cut + shift),
        firstCell: Math.sign(shift),
      })),
    );
    const peak = sampleType === 'uint8' ? 255 : 65535;
    const length = boxSize(grid.extent) * channels;
    const random = Float64Array.from({ length }, (_, i) => (Math.sin(i * 12.9898 + seed) * 43758.5453) % 1);
    const samples =
      sampleType === 'float32'
        ? Float32Array.from(random)
        : sampleType === 'uint8'
          ? Uint8Array.from(random, (v) => Math.abs(v) * peak)
          : Uint16Array.from(random, (v) => Math.abs(v) * peak);
    const weights = initialWeights(architecture, grid.count, { seed });
    const setup: Omit<TrainingSetup, 'optimiser'> = {
      model: { architecture, maps: shape.map((n) => spreadMap(n)), nominalCell: grid.largestCell() },
      boxes: Array.from({ length: grid.count }, (_, p) => grid.boxOf(p)),
      format: { sampleType, channels, layout, mapping: fullRangeMapping(sampleType) },
      samples,
      weights,
      ...(localBound !== undefined && { localBounds: weights.local[0].map(() => localBound) }),
    };
    return setup;
  });

/** All weights in one array. */
export function flat(weights: Weights): Float32Array {
  return Float32Array.from([...weights.global, ...weights.local.flatMap((local) => [...local])]);
}

/** Largest difference, as part of the largest expected magnitude. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let magnitude = 1e-3;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return difference / magnitude;
}
