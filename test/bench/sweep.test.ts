import { appendFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../dist/codec/engine/choose.js';
import { PRESETS } from '../../dist/codec/presets.js';
import { memoryMedia } from '../../dist/src/media/media.js';
import { settingsOf } from '../../dist/test/bench/sweep/configuration.js';
import { EXPERIMENTS } from '../../dist/test/bench/sweep/experiments.js';
import { runOnce } from '../../dist/test/bench/sweep/run-once.js';
import { RunFile, runKey } from '../../dist/test/bench/sweep/runs.js';
import type { Run } from '../../dist/test/bench/sweep/runs.js';
import {
  differences,
  experimentTables,
  meanAndSpread,
  terminalTable,
} from '../../dist/test/bench/sweep/table.js';
import { scene } from '../../dist/test/media/scene.js';

const folder = await mkdtemp(join(tmpdir(), 'lgi-sweep-'));
afterAll(() => rm(folder, { recursive: true }));

const { data } = scene(128, 96, 'rgb');
const media = memoryMedia({ data, shape: [96, 128], layout: 'rgb' });

function run(picture: string, psnr: number, key = `${picture} ${psnr}`): Run {
  return {
    key,
    picture,
    configuration: 'c',
    changes: {},
    budget: {},
    psnr,
    ssim: 0.5,
    seam: 2,
    seconds: 1,
    iterations: 10,
    parameters: 100,
    bytes: 200,
    grid: [2, 2],
    localWidth: 3,
    globalWidth: 4,
    threads: 1,
  };
}

describe('settings of a sweep', () => {
  test('without changes are the preset, but for the parameters', () => {
    const { preset, budget, grid } = settingsOf({ params: 20_000 }, media, {});
    expect(preset).toEqual(PRESETS.image.fast);
    expect(budget).toEqual({});
    expect(grid.shape).toEqual([3, 4]);
  });

  test('keep epochs where batches change, and shares of time add up to 1', () => {
    fc.assert(
      fc.property(
        fc.record({
          localBatches: fc.integer({ min: 1, max: 64 }),
          turns: fc.integer({ min: 1, max: 8 }),
          localEpochs: fc.integer({ min: 1, max: 200 }),
          cell: fc.constantFrom(16, 32),
        }),
        (changes) => {
          const { phases } = settingsOf({ ...changes, params: 20_000 }, media, {}).preset.recipe;
          const [joint, local] = phases;
          const most = changes.cell ** 2 / 32;
          expect(local.batches).toBe(Math.min(changes.localBatches, most));
          expect(local.iterations).toBe(changes.localEpochs * local.batches);
          expect(joint.iterations).toBe(4 * joint.batches * changes.turns);
          expect(joint.timeShare + local.timeShare).toBeCloseTo(1, 12);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
    expect(settingsOf({ jointEpochs: 0, params: 20_000 }, media, {}).preset.recipe.phases).toHaveLength(1);
  });

  test('of all configurations of an experiment are runs of their own, but for the same one under two names', () => {
    for (const { name, configurations } of EXPERIMENTS) {
      // Widths are whole numbers: on a small picture several shares may choose the same.
      if (name === 'share') continue;
      const keys = configurations.map(({ changes }) => runKey('p', settingsOf(changes, media, {})));
      // The omega and the widths of the baseline stand among the others too.
      expect(new Set(keys).size).toBe(keys.length - (name === 'omega' || name === 'widths' ? 1 : 0));
    }
    const of = (picture: string, effort: number) =>
      runKey(picture, settingsOf({ params: 20_000 }, media, { effort }));
    expect(new Set([of('a', 0.5), of('b', 0.5), of('a', 0.25)]).size).toBe(3);
  });
});

describe('runs of a sweep', () => {
  test('are measured on the file, as lines that a later sweep finds', async () => {
    const engine = createEngine('cpu', 1);
    const settings = settingsOf({ params: 20_000 }, media, { iterations: 4 });
    const names = {
      key: runKey('scene', settings),
      picture: 'scene',
      configuration: 'small',
      changes: { params: 20_000 },
      budget: { iterations: 4 },
    };
    const made = await runOnce(media, settings, engine, names);
    await engine.dispose();
    expect(made).toMatchObject({ ...names, iterations: 4, grid: [3, 4] });
    expect('error' in made ? NaN : made.seam).toBeGreaterThan(0);
    const path = join(folder, 'made.jsonl');
    await (await RunFile.open(path)).add(made);
    expect((await RunFile.open(path)).find(names.key)).toEqual(made);
  });

  test('survive a kill at any byte of the last line', async () => {
    const path = join(folder, 'killed.jsonl');
    const [kept, last] = [run('a', 30), run('b', 31)];
    await (await RunFile.open(path)).add(kept);
    const before = (await readFile(path)).length;
    await (await RunFile.open(path)).add(last);
    const whole = await readFile(path);
    for (let length = whole.length - 1; length >= before; length -= 7) {
      await truncate(path, length);
      const torn = await RunFile.open(path);
      expect(torn.find(kept.key)).toEqual(kept);
      if (torn.find(last.key) === undefined) await torn.add(last);
      const again = await RunFile.open(path);
      expect([again.find(kept.key), again.find(last.key)]).toEqual([kept, last]);
    }
    await appendFile(path, 'null\n[]\n{"key":7}\n');
    expect((await RunFile.open(path)).find(last.key)).toEqual(last);
  });
});

describe('tables of a sweep', () => {
  const row = (name: string, ...runs: Run[]) => ({
    name,
    runs: new Map(runs.map((one) => [one.picture, one])),
  });

  test('compare picture by picture, where both have run', () => {
    const baseline = row('fast', run('a', 30), run('b', 20), run('c', 40));
    const other = row('other', run('b', 23), run('a', 31));
    expect(differences(other, baseline, ({ psnr }) => psnr).sort()).toEqual([1, 3]);
    const lines = experimentTables([baseline, other], ['a', 'b', 'c']);
    expect(lines[3]).toContain('| other | 2 | 27.00 | +2.00 | 1.41 |');
    expect(lines[lines.length - 1]).toBe('| other | 31.00 | 23.00 |  |');
  });

  test('have their means in a terminal of 80 columns, whatever names are', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.string({ minLength: 1, maxLength: 100 }),
            psnrs: fc.array(fc.double({ min: -50, max: 150, noNaN: true }), { maxLength: 12 }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        (configurations) => {
          const [first, ...others] = configurations.map(({ name, psnrs }) =>
            row(name, ...psnrs.map((psnr, i) => run(`p${i}`, psnr))),
          );
          const lines = terminalTable([first, ...others]);
          expect(lines).toHaveLength(configurations.length + 1);
          for (const line of lines) expect(line.length).toBeLessThan(80);
          configurations.forEach(({ psnrs }, i) => {
            if (psnrs.length > 0) expect(lines[i + 1]).toContain(meanAndSpread(psnrs).mean.toFixed(2));
          });
        },
      ),
    );
    const lines = terminalTable([row('fast', run('a', 30), run('b', 20)), row('other', run('a', 31))]);
    expect(lines[2]).toMatch(/^other +1 +31\.00 +\+1\.00 +0\.5000 +2\.00 +1\.0$/);
  });

  test('say what failed', () => {
    const failed = {
      key: 'k',
      picture: 'a',
      configuration: 'c',
      changes: {},
      budget: {},
      error: 'diverged',
    };
    const lines = experimentTables(
      [row('fast', run('a', 30)), { name: 'wild', runs: new Map([['a', failed]]) }],
      ['a'],
    );
    expect(lines[3]).toContain('| wild | 0 (1 failed) |  |');
    expect(lines[lines.length - 1]).toBe('| wild | failed |');
  });
});
