import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { writeVolume } from '../../dist/src/node.js';
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
  expect(report['psnr']).toBeGreaterThan(25);
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
