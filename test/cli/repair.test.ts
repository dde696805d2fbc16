import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/index.js';
import { readImage, writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(50, 40));
await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '10');
const whole = new Uint8Array(await readFile(workplace.path('a.lgi')));
const { superblock, index } = await openContainer(new MemorySource(whole));
const [{ chunks, grid }] = index.signals;

async function damaged(...places: number[]): Promise<void> {
  const bytes = whole.slice();
  for (const at of places) bytes[at] ^= 0x10;
  await writeFile(workplace.path('d.lgi'), bytes);
}

async function samplesOf(lgi: string, ...argv: string[]) {
  await workplace.json('decode', lgi, '-o', 'out.png', ...argv);
  const picture = await readImage(workplace.path('out.png'));
  return picture.read({ begin: [0, 0], end: picture.shape });
}

const repair = ['repair', 'd.lgi', '-o', 'r.lgi'];

describe('lgi repair', () => {
  it('makes a file that decodes to the same, where only the index was lost', async () => {
    await damaged(superblock.index.byteOffset + 20);
    const refused = await workplace.runInside(['decode', 'd.lgi', '-o', 'x.png']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("'lgi repair'") });
    expect(await workplace.json(...repair)).toMatchObject({ kept: 12, lost: [], indexRebuilt: true });
    expect(await samplesOf('r.lgi')).toEqual(await samplesOf('a.lgi'));
    expect((await workplace.json('verify', 'r.lgi')).ok).toBe(true);
  });

  it('says what is lost, in lines of 80 columns and as JSON, and leaves the damaged file as it is', async () => {
    await damaged(5, chunks.end(2) - 1);
    const before = await readFile(workplace.path('d.lgi'));
    const lost = grid.coordinatesOf(chunks.ordinals[2]);
    const report = await workplace.json(...repair);
    expect(report).toMatchObject({
      kept: 11,
      lost: [{ signal: 0, partition: lost, reason: 'damaged', message: expect.stringContaining('checksum') }],
      metadata: { kept: [], lost: [] },
      indexRebuilt: false,
      notices: [expect.stringContaining('slot 0')],
    });
    const { code, stdout } = await workplace.runInside(repair);
    expect(code).toBe(0);
    expect(stdout).toContain(`1 partition: ${lost.join(',')}`);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await readFile(workplace.path('d.lgi'))).equals(before)).toBe(true);
    const missing = { partition: lost, reason: 'absent' };
    expect((await workplace.json('decode', 'r.lgi', '-o', 'r.png')).missing).toEqual([missing]);
  });

  it('refuses to write over the damaged file, and files without anything to save', async () => {
    await damaged(superblock.header.byteOffset + 200);
    const names = await workplace.names();
    expect(await workplace.runInside(['repair', 'd.lgi', '-o', 'd.lgi'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is the input itself'),
    });
    const { code, stdout } = await workplace.runInside(['repair', 'd.lgi', '-o', 'fresh.lgi', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'damaged',
      section: 'header',
      message: expect.stringContaining('nothing can be saved'),
    });
    expect(await workplace.runInside(['repair', 'scene.png', '-o', 'fresh.lgi'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('this is a PNG'),
    });
    expect(await workplace.names()).toEqual(names);
  });
});

describe('lgi decode of a file whose end is missing', () => {
  it('fails by name, or with --allow-damaged gives what is there', async () => {
    await writeFile(workplace.path('t.lgi'), whole.subarray(0, chunks.end(8) + 7));
    const refused = await workplace.runInside(['decode', 't.lgi', '-o', 'x.png', '--json']);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: 'truncated',
      message: expect.stringContaining('--allow-damaged'),
    });
    const { missing } = await workplace.json('decode', 't.lgi', '-o', 'x.png', '--allow-damaged');
    const partitions = [9, 10, 11].map((chunk) => grid.coordinatesOf(chunks.ordinals[chunk]));
    expect(missing).toHaveLength(3);
    for (const partition of partitions) {
      expect(missing).toContainEqual({ partition, reason: 'truncated', message: expect.any(String) });
    }
    const { stderr } = await workplace.runInside(['decode', 't.lgi', '-o', 'x.png', '--allow-damaged']);
    expect(stderr).toContain('3 partitions cut off with the end of the file');
    expect(await workplace.runInside(['compare', 'scene.png', 't.lgi'])).toMatchObject({ code: 1 });
  });
});
