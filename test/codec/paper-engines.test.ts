import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Adam } from '../../dist/codec/engine/reference/adam.js';
import { siren, type Architecture } from '../../dist/codec/architecture.js';
import { globalCoordinates } from '../../dist/codec/coordinates.js';
import { createEngine } from '../../dist/codec/engine/choose.js';
import type {
  Engine,
  Step,
  StepReport,
  TrainingSession,
  TrainingSetup,
} from '../../dist/codec/engine/engine.js';
import type { Gradients } from '../../dist/codec/engine/reference/gradients.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { loadTensorFlow } from '../../dist/codec/engine/tensorflow/load-node.js';
import { withinMemory } from '../../dist/codec/engine/tensorflow/memory-fault.js';
import { TensorGradients } from '../../dist/codec/engine/tensorflow/tensor-gradients.js';
import { boxSize, cutsByCount, Grid, linspaceMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import type { OutputLoss } from '../../dist/codec/output-loss.js';
import { adam, anySetup, flat, relativeError, soap } from './any-setup.js';
import { loadVector, VECTOR_NAMES, type Vector } from './paper-vectors.js';
import { totals } from './step-totals.js';

const reference = new ReferenceEngine();
const cpu = createEngine('cpu', 2);
const tensorflow = createEngine('tensorflow');
afterAll(() => cpu.dispose());

const ROLES = ['local', 'global', 'merge'] as const;

/** A step whose change of the weights is their gradient (cpu-engine.test.ts). */
const GRADIENT_STEP = { kind: 'adam', beta1: 0, beta2: 0, epsilon: 1e4 } as const;
const GRADIENT_RATE = 1e4;

function step(rate: number): Step {
  return { batches: 1, batch: 0, localRates: [rate], globalRate: rate };
}

/** Whether a network has activations that can be learned by these engines. */
function learns({ activationGradients }: Vector): boolean {
  return activationGradients !== null;
}

async function outputsBy(engine: Engine, { model, boxes, weights }: Vector): Promise<Float32Array> {
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
  await evaluator.dispose();
  return Float32Array.from(outputs.flatMap((output) => [...output]));
}

/** Losses of the file's Adam steps, each before its step; (a, b, c, d) are trained too where the file has them. */
async function lossesBy(engine: Engine, vector: Vector): Promise<number[]> {
  const { rate, betas, epsilon, losses } = vector.adam;
  const optimiser = { kind: 'adam', beta1: betas[0], beta2: betas[1], epsilon } as const;
  const learnsActivations = learns(vector);
  const session = await engine.createTrainingSession({ ...vector, optimiser, learnsActivations });
  const { activations } = vector.model.architecture;
  const scalars = ROLES.map((role) => {
    const { a, b, c, d } = activations[role];
    return { role, values: Float64Array.of(a, b, c, d), adam: new Adam(optimiser, 4) };
  });
  const seen: number[] = [];
  for (let i = 0; i < losses.length; i++) {
    const report = await session.step(step(rate));
    const { squaredError, count } = totals(report);
    seen.push(squaredError / count);
    if (!learnsActivations) continue;
    const next = { ...activations };
    for (const { role, values, adam: own } of scalars) {
      own.step(values, report.activationGradients?.[role] ?? new Float64Array(4), () => rate);
      const [a, b, c, d] = values;
      next[role] = { ...activations[role], a, b, c, d };
    }
    await session.setActivations(next);
  }
  await session.dispose();
  return seen;
}

describe.each([
  ['the reference', reference],
  ['the cpu engine', cpu],
  ['the tensorflow engine', tensorflow],
])("%s meets the paper's code", (_, engine) => {
  describe.each(VECTOR_NAMES)('on %s', (name) => {
    const vector = loadVector(name);

    test('in outputs to 1e-5', async () => {
      const outputs = await outputsBy(engine, vector);
      expect(outputs.length).toBe(vector.output.length);
      outputs.forEach((output, i) => expect(Math.abs(output - vector.output[i])).toBeLessThan(1e-5));
    });

    test('in gradients to 1e-4 of the largest', async () => {
      const session = await engine.createTrainingSession({
        ...vector,
        optimiser: GRADIENT_STEP,
        learnsActivations: learns(vector),
      });
      const report = await session.step(step(GRADIENT_RATE));
      const after = flat(await session.weights());
      await session.dispose();
      const change = flat(vector.weights).map((before, i) => before - after[i]);
      // The gradient is the difference of rounded weights, at best to their last bit.
      expect(relativeError(change, flat(vector.gradients))).toBeLessThan(1e-3);
      for (const role of ROLES) {
        const expected = vector.activationGradients?.[role];
        if (expected === undefined) continue;
        const found = Float32Array.from(report.activationGradients?.[role] ?? []);
        expect(relativeError(found, Float32Array.from(expected))).toBeLessThan(1e-4);
      }
    });

    test('in the losses of 20 Adam steps to 1e-4', async () => {
      const losses = await lossesBy(engine, vector);
      vector.adam.losses.forEach((loss, i) => {
        expect(Math.abs(losses[i] - loss)).toBeLessThan(1e-4 * loss);
      });
    });
  });
});

/** A loss that has nothing of samples: outputs should be smooth, and lie around their number's sine. */
const ownLoss: OutputLoss = (outputs) => {
  const gradient = new Float32Array(outputs.length);
  let loss = 0;
  outputs.forEach((output, i) => {
    const difference = output - Math.sin(i);
    loss += difference ** 4;
    gradient[i] = 4 * difference ** 3;
  });
  return { loss, gradient };
};

async function firstSteps(session: TrainingSession): Promise<{ reports: StepReport[]; after: Float32Array }> {
  const reports = [await session.step(step(1e-3)), await session.step(step(1e-3))];
  const after = flat(await session.weights());
  await session.dispose();
  return { reports, after };
}

describe.each([
  ['cpu', cpu],
  ['tensorflow', tensorflow],
])('the %s engine agrees with the reference', (name, engine) => {
  test('in gradients of activations, and in a loss of all outputs', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.boolean(), async (given, hasLoss) => {
        const { model, samples, format } = given;
        // Features that are sums cannot be told apart by the cpu engine.
        fc.pre(model.architecture.merge === 'concat');
        const setup = {
          ...given,
          optimiser: adam,
          learnsActivations: true,
          ...(hasLoss && {
            outputLoss: ownLoss,
            samples: Float32Array.from(samples),
            format: { ...format, sampleType: 'float32' as const, layout: 'plain' as const },
          }),
        };
        const expected = await firstSteps(await reference.createTrainingSession(setup));
        const actual = await firstSteps(await engine.createTrainingSession(setup));
        const [first, firstExpected] = [actual.reports[0], expected.reports[0]];
        expect(first.loss === undefined).toBe(!hasLoss);
        for (const role of ROLES) {
          const scalars = Float32Array.from(firstExpected.activationGradients?.[role] ?? []);
          expect(scalars.length).toBe(4);
          const found = Float32Array.from(first.activationGradients?.[role] ?? []);
          expect(relativeError(found, scalars)).toBeLessThan(2e-3);
        }
        expected.reports.forEach((report, i) => {
          if (report.loss === undefined) return;
          expect(Math.abs((actual.reports[i].loss ?? NaN) - report.loss)).toBeLessThan(
            2e-3 * Math.max(1, report.loss),
          );
        });
      }),
      { numRuns: name === 'cpu' ? 60 : 25 },
    );
  });

  test('in losses of Adam steps at activations that change, by batches, with a lattice and without', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.integer({ min: 1, max: 3 }), async (setup, batches) => {
        const losses = async (by: Engine): Promise<number[]> => {
          const session = await by.createTrainingSession({ ...setup, optimiser: adam });
          const seen: number[] = [];
          for (let batch = 0; batch < 4; batch++) {
            const report = await session.step({ batches, batch, localRates: [1e-3], globalRate: 1e-3 });
            seen.push(totals(report).squaredError);
            const { activations } = setup.model.architecture;
            const global = { ...activations.global, c: activations.global.c + 0.05 * batch };
            await session.setActivations({ ...activations, global });
          }
          await session.dispose();
          return seen;
        };
        const [expected, actual] = [await losses(reference), await losses(engine)];
        expected.forEach((loss, i) =>
          expect(Math.abs(actual[i] - loss)).toBeLessThan(2e-3 * Math.max(1, loss)),
        );
      }),
      { numRuns: name === 'cpu' ? 30 : 15 },
    );
  });
});

/** The largest argument of a first level's sine: those of later levels are small, since features are. */
function largestArgument({
  model,
  boxes,
  weights,
}: Pick<TrainingSetup, 'model' | 'boxes' | 'weights'>): number {
  const { inputs, localWidth, globalWidth } = model.architecture;
  let largest = 0;
  const visit = (flatWeights: Float32Array, width: number, x: Float64Array): void => {
    for (let h = 0; h < width; h++) {
      let z = flatWeights[inputs * width + h];
      for (let i = 0; i < inputs; i++) z += flatWeights[i * width + h] * x[i];
      largest = Math.max(largest, Math.abs(30 * z));
    }
  };
  boxes.forEach((box, p) => {
    for (const position of [box.begin, box.end.map((end) => end - 1)]) {
      const x = globalCoordinates(
        model,
        position.map((at) => at + 0.5),
      );
      visit(weights.local[p], localWidth, x);
      if (globalWidth > 0) visit(weights.global, globalWidth, x);
    }
  });
  return largest;
}

describe.each([
  ['a picture, Local-Global', [16, 14], [2, 2], 1, 14, 84],
  ['a picture, one SIREN', [16, 14], [1, 1], 1, 64, 0],
  ['a sound, whose coordinates go to 100', [200], [4], 100, 42, 72],
])(
  '20 Adam steps of the same network, seed and data: %s',
  (_, shape, counts, bound, localWidth, globalWidth) => {
    const sine = siren(30, 30);
    const architecture: Architecture = {
      ...{ inputs: shape.length, outputs: 1, levels: 4, localWidth, globalWidth },
      ...{ localCoordinates: 'signal', latticeStride: 0, merge: 'concat' },
      activations: { local: sine, global: sine, merge: sine },
    };
    const grid = new Grid(shape.map((length, axis) => cutsByCount(length, counts[axis])));
    const setup = {
      model: {
        architecture,
        maps: shape.map((length) => linspaceMap(length, bound)),
        nominalCell: grid.largestCell(),
      },
      boxes: Array.from({ length: grid.count }, (__, ordinal) => grid.boxOf(ordinal)),
      format: {
        sampleType: 'float32',
        channels: 1,
        layout: 'plain',
        mapping: { scale: 1, offset: 0 },
      } as const,
      samples: Float32Array.from(
        { length: shape.reduce((product, length) => product * length, 1) },
        (__, i) => Math.sin(i / 5),
      ),
      weights: initialWeights(architecture, grid.count, { seed: 11 }),
      optimiser: adam,
    };
    const losses = async (engine: Engine): Promise<number[]> => {
      const session = await engine.createTrainingSession(setup);
      const seen: number[] = [];
      for (let i = 0; i < 20; i++) {
        const { squaredError, count } = totals(await session.step(step(1e-4)));
        seen.push(squaredError / count);
      }
      await session.dispose();
      return seen;
    };

    let ofReference: Promise<number[]> | undefined;

    test.each([
      ['cpu', cpu],
      ['tensorflow', tensorflow],
    ])('have the same losses on the %s engine as on the reference', async (__, engine) => {
      const [expected, actual] = [await (ofReference ??= losses(reference)), await losses(engine)];
      const tolerance = 1e-4 * Math.max(1, largestArgument(setup) / 100);
      expected.forEach((loss, i) => expect(Math.abs(actual[i] - loss)).toBeLessThan(tolerance * loss));
      expect(actual[19]).toBeLessThan(actual[0]);
    });
  },
);

describe.each([
  ['reference', reference],
  ['cpu', cpu],
  ['tensorflow', tensorflow],
])('a session of the %s engine', (name, engine) => {
  test('goes on from a saved state as if nothing had been', async () => {
    await fc.assert(
      fc.asyncProperty(anySetup, fc.constantFrom(adam, soap), async (given, optimiser) => {
        const setup = { ...given, optimiser };
        const session = await engine.createTrainingSession(setup);
        for (let i = 0; i < 3; i++) await session.step(step(1e-3));
        const state = await session.saveState?.();
        const other = await engine.createTrainingSession(setup);
        await other.loadState?.(state ?? {});
        for (const each of [session, other]) for (let i = 0; i < 3; i++) await each.step(step(1e-3));
        expect(flat(await other.weights())).toEqual(flat(await session.weights()));
        await session.dispose();
        await other.loadState?.({}).then(
          () => expect.fail('a state without anything was taken'),
          (error: unknown) => expect(error).toMatchObject({ code: 'damaged', section: 'checkpoint' }),
        );
        await other.dispose();
      }),
      { numRuns: name === 'cpu' ? 20 : 8 },
    );
  });
});

describe('the tensorflow engine', () => {
  test('leaves no tensors behind, whatever is done', async () => {
    const { tf } = await loadTensorFlow();
    const vector = loadVector('local-global-modulated');
    const before = tf.memory().numTensors;
    const held: number[] = [];
    const setup = { ...vector, optimiser: adam, learnsActivations: true };
    const session = await tensorflow.createTrainingSession(setup);
    for (let i = 0; i < 4; i++) {
      await session.step(step(1e-3));
      held.push(tf.memory().numTensors);
    }
    // Those of the batch, from the first step on.
    expect(new Set(held).size).toBe(1);
    await session.step({ ...step(1e-3), batches: 3, batch: 1 });
    await session.dispose();
    const own = await tensorflow.createTrainingSession({ ...setup, outputLoss: ownLoss });
    await own.step(step(1e-3));
    await own.dispose();
    const failing = await tensorflow.createTrainingSession({
      ...setup,
      outputLoss: () => {
        throw new RangeError('no such loss');
      },
    });
    await expect(failing.step(step(1e-3))).rejects.toThrow('no such loss');
    await failing.dispose();
    await outputsBy(tensorflow, vector);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('takes a loss of all outputs in whole batches only, as every engine', async () => {
    const setup = { ...loadVector('siren'), optimiser: adam, outputLoss: ownLoss };
    for (const engine of [reference, cpu, tensorflow]) {
      const session = await engine.createTrainingSession(setup);
      await expect(session.step({ ...step(1e-3), batches: 2 })).rejects.toThrow(RangeError);
      await session.dispose();
      const short = { ...setup, outputLoss: () => ({ loss: 1, gradient: new Float32Array(3) }) };
      const bytes = {
        ...setup,
        samples: new Uint8Array(64),
        format: { ...setup.format, sampleType: 'uint8' as const },
      };
      for (const [other, message] of [
        [short, /gradient of 3 numbers is of 64 outputs/],
        [bytes, /float32 samples without alpha, the setup has uint8 plain/],
      ] as const) {
        const refusing = await engine.createTrainingSession(other);
        await expect(refusing.step(step(1e-3))).rejects.toThrow(message);
        await refusing.dispose();
      }
    }
  });
});

describe('the tensorflow engine', () => {
  const all = ({ weights: { global, local } }: Gradients): Float32Array =>
    Float32Array.from([global, ...local].flatMap((each) => [...each]));

  test('has the same gradients of a batch in slices as of the whole', async () => {
    const { tf } = await loadTensorFlow();
    await fc.assert(
      fc.asyncProperty(
        anySetup,
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        async (given, most, isOwn) => {
          const fit = { ...given, ...(isOwn && { outputLoss: ownLoss }) };
          const weights = {
            global: Float64Array.from(given.weights.global),
            local: given.weights.local.map((each) => Float64Array.from(each)),
          };
          const batch = given.boxes.map((box) => Uint32Array.from({ length: boxSize(box) }, (_, i) => i));
          const before = tf.memory().numTensors;
          const [whole, slices] = [new TensorGradients(tf), new TensorGradients(tf, most)];
          const expected = await whole.of(fit, weights, batch);
          const actual = await slices.of(fit, weights, batch);
          expect(actual.counts).toEqual(expected.counts);
          expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(1e-5 * Math.abs(expected.loss) + 1e-12);
          expect(relativeError(all(actual), all(expected))).toBeLessThan(1e-4);
          for (const role of ROLES) {
            const [found, wanted] = [actual, expected].map(({ activations }) =>
              Float32Array.from(activations[role]),
            );
            expect(relativeError(found, wanted)).toBeLessThan(1e-3);
          }
          for (const each of [whole, slices]) each.dispose();
          expect(tf.memory().numTensors).toBe(before);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('evaluates many tasks, small and large, as the reference does one by one', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySetup,
        fc.integer({ min: 1, max: 3 }),
        async ({ model, boxes, weights }, repeats) => {
          const tasks = Array.from({ length: repeats }, (_, repeat) =>
            boxes.map((box, p) => ({
              box,
              weights: weights.local[p],
              // Partitions, and tasks of them, have positions of their own number.
              positions: box.begin.map((begin, axis) =>
                Float64Array.from(
                  { length: Math.max(1, box.end[axis] - begin - repeat - p) },
                  (__, i) => begin + i + 0.5,
                ),
              ),
            })),
          ).flat();
          const [expected, actual] = await Promise.all(
            [reference, tensorflow].map(async (engine) => {
              const evaluator = await engine.createEvaluator(model, weights.global);
              const outputs = await evaluator.evaluate(tasks);
              await evaluator.dispose();
              return outputs;
            }),
          );
          actual.forEach((outputs, i) => {
            expect(outputs.length).toBe(expected[i].length);
            expect(relativeError(outputs, expected[i])).toBeLessThan(1e-3);
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  test('says where the memory of WebAssembly ends, in place of what WebAssembly says', async () => {
    const aborted = async (): Promise<never> => Promise.reject(new WebAssembly.RuntimeError('Aborted()'));
    await expect(withinMemory(aborted)).rejects.toMatchObject({ code: 'limit' });
    const other = async (): Promise<never> => Promise.reject(new TypeError('a mistake'));
    await expect(withinMemory(other)).rejects.toBeInstanceOf(TypeError);
  });
});
