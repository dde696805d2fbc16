import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { boxSize, type Box } from '../../dist/codec/grid.js';
import {
  allocateSamples,
  fullRangeMapping,
  outputsToSamples,
  type SampleFormat,
  type SampleType,
} from '../../dist/codec/signal.js';
import { anySetup } from './any-setup.js';

const single = createCpuEngine(1);
const several = createCpuEngine(3);
afterAll(async () => {
  await single.dispose();
  await several.dispose();
});

describe('evaluation on the cpu engine', () => {
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
