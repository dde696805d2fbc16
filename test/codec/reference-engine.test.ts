import { describe, expect, test } from 'vitest';
import { siren, type Architecture } from '../../dist/codec/architecture.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Step, TrainingSetup } from '../../dist/codec/engine/engine.js';
import { Grid, boxSize, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { permutation } from '../../dist/codec/random.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { totals } from './step-totals.js';
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
    merge: 'concat',
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

const fullStep: Step = { batches: 1, batch: 0, localRates: [1e-3], globalRate: 1e-3 };

/** Centres of steps of equal length from `begin` to `end`. */
function positionsOf(begin: number, end: number, step: number): Float64Array {
  return Float64Array.from({ length: Math.round((end - begin) / step) }, (_, i) => begin + (i + 0.5) * step);
}

describe('a training session', () => {
  test("makes the paper's 20 Adam steps", async () => {
    const vector = loadVector('local-global-rgb');
    const session = await engine.createTrainingSession({ ...vector, optimiser: adam });
    for (const loss of vector.adam.losses) {
      const { squaredError, count } = totals(
        await session.step({ ...fullStep, localRates: [vector.adam.rate], globalRate: vector.adam.rate }),
      );
      expect(Math.abs(squaredError / count - loss)).toBeLessThan(1e-5);
    }
  });

  test('counts every sample once an epoch, whatever the number of batches', async () => {
    const setup = smallSetup();
    const session = await engine.createTrainingSession(setup);
    const still = { localRates: [0], globalRate: 0 };
    const whole = totals(await session.step({ batches: 1, batch: 0, ...still }));
    expect(whole.count).toBe(130);
    const sizes = new Set(setup.boxes.map((box) => boxSize(box)));
    const orders = new Map([...sizes].map((size) => [size, permutation(size, 3, size)]));
    let squaredError = 0;
    let count = 0;
    for (let batch = 0; batch < 5; batch++) {
      const report = totals(await session.step({ orders, batches: 5, batch, ...still }));
      squaredError += report.squaredError;
      count += report.count;
    }
    expect(count).toBe(whole.count);
    expect(squaredError).toBeCloseTo(whole.squaredError, 9);
  });

  test('with a global rate of 0 leaves global weights and moments alone', async () => {
    const setup = smallSetup();
    const paused = await engine.createTrainingSession(setup);
    await paused.step({ ...fullStep, localRates: [0], globalRate: 0 });
    expect((await paused.weights()).global).toEqual(setup.weights.global);
    await paused.step({ ...fullStep, localRates: [0] });
    const fresh = await engine.createTrainingSession(setup);
    await fresh.step({ ...fullStep, localRates: [0] });
    expect((await paused.weights()).global).toEqual((await fresh.weights()).global);
  });

  test('lowers the loss', async () => {
    const session = await engine.createTrainingSession(smallSetup());
    const first = totals(await session.step(fullStep));
    let last = first;
    for (let i = 0; i < 60; i++) last = totals(await session.step(fullStep));
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
    const evaluator = await engine.createEvaluator(setup.model, setup.weights.global);
    const outputs = await evaluator.evaluate(
      setup.boxes.map((box, p) => ({
        box,
        weights: setup.weights.local[p],
        positions: box.begin.map((begin, axis) => positionsOf(begin, box.end[axis], 1)),
      })),
    );
    const flat = outputs.flatMap((output) => Array.from(output));
    const expected = flat.reduce((sum, output, i) => {
      const weight = i % 2 === 1 ? 1 : samples[i + 1] / 255;
      return sum + weight * (output - (samples[i] / 127.5 - 1)) ** 2;
    }, 0);
    const { count, squaredError } = totals(await session.step(fullStep));
    expect(count).toBeCloseTo(130 + 65 * 0.2, 9);
    expect(squaredError).toBeCloseTo(expected, 4);
  });
});

describe('an evaluator', () => {
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

  test('computes what the equations give by hand: lattice, cell coordinates, modulation', async () => {
    const sine = (w: number, k: number) => ({
      omegaFirst: w,
      omegaHidden: w + 1,
      a: 0.1 * k,
      b: -0.2 * k,
      c: 0.3 * k,
      d: 0.05 * k,
    });
    const activations = { local: sine(3, 1), global: sine(4, 2), merge: sine(5, 3) };
    const setup = smallSetup({ levels: 1, localWidth: 1, globalWidth: 1, activations });
    const box = { begin: [8, 4], end: [10, 8] };
    const local = Float32Array.of(0.5, -0.25, 0.125, 0.75, -0.5);
    const global = Float32Array.of(0.3, -0.6, 0.2, 0.4, 0.9, -0.1);
    const act = (k: number, w: number, z: number): number =>
      Math.exp(0.1 * k) * Math.sin(Math.exp(-0.2 * k) * w * z + 0.3 * k) + 0.05 * k;
    const projection = (y: number, x: number): number =>
      global[4] * act(2, 4, global[0] * ((2 * y) / 10 - 1) + global[1] * ((2 * x) / 13 - 1) + global[2]);
    const [y, x] = [9.5, 6.5];
    // Between lattice rows 8 and 12, columns 4 and 8.
    const [fy, fx] = [1.5 / 4, 2.5 / 4];
    const mixed =
      (1 - fy) * ((1 - fx) * projection(8, 4) + fx * projection(8, 8)) +
      fy * ((1 - fx) * projection(12, 4) + fx * projection(12, 8));
    // The ragged box's centre is (9, 6); half a nominal cell is 2.
    const u = act(1, 3, local[0] * ((y - 9) / 2) + local[1] * ((x - 6) / 2) + local[2]);
    const merged = act(3, 6, global[3] * u + mixed + global[5]);
    const evaluator = await engine.createEvaluator(setup.model, global);
    const [[output]] = await evaluator.evaluate([
      { box, weights: local, positions: [Float64Array.of(y), Float64Array.of(x)] },
    ]);
    expect(output).toBeCloseTo(local[3] * merged + local[4], 6);
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
