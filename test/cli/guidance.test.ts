import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(40, 24));
await workplace.json(
  ...['encode', 'scene.png', '-o', 'a.lgi', '--cell', '8x8', '--weights', 'int11', '--iterations', '10'],
);
const whole = await readFile(workplace.path('a.lgi'));

describe('what people are told', () => {
  it('is the PSNR that the file has, where another was asked for', async () => {
    const short = ['encode', 'scene.png', '-o', 'p.lgi', '--psnr', '60', '--iterations', '5'];
    const missed = await workplace.json(...short);
    expect(missed.stoppedBy).toBe('iterations');
    expect(String(missed.notices)).toMatch(
      /asked for 60 dB, reached \d+\.\d\d dB when the 5 of --iterations ended; give more of them/,
    );
    const coarse = ['encode', 'scene.png', '-o', 'p.lgi', '--psnr', '20', '--weights', 'int3'];
    const quantised = await workplace.json(...coarse);
    expect(quantised.stoppedBy).toBe('psnr');
    expect(quantised.psnr).toBeLessThan(20);
    expect(String(quantised.notices)).toMatch(/asked for 20 dB, reached .*quantising/);
    const late = await workplace.json('encode', 'scene.png', '-o', 'p.lgi', '--psnr', '90', '--time', '0.1');
    expect(String(late.notices)).toMatch(/reached \d+\.\d\d dB when the 0\.1 s of --time ended; give more/);
    const reached = await workplace.json('encode', 'scene.png', '-o', 'p.lgi', '--psnr', '15');
    expect([reached.stoppedBy, reached.notices]).toEqual(['psnr', []]);
    expect(reached.psnr).toBeGreaterThanOrEqual(15);
  });

  it('is what ended training where no end was given, and the PSNR in the same digits everywhere', async () => {
    await writeImage(workplace.path('tiny.png'), scene(8, 8));
    const { stdout, stderr } = await workplace.runInside([
      'encode',
      'tiny.png',
      '-o',
      't.lgi',
      '--psnr',
      '110',
      '--weights',
      'int6',
    ]);
    const [, reached] =
      /reached (\d+\.\d\d) dB when the \d+ iterations of preset fast ended; give more by --iterations or --time, or more parameters \(--params\)/.exec(
        stderr,
      ) ?? [];
    expect(reached).toBeDefined();
    expect(stdout).toContain(`PSNR ${reached} dB`);
    const compared = await workplace.runInside(['compare', 'tiny.png', 't.lgi']);
    expect(compared.stdout).toMatch(new RegExp(`PSNR +${reached} dB`));
  });

  it('is a limit once, where too few parameters are asked for', async () => {
    const { code, stderr } = await workplace.runInside([
      'encode',
      'scene.png',
      '-o',
      'p.lgi',
      '--params',
      '100',
      '--cell',
      '8x8',
    ]);
    expect(code).toBe(2);
    const [, least] =
      /^lgi: --params: 100 is too few: 3x5 partitions need at least (\d+); ask/.exec(stderr) ?? [];
    expect(least).toBeDefined();
    expect(stderr.split(String(least))).toHaveLength(2);
  });

  it.each([
    ['encode', 'scene.png'],
    ['decode', 'a.lgi'],
    ['crop', 'a.lgi', '--region', '0,0,8,8'],
  ])('is the folder that does not exist, by %s', async (...argv) => {
    const output = argv[0] === 'decode' ? 'none/x.png' : 'none/x.lgi';
    const { code, stderr } = await workplace.runInside([...argv, '-o', output]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `lgi: cannot write ${output}: there is no folder none; make it first, or check the path\n`,
    );
  });

  it.each([
    ['encode', 'scene.png', '-o', 'p.lgi', '--grid', '2x2', '--cell', '8x8', /^--cell: .* with --grid;/],
    ['encode', 'scene.png', '-o', 'p.lgi', '--global-share', '0.5', /^--global-share: needs --params,/],
    [
      'encode',
      'scene.png',
      '-o',
      'p.lgi',
      '--params',
      '9000',
      '--local-width',
      '9',
      /^--local-width: .* --params,/,
    ],
    ['encode', 'scene.png', '-o', 'p.lgi', '--time', '-1', /^--time: -1 is no number of seconds/],
    ['decode', 'a.lgi', '-o', 'x.png', '--scale', '2', '--size', '9x9', /^--size: .* with --scale;/],
    ['crop', 'a.lgi', '-o', 'p.lgi', '--region', '1,1,3,3', '--inner', /do without --inner$/],
    ['append', 'a.lgi', 'scene.png', '--at', '0,0', '--side', 'left', /^--at: .* with --side;/],
    ['append', 'a.lgi', 'scene.png', '--at', '0,0', /train them anew by --replace$/],
  ] as [...string[], RegExp][])(
    'names options as they are on the command line: %s %s %s %s',
    async (...given) => {
      const pattern = given.pop() as RegExp;
      const { code, stdout } = await workplace.runInside([...(given as string[]), '--json']);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect([code, error.code]).toEqual([2, 'usage']);
      expect(error.message).toMatch(pattern);
      expect(error.message).not.toMatch(/`|[a-z][A-Z]/);
    },
  );

  it('is the way round a damaged partition', async () => {
    const damaged = Uint8Array.from(whole);
    damaged[damaged.length - 3] ^= 1;
    await writeFile(workplace.path('d.lgi'), damaged);
    const refused = await workplace.runInside(['decode', 'd.lgi', '-o', 'd.png']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--allow-damaged') as string });
    expect((await workplace.json('decode', 'd.lgi', '-o', 'd.png', '--allow-damaged')).missing).toHaveLength(
      1,
    );
  });

  it('is one line for all chunks that a missing end takes along', async () => {
    await writeFile(workplace.path('t.lgi'), whole.subarray(0, whole.length - 5000));
    const { code, stdout } = await workplace.runInside(['verify', 't.lgi']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/chunk \d,\d \(and \d+ others\) +truncated at byte \d+/);
    expect(stdout.split('\n').filter((line) => line.includes('chunk'))).toHaveLength(1);
    const { errors } = JSON.parse((await workplace.runInside(['verify', 't.lgi', '--json'])).stdout) as {
      errors: unknown[];
    };
    expect(errors.length).toBeGreaterThan(2);
  });
});

describe('what people write', () => {
  it('may have --json in front, spaces behind commas, and commas between pairs', async () => {
    const inFront = await workplace.runInside(['--json', 'info', 'a.lgi']);
    expect(JSON.parse(inFront.stdout)).toEqual(await workplace.json('info', 'a.lgi'));
    const plain = await workplace.json('crop', 'a.lgi', '-o', 'c.lgi', '--drop', '0,3 1,2');
    expect(await workplace.json('crop', 'a.lgi', '-o', 'c.lgi', '--drop', '0,3, 1,2')).toEqual(plain);
    const region = await workplace.json('crop', 'a.lgi', '-o', 'c.lgi', '--region', '0, 0, 8, 8');
    expect(region.kept).toBe(1);
  });
});

describe('of a file that something has happened to, people are told', () => {
  it('to go on without what is cut off only where the header is there', async () => {
    await writeFile(workplace.path('cut.lgi'), whole.subarray(0, 1200));
    const inHeader = await workplace.runInside(['decode', 'cut.lgi', '-o', 'x.png']);
    expect(inHeader.stderr).toMatch(/without all of its header/);
    expect(inHeader.stderr).not.toMatch(/allow-damaged/);
    await writeFile(workplace.path('cut.lgi'), whole.subarray(0, whole.length - 10));
    const inChunk = await workplace.runInside(['decode', 'cut.lgi', '-o', 'x.png']);
    expect(inChunk.stderr).toMatch(/--allow-damaged to go on/);
  });

  it('that repair may save one whose superblock was overwritten', async () => {
    const overwritten = Buffer.from(whole);
    overwritten.fill(0, 0, 1024);
    await writeFile(workplace.path('over.lgi'), overwritten);
    const ended = await workplace.runInside(['info', 'over.lgi']);
    expect(ended.stderr).toMatch(/at byte 1024 it has a header of one.*by repair/s);
    expect((await workplace.json('repair', 'over.lgi', '-o', 'saved.lgi')).kept).toBe(15);
  });

  it('which file is cut off, of those that are joined', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'left.lgi', '--region', '0,0,16,24');
    await workplace.json('crop', 'a.lgi', '-o', 'right.lgi', '--region', '16,0,24,24');
    const right = await readFile(workplace.path('right.lgi'));
    await writeFile(workplace.path('right.lgi'), right.subarray(0, right.length - 10));
    const ended = await workplace.runInside(['join', 'left.lgi', 'right.lgi', '-o', 'both.lgi']);
    expect(ended.stderr).toMatch(/right\.lgi: the file ends after/);
    expect(await workplace.names()).not.toContain('both.lgi');
  });
});
