import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readImage, writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(50, 40));
await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '10');
const QUARTERS = ['0,0,20,17', '20,0,30,17', '0,17,20,23', '20,17,30,23'];
for (const [i, region] of QUARTERS.entries()) {
  await workplace.json('crop', 'a.lgi', '-o', `q${i}.lgi`, '--region', region);
}

async function samplesOf(lgi: string, ...argv: string[]) {
  await workplace.json('decode', lgi, '-o', 'out.png', ...argv);
  const picture = await readImage(workplace.path('out.png'));
  return picture.read({ begin: [0, 0], end: picture.shape });
}

describe('lgi join', () => {
  it('of four quarters gives back the very file', async () => {
    const report = await workplace.json('join', 'q3.lgi', 'q0.lgi', 'q2.lgi', 'q1.lgi', '-o', 'j.lgi');
    expect(report).toMatchObject({
      kept: 12,
      absent: 0,
      hiddenSamples: 0,
      notices: [],
      window: { begin: [0, 0], end: [40, 50] },
      parameters: { total: 12 * 813 + 3984 },
    });
    const [before, after] = [
      await readFile(workplace.path('a.lgi')),
      await readFile(workplace.path('j.lgi')),
    ];
    expect(after.equals(before)).toBe(true);
    expect(await samplesOf('j.lgi')).toEqual(await samplesOf('a.lgi'));
  });

  it('of two quarters shows both where they were, and says what is hidden', async () => {
    const { code, stdout, stderr } = await workplace.lgi(['join', 'q0.lgi', 'q1.lgi', '-o', 'j.lgi']);
    expect(code).toBe(0);
    expect(stdout).toContain('j.lgi: 50x17');
    expect(stderr).toContain('750 samples outside the window stay recoverable');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await samplesOf('j.lgi')).toEqual(await samplesOf('a.lgi', '--region', '0,0,50,17'));
  });

  it('may replace one of its files', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'grows.lgi', '--region', QUARTERS[0]);
    for (const i of [1, 2, 3]) await workplace.json('join', 'grows.lgi', `q${i}.lgi`, '-o', 'grows.lgi');
    const grown = await readFile(workplace.path('grows.lgi'));
    expect(grown.equals(await readFile(workplace.path('a.lgi')))).toBe(true);
  });

  it('refuses what does not belong together, with both names, and leaves nothing behind', async () => {
    await workplace.json('encode', 'scene.png', '-o', 'b.lgi', '--cell', '16x16', '--iterations', '1');
    const bytes = await readFile(workplace.path('a.lgi'));
    await writeFile(workplace.path('short.lgi'), bytes.subarray(0, bytes.length - 9));
    const names = await workplace.names();
    const other = await workplace.runInside(['join', 'a.lgi', 'b.lgi', '-o', 'fresh.lgi', '--json']);
    expect(other.code).toBe(1);
    expect(JSON.parse(other.stdout).error).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/b\.lgi is of family [0-9a-f]{32}, a\.lgi of [0-9a-f]{32}/),
    });
    const cases: [string[], number, RegExp][] = [
      [['a.lgi', 'short.lgi'], 1, /short\.lgi: the file ends/],
      [['a.lgi', 'none.lgi'], 1, /none\.lgi: there is no such file/],
      [['a.lgi', 'q0.lgi', '--prefer', 'best'], 2, /--prefer: 'best'/],
      [[], 2, /missing required argument/],
    ];
    for (const [argv, code, message] of cases) {
      expect(await workplace.runInside(['join', ...argv, '-o', 'fresh.lgi'])).toMatchObject({
        code,
        stderr: expect.stringMatching(message),
      });
    }
    expect(await workplace.names()).toEqual(names);
  });
});
