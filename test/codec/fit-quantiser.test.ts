import { describe, expect, it } from 'vitest';
import { globalTensors, localTensors, siren, type Architecture } from '../../dist/codec/architecture.js';
import { ReferenceEngine } from '../../dist/codec/engine/reference/reference-engine.js';
import { quantiserOf } from '../../dist/codec/fit-quantiser.js';
import { cutsByCell, Grid, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import type { Weights } from '../../dist/codec/model.js';
import { sampleObjective } from '../../dist/codec/objective.js';
import { COARSE, FINE, fitQuantiser, precisionOf, quantisedWeights } from '../../dist/codec/quantise.js';
import type { Quantiser } from '../../dist/codec/quantiser.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { wholeError } from '../../dist/codec/whole-error.js';

const architecture: Architecture = {
  inputs: 2,
  outputs: 1,
  levels: 3,
  localWidth: 6,
  globalWidth: 8,
  localCoordinates: 'cell',
  latticeStride: 4,
  merge: 'concat',
  activations: { local: siren(30, 30), global: siren(60, 30), merge: siren(30, 30) },
};
const SHAPE = [24, 24];
const grid = new Grid(SHAPE.map((length) => cutsByCell(length, 8)));
const model = { architecture, maps: SHAPE.map((length) => spreadMap(length)), nominalCell: [8, 8] };
const mapping = fullRangeMapping('uint8');
const format = { sampleType: 'uint8', channels: 1, layout: 'grey', mapping } as const;
const engine = new ReferenceEngine();

/** Networks, and samples that they miss by a wave of this height in output units. */
async function networks(seed: number, height: number) {
  const weights = initialWeights(architecture, grid.count, { seed });
  const evaluator = await engine.createEvaluator(model, weights.global);
  const data = new Uint8Array(SHAPE[0] * SHAPE[1]);
  for (const [ordinal, local] of weights.local.entries()) {
    const box = grid.boxOf(ordinal);
    const positions = box.begin.map((from, axis) =>
      Float64Array.from({ length: box.end[axis] - from }, (_, i) => from + i + 0.5),
    );
    const [outputs] = await evaluator.evaluate([{ box, weights: local, positions }]);
    outputs.forEach((output, i) => {
      const [y, x] = [box.begin[0] + Math.floor(i / 8), box.begin[1] + (i % 8)];
      data[y * SHAPE[1] + x] = (output + height * Math.sin(i)) * mapping.scale + mapping.offset;
    });
  }
  await evaluator.dispose();
  const objective = await sampleObjective(grid, format, ({ begin, end }) => {
    const rows = Array.from({ length: end[0] - begin[0] }, (_, y) =>
      data.subarray((begin[0] + y) * SHAPE[1] + begin[1], (begin[0] + y) * SHAPE[1] + end[1]),
    );
    return Promise.resolve(Uint8Array.from(rows.flatMap((row) => [...row])));
  });
  return { model, weights, objective };
}

/** Bits that integers of this quantiser need on average, each counted as often as it is stored. */
function meanBits(quantiser: Quantiser, { local, global }: Weights): number {
  let [bits, count] = [0, 0];
  for (const [tensors, list, arrays] of [
    [localTensors(architecture), quantiser.local, local],
    [globalTensors(architecture), quantiser.global, [global]],
  ] as const) {
    tensors.forEach(({ rows, columns, offset }, tensor) => {
      for (const array of arrays)
        for (let i = offset; i < offset + rows * columns; i++, count++)
          bits += Math.log2(1 + 2 * Math.abs(Math.round(array[i] / list[tensor].step)));
    });
  }
  return bits / count;
}

describe('integers as fine as they need be', () => {
  const errorBy = async (
    quantiser: Quantiser,
    { weights, objective }: Awaited<ReturnType<typeof networks>>,
  ): Promise<number> =>
    wholeError(engine, model, quantisedWeights(architecture, weights, quantiser), objective);

  it.each([
    ['fine', FINE, 0.1],
    ['coarse', COARSE, 0.1],
    ['coarse', COARSE, 0.02],
  ])('add the error that %s allows: %j, where training left %f', async (_, precision, height) => {
    for (const seed of [1, 2, 3]) {
      const input = await networks(seed, height);
      const before = await wholeError(engine, model, input.weights, input.objective);
      const after = await errorBy(await quantiserOf(engine, precision, input), input);
      const share = after / before - 1;
      expect(share).toBeGreaterThan(0.4 * (precision.roundingShare ?? 0));
      expect(share).toBeLessThan(1.8 * (precision.roundingShare ?? 0));
    }
  });

  it('are fewer bits than those of a number for the same error', async () => {
    const input = await networks(4, 0.05);
    const coarse = await quantiserOf(engine, COARSE, input);
    const error = await errorBy(coarse, input);
    const least = await (async () => {
      for (let bits = 4; ; bits++) {
        const quantiser = fitQuantiser('integer', bits, architecture, input.weights);
        if ((await errorBy(quantiser, input)) <= error) return meanBits(quantiser, input.weights);
      }
    })();
    expect(meanBits(coarse, input.weights)).toBeLessThan(0.9 * least);
  });

  it('need not be finer than samples are', async () => {
    const exact = await networks(5, 0);
    const error = await errorBy(await quantiserOf(engine, FINE, exact), exact);
    expect(error * mapping.scale ** 2).toBeGreaterThan(1 / 12);
    expect(error * mapping.scale ** 2).toBeLessThan(1.2 / 3);
  });

  it('hold what they are told to, and are known again', async () => {
    const input = await networks(6, 0.1);
    const reserved = [new Float32Array(input.weights.local[0].length).fill(3)];
    const quantiser = await quantiserOf(engine, FINE, { ...input, reserved });
    const { local } = quantisedWeights(
      architecture,
      { global: input.weights.global, local: reserved },
      quantiser,
    );
    for (const weight of local[0]) expect(Math.abs(weight - 3)).toBeLessThan(0.1);
    expect(precisionOf(quantiser, architecture, 'none')).toBe(FINE);
    expect(precisionOf(quantiser, architecture, 'range')).toBe(COARSE);
    const number = fitQuantiser('integer', 9, architecture, input.weights);
    expect(precisionOf(number, architecture, 'range')).toEqual({ format: 'integer', bits: 9 });
  });
});
