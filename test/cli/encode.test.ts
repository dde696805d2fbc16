import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readImage, writeImage } from '../../dist/src/node.js';
import { disc, gradient, render } from '../../dist/test/media/patterns.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(48, 40));
await writeImage(workplace.path('grey.png'), scene(48, 40, 'grey'));

describe('lgi encode', () => {
  it('trains, writes a sound file and reports what decoding it gives', async () => {
    const report = await workplace.json(
      'encode',
      'grey.png',
      '-o',
      'a.lgi',
      '--iterations',
      '60',
      '--cell',
      '16x16',
    );
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(
        'psnr ssim ssimVariant seconds iterations bytes bitsPerSample parameters engine preset'.split(' '),
      ),
    );
    const bytes = (await readFile(workplace.path('a.lgi'))).length;
    expect(report).toMatchObject({
      iterations: 60,
      bytes,
      bitsPerSample: (8 * bytes) / (48 * 40),
      // H=15, G=32: 781 weights in each of 3x3 partitions, 3,984 global ones.
      parameters: { total: 9 * 781 + 3984, local: 9 * 781, global: 3984 },
      engine: 'cpu',
      preset: 'fast',
      grid: [3, 3],
      stoppedBy: 'iterations',
      notices: [],
    });
    expect(report.psnr).toBeGreaterThan(12);

    await workplace.json('decode', 'a.lgi', '-o', 'a.png');
    const compared = await workplace.json('compare', 'grey.png', 'a.png');
    expect(compared.psnr).toBe(report.psnr);
    expect(compared.ssim).toBe(report.ssim);
    expect((await workplace.json('verify', 'a.lgi')).ok).toBe(true);
  });

  it('says in words what it did, and nothing on stderr when there is nothing to say', async () => {
    const { code, stdout, stderr } = await workplace.lgi([
      'encode',
      'scene.png',
      '-o',
      'b.lgi',
      '--iterations',
      '2',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^b\.lgi: 48x40 rgb, uint8\n/);
    expect(stdout).toMatch(/PSNR \d+\.\d\d dB, SSIM/);
    expect(stdout).toContain('2 iterations');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each(['1', '2'])('gives the same bytes for the same seed with %s thread(s)', async (threads) => {
    const encode = (name: string, seed: string) =>
      workplace.json(
        ...['encode', 'scene.png', '-o', name, '--cell', '16x16', '--iterations', '24'],
        ...['--threads', threads, '--seed', seed],
      );
    expect(await encode('one.lgi', '7')).toMatchObject({ threads: Number(threads) });
    await encode('two.lgi', '7');
    await encode('three.lgi', '8');
    const [one, two, three] = await Promise.all(
      ['one.lgi', 'two.lgi', 'three.lgi'].map((name) => readFile(workplace.path(name))),
    );
    expect(one.equals(two)).toBe(true);
    expect(one.equals(three)).toBe(false);
  });

  it('hands every option on', async () => {
    await workplace.json(
      ...[
        'encode',
        'scene.png',
        '-o',
        'options.lgi',
        '--preset',
        'paper',
        '--grid',
        '2x3',
        '--iterations',
        '2',
      ],
      ...['--local-width', '6', '--global-width', '10', '--levels', '3', '--lattice', '2'],
      ...['--coordinates', 'cell', '--weights', 'float16', '--coder', 'deflate', '--engine', 'cpu'],
    );
    const { signals } = await workplace.json('info', 'options.lgi');
    expect(signals[0]).toMatchObject({
      grid: [2, 3],
      weights: 'float16',
      coder: 'deflate',
      architecture: { levels: 3, localWidth: 6, globalWidth: 10, latticeStride: 2, localCoordinates: 'cell' },
    });

    await workplace.json(
      'encode',
      'scene.png',
      '-o',
      'none.lgi',
      '--preset',
      'paper',
      '--lattice',
      'none',
      '--iterations',
      '1',
    );
    expect((await workplace.json('info', 'none.lgi')).signals[0].architecture).toMatchObject({
      latticeStride: 0,
    });

    const automatic = await workplace.json(
      ...[
        'encode',
        'scene.png',
        '-o',
        'auto.lgi',
        '--params',
        '6000',
        '--global-share',
        '0.2',
        '--cell',
        '20x24',
      ],
      ...['--time', '0.2'],
    );
    expect(automatic).toMatchObject({ stoppedBy: 'seconds', grid: [2, 2] });
    expect(Math.abs(automatic.parameters.total / 6000 - 1)).toBeLessThan(0.05);

    expect(
      await workplace.json('encode', 'scene.png', '-o', 'psnr.lgi', '--psnr', '5', '--iterations', '500'),
    ).toMatchObject({ stoppedBy: 'psnr' });
  });

  it('takes one pixel, and clamps cells to the picture with a notice', async () => {
    for (const side of [1, 16]) {
      const picture = render(gradient, { width: side, height: side });
      await writeImage(workplace.path('small.png'), picture);
      const argv = [
        'encode',
        'small.png',
        '-o',
        'small.lgi',
        '--iterations',
        '8',
        '--cell',
        '64x64',
        '--json',
      ];
      const { code, stdout, stderr } = await workplace.lgi(argv);
      expect(code).toBe(0);
      expect(stderr).toMatch(new RegExp(`cell 64x64 exceeds .*${side}x${side} is used`));
      expect(JSON.parse(stdout)).toMatchObject({ grid: [1, 1], notices: [expect.stringContaining('64x64')] });
      await workplace.json('decode', 'small.lgi', '-o', 'back.png');
      expect((await readImage(workplace.path('back.png'))).shape).toEqual([side, side]);
    }
  });

  it('keeps depth, alpha and ICC profile', async () => {
    const deep = render(disc, { width: 20, height: 12, layout: 'rgb-alpha', sampleType: 'uint16' });
    const iccProfile = Uint8Array.from({ length: 600 }, (_, i) => (i * 37) & 255);
    await writeImage(workplace.path('deep.png'), { ...deep, iccProfile });
    await workplace.json('encode', 'deep.png', '-o', 'deep.lgi', '--iterations', '4');
    expect(await workplace.json('info', 'deep.lgi')).toMatchObject({
      metadata: [{ name: 'icc', bytes: 600 }],
      signals: [{ layout: 'rgb-alpha', sampleType: 'uint16', channels: 4, shape: [12, 20] }],
    });
    await workplace.json('decode', 'deep.lgi', '-o', 'deep-back.png');
    const back = await readImage(workplace.path('deep-back.png'));
    expect(back).toMatchObject({ shape: [12, 20], channels: 4, format: { sampleType: 'uint16' } });
    expect(Buffer.from(back.iccProfile ?? []).equals(iccProfile)).toBe(true);
  });

  it('replaces an existing output, but never its own input, by whatever name', async () => {
    await writeFile(workplace.path('old.lgi'), 'old');
    await workplace.json('encode', 'scene.png', '-o', 'old.lgi', '--iterations', '1');
    expect((await workplace.json('verify', 'old.lgi')).ok).toBe(true);
    const before = await readFile(workplace.path('scene.png'));
    expect(
      await workplace.lgi(['encode', 'scene.png', '-o', './scene.png', '--iterations', '1']),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is the input itself'),
    });
    expect((await readFile(workplace.path('scene.png'))).equals(before)).toBe(true);
  });
});
