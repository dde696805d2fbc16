import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { doubleSquares, meansOf, sumSquares } from '../../dist/codec/reduce.js';
import type { SampleFormat } from '../../dist/codec/signal.js';

type Format = Pick<SampleFormat, 'sampleType' | 'layout' | 'channels'>;
const grey: Format = { sampleType: 'uint8', layout: 'grey', channels: 1 };
const rgba: Format = { sampleType: 'uint8', layout: 'rgb-alpha', channels: 4 };

/** Height, width, and bytes for four channels. */
const pictures = fc
  .tuple(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 19 }))
  .chain(([height, width]) =>
    fc
      .uint8Array({ minLength: height * width * 4, maxLength: height * width * 4 })
      .map((data) => ({ shape: [height, width] as [number, number], data })),
  );

describe('means of squares', () => {
  test('of a constant picture are that constant, ragged ends too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(1, 2, 4, 8),
        fc.nat(255),
        (height, width, side, value) => {
          const samples = new Uint8Array(height * width).fill(value);
          const sums = sumSquares(samples, [height, width], grey, side);
          expect(sums.shape).toEqual([Math.ceil(height / side), Math.ceil(width / side)]);
          expect(new Set(meansOf(sums, grey))).toEqual(new Set([value]));
        },
      ),
    );
  });

  test('are the means of the samples that exist, colour weighted by alpha, rounded half up', () => {
    fc.assert(
      fc.property(pictures, fc.constantFrom(2, 4), ({ shape: [height, width], data }, side) => {
        const sums = sumSquares(data, [height, width], rgba, side);
        const means = meansOf(sums, rgba);
        const [rows, columns] = sums.shape;
        for (let square = 0; square < rows * columns; square++) {
          const [top, left] = [Math.floor(square / columns) * side, (square % columns) * side];
          let [alphas, count] = [0, 0];
          const colours = [0, 0, 0];
          for (let y = top; y < Math.min(height, top + side); y++) {
            for (let x = left; x < Math.min(width, left + side); x++) {
              const at = (y * width + x) * 4;
              count++;
              alphas += data[at + 3];
              colours.forEach((_, c) => (colours[c] += data[at + c] * data[at + 3]));
            }
          }
          const expected = [...colours.map((sum) => (alphas === 0 ? 0 : sum / alphas)), alphas / count];
          expected.forEach((mean, c) => expect(means[square * 4 + c]).toBe(Math.floor(mean + 0.5)));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('of twice the side come from the sums, without a loss', () => {
    fc.assert(
      fc.property(pictures, ({ shape, data }) => {
        const direct = sumSquares(data, shape, rgba, 8);
        expect(doubleSquares(doubleSquares(sumSquares(data, shape, rgba, 2)))).toEqual(direct);
      }),
      { numRuns: 40 },
    );
  });
});
