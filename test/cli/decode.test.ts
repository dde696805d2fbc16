import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { FileSource, readImage, writeImage } from '../../dist/src/node.js';
import { disc, gradient, render } from '../../dist/test/media/patterns.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(50, 40));
// Ragged on both axes: 40 rows are 16 + 16 + 8, 50 columns 16 + 16 + 16 + 2.
await workplace.json('encode', 'scene.png', '-o', 'scene.lgi', '--cell', '16x16', '--iterations', '40');

async function samplesOf(name: string) {
  const { shape, channels, format, read } = await readImage(workplace.path(name));
  const data = await read({ begin: [0, 0], end: shape });
  return { data, shape, channels, format };
}

/** Decodes and reads the picture back. */
async function decode(...argv: string[]) {
  const report = await workplace.json('decode', ...argv, '-o', 'out.png');
  return { report, ...(await samplesOf('out.png')) };
}

/** A part of a picture, by x, y, width, height. */
function part(picture: Awaited<ReturnType<typeof samplesOf>>, [x, y, width, height]: readonly number[]) {
  const rows = Array.from({ length: height }, (_, row) => {
    const at = ((y + row) * picture.shape[1] + x) * picture.channels;
    return [...picture.data.subarray(at, at + width * picture.channels)];
  });
  return rows.flat();
}

describe('lgi decode', () => {
  it('reports what it made and where the time went', async () => {
    const { report, shape } = await decode('scene.lgi');
    expect(shape).toEqual([40, 50]);
    expect(report).toMatchObject({ width: 50, height: 40, channels: 3, missing: [], partitionsDecoded: 12 });
    for (const name of ['read', 'parse', 'decode', 'write']) {
      expect(report.seconds[name]).toBeGreaterThanOrEqual(0);
    }
    const { code, stdout, stderr } = await workplace.lgi(['decode', 'scene.lgi', '-o', 'out.png']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^out\.png: 50x40 rgb, uint8/);
  });

  it.each([
    [[10, 20, 30, 15], 6],
    [[0, 0, 16, 16], 1],
    [[49, 39, 1, 1], 1],
    [[0, 0, 50, 40], 12],
  ])('of region %j is that part of the whole, from %i partitions', async (region, partitions) => {
    const whole = await decode('scene.lgi');
    const { data, shape, report } = await decode('scene.lgi', '--region', region.join(','));
    expect(shape).toEqual([region[3], region[2]]);
    expect(report.partitionsDecoded).toBe(partitions);
    expect([...data]).toEqual(part(whole, region));
  });

  it('evaluates between samples, the same whatever part is asked for', async () => {
    const double = await decode('scene.lgi', '--scale', '2');
    expect(double.shape).toEqual([80, 100]);
    const region = await decode('scene.lgi', '--scale', '2', '--region', '10,20,30,15');
    expect([...region.data]).toEqual(part(double, [20, 40, 60, 30]));
    expect((await decode('scene.lgi', '--scale', '0.5')).shape).toEqual([20, 25]);
    expect((await decode('scene.lgi', '--size', '64x33')).shape).toEqual([33, 64]);
    expect((await decode('scene.lgi', '--size', '100x80')).data).toEqual(double.data);
  });

  it('gives the same samples with any number of threads', async () => {
    const [one, two] = [
      await decode('scene.lgi', '--threads', '1'),
      await decode('scene.lgi', '--threads', '2'),
    ];
    expect(one.data).toEqual(two.data);
  });

  it('writes the format that the extension says', async () => {
    for (const name of ['out.jpg', 'out.webp']) {
      await workplace.json('decode', 'scene.lgi', '-o', name);
      expect((await samplesOf(name)).shape).toEqual([40, 50]);
    }
  });
});

describe('holes', () => {
  it('become transparent, in the depth of the picture', async () => {
    const depths = [
      { layout: 'grey', sampleType: 'uint16', peak: 65535 },
      { layout: 'rgb', sampleType: 'uint8', peak: 255 },
      { layout: 'rgb-alpha', sampleType: 'uint16', peak: 65535 },
    ] as const;
    for (const { layout, sampleType, peak } of depths) {
      await writeImage(
        workplace.path('h.png'),
        render(gradient, { width: 32, height: 32, layout, sampleType }),
      );
      await workplace.json('encode', 'h.png', '-o', 'h.lgi', '--cell', '16x16', '--iterations', '8');
      await workplace.json('crop', 'h.lgi', '-o', 'holed.lgi', '--drop', '0,1');
      const whole = await decode('h.lgi');
      const holed = await decode('holed.lgi');
      const hasAlpha = layout === 'rgb-alpha';
      expect(holed.channels).toBe(hasAlpha ? 4 : whole.channels + 1);
      expect(holed.format.sampleType).toBe(sampleType);
      expect(holed.report.missing).toEqual([{ partition: [0, 1], reason: 'absent' }]);
      for (let y = 0; y < 32; y++) {
        for (let x = 0; x < 32; x++) {
          const sample = part(holed, [x, y, 1, 1]);
          const isHole = y < 16 && x >= 16;
          const expected = part(whole, [x, y, 1, 1]);
          if (isHole) expect(sample.at(-1)).toBe(0);
          else expect(sample).toEqual(hasAlpha ? expected : [...expected, peak]);
        }
      }
    }
  });

  it('take the background, over which the picture is composited too', async () => {
    await workplace.json('crop', 'scene.lgi', '-o', 'holed.lgi', '--drop', '0,0 1,1');
    const whole = await decode('scene.lgi');
    const { channels, data, report } = await decode('holed.lgi', '--background', '#ff8001');
    expect(channels).toBe(3);
    expect(report.missing).toHaveLength(2);
    expect(part({ ...whole, data }, [0, 0, 1, 1])).toEqual([255, 128, 1]);
    expect(part({ ...whole, data }, [31, 31, 1, 1])).toEqual([255, 128, 1]);
    expect(part({ ...whole, data }, [32, 16, 18, 24])).toEqual(part(whole, [32, 16, 18, 24]));

    await writeImage(
      workplace.path('disc.png'),
      render(disc, { width: 16, height: 16, layout: 'rgb-alpha' }),
    );
    await workplace.json('encode', 'disc.png', '-o', 'disc.lgi', '--iterations', '30');
    const straight = await decode('disc.lgi');
    const flat = await decode('disc.lgi', '--background', '#0000ff');
    expect(flat.channels).toBe(3);
    for (let i = 0; i < 256; i++) {
      const alpha = straight.data[4 * i + 3] / 255;
      [0, 0, 255].forEach((fill, c) => {
        expect(flat.data[3 * i + c]).toBe(Math.round(straight.data[4 * i + c] * alpha + fill * (1 - alpha)));
      });
    }
  });

  it('need a colour where the format has no alpha, and a grey one in a grey picture', async () => {
    await workplace.json('crop', 'scene.lgi', '-o', 'holed.lgi', '--drop', '0,0');
    expect(await workplace.lgi(['decode', 'holed.lgi', '-o', 'holes.jpg'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--background: 1 partition of the region is missing'),
    });
    await workplace.json('decode', 'holed.lgi', '-o', 'holes.jpg', '--background', '#123456');

    await writeImage(workplace.path('grey.png'), scene(20, 20, 'grey'));
    await workplace.json('encode', 'grey.png', '-o', 'grey.lgi', '--iterations', '1');
    expect(
      await workplace.lgi(['decode', 'grey.lgi', '-o', 'x.png', '--background', '#ff0000']),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no grey'),
    });
  });

  it('are what damage leaves, where that is allowed', async () => {
    const source = await FileSource.open(workplace.path('scene.lgi'));
    const container = await openContainer(source);
    const at = container.index.signals[0].chunks.end(container.findChunk(0, [1, 2])) - 1;
    await source.close();
    const bytes = await readFile(workplace.path('scene.lgi'));
    bytes[at] ^= 0x10;
    await writeFile(workplace.path('damaged.lgi'), bytes);

    const refused = await workplace.lgi(['decode', 'damaged.lgi', '-o', 'refused.png', '--json']);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'damaged', section: 'chunk 1,2' } });
    expect(await workplace.names()).not.toContain('refused.png');

    const verified = await workplace.lgi(['verify', 'damaged.lgi', '--json']);
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: false,
      errors: [{ code: 'damaged', section: 'chunk 1,2', offset: expect.any(Number) }],
    });

    const whole = await decode('scene.lgi');
    const { report, ...saved } = await decode('damaged.lgi', '--allow-damaged');
    expect(report.missing).toEqual([
      { partition: [1, 2], reason: 'damaged', message: expect.stringContaining('chunk 1,2') },
    ]);
    expect(part(saved, [40, 20, 1, 1])).toEqual([0, 0, 0, 0]);
    expect(part(saved, [10, 10, 1, 1])).toEqual([...part(whole, [10, 10, 1, 1]), 255]);
    const { stderr } = await workplace.lgi(['decode', 'damaged.lgi', '-o', 'out.png', '--allow-damaged']);
    expect(stderr).toContain('1 partition damaged and left out: 1,2');
  });
});
