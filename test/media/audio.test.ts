import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, MemorySink, open, type Media } from '../../dist/src/index.js';
import { readAudio, writeAudio, writeImage } from '../../dist/src/node.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-audio-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

/** Tones of another pitch in every channel, on a grid of 2^-(bits - 1) where bits are given. */
function tones(length: number, channels: number, rateHz: number, bits?: number): Float32Array {
  const samples = new Float32Array(length * channels);
  for (let i = 0; i < samples.length; i++) {
    const [t, channel] = [Math.floor(i / channels), i % channels];
    const value = 0.8 * Math.sin((2 * Math.PI * (220 + 110 * channel) * t) / rateHz);
    samples[i] = bits === undefined ? value : (Math.round(value * 2 ** (bits - 1)) + 0) / 2 ** (bits - 1);
  }
  return samples;
}

async function samplesOf(media: Media): Promise<Float32Array> {
  return (await media.read({ begin: [0], end: media.shape })) as Float32Array;
}

const rate = (numerator: number): { numerator: number; denominator: number } => ({
  numerator,
  denominator: 1,
});

describe('lossless sound', () => {
  const cases = [
    ['16.wav', 16],
    ['24.wav', 24],
    ['float.wav', 'float'],
    ['16.flac', 16],
    ['24.flac', 24],
    ['16.aiff', 16],
    ['24.aif', 24],
  ] as const;
  it.each(cases)('comes back as it was, of any rate and number of channels: %s', async (name, bitDepth) => {
    for (const [channels, rateHz, length] of [
      [1, 44_100, 9001],
      [2, 48_000, 4096],
      [6, 11_025, 333],
    ] as const) {
      const samples = tones(length, channels, rateHz, bitDepth === 'float' ? undefined : bitDepth);
      const written = await writeAudio(at(name), { samples, channels, rate: rate(rateHz) }, { bitDepth });
      expect(written.clipped).toBe(0);
      expect(written.bytes).toBe((await stat(at(name))).size);
      const media = await readAudio(at(name));
      expect(media).toMatchObject({ kind: 'audio', shape: [length], channels, rate: rate(rateHz) });
      expect(media.startSeconds).toBeUndefined();
      expect(media.notices).toBeUndefined();
      expect(await samplesOf(media)).toEqual(samples);
    }
  });

  it('is read by parts, which are those of the whole', async () => {
    const samples = tones(700_000, 2, 48_000, 16);
    await writeAudio(at('long.wav'), { samples, channels: 2, rate: rate(48_000) });
    const media = await readAudio(at('long.wav'));
    for (const [begin, end] of [
      [0, 1],
      [524_280, 524_300],
      [699_999, 700_000],
    ]) {
      expect(await media.read({ begin: [begin], end: [end] })).toEqual(samples.slice(2 * begin, 2 * end));
    }
    media.close?.();
    await expect(media.read({ begin: [0], end: [1] })).rejects.toMatchObject({ code: 'media' });
  });

  it('is written block by block with the same bytes', async () => {
    const samples = tones(10_000, 2, 8000);
    await writeAudio(at('whole.flac'), { samples, channels: 2, rate: rate(8000) });
    async function* blocks(): AsyncGenerator<Float32Array> {
      for (let i = 0; i < samples.length; i += 1234) yield Promise.resolve(samples.subarray(i, i + 1234));
    }
    await writeAudio(at('blocks.flac'), { samples: blocks(), channels: 2, rate: rate(8000) });
    expect(await readFile(at('blocks.flac'))).toEqual(await readFile(at('whole.flac')));
  });

  it('counts what lies beyond [-1, 1], which integers cannot hold', async () => {
    const samples = Float32Array.of(0, 1, -1, 1.5, -2, 0.5);
    const { clipped } = await writeAudio(at('loud.wav'), { samples, channels: 1, rate: rate(8000) });
    expect(clipped).toBe(2);
    const most = 32_767 / 32_768;
    expect([...(await samplesOf(await readAudio(at('loud.wav'))))]).toEqual([0, most, -1, most, -1, 0.5]);
  });
});

describe('lossy sound', () => {
  it.each(['tone.mp3', 'tone.m4a', 'tone.ogg', 'tone.opus'])('keeps time and length: %s', async (name) => {
    const samples = tones(48_000, 2, 48_000);
    await writeAudio(at(name), { samples, channels: 2, rate: rate(48_000) });
    const media = await readAudio(at(name));
    expect(media.channels).toBe(2);
    expect(Math.abs(media.shape[0] - 48_000)).toBeLessThan(2500);
    const read = await samplesOf(media);
    let error = 0;
    for (let i = 20_000; i < 60_000; i++) error += (read[i] - samples[i]) ** 2;
    // A shift by one sample would be 0.0003 for the lower tone and 0.0008 for the higher.
    expect(error / 40_000).toBeLessThan(1e-4);
  });
});

describe('what is no sound', () => {
  const wav = async (): Promise<Buffer> => {
    await writeAudio(at('good.wav'), { samples: tones(20_000, 1, 8000), channels: 1, rate: rate(8000) });
    return readFile(at('good.wav'));
  };

  const silence = async (): Promise<Buffer> => {
    await writeAudio(at('empty.wav'), { samples: new Float32Array(0), channels: 1, rate: rate(8000) });
    return readFile(at('empty.wav'));
  };
  const flac = async (): Promise<Buffer> => {
    const samples = tones(40_000, 1, 8000).map((value, i) => value + 0.1 * Math.sin(i * i));
    await writeAudio(at('good.flac'), { samples, channels: 1, rate: rate(8000) });
    return readFile(at('good.flac'));
  };

  it.each([
    ['nothing', () => Promise.resolve(Buffer.alloc(0)), 'media', /0 bytes/],
    [
      'text',
      () => Promise.resolve(Buffer.from('no sound at all, only words '.repeat(50))),
      'media',
      /FFmpeg/,
    ],
    [
      'a sound cut off',
      async () => (await wav()).subarray(0, 20_000),
      'media',
      /says 40044 bytes, 20000 are/,
    ],
    [
      'a sound cut off between frames',
      async () => (await wav()).subarray(0, 44 + 8192),
      'media',
      /incomplete/,
    ],
    ['a FLAC cut off', async () => (await flac()).subarray(0, 20_000), 'media', /incomplete/],
    ['a header alone', async () => (await wav()).subarray(0, 44), 'media', /44 are there/],
    ['a sound of no length', () => silence(), 'media', /no sample/],
    [
      'a playlist',
      () => Promise.resolve(Buffer.from('#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n')),
      'media',
      /FFmpeg/,
    ],
  ] as const)('%s is refused', async (_, make, code, message) => {
    await writeFile(at('bad.wav'), await make());
    await expect(readAudio(at('bad.wav'))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('a picture in disguise is refused, and says what it is', async () => {
    const data = Uint8Array.from({ length: 12 }, (_, i) => i);
    await writeImage(at('picture.png'), {
      data,
      shape: [2, 2],
      channels: 3,
      layout: 'rgb',
      sampleType: 'uint8',
    });
    await writeFile(at('picture.wav'), await readFile(at('picture.png')));
    await expect(readAudio(at('picture.wav'))).rejects.toThrow(/no sound in it \(streams: video\)/);
  });

  it('a value that is no number is named', async () => {
    const samples = tones(10_000, 2, 8000);
    samples[2 * 7000 + 1] = NaN;
    await writeAudio(at('nan.wav'), { samples, channels: 2, rate: rate(8000) }, { bitDepth: 'float' });
    await expect(readAudio(at('nan.wav'))).rejects.toThrow(/sample 7000 .* is NaN/);
  });

  it('a file that is not there is an io error', async () => {
    await expect(readAudio(at('missing.wav'))).rejects.toMatchObject({ code: 'io' });
    await expect(readAudio(folder)).rejects.toMatchObject({ code: 'io' });
  });
});

describe('a place for a sound', () => {
  const samples = tones(100, 2, 8000);

  it.each([
    ['sound.png', { rate: rate(8000) }, {}, /end it in/],
    ['sound.flac', { rate: rate(8000) }, { bitDepth: 'float' }, /no floats/],
    ['sound.mp3', { rate: rate(8000) }, { bitDepth: 24 }, /lossy/],
    ['sound.wav', { rate: { numerator: 30_000, denominator: 1001 } }, {}, /30000\/1001/],
    ['sound.opus', { rate: rate(44_100) }, {}, /44100 Hz/],
    ['sound.wav', { rate: rate(8000), channels: 3 }, {}, /do not fill 3 channels/],
  ] as const)('%s with %o, %o is refused and leaves nothing', async (name, sound, options, message) => {
    await rm(at(name), { force: true });
    await expect(writeAudio(at(name), { samples, channels: 2, ...sound }, options)).rejects.toThrow(message);
    expect((await readdir(folder)).filter((file) => file.includes(name))).toEqual([]);
  });
});

describe('sound with harmless bytes', () => {
  it('is read past tags and zeros after its frames and between two sounds, with a notice', async () => {
    const samples = tones(22_050, 1, 44_100);
    await writeAudio(at('one.mp3'), { samples, channels: 1, rate: rate(44_100) });
    const one = await readFile(at('one.mp3'));
    const alone = await readAudio(at('one.mp3'));
    const first = await samplesOf(alone);
    const tag = Buffer.concat([Buffer.from('TAGtitle'), Buffer.alloc(120)]);
    for (const [end, bytes] of [
      ['zeros', Buffer.alloc(2000)],
      ['a tag and zeros', Buffer.concat([tag, Buffer.alloc(500)])],
    ] as const) {
      await writeFile(at('tail.mp3'), Buffer.concat([one, bytes]));
      const media = await readAudio(at('tail.mp3'));
      expect([end, (await samplesOf(media)).subarray(0, 20_000)]).toEqual([end, first.subarray(0, 20_000)]);
    }
    await writeFile(at('both.mp3'), Buffer.concat([one, one]));
    const both = await readAudio(at('both.mp3'));
    // Lead-in, padding and the header of the second stand between them.
    expect(both.shape[0]).toBeGreaterThanOrEqual(2 * samples.length);
    expect(both.shape[0]).toBeLessThan(2 * samples.length + 5 * 1152);
    expect(both.notices?.join()).toMatch(
      /bytes between or after its frames are no sound and are passed over/,
    );
  });

  it('is refused where frames themselves are damaged', async () => {
    const damaged = Buffer.from(await readFile(at('one.mp3')));
    damaged.fill(0x55, 2000, 4000);
    await writeFile(at('damaged.mp3'), damaged);
    await expect(readAudio(at('damaged.mp3'))).rejects.toMatchObject({ code: 'media' });
  });
});

describe('sound far beyond full scale', () => {
  it.each([1e6, 1e20, 1e36])('keeps its samples to the range that it has: %s', async (loudest) => {
    const samples = tones(3000, 1, 8000).map((value) => value * loudest);
    await writeAudio(at('loud.wav'), { samples, channels: 1, rate: rate(8000) }, { bitDepth: 'float' });
    const sink = new MemorySink();
    await encode(await readAudio(at('loud.wav')), sink, { iterations: 400 });
    const file = await open(new Blob([sink.bytes().slice()]));
    const { data } = await file.signals[0].decode();
    const squares = Array.from(data, (value, i) => ((value - samples[i]) / loudest) ** 2);
    const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    expect(error).toBeLessThan(0.1);
    await file.dispose();
  });
});
