import type { ChildProcess } from 'node:child_process';
import { copyFile, readFile, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
const small = ['--cell', '16x16', '--local-width', '6', '--global-width', '8', '--iterations', '200'];

beforeAll(async () => {
  await writeImage(workplace.path('a.png'), scene(48, 32));
  await writeImage(workplace.path('b.png'), scene(40, 32));
  await writeImage(workplace.path('wide.png'), scene(88, 20));
  await workplace.json('encode', 'a.png', '-o', 'a.lgi', ...small);
});

const bytesOf = (name: string): Promise<Buffer> => readFile(workplace.path(name));
const add = ['b.png', '--side', 'right', '--iterations', '200'];

describe('lgi append', () => {
  it('grows a file in place, and says what is new', async () => {
    await copyFile(workplace.path('a.lgi'), workplace.path('g.lgi'));
    const report = await workplace.json('append', 'g.lgi', ...add);
    expect(report).toMatchObject({
      generation: 2,
      partitions: 6,
      window: { begin: [0, 0], end: [32, 88] },
      bytes: (await stat(workplace.path('g.lgi'))).size,
      psnr: expect.any(Number),
    });
    const [old, grown] = [await bytesOf('a.lgi'), await bytesOf('g.lgi')];
    expect(grown.subarray(1024, old.length)).toEqual(old.subarray(1024));
    expect(await workplace.json('verify', 'g.lgi')).toMatchObject({ ok: true });
    expect(await workplace.json('info', 'g.lgi')).toMatchObject({ generation: 2, version: '1.2' });
    await workplace.json('append', 'g.lgi', 'wide.png', '--side', 'top', '--iterations', '50');
    expect(await workplace.json('info', 'g.lgi')).toMatchObject({ generation: 3 });
    expect((await workplace.names()).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('writes a new file instead, its index in front, and trains all weights where asked', async () => {
    const before = await bytesOf('a.lgi');
    await workplace.json('append', 'a.lgi', ...add, '-o', 'new.lgi');
    expect(await bytesOf('a.lgi')).toEqual(before);
    expect(await workplace.json('info', 'new.lgi')).toMatchObject({ generation: 1 });
    await copyFile(workplace.path('a.lgi'), workplace.path('tuned.lgi'));
    const tuned = await workplace.json('append', 'tuned.lgi', ...add, '--finetune', '-o', 'tuned.lgi');
    expect(tuned).toMatchObject({ generation: 1, keptPsnr: expect.any(Number) });
    const [family, other] = [
      await workplace.json('info', 'a.lgi'),
      await workplace.json('info', 'tuned.lgi'),
    ];
    expect(other.familyId).not.toBe(family.familyId);
  });

  it('fills a hole', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'hole.lgi', '--drop', '1,1');
    await writeImage(workplace.path('patch.png'), scene(16, 16));
    const report = await workplace.json(
      'append',
      'hole.lgi',
      'patch.png',
      '--at',
      '16,16',
      '--iterations',
      '50',
    );
    expect(report).toMatchObject({ partitions: 1, generation: 2 });
    expect(await workplace.json('info', 'hole.lgi')).toMatchObject({
      signals: [{ partitions: { present: 6, absent: 0 } }],
    });
  });

  it.each([
    [['a.lgi', 'b.png'], 2, /--side: is missing; give left, right, top, bottom/],
    [['a.lgi', 'b.png', '--side', 'right', '--finetune'], 2, /--finetune: .* name it by --output/],
    [['a.lgi', 'b.png', '--side', 'after'], 2, /'after' is none of image/],
    [['a.lgi', 'wide.png', '--side', 'right'], 2, /has 20 samples on axis y, the file 32/],
    [['a.lgi', 'b.png', '--at', '0,0'], 2, /4 of the 6 partitions|inside a partition/],
    [['none.lgi', 'b.png', '--side', 'right'], 1, /no such file/],
    [['a.png', 'b.png', '--side', 'right'], 1, /this is a PNG, not an LGI file; encode it first/],
    [['a.lgi', 'a.lgi', '--side', 'right'], 1, /this is an LGI file already/],
    [
      ['https://example.org/a.lgi', 'b.png', '--side', 'right'],
      1,
      /cannot be changed in place; write a new file by --output/,
    ],
  ] as const)('refuses %j in words', async (argv, code, message) => {
    const before = await bytesOf('a.lgi');
    const ended = await workplace.runInside(['append', ...argv]);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(message);
    expect(await bytesOf('a.lgi')).toEqual(before);
  });

  it('killed at any moment leaves the old file, and the next one takes its lock over', async () => {
    await copyFile(workplace.path('a.lgi'), workplace.path('k.lgi'));
    const endless = ['append', 'k.lgi', 'b.png', '--side', 'right', '--iterations', '2000000000'];
    let acting: Promise<void> = Promise.resolve();
    const killed = workplace.lgi(endless, {
      onStart: (child: ChildProcess) => {
        acting = (async () => {
          while (!(await workplace.names()).includes('k.lgi.lock')) await wait(10);
          // While it lives nobody else may write.
          const refused = await workplace.runInside(['append', 'k.lgi', ...add, '--json']);
          expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'locked' } });
          await wait(300);
          child.kill('SIGKILL');
        })();
      },
    });
    await acting;
    expect((await killed).code).toBe(null);
    expect(await bytesOf('k.lgi')).toEqual(await bytesOf('a.lgi'));
    expect(await workplace.names()).toContain('k.lgi.lock');
    expect(await workplace.json('append', 'k.lgi', ...add)).toMatchObject({ generation: 2 });
    expect(await workplace.names()).not.toContain('k.lgi.lock');
  });

  it('killed around the moment when it writes leaves the old file or the new one', async () => {
    const start = performance.now();
    await copyFile(workplace.path('a.lgi'), workplace.path('k.lgi'));
    expect((await workplace.lgi(['append', 'k.lgi', ...add])).code).toBe(0);
    const wholeMs = performance.now() - start;
    const finished = await bytesOf('k.lgi');
    for (const part of [0.6, 0.75, 0.85, 0.9, 0.95]) {
      await copyFile(workplace.path('a.lgi'), workplace.path('k.lgi'));
      await workplace.lgi(['append', 'k.lgi', ...add], {
        onStart: (child) => setTimeout(() => child.kill('SIGKILL'), wholeMs * part),
      });
      const { generation } = (await workplace.json('info', 'k.lgi')) as unknown as { generation: number };
      const bytes = await bytesOf('k.lgi');
      // Until the slots are written, what was appended counts for nothing.
      if (generation === 1)
        expect((await workplace.json('decode', 'k.lgi', '-o', 'k.png')).missing).toEqual([]);
      else expect(bytes.subarray(1024)).toEqual(finished.subarray(1024));
      expect(
        await workplace.json('append', 'k.lgi', 'b.png', '--side', 'left', '--iterations', '5'),
      ).toMatchObject({
        generation: generation + 1,
      });
    }
  });
});
