import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(32, 32));

/** Starts an encode that would take for ever, and hands over the process once its temporary file is there. */
async function interrupted(act: (child: ChildProcess) => Promise<void> | void) {
  let acting: Promise<void> = Promise.resolve();
  const ended = await workplace.lgi(
    ['encode', 'scene.png', '-o', 'x.lgi', '--iterations', '2000000000', '--json'],
    {
      onStart: (child) => {
        acting = (async () => {
          while (!(await workplace.names()).some((name) => name.endsWith('.tmp'))) await wait(10);
          await act(child);
        })();
      },
    },
  );
  await acting;
  return ended;
}

describe('an interrupted encode', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s leaves nothing half-made and ends with %i', async (signal, code) => {
    await writeFile(workplace.path('x.lgi'), 'what was there before');
    const ended = await interrupted(async (child) => {
      // Into the training; at any earlier moment the outcome is the same.
      await wait(1000);
      child.kill(signal);
    });
    expect(ended.code).toBe(code);
    expect(JSON.parse(ended.stdout)).toEqual({ error: { code: 'interrupted', message: expect.any(String) } });
    expect(ended.stderr).toContain('nothing was written');
    expect(await workplace.names()).toEqual(['scene.png', 'x.lgi']);
    expect(await readFile(workplace.path('x.lgi'), 'utf8')).toBe('what was there before');
  });

  it('by kill -9 leaves a hidden file that says what it is, until the next writer to the place', async () => {
    const ended = await interrupted((child) => void child.kill('SIGKILL'));
    expect(ended.code).toBe(null);
    const left = (await workplace.names()).filter((name) => name.endsWith('.tmp'));
    expect(left).toEqual([expect.stringMatching(/^\.x\.lgi\.unfinished-\d+-[0-9a-f]{8}-[\w-]{12}\.tmp$/)]);
    await workplace.json('encode', 'scene.png', '-o', 'y.lgi', '--iterations', '1');
    expect(await workplace.names()).toContain(left[0]);
    await workplace.json('crop', 'y.lgi', '-o', 'x.lgi');
    expect((await workplace.names()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await rm(workplace.path('y.lgi'));
  });

  it('in its first moments, and at once by a second Ctrl-C, leaves nothing either', async () => {
    const ended = await interrupted(async (child) => {
      child.kill('SIGINT');
      await wait(5);
      child.kill('SIGINT');
    });
    // A second signal that meets Node on its way out, its handlers gone, ends the process itself; shells call that 130 too.
    expect([130, null]).toContain(ended.code);
    expect(await workplace.names()).toEqual(['scene.png', 'x.lgi']);
  });
});

describe('an encode with checkpoints', () => {
  const argv = ['encode', 'photo.png', '--iterations', '600', '--threads', '1', '-o'];

  it('that was killed goes on, and ends with the bytes of one that was not', async () => {
    await writeImage(workplace.path('photo.png'), scene(160, 160));
    await workplace.json(...argv, 'whole.lgi');
    const place = workplace.path('killed.lgi.checkpoint');
    const killed = workplace.lgi([...argv, 'killed.lgi', '--checkpoint', '0'], {
      onStart: (child) => {
        const watch = setInterval(() => {
          if (!existsSync(place)) return;
          clearInterval(watch);
          child.kill('SIGKILL');
        }, 5);
      },
    });
    expect((await killed).code).toBeNull();
    const again = await workplace.runInside([...argv, 'killed.lgi', '--checkpoint', '0']);
    expect(again.stderr).toMatch(/would replace killed\.lgi\.checkpoint.*--resume/s);
    const other = await workplace.runInside([
      ...argv,
      'killed.lgi',
      '--resume',
      'killed.lgi.checkpoint',
      '--seed',
      '2',
    ]);
    expect(other.stderr).toMatch(/killed\.lgi\.checkpoint: the checkpoint is of another encode/);
    expect(other.stderr).toContain('it differs in the seed (--seed)');
    expect(other.stderr).not.toContain('go on by');
    const plain = await workplace.runInside(['encode', 'photo.png', '--iterations', '1', '-o', 'killed.lgi']);
    expect(plain.stderr).toMatch(/killed\.lgi\.checkpoint of an earlier encode is there.*--resume/s);
    await workplace.json(...argv, 'killed.lgi', '--resume', 'killed.lgi.checkpoint');
    expect(await readFile(workplace.path('killed.lgi'))).toEqual(await readFile(workplace.path('whole.lgi')));
    expect((await workplace.names()).filter((name) => name.includes('checkpoint'))).toEqual([]);
  });

  it('that is given no checkpoint says so', async () => {
    const missing = await workplace.runInside([...argv, 'x.lgi', '--resume', 'none.checkpoint']);
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toMatch(/cannot read none\.checkpoint/);
    const picture = await workplace.runInside([...argv, 'x.lgi', '--resume', 'photo.png']);
    expect(picture.stderr).toMatch(/photo\.png: the checkpoint is none/);
    const interval = await workplace.runInside([...argv, 'x.lgi', '--checkpoint', '-1']);
    expect(interval.stderr).toMatch(/no number of seconds/);
  });
});
