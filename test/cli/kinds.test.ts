import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { encode, memoryMedia } from '../../dist/src/index.js';
import {
  FileSink,
  readAudio,
  readMesh,
  readVideoWithSound,
  writeAudio,
  writeVideo,
  writeVolume,
} from '../../dist/src/node.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();

/** A box as a mesh, faces outwards. */
function boxMesh(): string {
  const corners = Array.from({ length: 8 }, (_, i) => `v ${i & 1} ${(i >> 1) & 1} ${i >> 2}`);
  const faces = ['1 3 4 2', '5 6 8 7', '1 2 6 5', '3 7 8 4', '1 5 7 3', '2 4 8 6'];
  return [...corners, ...faces.map((face) => `f ${face}`)].join('\n');
}

it('encode takes a volume, whose file says what it is in info and after a crop', async () => {
  const data = Uint16Array.from({ length: 16 * 20 * 24 }, (_, i) => 30_000 + 25_000 * Math.sin(i / 900));
  const format = { sampleType: 'uint16' } as const;
  await writeVolume(workplace.path('v.npy'), {
    data,
    shape: [16, 20, 24],
    channels: 1,
    format,
  });
  const argv = ['encode', 'v.npy', '-o', 'v.lgi', '--cell', '8x10x12', '--iterations', '100'];
  const report = await workplace.json(...argv);
  expect(report).toMatchObject({ kind: 'volume', grid: [2, 2, 2] });
  expect(report['psnr']).toBeGreaterThan(20);
  const { signals } = await workplace.json('info', 'v.lgi');
  expect(signals).toMatchObject([{ kind: 'volume', shape: [16, 20, 24], sampleType: 'uint16' }]);
  const cropped = await workplace.json('crop', 'v.lgi', '-o', 'c.lgi', '--drop', '0,0,0');
  expect(cropped).toMatchObject({ kept: 7, dropped: 1 });
});

it('encode takes a mesh as a shape, and says how much of it overlaps', async () => {
  await writeFile(workplace.path('box.obj'), boxMesh());
  const argv = ['encode', 'box.obj', '-o', 'box.lgi', '--resolution', '16', '--iterations', '60'];
  const report = await workplace.json(...argv);
  expect(report).toMatchObject({ kind: 'shape', grid: [1, 1, 1], iou: expect.any(Number) as number });
  expect((report as { iou?: number }).iou).toBeGreaterThan(0.5);
});

it('a shape comes out as a mesh where the mesh lay that went in, also of a part', async () => {
  await workplace.json('decode', 'box.lgi', '-o', 'out.ply');
  const { positions } = await readMesh(workplace.path('out.ply'));
  for (let i = 0; i < positions.length; i++) {
    expect(positions[i]).toBeGreaterThan(-0.2);
    expect(positions[i]).toBeLessThan(1.2);
  }
  await workplace.json('crop', 'box.lgi', '-o', 'top.lgi', '--region', '0,0,8,16,16,8');
  await workplace.json('decode', 'top.lgi', '-o', 'top.stl', '--scale', '2');
  const top = await readMesh(workplace.path('top.stl'));
  const heights = Array.from(top.positions).filter((_, i) => i % 3 === 2);
  expect(Math.min(...heights)).toBeCloseTo(0.5, 1);
  expect(Math.max(...heights)).toBeCloseTo(1, 0);
});

it('a volume is decoded, by regions and sizes, and compared', async () => {
  const whole = await workplace.json('decode', 'v.lgi', '-o', 'whole.npy');
  expect(whole).toMatchObject({ shape: [16, 20, 24], sampleType: 'uint16' });
  const { psnr, ssim } = await workplace.json('compare', 'v.npy', 'v.lgi');
  expect(psnr).toBeGreaterThan(20);
  expect(ssim).toBeGreaterThan(0.3);
  expect((await workplace.json('compare', 'whole.npy', 'v.lgi'))['psnr']).toBe('Infinity');
  const part = ['--region', '2,3,4,5,6,7', '--scale', '2'];
  expect(await workplace.json('decode', 'v.lgi', '-o', 'p.npy', ...part)).toMatchObject({
    shape: [14, 12, 10],
  });
  await workplace.json('decode', 'v.lgi', '-o', 's%02d.png', '--size', '12x10x8');
  expect((await readFile(workplace.path('s07.png'))).length).toBeGreaterThan(0);
  const missing = await workplace.json('decode', 'c.lgi', '-o', 'c.npy');
  expect(missing).toMatchObject({
    missing: [{ partition: [0, 0, 0], reason: 'absent' }],
    partitionsDecoded: 7,
  });
});

it('a volume grows by slices', async () => {
  const data = new Uint16Array(8 * 20 * 24).fill(20_000);
  await writeVolume(workplace.path('more.npy'), {
    data,
    shape: [8, 20, 24],
    channels: 1,
    format: { sampleType: 'uint16' },
  });
  await workplace.json(
    'append',
    'v.lgi',
    'more.npy',
    '--side',
    'after',
    '-o',
    'longer.lgi',
    '--iterations',
    '50',
  );
  expect((await workplace.json('info', 'longer.lgi'))['signals']).toMatchObject([{ shape: [24, 20, 24] }]);
  const refused = await workplace.runInside(['append', 'box.lgi', 'more.npy', '--side', 'after']);
  expect(refused.stderr).toMatch(/the medium is a volume, the file has shape/);
});

describe('sound', () => {
  const rateHz = 8000;
  const tone = (length: number): Float32Array =>
    Float32Array.from({ length: 2 * length }, (_, i) => 0.5 * Math.sin((i >> 1) / (i % 2 === 0 ? 5 : 8)));

  it('is encoded, cropped in time, decoded and appended to', async () => {
    const rate = { numerator: rateHz, denominator: 1 };
    await writeAudio(workplace.path('a.wav'), { samples: tone(4 * rateHz), channels: 2, rate });
    const report = await workplace.json('encode', 'a.wav', '-o', 'a.lgi', '--iterations', '200');
    expect(report).toMatchObject({ kind: 'audio', grid: [16] });
    expect(report['psnr']).toBeGreaterThan(20);
    expect((await workplace.json('compare', 'a.wav', 'a.lgi'))['psnr']).toBeGreaterThan(20);
    await workplace.json('crop', 'a.lgi', '-o', 'part.lgi', '--time', '1:2.5');
    const cropped = await workplace.json('decode', 'part.lgi', '-o', 'part.wav');
    const direct = await workplace.json('decode', 'a.lgi', '-o', 'direct.wav', '--time', '1:2.5');
    for (const each of [cropped, direct]) expect(each).toMatchObject({ samples: 1.5 * rateHz });
    expect(await readFile(workplace.path('part.wav'))).toEqual(await readFile(workplace.path('direct.wav')));
    await workplace.json('decode', 'a.lgi', '-o', 'slow.flac', '--rate', '4000');
    expect((await readAudio(workplace.path('slow.flac'))).shape).toEqual([2 * rateHz]);
    await writeAudio(workplace.path('b.wav'), { samples: tone(rateHz), channels: 2, rate });
    await workplace.json('append', 'a.lgi', 'b.wav', '--side', 'after', '--iterations', '100');
    expect((await workplace.json('info', 'a.lgi'))['signals']).toMatchObject([{ shape: [5 * rateHz] }]);
  });

  it('of another rate is refused with both, and converted where asked', async () => {
    const write = (name: string, hz: number): Promise<unknown> =>
      writeAudio(workplace.path(name), {
        samples: tone(hz / 5),
        channels: 2,
        rate: { numerator: hz, denominator: 1 },
      });
    await write('8000.wav', 8000);
    await write('11025.wav', 11_025);
    await workplace.json('encode', '8000.wav', '-o', 'r.lgi', '--iterations', '20');
    const before = await readFile(workplace.path('r.lgi'));
    const add = ['append', 'r.lgi', '11025.wav', '--side', 'after', '--iterations', '20'];
    for (const [argv, message] of [
      [[], /the file's sound has 8000 Hz, what is appended 11025 Hz; convert it by --rate 8000/],
      [
        ['--rate', '9000'],
        /the file's sound has 8000 Hz, what is appended 9000 Hz; convert it by --rate 8000/,
      ],
      [['--rate', '0'], /--rate: 0 must be a whole number of Hz/],
      [['--rate', 'fast'], /'fast' is no number; give one, or 'file'/],
      [['--fps', '25'], /--fps: is for video, and .* has none; leave it out/],
      [['--fps', 'file'], /--fps: the file has no frames with a frame rate; leave it out/],
    ] as const) {
      const refused = await workplace.runInside([...add, ...argv]);
      expect(refused.stderr).toMatch(message);
      expect(refused.code).toBeGreaterThan(0);
    }
    expect(await readFile(workplace.path('r.lgi'))).toEqual(before);
    await workplace.json(...add, '--rate', '8000');
    await workplace.json(...add, '--rate', 'file');
    expect((await workplace.json('info', 'r.lgi'))['signals']).toMatchObject([{ shape: [3 * 1600] }]);
    const compared = await workplace.runInside(['compare', '8000.wav', '11025.wav']);
    expect(compared.stderr).toMatch(/8000.wav has 8000 samples a second, but 11025.wav has 11025;/);
  });

  it('is encoded at another rate', async () => {
    await writeAudio(workplace.path('e.wav'), {
      samples: tone(2205),
      channels: 2,
      rate: { numerator: 11_025, denominator: 1 },
    });
    await workplace.json('encode', 'e.wav', '-o', 'e.lgi', '--rate', '8000', '--iterations', '20');
    expect((await workplace.json('info', 'e.lgi'))['signals']).toMatchObject([
      { shape: [1600], rate: { numerator: 8000, denominator: 1 } },
    ]);
  });

  it.each([
    [['decode', 'a.lgi', '-o', 'a.png'], /no place for sound/],
    [['decode', 'a.lgi', '-o', 'a.wav', '--region', '0,0,4,4'], /--region: has no meaning for sound/],
    [['decode', 'a.lgi', '-o', 'a.wav', '--rate', '0'], /no rate/],
    [['crop', 'a.lgi', '-o', 'x.lgi', '--region', '0,0,4,4'], /sound has no region/],
    [['decode', 'v.lgi', '-o', 'v.wav'], /no sound in the file, which has volume/],
    [['decode', 'v.lgi', '-o', 'v.npy', '--region', '0,0,4,4'], /this volume needs 6/],
    [['decode', 'v.lgi', '-o', 'v.obj'], /is a mesh, which shapes have/],
    [['encode', 'v.npy', '-o', 'v.wav'], /name it .lgi/],
  ])('%j is refused in words', async (argv, message) => {
    const { code, stderr } = await workplace.runInside(argv);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

it('decode says that a video file has no alpha, unless a background is given', async () => {
  const data = Uint8Array.from({ length: 2 * 16 * 16 * 4 }, (_, i) => (i % 4 === 3 ? 128 : 200));
  const rate = { numerator: 25, denominator: 1 };
  const media = memoryMedia({ kind: 'video', data, shape: [2, 16, 16], channels: 4, rate });
  await encode(media, await FileSink.open(workplace.path('alpha.lgi')), { iterations: 20 });
  const notice = /a video file has no alpha; it is laid on black, --background gives another colour/;
  expect((await workplace.runInside(['decode', 'alpha.lgi', '-o', 'alpha.mp4'])).stderr).toMatch(notice);
  const argv = ['decode', 'alpha.lgi', '-o', 'red.mp4', '--background', 'ff0000'];
  expect((await workplace.runInside(argv)).stderr).not.toMatch(notice);
});

describe('video with sound', () => {
  const [width, height] = [48, 32];
  const rate = { numerator: 25, denominator: 1 };

  async function* frames(first: number, count: number): AsyncGenerator<Uint8Array> {
    for (let t = first; t < first + count; t++) {
      yield Promise.resolve(
        Uint8Array.from({ length: width * height * 3 }, (_, i) => {
          const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
          return 128 + 80 * Math.sin((x + t) / 9 + (i % 3)) * Math.cos(y / 7);
        }),
      );
    }
  }

  const clip = (
    name: string,
    first: number,
    count: number,
    { framesPerSecond = 25, rateHz = 8000 } = {},
  ): Promise<unknown> => {
    const length = (count * rateHz) / framesPerSecond;
    const samples = Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((i * 1600) / rateHz));
    const sound = { samples, channels: 1, rate: { numerator: rateHz, denominator: 1 } };
    const rate = { numerator: framesPerSecond, denominator: 1 };
    const form = { width, height, layout: 'rgb', sampleType: 'uint8', rate } as const;
    return writeVideo(workplace.path(name), { frames: frames(first, count), ...form, sound });
  };

  it('goes in, is cropped in time and space, and comes out with both', async () => {
    await clip('clip.mp4', 0, 75);
    const report = await workplace.json('encode', 'clip.mp4', '-o', 'clip.lgi', '--iterations', '300');
    expect(report['signals']).toMatchObject([{ kind: 'video' }, { kind: 'audio' }]);
    expect((await workplace.json('compare', 'clip.mp4', 'clip.lgi'))['psnr']).toBeGreaterThan(20);
    await workplace.json('crop', 'clip.lgi', '-o', 'short.lgi', '--time', '0.5:2.5', '--region', '8,4,32,16');
    const decoded = await workplace.json('decode', 'short.lgi', '-o', 'short.mp4');
    expect(decoded).toMatchObject({ width: 32, height: 16, frames: 50, rate });
    const [video, sound] = await readVideoWithSound(workplace.path('short.mp4'));
    expect(video).toMatchObject({ shape: [50, 16, 32], rate });
    // AAC leads in and ends with up to a frame of silence.
    expect(Math.abs(sound.shape[0] / 8000 - 2)).toBeLessThan(0.3);
    video.close?.();
  });

  it('is decoded at another size and rate, and its sound alone', async () => {
    const argv = ['--fps', '50', '--size', '24x16'];
    const decoded = await workplace.json(
      'decode',
      'clip.lgi',
      '-o',
      'other.webm',
      ...argv,
      '--rate',
      '48000',
    );
    expect(decoded).toMatchObject({
      width: 24,
      height: 16,
      frames: 150,
      rate: { numerator: 50, denominator: 1 },
    });
    expect(await workplace.json('decode', 'clip.lgi', '-o', 'alone.wav')).toMatchObject({ channels: 1 });
  });

  it('grows by another clip, sound and all', async () => {
    await clip('more.mp4', 75, 25);
    await workplace.json('append', 'clip.lgi', 'more.mp4', '--side', 'after', '--iterations', '50');
    const { signals } = await workplace.json('info', 'clip.lgi');
    const [video, sound] = signals as unknown as { shape: number[] }[];
    expect(video.shape[0]).toBe(100);
    expect(sound.shape[0] / 8000).toBeCloseTo(4, 1);
  });

  it('of another frame rate is refused with both, and converted where asked', async () => {
    await clip('fast.mp4', 0, 30, { framesPerSecond: 50 });
    const before = await readFile(workplace.path('clip.lgi'));
    const frames = async (): Promise<number> => {
      const { signals } = await workplace.json('info', 'clip.lgi');
      return (signals as unknown as { shape: number[] }[])[0].shape[0];
    };
    const old = await frames();
    const add = ['append', 'clip.lgi', 'fast.mp4', '--side', 'after', '--iterations', '20'];
    const refused = await workplace.runInside(add);
    expect(refused.stderr).toMatch(
      /the file has 25 frames a second, what is appended 50; convert it by --fps 25/,
    );
    expect(await readFile(workplace.path('clip.lgi'))).toEqual(before);
    await workplace.json(...add, '--fps', 'file');
    expect(await frames()).toBe(old + 15);
  });

  it('whose sound is of another rate is refused before its pictures are in the file', async () => {
    await clip('other.mp4', 20, 25, { rateHz: 16_000 });
    const before = await readFile(workplace.path('clip.lgi'));
    const add = ['append', 'clip.lgi', 'other.mp4', '--side', 'after', '--iterations', '20'];
    const refused = await workplace.runInside(add);
    expect(refused.stderr).toMatch(/sound has 8000 Hz, what is appended 16000 Hz; convert it by --rate 8000/);
    expect(await readFile(workplace.path('clip.lgi'))).toEqual(before);
    await workplace.json(...add, '--rate', 'file');
  });
});
