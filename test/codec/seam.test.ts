import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutsByCell } from '../../dist/codec/grid.js';
import { RandomStream } from '../../dist/codec/random.js';
import { seamRatio } from '../../dist/codec/seam.js';

const grey8 = { sampleType: 'uint8', layout: 'grey', channels: 1 } as const;
const grey16 = { sampleType: 'uint16', layout: 'grey', channels: 1 } as const;
const greyFloat = { sampleType: 'float32', layout: 'grey', channels: 1 } as const;
const greyAlpha8 = { sampleType: 'uint8', layout: 'grey-alpha', channels: 2 } as const;

/** What rounding adds to a squared jump, as the documentation of the measure has it. */
const ROUNDING = 5 / 12;

interface Partitioned {
  readonly shape: readonly number[];
  readonly cuts: readonly (readonly number[])[];
  readonly seed: number;
}

/** A signal of 1, 2 or 3 axes with cells of at least 4 samples and at least two of them on every axis. */
const partitioned: fc.Arbitrary<Partitioned> = fc
  .record({
    axes: fc.array(fc.tuple(fc.integer({ min: 10, max: 20 }), fc.integer({ min: 4, max: 7 })), {
      minLength: 1,
      maxLength: 3,
    }),
    seed: fc.nat(),
  })
  .map(({ axes, seed }) => ({
    seed,
    shape: axes.map(([length]) => length),
    cuts: axes.map(([length, cell]) => cutsByCell(length, cell).cuts),
  }));

function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function noise(length: number, seed: number, amplitude: number, base = 128): Uint8Array {
  const random = new RandomStream(seed, 'local-weights');
  return Uint8Array.from({ length }, () => base + Math.round(random.symmetric(amplitude)));
}

/** Adds to every cell an offset of its own, alternating on every axis. */
function withOffsets(
  values: Uint8Array,
  shape: readonly number[],
  cuts: readonly (readonly number[])[],
  offset: number,
): Uint8Array {
  return values.map((value, i) => {
    let rest = i;
    let parity = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
      parity += cuts[axis].filter((cut) => cut <= at).length;
    }
    return value + (parity % 2) * offset;
  });
}

describe('the seam ratio', () => {
  test('is exactly 1 for equal samples on any number of axes, flat ones too', () => {
    fc.assert(
      fc.property(partitioned, fc.constantFrom(0, 100), ({ shape, cuts, seed }, amplitude) => {
        const values = noise(count(shape), seed, amplitude);
        expect(seamRatio(values, values, shape, grey8, cuts)).toBe(1);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test.each([[[30_000]], [[160, 180]], [[30, 31, 32]]])(
    'is about 1 for white noise over a source of %j samples',
    (shape) => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 2, max: 60 }), (seed, amplitude) => {
          const cuts = shape.map((length) => cutsByCell(length, 7).cuts);
          const source = noise(count(shape), seed, 40);
          const error = noise(count(shape), seed + 1, amplitude, 0);
          const samples = source.map((value, i) => value + ((error[i] << 24) >> 24));
          const ratio = seamRatio(source, samples, shape, grey8, cuts);
          expect(ratio).toBeGreaterThan(0.88);
          expect(ratio).toBeLessThan(1.12);
        }),
        { numRuns: 30, seed: 2 },
      );
    },
  );

  test('of flat partitions with steps between them is the step over what rounding makes, on any number of axes', () => {
    fc.assert(
      fc.property(partitioned, fc.integer({ min: 0, max: 155 }), ({ shape, cuts }, step) => {
        const source = new Uint8Array(count(shape)).fill(100);
        const samples = withOffsets(source, shape, cuts, step);
        const expected = Math.sqrt((step ** 2 + ROUNDING) / ROUNDING);
        expect(seamRatio(source, samples, shape, grey8, cuts)).toBeCloseTo(expected, 9);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  test('finds steps where partitions meet, and nowhere else', () => {
    const cuts = [cutsByCell(96, 16).cuts, cutsByCell(96, 16).cuts];
    const source = noise(96 * 96, 5, 3);
    const stepped = withOffsets(source, [96, 96], cuts, 20);
    const elsewhere = cuts.map((axis) => axis.slice(1, -1).map((cut) => cut + 6));
    expect(seamRatio(source, stepped, [96, 96], grey8, cuts)).toBeGreaterThan(5);
    expect(seamRatio(source, stepped, [96, 96], grey8, elsewhere)).toBeLessThan(1);
  });

  test('takes a change of slope at a border for no seam', () => {
    const source = new Uint8Array(16).fill(9);
    // The slope passes from 4 to 12 half-way between the samples on either side of the border.
    const kinked = Uint8Array.from({ length: 16 }, (_, i) => (i < 8 ? 4 * i : 28 + 8 + 12 * (i - 8)));
    expect(seamRatio(source, kinked, [16], grey8, [[8]])).toBe(1);
  });

  test('sees a step on smooth ground that texture elsewhere would drown', () => {
    const [height, width] = [32, 64];
    const shape = [height, width];
    const texture = noise(height * width, 6, 100);
    const source = texture.map((value, i) => (i % width < width / 2 ? 128 : value));
    const stepped = source.map((value, i) => value + (i % width < width / 4 ? 4 : 0));
    const ratio = seamRatio(source, stepped, shape, grey8, [[], [16, 32, 48]]);
    expect(ratio).toBeGreaterThan(2);
  });

  test('is the same transposed, in 16 bits, in floats and with a channel twice', () => {
    const [height, width] = [40, 56];
    const cuts = [cutsByCell(height, 8).cuts, cutsByCell(width, 16).cuts];
    const source = noise(height * width, 7, 20);
    const samples = withOffsets(noise(height * width, 8, 20), [height, width], cuts, 9);
    const expected = seamRatio(source, samples, [height, width], grey8, cuts) ?? NaN;
    expect(expected).toBeGreaterThan(1.05);
    const transpose = (values: Uint8Array): Uint8Array =>
      values.map((_, i) => values[(i % height) * width + Math.floor(i / height)]);
    expect(
      seamRatio(transpose(source), transpose(samples), [width, height], grey8, [cuts[1], cuts[0]]),
    ).toBeCloseTo(expected, 9);
    const wide = (values: Uint8Array): Uint16Array => Uint16Array.from(values, (value) => value * 257);
    expect(seamRatio(wide(source), wide(samples), [height, width], grey16, cuts)).toBeCloseTo(expected, 9);
    const floats = (values: Uint8Array): Float32Array => Float32Array.from(values);
    expect(seamRatio(floats(source), floats(samples), [height, width], greyFloat, cuts, 255)).toBeCloseTo(
      expected,
      9,
    );
    const twice = (values: Uint8Array): Uint8Array =>
      Uint8Array.from({ length: 2 * values.length }, (_, i) => values[i >> 1]);
    const plain = { sampleType: 'uint8', layout: 'plain', channels: 2 } as const;
    expect(seamRatio(twice(source), twice(samples), [height, width], plain, cuts)).toBeCloseTo(expected, 9);
  });

  test('does not count colour that cannot be seen', () => {
    const width = 32;
    const source = Uint8Array.from({ length: 2 * width }, (_, i) => (i % 2 === 0 ? 50 : i < width ? 255 : 0));
    const changed = source.map((value, i) => (i % 2 === 0 && i > width + 16 ? value + 100 : value));
    expect(seamRatio(source, changed, [width], greyAlpha8, [[8, 24]])).toBe(1);
    const seen = source.map((value, i) => (i % 2 === 0 && i < 16 ? value + 100 : value));
    expect(seamRatio(source, seen, [width], greyAlpha8, [[8, 24]])).toBeGreaterThan(10);
  });

  test('is not defined without borders, nor where cells leave no place away from them', () => {
    const values = noise(24 * 24, 9, 50);
    expect(seamRatio(values, values, [24, 24], grey8, [[], []])).toBeUndefined();
    expect(seamRatio(values, values, [24, 24], grey8, [[0, 24], [-8]])).toBeUndefined();
    const narrow = cutsByCell(24, 2).cuts;
    expect(seamRatio(values, values, [24, 24], grey8, [narrow, narrow])).toBeUndefined();
    // Borders with one sample on a side, as after a crop, have no slope there.
    expect(seamRatio(values, values, [24, 24], grey8, [[1, 23], []])).toBeUndefined();
  });

  test('of lengths or axes that do not fit is refused', () => {
    const values = new Uint8Array(12);
    expect(() => seamRatio(values, values, [4, 4], grey8, [[], []])).toThrow(RangeError);
    expect(() => seamRatio(values, new Uint8Array(16), [3, 4], grey8, [[], []])).toThrow(RangeError);
    expect(() => seamRatio(values, values, [3, 4], grey8, [[2]])).toThrow(RangeError);
  });
});
