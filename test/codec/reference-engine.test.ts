import { describe, expect, test } from 'vitest';
import { siren, type Architecture } from '../../dist/codec/architecture.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Step, TrainingSetup } from '../../dist/codec/engine/engine.js';
import { Grid, boxSize, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { permutation } from '../../dist/codec/random.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { loadVector } from './paper-vectors.js';

const engine = new ReferenceEngine();
const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** A 10x13 picture in cells of 4, so with ragged ones. */
function smallSetup(change: Partial<Architecture> = {}): TrainingSetup {
  const architecture: Architecture = {
    inputs: 2,
    outputs: 1,
    levels: 2,
    localWidth: 4,
    globalWidth: 6,
    localCoordinates: 'cell',
    latticeStride: 4,
    activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
    ...change,
  };
  const grid = new Grid([cutsByCell(10, 4), cutsByCell(13, 4)]);
  return {
    model: { architecture, maps: [spreadMap(10), spreadMap(13)], nominalCell: [4, 4] },
    boxes: Array.from({ length: grid.count }, (_, p) => grid.boxOf(p)),
    format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
    samples: Uint8Array.from({ length: 130 }, (_, i) => (i * 37) % 256),
    weights: initialWeights(architecture, grid.count, { seed: 5 }),
    optimiser: adam,
  };
}

const fullStep: Step = { batches: 1, batch: 0, localRate: 1e-3, globalRate: 1e-3 };

describe('a training session', () => {
  test("makes the paper's 20 Adam steps", async () => {
    const vector = loadVector('local-global-rgb');
    const session = await engine.createTrainingSession({ ...vector, optimiser: adam });
    for (const loss of vector.adam.losses) {
      const { squaredError, count } = await session.step({
        ...fullStep,
        localRate: vector.adam.rate,
        globalRate: vector.adam.rate,
      });
      expect(Math.abs(squaredError / count - loss)).toBeLessThan(1e-5);
    }
  });

  test('counts every sample once an epoch, whatever the number of batches', async () => {
    const setup = smallSetup();
    const session = await engine.createTrainingSession(setup);
    const still = { localRate: 0, globalRate: 0 };
    const whole = await session.step({ batches: 1, batch: 0, ...still });
    expect(whole.count).toBe(130);
    const sizes = new Set(setup.boxes.map((box) => boxSize(box)));
    const orders = new Map([...sizes].map((size) => [size, permutation(size, 3, size)]));
    let squaredError = 0;
    let count = 0;
    for (let batch = 0; batch < 5; batch++) {
      const report = await session.step({ orders, batches: 5, batch, ...still });
      squaredError += report.squaredError;
      count += report.count;
    }
    expect(count).toBe(whole.count);
    expect(squaredError).toBeCloseTo(whole.squaredError, 9);
  });

  test('with a global rate of 0 leaves global weights and moments alone', async () => {
    const setup = smallSetup();
    const paused = await engine.createTrainingSession(setup);
    await paused.step({ ...fullStep, localRate: 0, globalRate: 0 });
    expect((await paused.weights()).global).toEqual(setup.weights.global);
    await paused.step({ ...fullStep, localRate: 0 });
    const fresh = await engine.createTrainingSession(setup);
    await fresh.step({ ...fullStep, localRate: 0 });
    expect((await paused.weights()).global).toEqual((await fresh.weights()).global);
  });

  test('lowers the loss', async () => {
    const session = await engine.createTrainingSession(smallSetup());
    const first = await session.step(fullStep);
    let last = first;
    for (let i = 0; i < 60; i++) last = await session.step(fullStep);
    expect(last.squaredError).toBeLessThan(first.squaredError / 2);
  });

  test('weighs colour by alpha, and alpha fully', async () => {
    const setup = smallSetup({ outputs: 2 });
    const samples = Uint8Array.from({ length: 260 }, (_, i) => (i % 2 === 0 ? 200 : i % 4 === 1 ? 0 : 51));
    const session = await engine.createTrainingSession({
      ...setup,
      format: { ...setup.format, channels: 2, layout: 'grey-alpha' },
      samples,
    });
    const { count } = await session.step(fullStep);
    expect(count).toBeCloseTo(130 + 65 * 0.2, 9);
  });
});

describe('an evaluator', () => {
  const positionsOf = (begin: number, end: number, step: number): Float64Array =>
    Float64Array.from({ length: Math.round((end - begin) / step) }, (_, i) => begin + (i + 0.5) * step);

  test('gives a position the same value whatever else is evaluated', async () => {
    const { model, boxes, weights } = smallSetup();
    const evaluator = await engine.createEvaluator(model, weights.global);
    const box = boxes[5];
    const [y, x] = box.begin.map((begin, axis) => positionsOf(begin, box.end[axis], 0.5));
    const task = { box, weights: weights.local[5], positions: [y, x] };
    const [whole] = await evaluator.evaluate([task]);
    const [part] = await evaluator.evaluate([{ ...task, positions: [y.slice(3, 4), x.slice(2, 7)] }]);
    expect(part).toEqual(whole.slice(3 * x.length + 2, 3 * x.length + 7));
  });

  test('of a lattice network agrees with the exact one at lattice points, and not between', async () => {
    const lattice = smallSetup();
    const exact = smallSetup({ latticeStride: 0 });
    const box = lattice.boxes[0];
    const task = {
      box,
      weights: lattice.weights.local[0],
      positions: [Float64Array.of(0, 4), Float64Array.of(0, 4)],
    };
    const [a] = await (await engine.createEvaluator(lattice.model, lattice.weights.global)).evaluate([task]);
    const [b] = await (await engine.createEvaluator(exact.model, exact.weights.global)).evaluate([task]);
    expect(a).toEqual(b);
    const centre = { ...task, positions: [Float64Array.of(2), Float64Array.of(2)] };
    const [c] = await (
      await engine.createEvaluator(lattice.model, lattice.weights.global)
    ).evaluate([centre]);
    const [d] = await (await engine.createEvaluator(exact.model, exact.weights.global)).evaluate([centre]);
    expect(c).not.toEqual(d);
  });

  test('stops at an abort', async () => {
    const { model, boxes, weights } = smallSetup();
    const evaluator = await engine.createEvaluator(model, weights.global);
    const task = {
      box: boxes[0],
      weights: weights.local[0],
      positions: [Float64Array.of(1), Float64Array.of(1)],
    };
    const reason = new Error('enough');
    await expect(evaluator.evaluate([task], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
