import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSamples, psnrOf } from '../../dist/codec/metrics.js';
import { structuralSimilarity } from '../../dist/codec/structural-similarity.js';

const grey8 = { sampleType: 'uint8', layout: 'grey', channels: 1 } as const;
const rgba8 = { sampleType: 'uint8', layout: 'rgb-alpha', channels: 4 } as const;

describe('errors of samples', () => {
  test('are those of the definition', () => {
    const { mse, psnr, maxError } = compareSamples(
      Uint8Array.of(0, 10, 20, 255),
      Uint8Array.of(3, 10, 16, 255),
      grey8,
    );
    expect(mse).toBe((9 + 16) / 4);
    expect(psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / 6.25), 12);
    expect(maxError).toBe(4);
  });

  test('are none for equal samples: an infinite PSNR', () => {
    const same = Float32Array.of(0.5, -2);
    const format = { sampleType: 'float32', layout: 'plain', channels: 2 } as const;
    expect(compareSamples(same, same, format)).toEqual({ mse: 0, psnr: Infinity, maxError: 0 });
  });

  test('take the peak that is asked for', () => {
    expect(psnrOf(1, 10)).toBe(20);
    const format = { sampleType: 'float32', layout: 'plain', channels: 1 } as const;
    expect(compareSamples(Float32Array.of(0), Float32Array.of(1), format, 100).psnr).toBe(40);
  });

  test('count colour by the alpha of the reference, and alpha fully', () => {
    const reference = Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 51);
    const samples = Uint8Array.of(200, 200, 200, 0, 15, 20, 30, 53);
    const { mse, maxError } = compareSamples(reference, samples, rgba8);
    expect(mse).toBeCloseTo((0.2 * 25 + 4) / (1 + 3 * 0.2 + 1), 12);
    expect(maxError).toBe(5);
  });

  test('of arrays that do not match are refused', () => {
    expect(() => compareSamples(Uint8Array.of(1), Uint8Array.of(1, 2), grey8)).toThrow(RangeError);
    expect(() => compareSamples(new Uint8Array(0), new Uint8Array(0), grey8)).toThrow(RangeError);
  });
});

/** Mean SSIM of two grey pictures in [0, 1], written from the paper's equations, window by window. */
function plainSsim(a: number[], b: number[], height: number, width: number): number {
  const gauss = Array.from({ length: 121 }, (_, i) => {
    const y = Math.floor(i / 11) - 5;
    const x = (i % 11) - 5;
    return Math.exp(-(x * x + y * y) / (2 * 1.5 ** 2));
  });
  const total = gauss.reduce((sum, g) => sum + g, 0);
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let sum = 0;
  for (let top = 0; top <= height - 11; top++) {
    for (let left = 0; left <= width - 11; left++) {
      const mean = (f: (i: number) => number): number =>
        gauss.reduce(
          (s, g, k) => s + (g / total) * f((top + Math.floor(k / 11)) * width + left + (k % 11)),
          0,
        );
      const [ma, mb] = [mean((i) => a[i]), mean((i) => b[i])];
      const va = mean((i) => (a[i] - ma) ** 2);
      const vb = mean((i) => (b[i] - mb) ** 2);
      const covariance = mean((i) => (a[i] - ma) * (b[i] - mb));
      sum += ((2 * ma * mb + c1) * (2 * covariance + c2)) / ((ma ** 2 + mb ** 2 + c1) * (va + vb + c2));
    }
  }
  return sum / ((height - 10) * (width - 10));
}

describe('structural similarity', () => {
  test.each([
    [14, 17],
    [90, 12],
  ])('is that of the equations on a picture of %i rows and %i columns', (height, width) => {
    const a = Uint8Array.from({ length: height * width }, (_, i) => (i * 31 + ((i * i) % 17)) % 256);
    const b = a.map((value, i) => Math.min(255, value + ((i * 13) % 40)));
    const unit = (values: Uint8Array): number[] => Array.from(values, (value) => value / 255);
    const expected = plainSsim(unit(a), unit(b), height, width);
    expect(structuralSimilarity(a, b, [height, width], grey8)).toBeCloseTo(expected, 9);
    const wide = (values: Uint8Array): Uint16Array => Uint16Array.from(values, (value) => value * 257);
    const grey16 = { ...grey8, sampleType: 'uint16' } as const;
    expect(structuralSimilarity(wide(a), wide(b), [height, width], grey16)).toBeCloseTo(expected, 9);
    const floats = (values: Uint8Array): Float32Array => Float32Array.from(values, (value) => value / 255);
    const greyFloat = { ...grey8, sampleType: 'float32' } as const;
    expect(structuralSimilarity(floats(a), floats(b), [height, width], greyFloat)).toBeCloseTo(expected, 6);
    const rgb = (values: Uint8Array): Uint8Array =>
      Uint8Array.from({ length: values.length * 3 }, (_, i) => values[Math.floor(i / 3)]);
    const rgb8 = { sampleType: 'uint8', layout: 'rgb', channels: 3 } as const;
    expect(structuralSimilarity(rgb(a), rgb(b), [height, width], rgb8)).toBeCloseTo(expected, 9);
  });

  test('of any size lies in [-1, 1], and is 1 for equal pictures', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 24 }),
        fc.nat(),
        (height, width, seed) => {
          const a = Uint8Array.from({ length: height * width }, (_, i) => (i * (seed % 251)) % 256);
          const b = a.map((value, i) => value ^ (i % 7));
          expect(structuralSimilarity(a, a, [height, width], grey8)).toBeCloseTo(1, 12);
          const different = structuralSimilarity(a, b, [height, width], grey8);
          expect(Math.abs(different)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  test('does not see colour under full transparency', () => {
    const a = Uint8Array.of(1, 2, 3, 0, 9, 9, 9, 255);
    const b = Uint8Array.of(200, 100, 3, 0, 9, 9, 9, 255);
    expect(structuralSimilarity(a, b, [1, 2], rgba8)).toBe(1);
  });

  test('of lengths that are not the shape is refused', () => {
    expect(() => structuralSimilarity(new Uint8Array(4), new Uint8Array(4), [3, 2], grey8)).toThrow(
      RangeError,
    );
  });
});
