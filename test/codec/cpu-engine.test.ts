import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Architecture } from '../../dist/codec/architecture.js';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import type { Step, TrainingSession, TrainingSetup } from '../../dist/codec/engine/engine.js';
import type { Optimiser } from '../../dist/codec/optimiser.js';
import { Grid, boxSize, cutsByCell, spreadMap, type Box } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import type { Weights } from '../../dist/codec/model.js';
import { permutation } from '../../dist/codec/random.js';
import {
  allocateSamples,
  fullRangeMapping,
  outputsToSamples,
  type ChannelLayout,
  type SampleFormat,
  type SampleType,
} from '../../dist/codec/signal.js';
import { totals } from './step-totals.js';
import { loadVector } from './paper-vectors.js';

const reference = new ReferenceEngine();
const single = createCpuEngine(1);
const several = createCpuEngine(3);
afterAll(async () => {
  await single.dispose();
  await several.dispose();
});

const adam: Optimiser = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** An optimiser whose step is the gradient itself, but for a part in 10^4: root and momentum vanish beside epsilon. */
const gradientStep: Optimiser = { kind: 'adam', beta1: 0, beta2: 0, epsilon: 1e4 };
const gradientRate = 1e4;

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

/** Networks of every kind on small ragged signals: 1 to 3 axes, with and without global network, lattice, alpha. */
const anySetup = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    cell: fc.integer({ min: 2, max: 6 }),
    layout: fc.constantFrom(...LAYOUTS),
    sampleType: fc.constantFrom<SampleType>('uint8', 'uint16', 'float32'),
    levels: fc.integer({ min: 1, max: 3 }),
    localWidth: fc.integer({ min: 1, max: 9 }),
    globalWidth: fc.integer({ min: 0, max: 10 }),
    localCoordinates: fc.constantFrom('signal' as const, 'cell' as const),
    latticeStride: fc.constantFrom(0, 1, 3, 4),
    activations: fc.record({ local: activation, global: activation, merge: activation }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ shape, cell, layout: [layout, channels], sampleType, seed, ...rest }) => {
    const architecture: Architecture = { inputs: shape.length, outputs: channels, ...rest };
    const grid = new Grid(shape.map((length) => cutsByCell(length, cell)));
    const peak = sampleType === 'uint8' ? 255 : 65535;
    const length = boxSize(grid.extent) * channels;
    const random = Float64Array.from({ length }, (_, i) => (Math.sin(i * 12.9898 + seed) * 43758.5453) % 1);
    const samples =
      sampleType === 'float32'
        ? Float32Array.from(random)
        : sampleType === 'uint8'
          ? Uint8Array.from(random, (v) => Math.abs(v) * peak)
          : Uint16Array.from(random, (v) => Math.abs(v) * peak);
    const setup: Omit<TrainingSetup, 'optimiser'> = {
      model: { architecture, maps: shape.map((n) => spreadMap(n)), nominalCell: grid.largestCell() },
      boxes: Array.from({ length: grid.count }, (_, p) => grid.boxOf(p)),
      format: { sampleType, channels, layout, mapping: fullRangeMapping(sampleType) },
      samples,
      weights: initialWeights(architecture, grid.count, { seed }),
    };
    return setup;
  });

function flat(weights: Weights): Float32Array {
  return Float32Array.from([...weights.global, ...weights.local.flatMap((local) => [...local])]);
}

/** Largest difference, as part of the largest expected magnitude. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let magnitude = 1e-3;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return difference / magnitude;
}

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
      fc.asyncProperty(anySetup, fc.integer({ min: 1, max: 4 }), async (setup, batches) => {
        const sizes = new Set(setup.boxes.map(boxSize));
        const orders = new Map([...sizes].map((size) => [size, permutation(size, 1, size)]));
        const step = { orders, batches, batch: batches - 1 };
        const expected = await gradientsBy(reference, setup, step);
        const actual = await gradientsBy(several, setup, step);
        expect(actual.count).toBeCloseTo(expected.count, 3);
        expect(Math.abs(actual.squaredError - expected.squaredError)).toBeLessThan(
          1e-4 * Math.max(1, expected.squaredError),
        );
        expect(relativeError(actual.change, expected.change)).toBeLessThan(1e-3);
      }),
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
          expect(Math.abs(actual[i] - loss)).toBeLessThan(5e-3 * Math.max(1, loss)),
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

const soap: Optimiser = {
  kind: 'soap',
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  factorDecay: 0.9,
  refreshSteps: 3,
};

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

describe('the cpu engine', () => {
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

  test('evaluates a position to the same bits whatever else is evaluated with it', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.integer({ min: 1, max: 80 }), async (setup, count) => {
        const { model, weights, boxes } = setup;
        const [box] = boxes;
        const positions = box.begin.map((begin, axis) =>
          Float64Array.from(
            { length: axis === 0 ? count : 3 },
            (_, i) => begin + ((i + 0.5) / (axis === 0 ? count : 3)) * (box.end[axis] - begin),
          ),
        );
        const task = { box, weights: weights.local[0], positions };
        const evaluator = await several.createEvaluator(model, weights.global);
        const [whole] = await evaluator.evaluate([task]);
        const at = Math.floor(count / 2);
        const [part] = await evaluator.evaluate([
          { ...task, positions: [positions[0].slice(at, at + 1), ...positions.slice(1)] },
        ]);
        await evaluator.dispose();
        expect(part).toEqual(whole.slice(at * part.length, (at + 1) * part.length));
      }),
      { numRuns: 40 },
    );
  });

  test('evaluates a partition to the same bits alone and beside others, however far apart they lie', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.integer({ min: 1, max: 1 << 20 }), async (setup, distance) => {
        const { model, weights, boxes } = setup;
        const shifted = ({ begin, end }: Box, by: number): Box => ({
          begin: begin.map((at) => at + by),
          end: end.map((at) => at + by),
        });
        const tasks = [...boxes, ...boxes.map((box, p) => shifted(box, distance * (p + 1)))].map(
          (box, i) => ({
            box,
            weights: weights.local[i % boxes.length],
            positions: box.begin.map((begin, axis) =>
              Float64Array.from({ length: 7 }, (_, k) => begin + ((k + 0.5) / 7) * (box.end[axis] - begin)),
            ),
          }),
        );
        const evaluator = await several.createEvaluator(model, weights.global);
        const together = await evaluator.evaluate(tasks);
        for (let i = 0; i < tasks.length; i += 3) {
          expect(await evaluator.evaluate([tasks[i]])).toEqual([together[i]]);
        }
        await evaluator.dispose();
      }),
      { numRuns: 30 },
    );
  });

  test('ends an evaluator only when all that it was given is done', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, async ({ model, weights, boxes }) => {
        const tasks = boxes.map((box, p) => ({
          box,
          weights: weights.local[p],
          positions: box.begin.map((begin) => Float64Array.of(begin + 0.5)),
        }));
        const evaluator = await several.createEvaluator(model, weights.global);
        const calls = [evaluator.evaluate(tasks), evaluator.evaluate(tasks), evaluator.evaluate(tasks)];
        await evaluator.dispose();
        const [first, ...others] = await Promise.all(calls);
        for (const outputs of others) expect(outputs).toEqual(first);
      }),
      { numRuns: 10 },
    );
  });

  test('decodes to the outputs mapped, rounded and clamped, in their place and nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySetup,
        fc.constantFrom<SampleType>('uint8', 'uint16', 'float32'),
        fc.integer({ min: 1, max: 45 }),
        async (setup, sampleType, width) => {
          const { model, weights, boxes } = setup;
          const { outputs: channels } = model.architecture;
          // Three times the range, so that some values are clamped.
          const { scale, offset } = fullRangeMapping(sampleType);
          const mapping = { scale: 3 * scale, offset };
          const format: SampleFormat = { sampleType, channels, layout: 'plain', mapping };
          const axes = boxes[0].begin.length;
          const tasks = boxes.map((box, p) => ({
            box,
            weights: weights.local[p],
            positions: box.begin.map((begin, axis) => {
              const length = axis === axes - 1 ? width : 3;
              return Float64Array.from(
                { length },
                (_, i) => begin + ((i + 0.5) / length) * (box.end[axis] - begin),
              );
            }),
          }));
          // One beside the other along the first axis, a step apart.
          const shape = tasks[0].positions.map(({ length }, axis) =>
            axis === 0 ? (length + 1) * tasks.length : length,
          );
          const count = boxSize({ begin: shape.map(() => 0), end: shape }) * channels;
          const [expected, data] = [
            allocateSamples(sampleType, count).fill(7),
            allocateSamples(sampleType, count).fill(7),
          ];
          const evaluator = await several.createEvaluator(model, weights.global);
          const outputs = await evaluator.evaluate(tasks);
          const places = tasks.map(({ positions }, p) =>
            shape.map((_, axis) => (axis === 0 ? p * (positions[0].length + 1) : 0)),
          );
          await evaluator.decode(
            tasks.map((task, p) => ({ ...task, target: { data, shape }, at: places[p] })),
            format,
          );
          await evaluator.dispose();
          outputs.forEach((values, p) => {
            const perStep = values.length / tasks[p].positions[0].length;
            outputsToSamples(
              values,
              mapping,
              expected.subarray(places[p][0] * perStep, places[p][0] * perStep + values.length),
            );
          });
          expect(data).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
