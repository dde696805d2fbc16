import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource, seamRatio } from '../../dist/src/index.js';
import { readImage, writeImage } from '../../dist/src/node.js';
import { noise, render } from '../../dist/test/media/patterns.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(40, 24));
await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '10');

describe('lgi info', () => {
  it('says what is in a file', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'holed.lgi', '--drop', '0,1');
    const [info, holed] = [await workplace.json('info', 'a.lgi'), await workplace.json('info', 'holed.lgi')];
    expect(info).toMatchObject({
      version: '1.2',
      generation: 1,
      fileId: expect.stringMatching(/^[0-9a-f]{32}$/),
      writer: expect.stringMatching(/^lgi \d/),
      metadata: [],
      signals: [
        {
          kind: 'image',
          shape: [24, 40],
          channels: 3,
          sampleType: 'uint8',
          window: { begin: [0, 0], end: [24, 40] },
          grid: [2, 3],
          cell: [16, 16],
          partitions: { present: 6, constant: 0, absent: 0 },
          architecture: { localWidth: 15, globalWidth: 32, levels: 4 },
          parameters: { total: 6 * 813 + 3984, local: 6 * 813, global: 3984 },
          weights: 'fine',
          coder: 'none',
        },
      ],
    });
    expect(info.bytes['total']).toBe((await readFile(workplace.path('a.lgi'))).length);
    expect(holed.signals[0].partitions).toEqual({ present: 5, constant: 0, absent: 1 });
    expect(holed.familyId).toBe(info.familyId);
    expect(holed.fileId).not.toBe(info.fileId);
  });

  it('says what is in a file that is cut short, and what is missing of it', async () => {
    const bytes = await readFile(workplace.path('a.lgi'));
    // One that opening reads whole, and one whose end lies beyond what it reads.
    const long = ['--cell', '4x4', '--weights', 'float32', '--local-width', '60', '--iterations', '1'];
    await workplace.json('encode', 'scene.png', '-o', 'long.lgi', ...long);
    const longBytes = await readFile(workplace.path('long.lgi'));
    expect(longBytes.length).toBeGreaterThan(1 << 16);
    for (const [whole, of] of [
      [bytes, 'a.lgi'],
      [longBytes, 'long.lgi'],
    ] as const) {
      const { index, superblock } = await openContainer(new MemorySource(whole));
      const end = index.signals[0].chunks.end(2) + 5;
      await writeFile(workplace.path('cut.lgi'), whole.subarray(0, end));
      const partitions = index.signals[0].chunks.count - 3;
      const info = await workplace.json('info', of);
      expect(await workplace.json('info', 'cut.lgi')).toEqual({
        ...info,
        missing: { bytesPresent: end, partitions: [partitions], metadata: [] },
      });
      const { code, stdout, stderr } = await workplace.runInside(['info', 'cut.lgi']);
      expect(code).toBe(0);
      expect(stdout).toContain(`3 present, 0 constant, 0 absent, ${partitions} cut off`);
      const grouped = (value: number) => value.toLocaleString('en-US');
      expect(stderr).toContain(
        `ends after ${grouped(end)} of the ${grouped(whole.length)} bytes that its superblock promises, without ${partitions} partitions;`,
      );
      expect((await workplace.runInside(['verify', 'cut.lgi'])).code).toBe(1);
      // Without its index nothing can be said.
      await writeFile(workplace.path('cut.lgi'), whole.subarray(0, superblock.index.byteOffset + 9));
      expect(await workplace.runInside(['info', 'cut.lgi'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/of the \d+ bytes .*, without all of its index; .*'lgi repair'/s),
      });
    }
  });

  it('prints a table that fits 80 columns', async () => {
    const { code, stdout } = await workplace.lgi(['info', 'a.lgi']);
    expect(code).toBe(0);
    expect(stdout).toContain('8,862 (4,878 local, 3,984 global)');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each(['fine', 'int2', 'int9', 'int16', 'float16', 'float32'])(
    'names the weights as encode takes them: %s',
    async (weights) => {
      await workplace.json('encode', 'scene.png', '-o', 'w.lgi', '--weights', weights, '--iterations', '1');
      expect((await workplace.json('info', 'w.lgi')).signals[0].weights).toBe(weights);
    },
  );
});

describe('lgi verify', () => {
  it('tells truncated, overlong and other files apart', async () => {
    const bytes = await readFile(workplace.path('a.lgi'));
    const codeOf = async (content: Uint8Array) => {
      await writeFile(workplace.path('v.lgi'), content);
      const { code, stdout } = await workplace.lgi(['verify', 'v.lgi', '--json']);
      const { ok, errors } = JSON.parse(stdout);
      expect(ok).toBe(errors.length === 0);
      expect(code).toBe(ok ? 0 : 1);
      return errors.map((error: { code: string }) => error.code);
    };
    expect(await codeOf(bytes)).toEqual([]);
    expect(await codeOf(bytes.subarray(0, 600))).toEqual(['truncated']);
    expect(await codeOf(bytes.subarray(0, bytes.length - 1))).toContain('truncated');
    expect(await codeOf(Buffer.concat([bytes, Buffer.from('more')]))).toEqual(['trailing']);
    expect(await codeOf(Buffer.alloc(2000))).toEqual(['not-lgi']);
  });
});

describe('lgi compare', () => {
  it('measures media and files against each other', async () => {
    const [forth, back] = [
      await workplace.json('compare', 'scene.png', 'a.lgi'),
      await workplace.json('compare', 'a.lgi', 'scene.png'),
    ];
    expect(forth).toEqual(back);
    expect(forth.psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / forth.mse), 10);
    expect(forth.maxError).toBeGreaterThanOrEqual(Math.sqrt(forth.mse));
    const { stdout } = await workplace.lgi(['compare', 'scene.png', 'a.lgi']);
    expect(stdout).toMatch(/SSIM +\d\.\d{4}\n/);
    expect(forth.ssimVariant).toBe('luma, Gaussian 11x11, sigma 1.5, no downsampling');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('measures seams of a file, of its crop, and of a picture where it is told the borders', async () => {
    const { seam } = await workplace.json('compare', 'scene.png', 'a.lgi');
    expect(seam).toBeGreaterThan(0);
    expect((await workplace.lgi(['compare', 'scene.png', 'a.lgi'])).stdout).toContain(
      `seam       ${seam?.toFixed(3)} (1 = borders do not show`,
    );
    await workplace.json('decode', 'a.lgi', '-o', 'decoded.png');
    expect(await workplace.json('compare', 'scene.png', 'decoded.png')).not.toHaveProperty('seam');
    const told = (...borders: string[]) => workplace.json('compare', 'scene.png', 'decoded.png', ...borders);
    expect((await told('--cell', '16x16')).seam).toBe(seam);
    expect((await told('--grid', '1x5')).seam).not.toBe(seam);
    // The crop's borders are those of the file it was cut from, seen from its own corner.
    await workplace.json('crop', 'a.lgi', '-o', 'part.lgi', '--region', '5,3,30,20');
    await workplace.json('decode', 'part.lgi', '-o', 'part.png');
    const { data } = scene(40, 24);
    const rows = Array.from({ length: 20 }, (_, y) => data.subarray(((y + 3) * 40 + 5) * 3).subarray(0, 90));
    const part = Uint8Array.from(rows.flatMap((row) => [...row]));
    await writeImage(workplace.path('part-source.png'), {
      data: part,
      shape: [20, 30],
      channels: 3,
      layout: 'rgb',
      sampleType: 'uint8',
    });
    const cropped = await workplace.json('compare', 'part-source.png', 'part.lgi');
    expect(cropped.seam).toBe(
      seamRatio(
        part,
        await (await readImage(workplace.path('part.png'))).read({ begin: [0, 0], end: [20, 30] }),
        [20, 30],
        { sampleType: 'uint8', layout: 'rgb', channels: 3 },
        [[13], [11, 27]],
      ),
    );
  });

  it('takes borders by one option alone, and says where they were clamped', async () => {
    const both = await workplace.lgi(['compare', 'scene.png', 'a.lgi', '--grid', '2x3', '--cell', '16x16']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('give one of them') });
    const wide = await workplace.lgi(['compare', 'scene.png', 'a.lgi', '--cell', '16x100', '--json']);
    expect(wide).toMatchObject({ code: 0, stderr: expect.stringContaining('16x40 is used') });
  });

  it('finds no error between equals, and says so in valid JSON', async () => {
    expect(await workplace.json('compare', 'a.lgi', 'a.lgi')).toMatchObject({
      psnr: 'Infinity',
      ssim: 1,
      mse: 0,
      maxError: 0,
    });
  });

  it('refuses what has no common measure, with the numbers', async () => {
    await writeImage(workplace.path('other.png'), render(noise(1), { width: 9, height: 7, layout: 'grey' }));
    await writeImage(
      workplace.path('deep.png'),
      render(noise(1), { width: 40, height: 24, sampleType: 'uint16' }),
    );
    for (const [name, fact] of [
      ['other.png', '9x7 grey, uint8'],
      ['deep.png', '40x24 rgb, uint16'],
    ]) {
      const { code, stderr } = await workplace.lgi(['compare', 'scene.png', name]);
      expect(code).toBe(1);
      expect(stderr).toContain('40x24 rgb, uint8');
      expect(stderr).toContain(fact);
    }
    await workplace.json('crop', 'a.lgi', '-o', 'holed.lgi', '--drop', '0,1');
    expect(await workplace.lgi(['compare', 'scene.png', 'holed.lgi'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('1 partition missing'),
    });
  });
});
