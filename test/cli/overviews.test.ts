import { describe, expect, it } from 'vitest';
import { FileSink } from '../../dist/src/node.js';
import { encodeBySettings } from '../../dist/src/encode.js';
import { resolveSettings } from '../../dist/src/encode-settings.js';
import { memoryMedia } from '../../dist/src/index.js';
import { readImage, writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(96, 64));
const { data } = scene(96, 64);
const media = memoryMedia({ data, shape: [64, 96] });
const settings = resolveSettings(media, { cell: [16, 16], iterations: 20 });
await encodeBySettings(
  [{ media, settings: { ...settings, overviews: [4, 8] } }],
  await FileSink.open(workplace.path('a.lgi')),
);

describe('a file with overviews', () => {
  it('is one picture to decode, compare and verify, and has its overviews in info', async () => {
    const { signals } = await workplace.json('info', 'a.lgi');
    expect(signals).toMatchObject([
      { role: 'primary', shape: [64, 96] },
      { role: 'overview', overviewFactor: 4, shape: [16, 24] },
      { role: 'overview', overviewFactor: 8, shape: [8, 12] },
    ]);
    const { stdout } = await workplace.lgi(['info', 'a.lgi']);
    expect(stdout).toMatch(/signal 2 +overview at 1\/8 per axis, 12x8\n +1 partition\n/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await workplace.json('verify', 'a.lgi')).toMatchObject({ ok: true });
    expect(await workplace.json('compare', 'scene.png', 'a.lgi')).toMatchObject({ width: 96, height: 64 });
    expect(await workplace.json('decode', 'a.lgi', '-o', 'a.png')).toMatchObject({ width: 96, height: 64 });
  });

  it('gives smaller pictures from them where asked, and points of the picture otherwise', async () => {
    const size = ['--size', '12x8'];
    const view = await workplace.json('decode', 'a.lgi', '-o', 'view.png', ...size, '--overview');
    expect(view).toMatchObject({
      width: 12,
      height: 8,
      overviewFactor: 8,
      partitionsDecoded: 1,
      missing: [],
    });
    const points = await workplace.json('decode', 'a.lgi', '-o', 'points.png', ...size);
    expect(points).toMatchObject({ width: 12, height: 8, partitionsDecoded: 24 });
    expect('overviewFactor' in points).toBe(false);
    expect((await readImage(workplace.path('view.png'))).shape).toEqual([8, 12]);
  });

  it('is made by encode of large pictures only, and not where declined', async () => {
    const report = await workplace.json('encode', 'scene.png', '-o', 'b.lgi', '--iterations', '1');
    expect(report).toMatchObject({ overviews: [] });
    const { code, stderr } = await workplace.lgi([
      'encode',
      'scene.png',
      '-o',
      'c.lgi',
      '--overviews',
      'some',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("'some' is neither auto nor none");
  });
});
