import { deflateSync } from 'fflate';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementCount, localTensors, siren, type Architecture } from '../../dist/codec/architecture.js';
import { fromFloat16Bits, toFloat16Bits } from '../../dist/codec/coder/float16.js';
import { inflatePlanes } from '../../dist/codec/coder/inflate.js';
import { encodeRangeWeights } from '../../dist/codec/coder/range-weights.js';
import { loadCoder } from '../../dist/codec/coder/load-coder.js';
import { decodeWeights } from '../../dist/codec/coder/decode-weights.js';
import { encodeWeights } from '../../dist/codec/coder/encode-weights.js';
import { largestPayloadByteLength, packedByteLength, type Coder } from '../../dist/codec/coder/payload.js';
import { RandomStream } from '../../dist/codec/random.js';
import { LgiError } from '../../dist/codec/errors.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { fitQuantiser, quantise, quantisedWeights } from '../../dist/codec/quantise.js';
import { type WeightFormat } from '../../dist/codec/quantiser.js';
import { quantiserFor } from '../../dist/src/container/encode-local-weights.js';

await loadCoder('deflate');
await loadCoder('range');

const architecture: Architecture = {
  inputs: 2,
  outputs: 1,
  levels: 3,
  localWidth: 5,
  globalWidth: 0,
  localCoordinates: 'cell',
  latticeStride: 0,
  merge: 'concat',
  activations: { local: siren(30, 30), global: siren(30, 30), merge: siren(30, 30) },
};
const tensors = localTensors(architecture);
const count = elementCount(tensors);

const FORMATS: readonly (readonly [WeightFormat, Coder])[] = [
  ...(['float32', 'float16', 'integer'] as const).flatMap((format) =>
    (['none', 'deflate'] as const).map((coder) => [format, coder] as const),
  ),
  ['integer', 'range'],
];

interface Kind {
  readonly format: WeightFormat;
  readonly coder: Coder;
  readonly bits: number;
  readonly seed: number;
}

const kinds: fc.Arbitrary<Kind> = fc
  .record({
    written: fc.constantFrom(...FORMATS),
    bits: fc.integer({ min: 2, max: 16 }),
    seed: fc.nat(),
  })
  .map(({ written: [format, coder], ...rest }) => ({ format, coder, ...rest }));

/** Random weights, as written by one choice of format and coder, and as a decoder should see them. */
function sample({ format, coder, bits, seed }: Kind) {
  const weights = initialWeights(architecture, 1, { seed });
  const fitted = fitQuantiser(format, bits, architecture, weights);
  // Models of half of the seeds are of other weights: right or wrong, they change lengths alone.
  const known = initialWeights(architecture, 1, { seed: seed - (seed % 2) });
  // And a third are differences from these.
  const origin = seed % 3 === 0 ? known.local[0] : undefined;
  const quantiser = quantiserFor(coder, fitted, architecture, known.local, origin);
  const expected = quantisedWeights(architecture, weights, quantiser).local[0];
  const encode = (values: Float32Array): Uint8Array =>
    encodeWeights(values, tensors, quantiser.local, format, coder, quantiser.forecast);
  const decode = (payload: Uint8Array): Float32Array =>
    decodeWeights(payload, tensors, quantiser.local, format, coder, 'chunk 3,4', quantiser.forecast);
  return { bytes: encode(weights.local[0]), expected, encode, decode, quantisers: quantiser.local };
}

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectDamaged(call: () => unknown): void {
  const error = errorOf(call);
  expect(error).toBeInstanceOf(LgiError);
  expect(error).toMatchObject({ code: 'damaged', section: 'chunk 3,4' });
}

describe('a payload', () => {
  test('decodes to exactly the quantised weights, whatever format and coder', () => {
    fc.assert(
      fc.property(kinds, (kind) => {
        const { bytes, expected, encode, decode, quantisers } = sample(kind);
        expect(decode(bytes)).toEqual(expected);
        if (kind.coder === 'none')
          expect(bytes.length).toBe(packedByteLength(tensors, quantisers, kind.format));
        // A payload inside a larger buffer, at an odd offset, is read the same.
        const shifted = new Uint8Array(bytes.length + 3);
        shifted.set(bytes, 3);
        expect(decode(shifted.subarray(3))).toEqual(expected);
        // And what is decoded is encoded to the same bytes again.
        expect(encode(expected)).toEqual(bytes);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('cut or lengthened anywhere is refused', () => {
    fc.assert(
      fc.property(kinds, fc.nat(), (kind, at) => {
        const { bytes, decode } = sample(kind);
        // A stream of the range coder goes on with zeros: that it was cut, the chunk's checksum says.
        if (kind.coder !== 'range') expectDamaged(() => decode(bytes.subarray(0, at % bytes.length)));
        const longer = new Uint8Array(bytes.length + 1 + (at % 50));
        longer.set(bytes);
        expectDamaged(() => decode(longer));
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test('of arbitrary bytes gives finite weights or a typed error', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.uint8Array({ maxLength: 400 }),
        fc.boolean(),
        fc.nat(),
        (kind, noise, fill, at) => {
          const { bytes, decode } = sample(kind);
          const hostile = fill ? bytes.slice() : noise;
          if (fill) noise.slice(0, 4).forEach((value, i) => (hostile[(at + i * i) % hostile.length] = value));
          const error = errorOf(() => {
            const weights = decode(hostile);
            expect(weights.length).toBe(count);
            expect(weights.every((weight) => Number.isFinite(weight))).toBe(true);
          });
          if (error !== undefined) expect(error).toMatchObject({ code: 'damaged', section: 'chunk 3,4' });
        },
      ),
      { numRuns: 500, seed: 3 },
    );
  });

  test('packs integers from the lowest bit on', () => {
    const three = [{ ...tensors[0], rows: 1, columns: 3, offset: 0 }];
    // q = 1, -1, 2 are codes 2, 1, 4 of 5 bits: 00010 + 00001 << 5 + 00100 << 10.
    const bytes = encodeWeights(
      Float32Array.of(0.5, -0.5, 1),
      three,
      [{ bits: 5, step: 0.5 }],
      'integer',
      'none',
    );
    expect(Array.from(bytes)).toEqual([0b00100010, 0b00010000]);
  });

  test('with a bit set in its padding is refused', () => {
    const { bytes, decode, quantisers } = sample({ format: 'integer', coder: 'none', bits: 11, seed: 1 });
    const bits = tensors.reduce(
      (sum, { rows, columns }, at) => sum + rows * columns * quantisers[at].bits,
      0,
    );
    expect(bits % 8).not.toBe(0);
    bytes[bytes.length - 1] |= 0x80;
    expectDamaged(() => decode(bytes));
  });

  test('with the code that is never written is refused', () => {
    const three = [{ ...tensors[0], rows: 1, columns: 2, offset: 0 }];
    const quantisers = [{ bits: 4, step: 1 }];
    expectDamaged(() =>
      decodeWeights(Uint8Array.of(0xf0), three, quantisers, 'integer', 'none', 'chunk 3,4'),
    );
    const planes = deflateSync(Uint8Array.of(0, 15));
    expectDamaged(() => decodeWeights(planes, three, quantisers, 'integer', 'deflate', 'chunk 3,4'));
  });

  test('with a float that is not finite is refused', () => {
    const bytes = new Uint8Array(4 * count);
    new DataView(bytes.buffer).setFloat32(8, NaN, true);
    expectDamaged(() => decodeWeights(bytes, tensors, [], 'float32', 'none', 'chunk 3,4'));
    const half = new Uint8Array(2 * count);
    new DataView(half.buffer).setUint16(8, 0xfc00, true);
    expectDamaged(() => decodeWeights(half, tensors, [], 'float16', 'none', 'chunk 3,4'));
  });

  test('that inflates to far more than is expected is refused without the memory', () => {
    const bomb = deflateSync(new Uint8Array(16 * 2 ** 20), { level: 1 });
    const before = process.memoryUsage().arrayBuffers;
    expectDamaged(() => inflatePlanes(bomb, 4, 4 * count, 'chunk 3,4'));
    // Too long for these weights, so refused before it is inflated; and one that is short enough.
    expectDamaged(() => decodeWeights(bomb, tensors, [], 'float32', 'deflate', 'chunk 3,4'));
    const short = deflateSync(new Uint8Array(2 ** 17), { level: 9 });
    expect(short.length).toBeLessThan(largestPayloadByteLength(tensors, [], 'float32', 'deflate'));
    expectDamaged(() => decodeWeights(short, tensors, [], 'float32', 'deflate', 'chunk 3,4'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  test('is never longer than a reader takes, even of noise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), fc.nat(), (elements, seed) => {
        const random = new RandomStream(seed, 'permutation');
        const tensor = [{ ...tensors[0], rows: 1, columns: elements, offset: 0 }];
        const noise = Float32Array.from({ length: elements }, () => random.symmetric(2 ** random.below(100)));
        const payload = encodeWeights(noise, tensor, [], 'float32', 'deflate');
        expect(payload.length).toBeLessThanOrEqual(
          largestPayloadByteLength(tensor, [], 'float32', 'deflate'),
        );
        expect(decodeWeights(payload, tensor, [], 'float32', 'deflate')).toEqual(noise);
      }),
      { numRuns: 12, seed: 4 },
    );
  });

  test('is taken up to n + ceil(n / 128) + 64 bytes of DEFLATE, and not one byte longer', () => {
    // Stored, with empty blocks in front that give nothing: of 5 bytes each, and one of 6 that begins with a block of 10 bits.
    const [empty, longEmpty] = [
      [0, 0, 0, 0xff, 0xff],
      [0b00000010, 0, 0, 0, 0xff, 0xff],
    ];
    const weights = Float32Array.from({ length: 25 }, (_, i) => i - 7.5);
    const tensor = [{ ...tensors[0], rows: 1, columns: 25, offset: 0 }];
    const n = 4 * weights.length;
    const planes = Array.from({ length: 4 }, (_, plane) =>
      Array.from(new Uint8Array(weights.buffer).filter((_byte, at) => at % 4 === plane)),
    ).flat();
    const stored = [1, n, 0, ~n & 0xff, 0xff, ...planes];
    const decode = (...blocks: number[][]) =>
      decodeWeights(Uint8Array.from(blocks.flat()), tensor, [], 'float32', 'deflate', 'chunk 3,4');
    const twelve = Array.from({ length: 12 }, () => empty);
    expect([...twelve, stored].flat().length).toBe(n + Math.ceil(n / 128) + 64);
    expect(decode(...twelve, stored)).toEqual(weights);
    expect(decode(...twelve.slice(2), longEmpty, stored)).toEqual(weights);
    expectDamaged(() => decode(...twelve.slice(1), longEmpty, stored));
  });

  test('by the range coder is never longer than a reader takes, even where its models expect the contrary', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 2, max: 16 }), (elements, bits) => {
        const tensor = [{ ...tensors[0], rows: 1, columns: elements, offset: 0 }];
        const quantisers = [{ bits, step: 1 }];
        const ones = Float32Array.from({ length: elements }, (_, i) =>
          i % 256 < 255 ? 0 : 2 ** (bits - 1) - 1,
        );
        // As far off as can be: differences have a bit more.
        const origin = encodeRangeWeights(
          ones.map((one) => -one),
          tensor,
          quantisers,
        );
        const forecast = { models: Uint8Array.of(1, 128), origin };
        const payload = encodeWeights(ones, tensor, quantisers, 'integer', 'range', forecast);
        expect(payload.length).toBeLessThanOrEqual(
          largestPayloadByteLength(tensor, quantisers, 'integer', 'range'),
        );
        expect(decodeWeights(payload, tensor, quantisers, 'integer', 'range', 'chunk', forecast)).toEqual(
          ones,
        );
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  test('by the range coder comes near the entropy of its integers, given what the header says of them', () => {
    const many = { ...architecture, localWidth: 40 };
    const manyTensors = localTensors(many);
    const weights = initialWeights(many, 1, { seed: 9 });
    const quantiser = quantiserFor('range', fitQuantiser('integer', 10, many, weights), many, weights.local);
    const payload = encodeWeights(
      weights.local[0],
      manyTensors,
      quantiser.local,
      'integer',
      'range',
      quantiser.forecast,
    );
    const bits = manyTensors.reduce((sum, { rows, columns, offset }, tensor) => {
      const lengths = new Map<number, number>();
      const integers = weights.local[0]
        .subarray(offset, offset + rows * columns)
        .map((weight) => Math.abs(quantise(weight, quantiser.local[tensor])));
      for (const integer of integers)
        lengths.set(32 - Math.clz32(integer), (lengths.get(32 - Math.clz32(integer)) ?? 0) + 1);
      return [...lengths].reduce(
        // Of every length its entropy, and, as it is, a sign and what is below the highest bit.
        (all, [length, n]) => all + n * (length - Math.log2(n / integers.length)),
        sum,
      );
    }, 0);
    expect(payload.length / (bits / 8)).toBeLessThan(1.02);
  });

  test('of no weights at all is empty, or an empty stream', () => {
    for (const coder of ['none', 'deflate', 'range'] as const) {
      const bytes = encodeWeights(new Float32Array(0), [], [], 'integer', coder);
      expect(decodeWeights(bytes, [], [], 'integer', coder).length).toBe(0);
    }
  });

  test('is not written of weights that it cannot hold', () => {
    const weights = new Float32Array(count);
    weights[3] = 65520;
    expect(errorOf(() => encodeWeights(weights, tensors, [], 'float16', 'none'))).toMatchObject({
      code: 'limit',
    });
    weights[3] = 65519;
    expect(
      decodeWeights(
        encodeWeights(weights, tensors, [], 'float16', 'none'),
        tensors,
        [],
        'float16',
        'none',
      )[3],
    ).toBe(65504);
    weights[3] = NaN;
    expect(errorOf(() => encodeWeights(weights, tensors, [], 'float32', 'none'))).toMatchObject({
      code: 'diverged',
    });
  });
});

describe('float16', () => {
  test('holds every one of its own values', () => {
    const wrong: number[] = [];
    for (let word = 0; word < 0x10000; word++) {
      const value = fromFloat16Bits(word);
      const expected = Number.isNaN(value) ? 0x7e00 : word;
      if (toFloat16Bits(value) !== expected) wrong.push(word);
    }
    expect(wrong).toEqual([]);
    expect([0x3c00, 0xc000, 0x0001, 0x7bff].map(fromFloat16Bits)).toEqual([1, -2, 2 ** -24, 65504]);
  });

  test('is the nearest value, ties to the even one', () => {
    const wrong: number[] = [];
    for (let word = 0; word < 0x7bff; word++) {
      const low = fromFloat16Bits(word);
      const high = fromFloat16Bits(word + 1);
      const middle = (low + high) / 2;
      // A hair to either side, as far as f32 tells them from the middle.
      const hair = (high - low) / 4096;
      const isRight =
        toFloat16Bits(middle) === (word % 2 === 0 ? word : word + 1) &&
        toFloat16Bits(middle - hair) === word &&
        toFloat16Bits(middle + hair) === word + 1 &&
        toFloat16Bits(-middle - hair) === ((word + 1) | 0x8000);
      if (!isRight) wrong.push(word);
    }
    expect(wrong).toEqual([]);
    expect([65519.99, 65520, 1e-45].map(toFloat16Bits)).toEqual([0x7bff, 0x7c00, 0]);
  });
});
