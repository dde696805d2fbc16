import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LgiError, OptionError } from '../../dist/codec/errors.js';
import { memoryMedia } from '../../dist/src/media/media.js';

describe('a medium in memory', () => {
  it('gives any box of any number of axes, sample for sample', async () => {
    const axes = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 4 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(axes, fc.integer({ min: 1, max: 3 }), async (parts, channels) => {
        const shape = parts.map(([before, inside, after]) => before + inside + after);
        const kind = (['audio', 'image', 'video'] as const)[shape.length - 1];
        const data = Uint16Array.from({ length: shape.reduce((a, b) => a * b, channels) }, (_, i) => i);
        const begin = parts.map(([before]) => before);
        const end = parts.map(([before, inside]) => before + inside);
        const samples = await memoryMedia({ kind, data, shape, channels }).read({ begin, end });
        const expected: number[] = [];
        for (let i = 0; i < data.length; i++) {
          let rest = Math.floor(i / channels);
          let inside = true;
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            const position = rest % shape[axis];
            rest = Math.floor(rest / shape[axis]);
            inside &&= position >= begin[axis] && position < end[axis];
          }
          if (inside) expected.push(data[i]);
        }
        expect([...samples]).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('finds channels, layout and sample type from the array', () => {
    const media = memoryMedia({ data: new Uint8ClampedArray(24), shape: [2, 3] });
    expect(media.kind).toBe('image');
    expect(media.format).toEqual({
      sampleType: 'uint8',
      channels: 4,
      layout: 'rgb-alpha',
      mapping: { scale: 127.5, offset: 127.5 },
    });
    const sound = memoryMedia({ kind: 'audio', data: new Float32Array(8), shape: [4] });
    expect(sound.format).toMatchObject({ sampleType: 'float32', channels: 2, layout: 'plain' });
  });

  it.each([
    [
      'a length that does not fit',
      { data: new Uint8Array(7), shape: [2, 3] },
      '7 samples given for shape 2x3',
    ],
    ['channels that do not fit', { data: new Uint8Array(6), shape: [2, 3], channels: 2 }, 'which need 12'],
    ['no samples', { data: new Uint8Array(0), shape: [0, 3] }, 'holds no sample'],
    ['a broken axis', { data: new Uint8Array(6), shape: [1.5, 4] }, 'holds no sample'],
    ['too few axes', { data: new Uint8Array(6), shape: [6] }, 'has 1 numbers; give 2'],
    [
      'a layout of other channels',
      { data: new Uint8Array(6), shape: [2, 3], layout: 'rgb' as const },
      'has 3 channels',
    ],
    ['NaN', { data: Float32Array.of(0, 1, NaN, 2), shape: [2, 2] }, 'sample 2 is NaN'],
    ['infinity', { data: Float32Array.of(0, -Infinity, 1, 2), shape: [2, 2] }, 'sample 1 is -Infinity'],
    ['another array type', { data: new Int32Array(4) as never, shape: [2, 2] }, 'must be a Uint8Array'],
  ])('refuses %s', (_, options, message) => {
    expect(() => memoryMedia(options)).toThrow(LgiError);
    expect(() => memoryMedia(options)).toThrow(message);
  });

  it('refuses boxes that leave it, aborted reads and reads after close', async () => {
    const media = memoryMedia({ data: new Uint8Array(6), shape: [2, 3] });
    for (const [begin, end] of [
      [
        [0, 0],
        [2, 4],
      ],
      [
        [-1, 0],
        [2, 3],
      ],
      [
        [1, 1],
        [1, 2],
      ],
      [[0], [2]],
      [
        [0, 0.5],
        [2, 3],
      ],
    ]) {
      await expect(media.read({ begin, end })).rejects.toThrow(OptionError);
    }
    const reason = new Error('enough');
    const whole = { begin: [0, 0], end: [2, 3] };
    await expect(media.read(whole, AbortSignal.abort(reason))).rejects.toBe(reason);
    media.close?.();
    await expect(media.read(whole)).rejects.toMatchObject({ code: 'media' });
  });
});
