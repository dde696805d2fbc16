import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeImage } from '../../dist/src/node.js';
import { makePng } from '../../dist/test/media/image-files.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();

beforeAll(async () => {
  await writeImage(workplace.path('scene.png'), scene(32, 24));
  await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '4');
  const bytes = await readFile(workplace.path('a.lgi'));
  await writeFile(workplace.path('short.lgi'), bytes.subarray(0, bytes.length / 2));
  await writeFile(workplace.path('zeros.lgi'), Buffer.alloc(4096));
  await writeFile(workplace.path('empty.lgi'), '');
  const nothing = { width: 0, height: 0, depth: 8, colourType: 0, values: [] } as const;
  await writeFile(workplace.path('nothing.png'), makePng(nothing));
  await mkdir(workplace.path('folder'));
});

/** Runs commands that shall fail: stdout must be one JSON object, stderr one message, the folder unchanged. */
async function failures(argvs: readonly (readonly string[])[]) {
  const before = await workplace.names();
  const results = await Promise.all(argvs.map((argv) => workplace.runInside([...argv, '--json'])));
  expect(await workplace.names()).toEqual(before);
  return results.map(({ code, stdout, stderr }) => {
    const { error, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({});
    expect(stderr).toContain(`lgi: ${error.message}`);
    expect(stderr).not.toMatch(/^ +at /m);
    return { code, error };
  });
}

const encode = (...argv: string[]) => ['encode', 'scene.png', '-o', 'x.lgi', '--iterations', '1', ...argv];
const decode = (...argv: string[]) => ['decode', 'a.lgi', '-o', 'x.png', ...argv];
const crop = (...argv: string[]) => ['crop', 'a.lgi', '-o', 'x.lgi', ...argv];

describe('wrong usage', () => {
  it('ends with exit code 2 and names the option', async () => {
    const cases: [string[], string?][] = [
      [encode('--iterations', '0'), 'iterations'],
      [encode('--iterations', '-3'), 'iterations'],
      [encode('--iterations', '12abc'), 'iterations'],
      [encode('--iterations', ''), 'iterations'],
      [encode('--iterations', '1e99'), 'iterations'],
      [encode('--iterations', '1e999'), 'iterations'],
      [encode('--iterations', '0x10'), 'iterations'],
      [encode('--time', 'NaN'), 'time'],
      [encode('--params', '5'), 'params'],
      [encode('--params', '9000', '--cell', '32x0'), 'cell'],
      [encode('--grid', '16'), 'grid'],
      [['encode', 'scene.png', '-o', 'new.png'], 'output'],
      [encode('--time', '0'), 'time'],
      [encode('--time', 'Infinity'), 'time'],
      [encode('--psnr', '1000'), 'psnr'],
      [encode('--grid', '16'), 'grid'],
      [encode('--grid', '0x4'), 'grid'],
      [encode('--grid', '4,4'), 'grid'],
      [encode('--grid', '2x2', '--cell', '8x8'), 'cell'],
      [encode('--cell', '4x4x4'), 'cell'],
      [encode('--params', '0'), 'params'],
      [encode('--params', '1e99'), 'params'],
      [encode('--params', '9000', '--global-share', '1.5'), 'global-share'],
      [encode('--global-share', '0.2'), 'global-share'],
      [encode('--params', '9000', '--local-width', '4'), 'local-width'],
      [encode('--local-width', '0'), 'local-width'],
      [encode('--global-width', '1e6'), 'global-width'],
      [encode('--levels', '2.5'), 'levels'],
      [encode('--lattice', '-1'), 'lattice'],
      [encode('--lattice', 'some'), 'lattice'],
      [encode('--coordinates', 'polar'), 'coordinates'],
      [encode('--weights', 'int17'), 'weights'],
      [encode('--coder', 'zip'), 'coder'],
      [encode('--engine', 'steam'), 'engine'],
      [encode('--preset', 'slow'), 'preset'],
      [encode('--threads', '0'), 'threads'],
      [encode('--seed', '-1'), 'seed'],
      [encode('--seed', '1.5'), 'seed'],
      [encode('--colour', 'red'), 'colour'],
      [['encode', 'scene.png'], 'output'],
      [['encode', 'scene.png', '-o', '-'], 'output'],
      [['encode', 'scene.png', '-o', ''], 'output'],
      [['encode', 'scene.png', '-o', 'scene.png'], 'output'],
      [['encode', '-o', 'x.lgi']],
      [['encode', 'scene.png', 'scene.png', '-o', 'x.lgi']],
      [['decode', 'a.lgi', '-o', 'x.gif'], 'output'],
      [decode('--scale', '0'), 'scale'],
      [decode('--scale', '1e99'), 'scale'],
      [decode('--scale', '2', '--size', '4x4'), 'size'],
      [decode('--size', '4'), 'size'],
      [decode('--size', '0x4'), 'size'],
      [decode('--size', '1000000x1000000'), 'size'],
      [decode('--region', '0,0,10'), 'region'],
      [decode('--region', '0,0,0,10'), 'region'],
      [decode('--region', '-1,0,10,10'), 'region'],
      [decode('--region', '30,0,10,10'), 'region'],
      [decode('--region', '0,0,1e1,10'), 'region'],
      [decode('--background', 'red'), 'background'],
      [decode('--threads', '1000000'), 'threads'],
      [crop('--region', '0,0,33,24'), 'region'],
      [crop('--drop', '5,5'), 'drop'],
      [crop('--drop', 'a'), 'drop'],
      [crop('--drop', '0,0 0,1 1,0 1,1'), 'drop'],
      [crop('--region', '1,1,4,4', '--inner'), 'inner'],
      [['fly']],
      [['info']],
    ];
    const results = await failures(cases.map(([argv]) => argv));
    results.forEach(({ code, error }, i) => {
      const [argv, option] = cases[i];
      expect({ argv, code, errorCode: error.code, option: error.option }).toEqual({
        argv,
        code: 2,
        errorCode: 'usage',
        option,
      });
    });
  });

  it('of no command at all shows the help', async () => {
    const { code, stderr } = await workplace.lgi([]);
    expect(code).toBe(2);
    for (const command of ['encode', 'decode', 'crop', 'info', 'verify', 'compare']) {
      expect(stderr).toContain(`  ${command} `);
    }
  });

  it('is never asking for help or for the version', async () => {
    for (const argv of [['--help'], ['encode', '--help'], ['help', 'crop'], ['--version']]) {
      const { code, stdout, stderr } = await workplace.lgi(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toBe('');
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});

describe('what comes from outside', () => {
  it('ends with exit code 1 and a code of its own', async () => {
    const cases: [string[], string][] = [
      [['decode', 'scene.png', '-o', 'x.png'], 'not-lgi'],
      [['decode', 'zeros.lgi', '-o', 'x.png'], 'not-lgi'],
      [['decode', 'empty.lgi', '-o', 'x.png'], 'not-lgi'],
      [['decode', 'short.lgi', '-o', 'x.png'], 'truncated'],
      [['decode', 'missing.lgi', '-o', 'x.png'], 'io'],
      [['decode', 'folder', '-o', 'x.png'], 'io'],
      [['decode', 'ftp://example.org/a.lgi?signature=secret', '-o', 'x.png'], 'unavailable'],
      [['crop', 'short.lgi', '-o', 'x.lgi'], 'truncated'],
      [['crop', 'zeros.lgi', '-o', 'x.lgi'], 'not-lgi'],
      [['crop', 'missing.lgi', '-o', 'x.lgi'], 'io'],
      [['info', 'scene.png'], 'not-lgi'],
      [['info', 'folder'], 'io'],
      [['verify', 'missing.lgi'], 'io'],
      [['compare', 'scene.png', 'missing.png'], 'io'],
      [['compare', 'scene.png', 'zeros.lgi'], 'media'],
      [['encode', 'nothing.png', '-o', 'x.lgi'], 'media'],
      [['encode', 'a.lgi', '-o', 'x.lgi'], 'media'],
      [['encode', 'empty.lgi', '-o', 'x.lgi'], 'media'],
      [['encode', 'missing.png', '-o', 'x.lgi'], 'io'],
      [['encode', 'folder', '-o', 'x.lgi'], 'media'],
      [['encode', 'http://example.org/a.png', '-o', 'x.lgi'], 'unavailable'],
      [encode('--engine', 'webgpu'), 'unavailable'],
      [['encode', 'scene.png', '-o', 'folder'], 'io'],
      [['encode', 'scene.png', '-o', 'scene.png/x.lgi'], 'io'],
      [['encode', 'scene.png', '-o', 'nowhere/x.lgi'], 'io'],
      [['crop', 'a.lgi', '-o', 'scene.png/x.lgi'], 'io'],
      [['decode', 'a.lgi', '-o', 'scene.png/x.png'], 'io'],
    ];
    const results = await failures(cases.map(([argv]) => argv));
    results.forEach(({ code, error }, i) => {
      const [argv, expected] = cases[i];
      expect({ argv, code, errorCode: error.code }).toEqual({ argv, code: 1, errorCode: expected });
      expect(error.message).not.toContain('secret');
    });
  });

  it('is told before training where the output cannot be written', async () => {
    const argv = ['encode', 'scene.png', '-o', 'scene.png/x.lgi', '--iterations', '2000000000'];
    expect(await workplace.lgi(argv)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'lgi: cannot write scene.png/x.lgi: a part of the path is no folder; check the path\n',
    });
  });

  it.skipIf(!existsSync('/dev/full'))('may be a full disk', async () => {
    for (const { code, error } of await failures([encode('-o', '/dev/full'), crop('-o', '/dev/full')])) {
      expect(code).toBe(1);
      expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('no space left') });
    }
  });
});
