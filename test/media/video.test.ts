import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Media } from '../../dist/src/index.js';
import {
  readAudio,
  readVideo,
  readVideoWithSound,
  writeVideo,
  type VideoFrames,
} from '../../dist/src/node.js';
import { writeFlatClip } from '../../dist/test/media/clip-files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-video-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

type Samples = Uint8Array | Uint16Array;

async function* each(frames: readonly Samples[]): AsyncGenerator<Samples> {
  for (const frame of frames) yield Promise.resolve(frame);
}

/** A colour that goes round with the frames, brighter to the right and to the bottom. */
function movingColours(count: number, width: number, height: number, most = 255): Samples[] {
  return Array.from({ length: count }, (_, t) => {
    const frame = most > 255 ? new Uint16Array(width * height * 3) : new Uint8Array(width * height * 3);
    for (let i = 0; i < frame.length; i++) {
      const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
      const turn = 0.5 + 0.3 * Math.cos(2 * Math.PI * (t / count + c / 3));
      frame[i] = Math.round(most * (turn + (0.1 * x) / width + (0.1 * y) / height));
    }
    return frame;
  });
}

function clip(
  frames: readonly Samples[],
  width: number,
  height: number,
  rest: Partial<VideoFrames> = {},
): VideoFrames {
  return {
    frames: each(frames),
    width,
    height,
    layout: 'rgb',
    sampleType: frames[0] instanceof Uint16Array ? 'uint16' : 'uint8',
    rate: { numerator: 25, denominator: 1 },
    ...rest,
  };
}

async function frameOf(media: Media, t: number): Promise<Samples> {
  const [, height, width] = media.shape;
  return (await media.read({ begin: [t, 0, 0], end: [t + 1, height, width] })) as Samples;
}

function largestError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

describe('a clip', () => {
  it.each(['clip.mp4', 'clip.mov', 'clip.mkv', 'clip.webm'])(
    'comes back in order and colour: %s',
    async (name) => {
      const frames = movingColours(30, 64, 48);
      expect((await writeVideo(at(name), clip(frames, 64, 48))).frames).toBe(30);
      const media = await readVideo(at(name));
      expect(media).toMatchObject({
        kind: 'video',
        shape: [30, 48, 64],
        channels: 3,
        rate: { numerator: 25, denominator: 1 },
        colour: { primaries: 1, transfer: 1, matrix: 0, fullRange: true },
        format: { sampleType: 'uint8', layout: 'rgb' },
      });
      expect(media.notices).toBeUndefined();
      for (const t of [0, 11, 29]) expect(largestError(await frameOf(media, t), frames[t])).toBeLessThan(12);
      media.close?.();
      await expect(frameOf(media, 0)).rejects.toMatchObject({ code: 'media' });
    },
  );

  it('is read by boxes in any order, and the same with few frames in memory', async () => {
    const frames = movingColours(80, 32, 32);
    await writeVideo(at('boxes.mp4'), clip(frames, 32, 32));
    const whole = await readVideo(at('boxes.mp4'));
    const few = await readVideo(at('boxes.mp4'), { windowBytes: 1 });
    for (const box of [
      { begin: [0, 0, 0], end: [80, 3, 5] },
      { begin: [70, 8, 16], end: [75, 20, 32] },
      { begin: [2, 31, 31], end: [3, 32, 32] },
    ]) {
      expect(await few.read(box)).toEqual(await whole.read(box));
    }
    expect(
      await Promise.all([50, 0, 79].map((t) => few.read({ begin: [t, 0, 0], end: [t + 1, 1, 1] }))),
    ).toEqual(
      await Promise.all([50, 0, 79].map((t) => whole.read({ begin: [t, 0, 0], end: [t + 1, 1, 1] }))),
    );
    whole.close?.();
    few.close?.();
  });

  it('of odd size, grey, or 10 bits keeps what it is', async () => {
    const odd = movingColours(5, 33, 21);
    await writeVideo(at('odd.mp4'), clip(odd, 33, 21));
    const oddMedia = await readVideo(at('odd.mp4'));
    expect(oddMedia.shape).toEqual([5, 21, 33]);
    expect(largestError(await frameOf(oddMedia, 3), odd[3])).toBeLessThan(12);

    const deep = movingColours(5, 64, 48, 65_535);
    await writeVideo(at('deep.mp4'), clip(deep, 64, 48));
    const deepMedia = await readVideo(at('deep.mp4'));
    expect(deepMedia.format).toMatchObject({ sampleType: 'uint16', layout: 'rgb' });
    expect(largestError(await frameOf(deepMedia, 3), deep[3])).toBeLessThan(12 * 256);

    const grey = [Uint8Array.from({ length: 64 * 48 }, (_, i) => (i % 64) << 1)];
    await writeVideo(at('grey.mp4'), clip(grey, 64, 48, { layout: 'grey' }));
    const greyFrame = await frameOf(await readVideo(at('grey.mp4')), 0);
    for (let c = 0; c < 3; c++) {
      expect(
        largestError(
          greyFrame.filter((_, i) => i % 3 === c),
          grey[0],
        ),
      ).toBeLessThan(5);
    }
  });

  it('keeps sound beside it, from the time it begins at', async () => {
    const rateHz = 48_000;
    const samples = Float32Array.from({ length: rateHz }, (_, i) => (i < 100 ? 0.9 : 0.1 * Math.sin(i / 20)));
    const sound = { samples, channels: 1, rate: { numerator: rateHz, denominator: 1 }, startSeconds: 0.5 };
    await writeVideo(at('sound.mp4'), clip(movingColours(50, 32, 32), 32, 32, { sound }));
    const [video, heard] = await readVideoWithSound(at('sound.mp4'));
    expect(video.shape[0]).toBe(50);
    expect(video.startSeconds).toBeUndefined();
    const samplesHeard = (await heard.read({ begin: [0], end: heard.shape })) as Float32Array;
    // AAC leads in with silence before the sound itself.
    const click = samplesHeard.findIndex((value) => Math.abs(value) > 0.45);
    expect((heard.startSeconds ?? 0) + click / rateHz).toBeCloseTo(0.5, 3);
    expect((samplesHeard.length - click) / rateHz).toBeCloseTo(1, 1);
    expect((await readAudio(at('sound.mp4'))).shape).toEqual(heard.shape);
  });
});

describe('colours', () => {
  // Blue of the two matrices: its luma is 16 + 219 times 0.114 or 0.0722.
  it.each([
    ['BT.601', 6, 48, [41, 240, 110]],
    ['BT.709', 1, 48, [32, 240, 118]],
    ['nothing, of 48 lines', 2, 48, [41, 240, 110]],
    ['nothing, of 720 lines', 2, 720, [32, 240, 118]],
  ] as const)('are converted by the matrix of a stream that says %s', async (_, matrix, height, blue) => {
    const frames = [blue, [128, 128, 128]] as [number, number, number][];
    await writeFlatClip(at('blue.mp4'), { frames, width: 64, height, matrix });
    const media = await readVideo(at('blue.mp4'));
    expect(largestError((await frameOf(media, 0)).subarray(0, 3), [0, 0, 255])).toBeLessThan(4);
    expect(largestError((await frameOf(media, 1)).subarray(0, 3), [130, 130, 130])).toBeLessThan(2);
  });
});

describe('times and turns', () => {
  const greys = (count: number): [number, number, number][] =>
    Array.from({ length: count }, (_, i) => [20 + 20 * i, 128, 128]);

  it('uneven times become an even rate, each position showing the frame that is on then', async () => {
    const milliseconds = [0, 40, 80, 240, 280, 290, 320, 360];
    await writeFlatClip(at('vfr.mkv'), {
      frames: greys(8),
      width: 64,
      height: 48,
      milliseconds,
      container: 'matroska',
    });
    const media = await readVideo(at('vfr.mkv'));
    expect(media.notices?.join()).toMatch(/uneven times; at .* 4? ?/);
    const rateHz = (media.rate?.numerator ?? 0) / (media.rate?.denominator ?? 1);
    expect(media.shape[0]).toBe(Math.floor(0.36 * rateHz + 0.1) + 1);
    for (let t = 0; t < media.shape[0]; t++) {
      const shown = milliseconds.findLastIndex((each) => each <= ((t + 0.1) / rateHz) * 1000);
      const [level] = await frameOf(media, t);
      expect(Math.round(((level * 219) / 255 + 16 - 20) / 20)).toBe(shown);
    }
  });

  it('a part of a longer recording keeps when it begins, and is whole', async () => {
    const milliseconds = Array.from({ length: 30 }, (_, i) => 100_000 + 40 * i);
    for (const container of ['matroska', 'mov']) {
      await writeFlatClip(at('late'), { frames: greys(30), width: 64, height: 48, milliseconds, container });
      const media = await readVideo(at('late'));
      expect([container, media.shape[0], media.startSeconds]).toEqual([container, 30, 100]);
      expect([container, media.notices ?? []]).toEqual([container, []]);
    }
  });

  it('a part of a longer recording that is cut off is told, whether its length counts from 0 or not', async () => {
    const milliseconds = Array.from({ length: 30 }, (_, i) => 100_000 + 40 * i);
    const clip = { frames: greys(30), width: 64, height: 48, milliseconds, container: 'matroska' };
    await writeFlatClip(at('cut.mkv'), clip);
    const bytes = await readFile(at('cut.mkv'));
    // The element Duration: its number, a length of 8, and milliseconds.
    const duration = bytes.indexOf(Buffer.from([0x44, 0x89, 0x88])) + 3;
    expect(bytes.readDoubleBE(duration)).toBeCloseTo(101_200, -2);
    for (const [stated, isCut] of [
      [101_200, false],
      [1_200, false],
      [110_000, true],
      [10_000, true],
    ] as const) {
      bytes.writeDoubleBE(stated, duration);
      await writeFile(at('cut.mkv'), bytes);
      const { notices = [] } = await readVideo(at('cut.mkv'));
      expect([stated, /may be cut off/.test(notices.join())]).toEqual([stated, isCut]);
    }
  });

  it('alpha of WebM is kept', async () => {
    const alpha = [0, 64, 128, 255];
    const frames = greys(4).map(([y]) => [y, 128, 128] as [number, number, number]);
    await writeFlatClip(at('alpha.webm'), { frames, width: 64, height: 48, alpha });
    const media = await readVideo(at('alpha.webm'));
    expect([media.channels, media.format.layout, media.notices]).toEqual([4, 'rgb-alpha', undefined]);
    for (const [t, opacity] of alpha.entries()) {
      const frame = await frameOf(media, t);
      expect(Math.abs(frame[3] - opacity)).toBeLessThanOrEqual(3);
    }
  });

  it('a turned clip is turned', async () => {
    const frames = greys(2).map(([y]) => [y, 128, 128] as [number, number, number]);
    await writeFlatClip(at('turned.mp4'), { frames, width: 64, height: 48, turn: 90, leftLuma: 100 });
    const media = await readVideo(at('turned.mp4'));
    expect(media.shape).toEqual([2, 64, 48]);
    const frame = await frameOf(media, 0);
    // Turned clockwise, the left half lies on top.
    expect(frame[0]).toBeGreaterThan(100);
    expect(frame[frame.length - 1]).toBeLessThan(20);
  });
});

describe('what is no clip', () => {
  it('is refused by what is wrong with it', async () => {
    await writeVideo(at('whole.mp4'), clip(movingColours(60, 64, 48), 64, 48));
    const bytes = await readFile(at('whole.mp4'));
    await writeFile(at('cut.mp4'), bytes.subarray(0, bytes.length / 2));
    await expect(readVideo(at('cut.mp4'))).rejects.toMatchObject({ code: 'media' });
    await writeFile(at('text.mp4'), 'no clip at all '.repeat(100));
    await expect(readVideo(at('text.mp4'))).rejects.toThrow(/FFmpeg cannot read it/);
    await expect(readVideo(at('missing.mp4'))).rejects.toMatchObject({ code: 'io' });
  });

  it('is refused where its frames change their size, and names the first that does', async () => {
    const frames = Array.from({ length: 6 }, (_, i) => [40 * i + 16, 128, 128] as [number, number, number]);
    for (const [name, width, height] of [
      ['small', 64, 48],
      ['large', 96, 64],
    ] as const) {
      await writeFlatClip(at(`${name}.ts`), { frames, width, height, container: 'mpegts' });
      await writeFlatClip(at(`${name}.h264`), { frames, width, height, container: 'h264' });
    }
    const small = await readVideo(at('small.ts'));
    // Transport streams begin at 1.4 s; of a stream that is alone that says nothing.
    expect([small.shape, small.startSeconds]).toEqual([[6, 48, 64], undefined]);
    small.close?.();
    const both = await Promise.all(['small.h264', 'large.h264'].map((name) => readFile(at(name))));
    await writeFile(at('both.h264'), Buffer.concat(both));
    await expect(readVideo(at('both.h264'))).rejects.toThrow(/frame 6 is 96x64, the first one 64x48/);
    // A transport stream is cut off where its counters jump.
    const streams = await Promise.all(['small.ts', 'large.ts'].map((name) => readFile(at(name))));
    await writeFile(at('both.ts'), Buffer.concat(streams));
    await expect(readVideo(at('both.ts'))).rejects.toMatchObject({ code: 'media' });
  });

  it('without the sound that is asked for is no sound', async () => {
    await writeVideo(at('silent.mp4'), clip(movingColours(3, 32, 32), 32, 32));
    await expect(readAudio(at('silent.mp4'))).rejects.toThrow(/no sound in it \(streams: video\)/);
    expect(await readVideoWithSound(at('silent.mp4'))).toHaveLength(1);
  });
});

describe('a place for a clip', () => {
  it.each([
    ['clip.avi', {}, /end it in/],
    ['clip.mp4', { layout: 'rgb-alpha' }, /background/],
    ['clip.mp4', { width: 30 }, /needs 2880/],
  ] as const)('%s with %o is refused and leaves nothing', async (name, rest, message) => {
    await rm(at(name), { force: true });
    await expect(writeVideo(at(name), clip(movingColours(2, 32, 32), 32, 32, rest))).rejects.toThrow(message);
    expect((await readdir(folder)).filter((file) => file.includes(name))).toEqual([]);
  });
});
