import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globalTensors, localTensors, siren, type Architecture } from '../../dist/codec/architecture.js';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { fitQuantiser, parseWeightPrecision, quantisedWeights } from '../../dist/codec/quantise.js';
import { checkQuantiser, largestInteger, type Quantiser } from '../../dist/codec/quantiser.js';

const architecture: Architecture = {
  inputs: 2,
  outputs: 3,
  levels: 3,
  localWidth: 4,
  globalWidth: 6,
  localCoordinates: 'cell',
  latticeStride: 4,
  merge: 'concat',
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
};

describe('a weight precision', () => {
  test('is read from its name', () => {
    expect(parseWeightPrecision('float32')).toEqual({ format: 'float32', bits: 0 });
    expect(parseWeightPrecision('float16')).toEqual({ format: 'float16', bits: 0 });
    expect(parseWeightPrecision('int10')).toEqual({ format: 'integer', bits: 10 });
    expect(parseWeightPrecision('fine')).toMatchObject({ format: 'integer', roundingShare: 0.03 });
  });

  test.each(['', 'int', 'int1', 'int17', 'int08', 'int100', 'int-4', 'int4.5', 'float', 'Float32', 'int10 '])(
    "'%s' is refused",
    (text) => expect(() => parseWeightPrecision(text)).toThrow(OptionError),
  );
});

describe('a fitted quantiser', () => {
  test('errs by at most half a step, and clips no weight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 16 }), fc.nat(), (bits, seed) => {
        const weights = initialWeights(architecture, 3, { seed });
        const quantiser = fitQuantiser('integer', bits, architecture, weights);
        const decoded = quantisedWeights(architecture, weights, quantiser);
        for (const [tensors, list, before, after] of [
          [localTensors(architecture), quantiser.local, weights.local, decoded.local],
          [globalTensors(architecture), quantiser.global, [weights.global], [decoded.global]],
        ] as const) {
          tensors.forEach((tensor, t) => {
            const { step } = list[t];
            before.forEach((array, p) => {
              for (let i = tensor.offset; i < tensor.offset + tensor.rows * tensor.columns; i++) {
                expect(Math.abs(array[i] - after[p][i])).toBeLessThanOrEqual(step * 0.502);
                const integer = after[p][i] / step;
                expect(Math.abs(integer - Math.round(integer))).toBeLessThan(1e-2);
              }
            });
          });
        }
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test('gives sensitive tensors more bits, 16 at most', () => {
    const weights = initialWeights(architecture, 1, { seed: 1 });
    const bitsOf = (bits: number, part: 'local' | 'global'): number[] =>
      fitQuantiser('integer', bits, architecture, weights)[part].map((tensor) => tensor.bits);
    expect(bitsOf(10, 'local')).toEqual([13, 13, 11, 13, 10, 13, 10, 13]);
    expect(bitsOf(15, 'local')).toEqual([16, 16, 16, 16, 15, 16, 15, 16]);
    expect(bitsOf(10, 'global')).toEqual([16, 16, 11, 13, 11, 13, 13, 13]);
  });

  test('has one entry a tensor, none for floats, and passes the check of files', () => {
    const weights = initialWeights(architecture, 2, { seed: 1 });
    for (const format of ['float32', 'float16', 'integer'] as const) {
      const quantiser = fitQuantiser(format, 12, architecture, weights);
      expect(quantiser.local.length).toBe(format === 'integer' ? localTensors(architecture).length : 0);
      checkQuantiser(quantiser, architecture);
    }
  });

  test('stores tensors of zeros, of the smallest and of the largest floats', () => {
    for (const value of [0, 1e-45, -3.4028234663852886e38]) {
      const { global, local } = initialWeights(architecture, 2, { seed: 1 });
      const weights = { global: global.fill(value), local: local.map((array) => array.fill(value)) };
      for (const bits of [2, 12, 16]) {
        const quantiser = fitQuantiser('integer', bits, architecture, weights);
        checkQuantiser(quantiser, architecture);
        for (const decoded of quantisedWeights(architecture, weights, quantiser).local[0]) {
          expect(Math.abs(decoded - value)).toBeLessThanOrEqual(Math.max(1e-44, Math.abs(value) * 1e-6));
        }
      }
    }
  });

  test('is not made of weights that are not finite', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const weights = initialWeights(architecture, 2, { seed: 1 });
      weights.local[1][7] = bad;
      expect(() => fitQuantiser('integer', 12, architecture, weights)).toThrow(LgiError);
    }
  });

  test.each([1, 17, 3.5, NaN])('of %f bits is refused', (bits) => {
    const weights = initialWeights(architecture, 1, { seed: 1 });
    expect(() => fitQuantiser('integer', bits, architecture, weights)).toThrow(OptionError);
  });
});

describe('the check of a quantiser from a file', () => {
  const good = fitQuantiser('integer', 12, architecture, initialWeights(architecture, 1, { seed: 1 }));
  const withFirst = (change: object): Quantiser => ({
    ...good,
    local: [{ ...good.local[0], ...change }, ...good.local.slice(1)],
  });

  test.each([
    ['a list too short', { ...good, local: good.local.slice(1) }],
    ['a list too long', { ...good, global: [...good.global, good.global[0]] }],
    ['lists for floats', { ...good, format: 'float16' as const }],
    ['1 bit', withFirst({ bits: 1 })],
    ['17 bits', withFirst({ bits: 17 })],
    ['a broken number of bits', withFirst({ bits: 4.5 })],
    ['a step of 0', withFirst({ step: 0 })],
    ['a negative step', withFirst({ step: -1 })],
    ['a step that is no number', withFirst({ step: NaN })],
    ['a step whose weights overflow', withFirst({ step: 3e38 })],
  ])('refuses %s', (_, quantiser) => {
    let error: unknown;
    try {
      checkQuantiser(quantiser, architecture);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(LgiError);
    expect(error).toMatchObject({ code: 'damaged', section: 'header' });
  });

  test('the largest integer leaves one code unused', () => {
    expect([2, 8, 16].map(largestInteger)).toEqual([1, 127, 32767]);
  });
});
