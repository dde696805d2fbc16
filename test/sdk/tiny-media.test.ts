import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encode,
  memoryMedia,
  MemorySink,
  open,
  type EncodeOptions,
  type Media,
} from '../../dist/src/index.js';

/** Encodes and decodes; what came out beside what went in. */
async function roundTrip(
  media: Media,
  options: EncodeOptions,
): Promise<{ readonly psnr: number; readonly bytes: number; readonly largestError: number }> {
  const sink = new MemorySink();
  const { psnr, bytes } = await encode(media, sink, options);
  const file = await open(new Blob([sink.bytes().slice()]));
  const { data } = await file.signals[0].decode();
  await file.dispose();
  const samples = await media.read({ begin: media.shape.map(() => 0), end: media.shape });
  const errors = Array.from(data, (value, i) => Math.abs(value - samples[i]));
  return { psnr, bytes, largestError: errors.reduce((most, error) => Math.max(most, error), 0) };
}

const seed = fc.integer({ min: 1, max: 1000 });
const side = fc.oneof(fc.constantFrom(1, 2, 31, 32, 33), fc.integer({ min: 1, max: 33 }));
const channels = fc.constantFrom(1, 3);

/** Pictures of noise, of a slope and of one colour, 8 and 16 bits. */
const picture = fc
  .record({
    height: side,
    width: side,
    channels,
    content: fc.constantFrom('noise', 'slope'),
    array: fc.constantFrom(Uint8Array, Uint16Array),
    noise: fc.integer(),
  })
  .map(({ height, width, channels: count, content, array, noise }) => {
    const length = height * width * count;
    const peak = array === Uint8Array ? 255 : 65_535;
    let state = noise >>> 0;
    const data = new array(length);
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      data[i] = peak * (content === 'noise' ? state / 2 ** 32 : i / length);
    }
    return memoryMedia({ data, shape: [height, width], channels: count });
  });

/** Media of every kind, all of whose samples are the same. */
const flat = fc
  .record({
    kind: fc.constantFrom('image', 'audio', 'video', 'volume' as const),
    sides: fc.tuple(side, side, side),
    value: fc.integer({ min: 0, max: 65_535 }),
    type: fc.constantFrom('uint8', 'uint16', 'float32'),
  })
  .map(({ kind, sides, value, type }) => {
    const shape =
      kind === 'audio' ? [sides[0] * sides[1]] : kind === 'image' ? sides.slice(1) : [2, sides[1], sides[2]];
    const length = shape.reduce((product, each) => product * each, 1);
    const data =
      type === 'uint8'
        ? new Uint8Array(length).fill(value & 255)
        : type === 'uint16'
          ? new Uint16Array(length).fill(value)
          : new Float32Array(length).fill(value / 65_536);
    const rate = { numerator: 25, denominator: 1 };
    return memoryMedia({
      kind,
      data,
      shape,
      channels: 1,
      ...((kind === 'audio' || kind === 'video') && { rate }),
    });
  });

describe('media of a few samples', () => {
  it('encode by every preset, family and seed, however small and whatever is in them', async () => {
    const preset = fc.constantFrom<EncodeOptions>(
      { preset: 'fast' },
      { preset: 'small' },
      { preset: 'small', family: 'sine' },
      { preset: 'paper', iterations: 40 },
      { family: 'latent', effort: 'quick' },
    );
    await fc.assert(
      fc.asyncProperty(picture, preset, seed, async (media, options, number) => {
        const { psnr, bytes } = await roundTrip(media, { ...options, seed: number });
        expect(psnr).toBeGreaterThan(5);
        expect(bytes).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('of at most 7 samples have at least 40 dB by default', async () => {
    const few = picture.filter(
      ({ shape: [height, width], format }) => height * width <= 7 && format.sampleType === 'uint8',
    );
    await fc.assert(
      fc.asyncProperty(few, seed, async (media, number) => {
        const { psnr } = await roundTrip(media, { seed: number });
        expect(psnr).toBeGreaterThan(40);
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('all the same decode exactly by default, from a file that is mostly its header', async () => {
    await fc.assert(
      fc.asyncProperty(flat, seed, async (media, number) => {
        const { largestError, psnr } = await roundTrip(media, { seed: number });
        expect(largestError).toBe(0);
        expect(psnr).toBe(Infinity);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
