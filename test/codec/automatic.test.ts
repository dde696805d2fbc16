import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countParameters, siren, type Architecture } from '../../dist/codec/architecture.js';
import { automaticPartitioning } from '../../dist/codec/automatic.js';
import { OptionError } from '../../dist/codec/errors.js';

function family(inputs: number, outputs: number, levels = 4): Architecture {
  const activation = siren(30, 30);
  return {
    inputs,
    outputs,
    levels,
    localWidth: 0,
    globalWidth: 0,
    localCoordinates: 'signal',
    latticeStride: 0,
    merge: 'concat',
    activations: { local: activation, global: activation, merge: activation },
  };
}

/** Every (H, G) that could come near the target, by counting each one. */
function everyWidth(architecture: Architecture, partitions: number, limit: number, leastGlobal: number) {
  const found: { share: number; total: number }[] = [];
  for (let localWidth = 1; ; localWidth++) {
    for (let globalWidth = leastGlobal; ; globalWidth++) {
      const { total, global } = countParameters({ ...architecture, localWidth, globalWidth }, partitions);
      found.push({ share: global / total, total });
      if (total > limit) {
        if (globalWidth === leastGlobal) return found;
        break;
      }
      if (leastGlobal === 0) break;
    }
  }
}

test('the choice is the best of all widths, within 1 % wherever any are, and refused beyond 50 %', () => {
  fc.assert(
    fc.property(
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
        cellSize: fc.integer({ min: 1, max: 50 }),
        outputs: fc.integer({ min: 1, max: 4 }),
        levels: fc.integer({ min: 1, max: 4 }),
        parameters: fc.integer({ min: 1, max: 20_000 }),
        globalShare: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.99, noNaN: true })),
      }),
      ({ shape, cellSize, outputs, levels, parameters, globalShare }) => {
        const architecture = family(shape.length, outputs, levels);
        const cell = shape.map(() => cellSize);
        const partitions = shape.reduce(
          (product, length) => product * Math.max(1, Math.round(length / cellSize)),
          1,
        );
        const all = everyWidth(architecture, partitions, parameters * 2 + 100, globalShare === 0 ? 0 : 1);
        const choose = () => automaticPartitioning(architecture, shape, { parameters, globalShare, cell });
        const nearest = all.reduce(
          (least, { total }) => Math.min(least, Math.abs(total - parameters)),
          Infinity,
        );
        if (nearest > 0.5 * parameters) {
          // A request in a gap between two widths has a closest total; one below all has the least, said once.
          const least = Math.min(...all.map(({ total }) => total));
          expect(choose).toThrow(
            nearest === least - parameters
              ? new RegExp(`^params: ${parameters} is too few: .* need at least ${least};`)
              : /is the closest; /,
          );
          return;
        }
        const choice = choose();
        expect(choice.parameters).toEqual(countParameters({ ...architecture, ...choice }, partitions));
        const within = all.filter(({ total }) => Math.abs(total - parameters) <= 0.01 * parameters);
        const { total, global } = choice.parameters;
        if (within.length === 0) {
          expect(choice.notice).toContain(`${total}`);
          expect(Math.abs(total - parameters)).toBe(nearest);
        } else {
          expect(choice.notice).toBeUndefined();
          expect(Math.abs(total - parameters)).toBeLessThanOrEqual(0.01 * parameters);
          const closest = Math.min(...within.map((each) => Math.abs(each.share - globalShare)));
          expect(Math.abs(global / total - globalShare)).toBe(closest);
        }
      },
    ),
    { numRuns: 200, seed: 1 },
  );
});

test("the paper's picture, cells and size give widths next to the paper's", () => {
  const targets = { parameters: 198_930, globalShare: 23_058 / 198_930, cell: [32, 32] };
  const choice = automaticPartitioning(family(2, 1), [512, 512], targets);
  expect(choice).toMatchObject({ counts: [16, 16], localWidth: 14, globalWidth: 84 });
});

test('a cell of no divisor makes the nearest number of cells', () => {
  const targets = { parameters: 50_000, globalShare: 0.1, cell: [32, 32] };
  expect(automaticPartitioning(family(2, 3), [500, 33], targets).counts).toEqual([16, 1]);
});

test('the largest target ends in reasonable time', () => {
  const targets = { parameters: 2 ** 28, globalShare: 0.5, cell: [64, 64] };
  const { parameters } = automaticPartitioning(family(2, 3), [64, 64], targets);
  expect(Math.abs(parameters.total / 2 ** 28 - 1)).toBeLessThanOrEqual(0.01);
});

test.each([
  ['params', { parameters: 0 }],
  ['params', { parameters: NaN }],
  ['params', { parameters: 1.5 }],
  ['params', { parameters: 2 ** 29 }],
  ['globalShare', { globalShare: 1 }],
  ['globalShare', { globalShare: -0.1 }],
  ['globalShare', { globalShare: NaN }],
  ['cell', { cell: [32] }],
  ['cell', { cell: [0, 32] }],
  ['cell', { cell: [1, 1] }],
])('a bad %s is refused by name: %o', (option, change) => {
  const targets = { parameters: 200_000, globalShare: 0.1, cell: [32, 32], ...change };
  const call = () => automaticPartitioning(family(2, 1), [2048, 2048], targets);
  expect(call).toThrow(OptionError);
  expect(call).toThrow(`${option}: `);
});
