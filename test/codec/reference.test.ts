import { describe, expect, test } from 'vitest';
import {
  gradients,
  samplePosition,
  type DoubleWeights,
} from '../../dist/codec/engine/reference/gradients.js';
import { Adam } from '../../dist/codec/engine/reference/adam.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { globalCoordinates } from '../../dist/codec/coordinates.js';
import type { Weights } from '../../dist/codec/model.js';
import { loadVector, VECTOR_NAMES } from './paper-vectors.js';
import { totals } from './step-totals.js';

const engine = new ReferenceEngine();

function toDouble(weights: Weights): DoubleWeights {
  return { global: Float64Array.from(weights.global), local: weights.local.map((w) => Float64Array.from(w)) };
}

/** Largest difference between two lists of numbers of equal length. */
function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  return largest;
}

function largestMagnitude(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe.each(VECTOR_NAMES)("the reference and the paper's code agree on %s", (name) => {
  const vector = loadVector(name);
  const { model, boxes, weights } = vector;

  test('coordinates', () => {
    const coordinates: number[] = [];
    for (const box of boxes) {
      const size = box.begin.reduce((product, begin, axis) => product * (box.end[axis] - begin), 1);
      for (let i = 0; i < size; i++) coordinates.push(...globalCoordinates(model, samplePosition(box, i)));
    }
    expect(largestDifference(coordinates, vector.coordinates)).toBeLessThan(2e-7);
  });

  test('outputs to 1e-5', async () => {
    const evaluator = await engine.createEvaluator(model, weights.global);
    const outputs = await evaluator.evaluate(
      boxes.map((box, p) => ({
        box,
        weights: weights.local[p],
        positions: box.begin.map((begin, axis) =>
          Float64Array.from({ length: box.end[axis] - begin }, (_, i) => begin + i + 0.5),
        ),
      })),
    );
    const flat = outputs.flatMap((output) => Array.from(output));
    expect(largestDifference(flat, vector.output)).toBeLessThan(1e-5);
  });

  test('loss and gradients to 1e-5 of the largest', () => {
    const result = gradients(vector, toDouble(weights));
    expect(result.loss).toBeCloseTo(vector.loss, 6);
    const { squaredError, count } = totals(result);
    expect(squaredError / count).toBeCloseTo(result.loss, 12);
    const pairs: [ArrayLike<number>, ArrayLike<number>][] = [
      [result.weights.global, vector.gradients.global],
      ...result.weights.local.map((w, p): [Float64Array, Float32Array] => [w, vector.gradients.local[p]]),
    ];
    if (vector.activationGradients !== null) {
      for (const role of ['local', 'global', 'merge'] as const) {
        pairs.push([result.activations[role], vector.activationGradients[role]]);
      }
    }
    for (const [actual, expected] of pairs) {
      const scale = Math.max(1, largestMagnitude(expected));
      expect(largestDifference(actual, expected)).toBeLessThan(1e-5 * scale);
    }
  });

  test('losses of 20 Adam steps to 1e-5', () => {
    const { rate, betas, epsilon, losses } = vector.adam;
    const rateOf = (): number => rate;
    const optimiser = { kind: 'adam', beta1: betas[0], beta2: betas[1], epsilon } as const;
    const current = toDouble(weights);
    const globalAdam = new Adam(optimiser, current.global.length);
    const localAdams = current.local.map((w) => new Adam(optimiser, w.length));
    // The file's run trains (a, b, c, d) too where it has them.
    const roles = vector.activationGradients === null ? [] : (['local', 'global', 'merge'] as const);
    const scalars = roles.map((role) => {
      const { a, b, c, d } = model.architecture.activations[role];
      return { role, values: Float64Array.of(a, b, c, d), adam: new Adam(optimiser, 4) };
    });
    const seen = losses.map(() => {
      const activations = { ...model.architecture.activations };
      for (const { role, values } of scalars) {
        const [a, b, c, d] = values;
        activations[role] = { ...activations[role], a, b, c, d };
      }
      const present = { ...model, architecture: { ...model.architecture, activations } };
      const result = gradients({ ...vector, model: present }, current);
      globalAdam.step(current.global, result.weights.global, rateOf);
      current.local.forEach((w, p) => localAdams[p].step(w, result.weights.local[p], rateOf));
      for (const { role, values, adam } of scalars) adam.step(values, result.activations[role], rateOf);
      return result.loss;
    });
    expect(largestDifference(seen, losses)).toBeLessThan(1e-5);
  });
});
