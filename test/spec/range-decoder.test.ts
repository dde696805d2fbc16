import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeDecoder } from '../../dist/codec/coder/range-coder.js';
import { RangeDecoder as SecondDecoder } from './independent-latents.js';

/** Streams of any bytes, and those whose `code` is not below `range` at first, which no encoder makes. */
const anyStream = fc
  .tuple(fc.constantFrom([], [255], [255, 255, 255], [255, 255, 255, 255]), fc.uint8Array({ maxLength: 40 }))
  .map(([beginning, rest]) => Uint8Array.of(...beginning, ...rest));

describe('the range decoder of the format (15.2)', () => {
  it('comes to the same bits in both readers, whatever the stream is', () => {
    fc.assert(
      fc.property(
        anyStream,
        fc.array(fc.integer({ min: 1, max: 2 ** 15 - 1 }), { minLength: 60, maxLength: 120 }),
        (stream, probabilities) => {
          const [one, other] = [new RangeDecoder(stream), new SecondDecoder(stream)];
          for (const probability of probabilities)
            expect(other.bit(probability)).toBe(one.decode(probability));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('comes to the bits that the format shows where `code` is not below `range`', () => {
    const [, bytes, probability, shown] =
      /Check: of the bytes `([0-9A-F ]+)`, 64 bits by `P` = ([\d,]+) are\s+`([01]+)`/.exec(
        readFileSync('spec/latent.md', 'utf8'),
      )!;
    const stream = Uint8Array.from(bytes.split(' '), (byte) => parseInt(byte, 16));
    const decoder = new RangeDecoder(stream);
    const bits = Array.from({ length: 64 }, () => decoder.decode(Number(probability.replace(',', ''))));
    expect(bits.join('')).toBe(shown);
    // Without the modulus, `code` never falls below a bound again, and every bit is 1.
    expect(bits).toContain(0);
  });
});
