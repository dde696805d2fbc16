import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OptionError } from '../../dist/codec/errors.js';
import { permutation, philox, RandomStream } from '../../dist/codec/random.js';

test.each([
  // The known answers of Random123 (kat_vectors, philox4x32 10).
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('Philox 4x32-10 gives its published answers: %o', (counter, [low, high], expected) => {
  const block = Uint32Array.from(counter);
  philox(block, low, high);
  expect(Array.from(block)).toEqual(expected);
});

test('a permutation holds every number once, and depends on length, seed and stream alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(), fc.nat(), (length, seed, stream) => {
      const order = permutation(length, seed, stream);
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      expect(permutation(length, seed, stream)).toEqual(order);
      if (length > 50) {
        expect(permutation(length, seed + 1, stream)).not.toEqual(order);
        expect(permutation(length, seed, stream + 1)).not.toEqual(order);
        expect(permutation(length, seed, stream, 1)).not.toEqual(order);
        expect(permutation(length, seed + 2 ** 40, stream)).not.toEqual(order);
      }
    }),
  );
});

test('every order of three is as likely as any other', () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const key = permutation(3, seed).join('');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  expect(seen.size).toBe(6);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('a seed that is no whole number of 53 bits is refused', () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53])
    expect(() => new RandomStream(seed, 'permutation')).toThrow(OptionError);
});
