import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_WEIGHTS } from '../../dist/codec/latent/default-weights.js';
import { latentTensors, type LatentArchitecture } from '../../dist/codec/latent/latent-architecture.js';
import { decodeShared, defaultWeights, encodeShared } from '../../dist/codec/latent/shared-weights.js';

const GREY: LatentArchitecture = {
  defaultSet: 1,
  levels: 7,
  hiddenWidth: 32,
  finestLevels: [0],
  outputs: 1,
  amplitude: 1,
};
const RGB: LatentArchitecture = { ...GREY, finestLevels: [0, 1, 1], outputs: 3 };

describe('built-in weights', () => {
  it.each(['rgb-1', 'grey-1'])('of %s are those of the specification', (name) => {
    const bytes = readFileSync(new URL(`../../spec/latent-defaults/${name}.bin`, import.meta.url));
    expect(Object.values(DEFAULT_WEIGHTS)).toContain(bytes.toString('base64'));
  });

  it('themselves take next to nothing as differences', () => {
    for (const architecture of [GREY, RGB]) {
      const defaults = defaultWeights(architecture)!;
      const bytes = encodeShared(architecture, defaults);
      expect(bytes.length).toBeLessThan(16);
      expect(decodeShared(architecture, bytes)).toEqual(defaults);
    }
  });

  it('are what any weights near them, in any steps, are differences from', () => {
    const defaults = defaultWeights(GREY)!;
    const isSynthesis = new Uint8Array(defaults.numbers.length);
    for (const { role, offset, rows, columns } of latentTensors(GREY))
      if (role === 'synthesis') isSynthesis.fill(1, offset, offset + rows * columns);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 0, max: 999 }),
        (exponents, seed) => {
          const numbers = defaults.numbers.map((number, i) =>
            isSynthesis[i] === 1 ? ((seed * (i + 7)) % 101) - 50 : number,
          );
          const bytes = encodeShared(GREY, { numbers, exponents });
          expect(decodeShared(GREY, bytes)).toEqual({ numbers, exponents });
        },
      ),
    );
  });

  it('that this program does not know are refused', () => {
    for (const other of [
      { ...GREY, defaultSet: 2 },
      { ...GREY, hiddenWidth: 16 },
    ]) {
      expect(() => decodeShared(other, new Uint8Array(300))).toThrow(
        expect.objectContaining({ code: 'unsupported', section: 'header' }) as Error,
      );
    }
  });
});
