import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../dist/codec/engine/choose.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { Harmonizer, type HarmonizerShape } from '../../dist/codec/incode/harmonizer.js';
import { RadonTransform, sinogramDistance } from '../../dist/codec/incode/radon.js';
import { randomResnetWeights, resnetFeatures } from '../../dist/codec/incode/resnet-features.js';
import { trainIncode, type IncodeResult, type IncodeTraining } from '../../dist/codec/incode/train-incode.js';
import { loadTensorFlow } from '../../dist/codec/engine/tensorflow/load-node.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import type { SavedState } from '../../dist/codec/saved-state.js';
import { flat, relativeError } from './any-setup.js';
import { loadVector } from './paper-vectors.js';

const cpu = createEngine('cpu', 2);
afterAll(() => cpu.dispose());

const anyShape = fc.record({
  inputs: fc.integer({ min: 1, max: 5 }),
  hidden: fc.array(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 3 }),
  outputs: fc.constantFrom(4, 12),
  isNormalised: fc.boolean(),
  initialBias: fc.constantFrom(0.312, 0.0005),
});

function features(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => 1 + Math.sin(7 * i));
}

describe('the harmonizer', () => {
  test('has the gradients that differences have', () => {
    fc.assert(
      fc.property(anyShape, (shape) => {
        const harmonizer = new Harmonizer(shape, 1);
        const { parameters } = harmonizer;
        // Far from the start, where hidden features are all alike.
        for (let i = 0; i < parameters.length; i++) parameters[i] += 0.5 * Math.sin(i * i + 1);
        const seen = features(shape.inputs);
        const factors = Float64Array.from({ length: shape.outputs }, (_, i) => Math.cos(3 * i));
        const value = (): number =>
          harmonizer.forward(seen).reduce((sum, output, i) => sum + factors[i] * output, 0);
        const before = parameters.slice();
        value();
        harmonizer.step(factors, 0);
        const gradients = harmonizer.lastGradients;
        gradients.forEach((gradient, i) => {
          const difference = 1e-5;
          parameters[i] = before[i] + difference;
          const above = value();
          parameters[i] = before[i] - difference;
          const below = value();
          parameters[i] = before[i];
          expect(gradient).toBeCloseTo((above - below) / (2 * difference), 4);
        });
      }),
      { numRuns: 40 },
    );
  });

  test("has at first the authors' outputs: all biases are one number, and weights are next to nothing", () => {
    const shape: HarmonizerShape = {
      inputs: 64,
      hidden: [64, 32],
      outputs: 12,
      isNormalised: false,
      initialBias: 0.312,
    };
    const outputs = new Harmonizer(shape, 3).forward(features(64));
    outputs.forEach((output) => expect(output).toBeCloseTo(0.312, 2));
  });
});

describe('the radon transform', () => {
  const anyPicture = fc.record({
    shape: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    angles: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer({ min: 0, max: 100 }),
  });

  test('has its transpose', () => {
    fc.assert(
      fc.property(anyPicture, ({ shape, angles, seed }) => {
        const radon = new RadonTransform(shape, angles);
        const picture = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i * i + seed));
        const sinogram = Float32Array.from({ length: radon.length }, (_, i) => Math.cos(i * i + seed));
        const dot = (a: Float32Array, b: Float32Array): number =>
          a.reduce((sum, value, i) => sum + value * b[i], 0);
        expect(dot(radon.forward(picture), sinogram)).toBeCloseTo(dot(picture, radon.transpose(sinogram)), 3);
      }),
    );
  });

  test('sums the columns of a picture, and after half a turn those of its mirror image', () => {
    const radon = new RadonTransform([3, 3], 2);
    const sinogram = radon.forward([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    [12, 15, 18, 18, 15, 12].forEach((sum, i) => expect(sinogram[i]).toBeCloseTo(sum, 4));
  });

  test('tells how far a picture is, and where to', () => {
    const radon = new RadonTransform([4, 4], 5);
    const measured = radon.forward(Float32Array.from({ length: 16 }, (_, i) => i / 16));
    const picture = new Float32Array(16).fill(0.4);
    const { gradient } = sinogramDistance(radon, measured, picture);
    gradient.forEach((value, i) => {
      const moved = (by: number): number =>
        sinogramDistance(
          radon,
          measured,
          picture.map((sample, j) => sample + (i === j ? by : 0)),
        ).loss;
      expect(value).toBeCloseTo((moved(0.01) - moved(-0.01)) / 0.02, 3);
    });
  });
});

describe('features of a ResNet that ends early', () => {
  test('are 64 numbers of a picture, of whatever size, the same for the same weights', async () => {
    const { tf } = await loadTensorFlow();
    const before = tf.memory().numTensors;
    const picture = Float32Array.from({ length: 40 * 50 * 3 }, (_, i) => Math.abs(Math.sin(i)));
    const grey = picture.filter((_, i) => i % 3 === 0);
    const seen = await resnetFeatures(tf, picture, [40, 50], randomResnetWeights(1));
    expect(seen.length).toBe(64);
    expect(seen.every((value) => value > 0 && value < 100)).toBe(true);
    expect(await resnetFeatures(tf, picture, [40, 50], randomResnetWeights(1))).toEqual(seen);
    expect(await resnetFeatures(tf, grey, [40, 50], randomResnetWeights(1))).not.toEqual(seen);
    expect(tf.memory().numTensors).toBe(before);
  });
});

function training(change: Partial<IncodeTraining> = {}, isGlobal = true): IncodeTraining {
  const vector = loadVector(isGlobal ? 'local-global-image' : 'siren-per-partition');
  const { model, boxes, format, samples } = vector;
  return {
    setup: {
      model,
      boxes,
      format,
      samples,
      weights: initialWeights(model.architecture, boxes.length, { seed: 5 }),
    },
    harmonizer: new Harmonizer(
      {
        inputs: 8,
        hidden: [6, 5],
        outputs: isGlobal ? 12 : 4,
        isNormalised: false,
        initialBias: 0.312,
      },
      2,
    ),
    features: features(8),
    iterations: 30,
    localRate: 1e-3,
    globalRate: 5e-4,
    finalRateFactor: 0.1,
    ...change,
  };
}

describe('training an INCODE', () => {
  test.each([true, false])(
    'lowers the loss, and moves the scalars (global network: %s)',
    async (isGlobal) => {
      const losses: number[] = [];
      const { activations } = await trainIncode(
        cpu,
        training({ onProgress: (_, loss) => losses.push(loss) }, isGlobal),
      );
      expect(losses.length).toBe(30);
      expect(losses[29]).toBeLessThan(0.7 * losses[0]);
      expect(activations.local.a).not.toBeCloseTo(0.312, 3);
      if (isGlobal) expect(activations.merge.a).not.toBeCloseTo(activations.local.a, 5);
      else expect(activations.merge.a).toBe(0);
    },
  );

  test('does on the cpu engine what it does on the reference', async () => {
    const by = (engine: typeof cpu) => trainIncode(engine, training({ iterations: 10 }));
    const [expected, actual] = [await by(new ReferenceEngine()), await by(cpu)];
    expect(relativeError(flat(actual.weights), flat(expected.weights))).toBeLessThan(2e-3);
    for (const role of ['local', 'global', 'merge'] as const) {
      expect(actual.activations[role].b).toBeCloseTo(expected.activations[role].b, 4);
    }
  });

  test('goes on from a checkpoint to the same weights', async () => {
    const states: SavedState[] = [];
    const whole = await trainIncode(
      cpu,
      training({
        checkpoints: {
          isDue: () => true,
          save: async (state) => void states.push(state),
        },
      }),
    );
    const resumed = await trainIncode(cpu, training({ resume: states[17] }));
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.activations).toEqual(whole.activations);
    await expect(trainIncode(cpu, training({ resume: { incode: new Float64Array(2) } }))).rejects.toThrow(
      /checkpoint/,
    );
  });

  test('shows what it has come to on the way, and comes to the same', async () => {
    const seen: IncodeResult[] = [];
    const inspection = {
      everyIterations: 12,
      inspect: async (trained: IncodeResult) => void seen.push(trained),
    };
    const [plain, inspected] = [
      await trainIncode(cpu, training({})),
      await trainIncode(cpu, training({ inspection })),
    ];
    expect(inspected.weights).toEqual(plain.weights);
    expect(seen.length).toBe(2);
    expect(flat(seen[0].weights)).not.toEqual(flat(seen[1].weights));
    expect(flat(seen[1].weights)).not.toEqual(flat(plain.weights));
  });

  test('ends with the reason of an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const ended = trainIncode(
      cpu,
      training({
        signal: controller.signal,
        onProgress: (iteration) => iteration === 3 && controller.abort(reason),
      }),
    );
    await expect(ended).rejects.toBe(reason);
  });
});
