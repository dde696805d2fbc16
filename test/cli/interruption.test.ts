import type { ChildProcess } from 'node:child_process';
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
