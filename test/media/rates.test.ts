import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryMedia, type Media } from '../../dist/src/index.js';
import { readMedia, resampleSound, retimeFrames, writeAudio } from '../../dist/src/node.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-rates-'));
});
afterAll(() => rm(folder, { recursive: true }));

const AMPLITUDE = 0.5;

/** A tone of another pitch in every channel. */
function tone(length: number, channels: number, rateHz: number, toneHz: number): Media {
  const data = Float32Array.from({ length: length * channels }, (_, i) =>
    toneAt(Math.floor(i / channels), rateHz, toneHz + 10 * (i % channels)),
  );
  return memoryMedia({
    kind: 'audio',
    data,
    shape: [length],
    channels,
    rate: { numerator: rateHz, denominator: 1 },
    startSeconds: 1.5,
  });
}

function toneAt(i: number, rateHz: number, toneHz: number): number {
  return AMPLITUDE * Math.sin((2 * Math.PI * toneHz * i) / rateHz);
}

/** Numbered frames: every sample of frame i is i. */
function numbered(frames: number, numerator: number, denominator: number): Media {
  return memoryMedia({
    kind: 'video',
    data: Uint8Array.from({ length: frames * 6 }, (_, i) => Math.floor(i / 6)),
    shape: [frames, 2, 3],
    channels: 1,
    rate: { numerator, denominator },
  });
}

describe('a sound at another rate', () => {
  it('is the same tones at the same times, as long to half a sample', async () => {
    const rateHz = fc.constantFrom(8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 12_345);
    await fc.assert(
      fc.asyncProperty(
        rateHz,
        rateHz,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 60, max: 2000 }),
        async (from, to, channels, toneHz) => {
          const length = Math.round(from * 0.35);
          const sound = await resampleSound(tone(length, channels, from, toneHz), to);
          const count = sound.shape[0];
          expect(Math.abs(count - (length * to) / from)).toBeLessThanOrEqual(0.5);
          expect(sound).toMatchObject({
            kind: 'audio',
            channels,
            rate: { numerator: to, denominator: 1 },
            startSeconds: 1.5,
          });
          const values = await sound.read({ begin: [0], end: [count] });
          // At the ends the resampler does not know what was before and comes after.
          const edge = Math.ceil((40 * to) / Math.min(from, to));
          let worst = 0;
          for (let i = edge; i < count - edge; i++) {
            for (let channel = 0; channel < channels; channel++) {
              const expected = toneAt(i, to, toneHz + 10 * channel);
              worst = Math.max(worst, Math.abs(values[i * channels + channel] - expected));
            }
          }
          expect(worst).toBeLessThan(0.01);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of more channels than layouts have names for', async () => {
    const sound = await resampleSound(tone(4000, 70, 8000, 300), 16_000);
    expect(sound).toMatchObject({ shape: [8000], channels: 70 });
    const [value] = await sound.read({ begin: [4001], end: [4002] });
    expect(value).toBeCloseTo(toneAt(4001, 16_000, 300), 3);
  });

  it('of one sample is a sound', async () => {
    expect((await resampleSound(tone(1, 1, 48_000, 0), 8000)).shape).toEqual([1]);
    expect((await resampleSound(tone(1, 1, 8000, 0), 48_000)).shape).toEqual([6]);
  });

  it('is the same medium at its own rate, and refuses others', async () => {
    const sound = tone(100, 1, 8000, 440);
    expect(await resampleSound(sound, 8000)).toBe(sound);
    for (const bad of [0, -8000, 0.5, 1e9, NaN]) {
      await expect(resampleSound(sound, bad)).rejects.toThrow(/whole number of Hz from 1 to 768000/);
    }
    await expect(resampleSound(numbered(3, 25, 1), 8000)).rejects.toThrow(/is video/);
  });
});

describe('a clip at another frame rate', () => {
  const rates = fc.constantFrom(
    [24, 1],
    [25, 1],
    [30, 1],
    [30_000, 1001],
    [50, 1],
    [60, 1],
    [10, 1],
    [15, 2],
  );

  it('shows at every moment what had begun, as long to half a frame', async () => {
    await fc.assert(
      fc.asyncProperty(rates, rates, fc.integer({ min: 1, max: 60 }), async ([a, b], [c, d], frames) => {
        const [from, to] = [a / b, c / d];
        const clip = retimeFrames(numbered(frames, a, b), { numerator: c, denominator: d });
        const count = clip.shape[0];
        expect(clip.shape.slice(1)).toEqual([2, 3]);
        expect(Math.abs(count / to - frames / from)).toBeLessThanOrEqual(count === 1 ? 1 / to : 0.5001 / to);
        const all = await clip.read({ begin: [0, 0, 0], end: clip.shape });
        for (let position = 0; position < count; position++) {
          const shown = all[position * 6];
          const seconds = position / to;
          expect(shown / from).toBeLessThanOrEqual(seconds + 1e-6);
          expect(shown === frames - 1 || (shown + 1) / from > seconds).toBe(true);
        }
        const begin = Math.floor(count / 2);
        const part = await clip.read({ begin: [begin, 1, 1], end: [count, 2, 3] });
        expect([...part]).toEqual([...all].filter((_, i) => i >= begin * 6 && i % 6 >= 4));
      }),
      { numRuns: 100 },
    );
  });
});

describe('reading by another rate', () => {
  it('converts sound and frames, and refuses a rate of what has none', async () => {
    const at = (name: string): string => join(folder, name);
    await writeAudio(at('a.wav'), {
      samples: Float32Array.from({ length: 1102 }, (_, i) => toneAt(i, 11_025, 440)),
      channels: 1,
      rate: { numerator: 11_025, denominator: 1 },
    });
    const [sound] = await readMedia(at('a.wav'), { rateHz: 8000 });
    expect(sound).toMatchObject({ shape: [800], rate: { numerator: 8000, denominator: 1 } });
    expect(sound.notices).toEqual(['its sound was converted from 11025 to 8000 Hz']);
    await expect(
      readMedia(at('a.wav'), { framesPerSecond: { numerator: 25, denominator: 1 } }),
    ).rejects.toMatchObject({ option: 'framesPerSecond' });
  });
});
