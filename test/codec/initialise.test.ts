import { describe, expect, test } from 'vitest';
import {
  globalTensors,
  localTensors,
  siren,
  type Architecture,
  type Tensor,
} from '../../dist/codec/architecture.js';
import { OptionError } from '../../dist/codec/errors.js';
import { initialWeights } from '../../dist/codec/initialise.js';

const architecture: Architecture = {
  inputs: 2,
  outputs: 3,
  levels: 4,
  localWidth: 14,
  globalWidth: 84,
  localCoordinates: 'cell',
  latticeStride: 4,
  merge: 'concat',
  activations: { local: siren(30, 30), global: siren(120, 20), merge: siren(1, 40) },
};

/** Draws of one tensor over all arrays. */
function drawn(tensor: Tensor, arrays: readonly Float32Array[]): number[] {
  return arrays.flatMap((array) =>
    Array.from(array.subarray(tensor.offset, tensor.offset + tensor.rows * tensor.columns)),
  );
}

/** Whether numbers fill `[-bound, bound]` evenly: variance bound^2 / 3, none outside. */
function expectUniform(values: number[], bound: number): void {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  expect(most).toBeLessThanOrEqual(bound * (1 + 1e-6));
  expect(most).toBeGreaterThan(bound * 0.9);
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(variance / (bound ** 2 / 3)).toBeGreaterThan(0.7);
  expect(variance / (bound ** 2 / 3)).toBeLessThan(1.3);
}

describe('initial weights', () => {
  const weights = initialWeights(architecture, 40, { seed: 7, localFirstFactor: 0.25 });

  test('of local networks have the ranges of SIREN, the first layer times its factor', () => {
    const expected = [0.25 / 2, 1 / Math.SQRT2];
    for (let level = 2; level <= 5; level++) expected.push(Math.sqrt(6 / 14) / 30, 1 / Math.sqrt(14));
    localTensors(architecture).forEach((tensor, i) =>
      expectUniform(drawn(tensor, weights.local), expected[i]),
    );
  });

  test('of the global network and the merge have the ranges of SIREN, each with its own omega', () => {
    const expected = [1 / 2, 1 / Math.SQRT2];
    for (let level = 2; level <= 4; level++) expected.push(Math.sqrt(6 / 84) / 20, 1 / Math.sqrt(84));
    expected.push(Math.sqrt(6 / 98) / 40, 1 / Math.sqrt(98));
    const many = Array.from({ length: 20 }, (_, seed) => initialWeights(architecture, 0, { seed }).global);
    globalTensors(architecture).forEach((tensor, i) => expectUniform(drawn(tensor, many), expected[i]));
  });

  test('of a partition do not depend on how many there are, nor the global ones', () => {
    const fewer = initialWeights(architecture, 3, { seed: 7, localFirstFactor: 0.25 });
    expect(fewer.local).toEqual(weights.local.slice(0, 3));
    expect(fewer.global).toEqual(weights.global);
    expect(weights.local[0]).not.toEqual(weights.local[1]);
  });

  test('are others for another seed', () => {
    const other = initialWeights(architecture, 1, { seed: 8, localFirstFactor: 0.25 });
    expect(other.local[0]).not.toEqual(weights.local[0]);
    expect(other.global).not.toEqual(weights.global);
  });

  test('need no global network', () => {
    const plain = { ...architecture, globalWidth: 0 };
    expect(initialWeights(plain, 1, { seed: 7 }).global.length).toBe(0);
  });

  test('that begin alike are those of every partition, and other ones for another seed', () => {
    const alike = { partitions: 'alike', localFirstFactor: 0.25 } as const;
    const { local, global } = initialWeights(architecture, [3, 8], { seed: 7, ...alike });
    expect(local[1]).toEqual(local[0]);
    expect(local[1]).not.toBe(local[0]);
    expect(global).toEqual(weights.global);
    expect(initialWeights(architecture, 1, { seed: 8, ...alike }).local[0]).not.toEqual(local[0]);
  });

  test('that begin alike have first layers spread evenly over what is drawn from, whatever the seed', () => {
    const wide = { ...architecture, localWidth: 512 };
    const [weight, bias] = localTensors(wide);
    const firstOf = (seed: number): number[][] => {
      const { local } = initialWeights(wide, 1, { seed, partitions: 'alike' });
      const [xs, ys] = [0, 1].map((row) => drawn(weight, local).slice(512 * row, 512 * (row + 1)));
      return [xs.map((x) => x * 2), ys.map((y) => y * 2), drawn(bias, local).map((b) => b * Math.SQRT2)];
    };
    const axes = firstOf(1);
    expect(firstOf(2)).toEqual(axes);
    // Of 512 points each of 4x4x4 boxes has 8 on average; drawn ones would leave some with 2 and others with 16.
    const counts = new Map<number, number>();
    for (let i = 0; i < 512; i++) {
      const box = axes.reduce((sum, places) => 4 * sum + Math.floor(2 * (places[i] + 1)), 0);
      counts.set(box, (counts.get(box) ?? 0) + 1);
    }
    expect(counts.size).toBe(64);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(5);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(11);
  });

  test('refuse a factor that is no positive number', () => {
    for (const localFirstFactor of [0, -1, NaN, Infinity]) {
      expect(() => initialWeights(architecture, 1, { seed: 1, localFirstFactor })).toThrow(OptionError);
    }
  });
});
