import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROBABILITY_ONE, RangeDecoder, RangeEncoder } from '../../dist/codec/coder/range-coder.js';
import { gridModels, MAX_CONTEXT_WEIGHT, MAX_LATENT } from '../../dist/codec/latent/entropy-model.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
  type LatentArchitecture,
} from '../../dist/codec/latent/latent-architecture.js';
import { decodeLatents, encodeLatents, latentBits } from '../../dist/codec/latent/latent-coder.js';
import {
  decodeShared,
  encodeShared,
  realShared,
  roundShared,
} from '../../dist/codec/latent/shared-weights.js';
import { exactProbabilities, SCALES, SHIFTS } from '../../dist/codec/latent/probability-tables.js';

describe('the range coder', () => {
  const bit = fc.record({
    bit: fc.integer({ min: 0, max: 1 }),
    zero: fc.integer({ min: 1, max: PROBABILITY_ONE - 1 }),
  });

  it('gives back every bit, whatever its probability was said to be', () => {
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 400 }), (bits) => {
        const encoder = new RangeEncoder();
        for (const each of bits) encoder.encode(each.bit, each.zero);
        const decoder = new RangeDecoder(encoder.finish());
        for (const each of bits) if (decoder.decode(each.zero) !== each.bit) return false;
        return decoder.isAtEnd();
      }),
      { numRuns: 300 },
    );
  });

  it('carries through bytes of 255', () => {
    // Bits of 1 after a 0 of all but certainty keep the range at the end of what it was.
    const encoder = new RangeEncoder();
    const zeros = [PROBABILITY_ONE - 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    for (const zero of zeros) encoder.encode(1, zero);
    const decoder = new RangeDecoder(encoder.finish());
    expect(zeros.map((zero) => decoder.decode(zero))).toEqual(zeros.map(() => 1));
  });

  it('takes what probabilities foretell, and less than two bytes more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: PROBABILITY_ONE - 1 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        (zero, seed) => {
          const encoder = new RangeEncoder();
          let state = seed;
          let bits = 0;
          for (let i = 0; i < 4000; i++) {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            const isOne = state / 2 ** 32 >= zero / PROBABILITY_ONE;
            encoder.encode(isOne ? 1 : 0, zero);
            bits -= Math.log2((isOne ? PROBABILITY_ONE - zero : zero) / PROBABILITY_ONE);
          }
          // Steps of the range, at least 512, cost up to a 500th.
          expect(encoder.finish().length).toBeLessThan((bits * 1.002) / 8 + 2);
        },
      ),
      { numRuns: 50 },
    );
  });
});

const architecture = fc.record<LatentArchitecture>({
  levels: fc.integer({ min: 2, max: 5 }),
  finestLevels: fc.constantFrom([0], [0, 1, 1], [0, 0], [0, 1, 1, 0]),
  hiddenWidth: fc.constant(4),
  outputs: fc.constant(3),
  amplitude: fc.constant(1),
});

/** Shared weights with models of any kind. */
function anyWeights(given: LatentArchitecture): fc.Arbitrary<Int32Array> {
  const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
  const ranges = latentTensors(given).flatMap(({ name, rows, columns }) =>
    Array.from({ length: rows * columns }, (_, i) => {
      if (name === 'mean') return whole(-MAX_CONTEXT_WEIGHT, MAX_CONTEXT_WEIGHT);
      if (name === 'spread') return whole(0, MAX_CONTEXT_WEIGHT);
      if (name === 'scale') return i === 0 ? whole(-30_000, 30_000) : whole(-100, 100);
      return name === 'presence' ? whole(1, 255) : fc.constant(0);
    }),
  );
  return fc.tuple(...ranges).map((values) => Int32Array.from(values));
}

const coded = architecture.chain((given) =>
  fc.record({
    given: fc.constant(given),
    shape: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    weights: anyWeights(given),
    largest: fc.constantFrom(0, 1, 4, 300, MAX_LATENT),
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  }),
);

function latentsOf(count: number, largest: number, seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.round((state / 2 ** 31 - 1) * largest);
  });
}

describe('coding of shared weights', () => {
  it('gives back every number', () => {
    fc.assert(
      fc.property(
        architecture.chain((given) => fc.tuple(fc.constant(given), anyWeights(given))),
        fc.array(fc.integer({ min: 0, max: 31 }), { minLength: 6, maxLength: 6 }),
        ([given, numbers], exponents) => {
          const bytes = encodeShared(given, { numbers, exponents });
          expect(decodeShared(given, bytes)).toEqual({ numbers, exponents });
        },
      ),
    );
  });

  it('ends with numbers or damage, whatever the bytes', () => {
    fc.assert(
      fc.property(architecture, fc.uint8Array({ maxLength: 400 }), (given, bytes) => {
        try {
          const stored = decodeShared(given, bytes);
          expect(realShared(given, stored).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'damaged', section: 'header' });
        }
      }),
    );
  });

  it('rounding again what was rounded changes nothing', () => {
    fc.assert(
      fc.property(
        architecture.chain((given) => fc.tuple(fc.constant(given), anyWeights(given))),
        ([given, numbers]) => {
          const stored = { numbers, exponents: [8, 8, 8, 8, 8, 10] };
          expect(roundShared(given, realShared(given, stored), stored.exponents)).toEqual(stored);
        },
      ),
    );
  });
});

describe('coding of latents', () => {
  it('gives back the latents of any partition by any model', () => {
    fc.assert(
      fc.property(coded, ({ given, shape, weights, largest, seed }) => {
        expect(weights.length).toBe(latentWeightCount(given));
        const grids = placeGrids(given, shape);
        const models = gridModels(given, weights);
        const latents = latentsOf(latentCount(grids), largest, seed);
        const bytes = encodeLatents(grids, models, latents);
        expect(decodeLatents(grids, models, bytes)).toEqual(latents);
        expect(bytes.length).toBeLessThan((latentBits(grids, models, latents) * 1.002) / 8 + 2);
      }),
      { numRuns: 200 },
    );
  });

  it('ends with latents or damage, whatever the bytes', () => {
    fc.assert(
      fc.property(coded, fc.uint8Array({ maxLength: 60 }), ({ given, shape, weights }, bytes) => {
        const grids = placeGrids(given, shape);
        const models = gridModels(given, weights);
        try {
          const latents = decodeLatents(grids, models, bytes, 'chunk 0,0');
          expect(encodeLatents(grids, models, latents)).toBeDefined();
        } catch (error) {
          expect(error).toMatchObject({ code: 'damaged', section: 'chunk 0,0' });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rounds probabilities from values far enough from halves that every exp gives the same', () => {
    for (let step = 0; step < SCALES; step++) {
      for (let shift = 0; shift < SHIFTS; shift++) {
        for (const value of Object.values(exactProbabilities(step, shift))) {
          const fraction = value * PROBABILITY_ONE - Math.floor(value * PROBABILITY_ONE);
          expect(Math.abs(fraction - 0.5)).toBeGreaterThan(1e-6);
        }
      }
    }
  });
});
