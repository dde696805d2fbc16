import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../dist/codec/engine/choose.js';
import { LgiError } from '../../dist/codec/errors.js';
import { memoryMedia } from '../../dist/src/index.js';
import { writeImage } from '../../dist/src/node.js';
import { TrainingRecord } from '../../dist/test/paper/training-record.js';
import { EXPERIMENTS } from '../../dist/test/paper/experiments.js';
import { encodeSystem } from '../../dist/test/paper/encode-system.js';
import { decodeOutputs } from '../../dist/test/paper/decode-system.js';
import { areaResized, bilinearDoubled, stretched, upperLeft } from '../../dist/test/paper/float-picture.js';
import { noisy } from '../../dist/test/paper/experiments/incode.js';
import { runIncode, type IncodeNetwork } from '../../dist/test/paper/incode-system.js';
import { Laboratory } from '../../dist/test/paper/laboratory.js';
import { encodedQuality, pictureQuality } from '../../dist/test/paper/picture-quality.js';
import { report } from '../../dist/test/paper/report.js';
import { Results, type Conditions, type Run } from '../../dist/test/paper/results.js';
import { readSafetensors } from '../../dist/test/paper/safetensors.js';
import { Stage } from '../../dist/test/paper/stage.js';
import { settingsOf } from '../../dist/test/paper/system.js';

const engine = createEngine('cpu', 2);
let folder: string;

/** Grey waves as the picture of most experiments. */
const WAVES = Uint8Array.from(
  { length: 64 * 64 },
  (_, i) => 128 + 60 * Math.sin((i % 64) / 3) + 60 * Math.cos(Math.floor(i / 64) / 5),
);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-paper-'));
  const { format } = memoryMedia({ data: WAVES, shape: [64, 64] });
  await writeImage(join(folder, 'camera.png'), { data: WAVES, shape: [64, 64], ...format });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

async function paper(...argv: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const program = resolve('dist/test/paper/paper.js');
  try {
    return { ...(await promisify(execFile)(process.execPath, [program, ...argv])), code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

function laboratory(checkpoints: string): Laboratory {
  return new Laboratory({
    engine,
    data: folder,
    scale: 0.02,
    shrink: 1,
    checkpointSeconds: 0,
    checkpoints: join(folder, checkpoints),
    onProgress: () => undefined,
  });
}

describe('npm run paper', () => {
  test('names every experiment, of the tables and figures', async () => {
    const { stdout } = await paper('--list');
    for (const { name, title } of EXPERIMENTS) {
      expect(stdout).toContain(title);
      expect(stdout).toContain(`${name} `);
    }
    const names = EXPERIMENTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { rows } of EXPERIMENTS) {
      expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    }
  });

  test("shows the paper's figures beside ours, says how far runs were shortened, and makes none twice", async () => {
    const out = join(folder, 'out');
    const argv = ['table-9', '--data', folder, '--scale', '0.003', '--shrink', '2', '--out', out];
    const first = await paper(...argv);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/0\.003 of the paper's iterations, pictures 2 times smaller/);
    expect(first.stdout).toMatch(/\| FC\+Add \| .*30\.21 ± 0\.48 \| \d+\.\d\d \|/);
    expect(await readFile(join(out, 'table-9.md'), 'utf8')).toBe(first.stdout);
    expect(await readFile(join(out, 'table-9.svg'), 'utf8')).toMatch(/^<svg[^]*FC\+Add/);
    const { runs } = JSON.parse(await readFile(join(out, 'table-9.json'), 'utf8')) as {
      runs: { row: string; iterations: number; shape: number[]; curve: unknown[] }[];
    };
    expect(runs.map(({ row }) => row)).toEqual(['Concat+FC', 'FC+Add']);
    expect(runs[0]).toMatchObject({ iterations: 3, shape: [32, 32] });
    expect(runs[0].curve.length).toBe(3);
    const again = await paper(...argv, '--seeds', '2', '--rows', 'FC');
    expect(again.stderr).not.toMatch(/FC\+Add 1:/);
    expect(again.stderr).toMatch(/FC\+Add 2:/);
    const other = await paper(...argv.slice(0, 4), '0.004', ...argv.slice(5));
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/runs of --scale 0\.003 --shrink 2; give another folder/);
  });

  test.each([
    [['table-99', '--data', '.'], /there is no 'table-99'; there are figure-1/],
    [['table-3'], /--data FOLDER is missing/],
    [['table-3', '--data', '.', '--scale', '2'], /--scale: '2' is no part from/],
    [['table-3', '--data', '.', '--engine', 'abacus'], /--engine: 'abacus' is no engine/],
    [
      ['table-3', '--data', '.', '--rows', 'SIREN', '--rows', 'x'],
      /--rows: none is or begins with 'x'; there are 'LGS/,
    ],
    [['table-3', '--data', '.', '--resnet', 'x'], /--resnet: nothing of table-3 sees a ResNet; leave it out/],
    [['table-3', 'table-4', '--data', '.'], /one experiment at a time: 'table-4' is one more/],
  ])('refuses %j', async (argv, message) => {
    const { code, stderr } = await paper(...argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('results', () => {
  const head = { experiment: 'table-9', scale: 1, shrink: 1 };

  test.each(['', '{"runs": 3}', 'no JSON'])('that are damaged are left alone: %j', async (text) => {
    const path = join(folder, 'damaged.json');
    await writeFile(path, text);
    await expect(Results.open(path, head)).rejects.toThrow(/damaged\.json has no runs .* move it away/);
    expect(await readdir(folder)).not.toContain('damaged.json.lock');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  const run = { row: 'a', seed: 1, engine: 'cpu', metrics: {}, iterations: 1, shape: [1], curve: [] };

  test('are added one by one, whatever the name of their folder', async () => {
    const path = join(relative('.', folder), 'named.json');
    const results = await Results.open(path, head);
    await results.add(run);
    await results.add({ ...run, seed: 2 });
    await results.close();
    const again = await Results.open(path, head);
    expect(again.runs).toEqual([run, { ...run, seed: 2 }]);
    await again.add({ ...run, seed: 3 });
    await again.close();
  });

  test('of other ResNet weights are not gone on with', async () => {
    const path = join(folder, 'resnet.json');
    const conditions = { ...head, resnet: '0123456789' };
    const first = await Results.open(path, conditions);
    await first.add(run);
    // One program at a time.
    await expect(Results.open(path, conditions)).rejects.toMatchObject({ code: 'locked' });
    await first.close();
    await expect(Results.open(path, head)).rejects.toThrow(/--resnet FILE of SHA-256 01234567; give another/);
    const again = await Results.open(path, conditions);
    expect(again.runs).toEqual([run]);
    await again.close();
  });
});

describe('a page of results', () => {
  test('says of how many runs a figure is that not all of them have', () => {
    const [experiment] = EXPERIMENTS.filter(({ name }) => name === 'table-14-ct');
    const [{ name: row }] = experiment.rows;
    const run = { row, engine: 'cpu', iterations: 1, shape: [1], curve: [] };
    const page = report(
      experiment,
      [
        { ...run, seed: 1, metrics: { psnr: 30, ssim: 0.5 } },
        { ...run, seed: 2, metrics: { psnr: 32, ssim: 0.7, best: 31 } },
      ],
      { scale: 1, shrink: 1 },
    );
    expect(page).toContain(`| ${row} | 31.01 ± 0.14 | 31.00 (of 1) |  | 31.00 ± 1.41 | 0.600 |  |  | 2 |`);
  });
});

describe('results that are committed', async () => {
  const results = 'test/paper/results';
  const names = (await readdir(results)).filter((name) => name.endsWith('.json'));

  test.each(names)('are shown as they are: %s', async (name) => {
    const { experiment, runs, ...conditions } = JSON.parse(
      await readFile(join(results, name), 'utf8'),
    ) as Conditions & { experiment: string; runs: Run[] };
    const found = EXPERIMENTS.find((each) => each.name === experiment);
    if (found === undefined) throw new Error(`there is no ${experiment} any more`);
    const shown = await readFile(join(results, name.replace('.json', '.md')), 'utf8');
    expect(shown).toBe(report(found, runs, conditions));
    const index = await readFile(join(results, 'README.md'), 'utf8');
    expect(index).toContain(`(${name.replace('.json', '.md')})`);
  });
});

describe('npm run paper, where results cannot be written,', () => {
  test.each([
    ['camera.png', /^paper: .*camera\.png/],
    ['no/such/folder', /^paper: .*there is no folder .*\/no\/such; make it first/],
  ])('says so before anything is trained: %s', async (out, message) => {
    const { code, stderr } = await paper('table-9', '--data', folder, '--out', join(folder, out));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/Concat| at /);
  });
});

describe('npm run paper, of media that are not there,', () => {
  test('says which, and ends', async () => {
    const { code, stderr } = await paper('table-11', '--data', folder, '--out', join(folder, 'none'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^paper: .*bach\.wav/);
    expect(stderr).not.toMatch(/ at /);
  });
});

describe('a training of the laboratory', () => {
  const system = { method: 'LGS', localWidth: 6, globalWidth: 8, partitions: [2, 2] } as const;

  test('goes on where it was interrupted, to the same result', async () => {
    const media = memoryMedia({ data: WAVES, shape: [64, 64] });
    const settings = settingsOf(system, media);
    const run = (lab: Laboratory, iterations = 20) =>
      encodeSystem(lab, { name: 'a run', media, settings, iterations, seed: 1 });
    const whole = await run(laboratory('whole'));
    const stopped = laboratory('stopped');
    const controller = new AbortController();
    const breaking = new Laboratory({
      engine,
      data: folder,
      scale: 1,
      shrink: 1,
      checkpointSeconds: 0,
      checkpoints: join(folder, 'stopped'),
      onProgress: () => undefined,
    });
    const train = breaking.train.bind(breaking);
    breaking.train = (name, options, record = new TrainingRecord()) => {
      const add = record.add.bind(record);
      record.add = (iteration, ...rest) => {
        add(iteration, ...rest);
        if (iteration === 8) controller.abort(new Error('killed'));
      };
      return train(name, { ...options, signal: controller.signal }, record);
    };
    await expect(run(breaking)).rejects.toThrow('killed');
    expect(await readdir(join(folder, 'stopped'))).toEqual(['a~20run.checkpoint']);
    const resumed = await run(stopped);
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.metrics.psnr).toBe(whole.metrics.psnr);
    expect(resumed.curve).toEqual(whole.curve);
  });

  test('is kept when it is stopped, however short', async () => {
    const media = memoryMedia({ data: WAVES, shape: [64, 64] });
    const settings = settingsOf(system, media);
    const run = (lab: Laboratory) =>
      encodeSystem(lab, { name: 'stopped', media, settings, iterations: 30, seed: 1 });
    const stopping = new AbortController();
    const options = { engine, data: folder, scale: 1, shrink: 1, checkpoints: join(folder, 'by-hand') };
    let told = 0;
    const onProgress = (): void => {
      told++;
      stopping.abort(new Error('by hand'));
    };
    await expect(run(new Laboratory({ ...options, signal: stopping.signal, onProgress }))).rejects.toThrow(
      'by hand',
    );
    expect(told).toBe(1);
    expect(await readdir(join(folder, 'by-hand'))).toEqual(['stopped.checkpoint']);
    const resumed = await run(new Laboratory({ ...options, onProgress: () => undefined }));
    expect(resumed.weights).toEqual((await run(laboratory('unstopped'))).weights);
  });

  test('is kept until its run is, and is not made again meanwhile', async () => {
    const media = memoryMedia({ data: WAVES, shape: [64, 64] });
    const settings = settingsOf(system, media);
    const run = (lab: Laboratory) =>
      encodeSystem(lab, { name: 'a stage', media, settings, iterations: 20, seed: 1 });
    const lab = laboratory('stages');
    const once = await run(lab);
    const again = await run(laboratory('stages'));
    // Its seconds, too, are those of the training that was made.
    expect(again).toEqual(once);
    await lab.forgetRun();
    expect(await readdir(join(folder, 'stages'))).toEqual([]);
  });

  test('has a file that no other name has, and refuses what is no checkpoint', async () => {
    const stages = join(folder, 'names');
    for (const name of ['SPP 1', 'SPP * 1', 'SPP-1']) {
      await (await Stage.open<string, string>(stages, name)).finish(name);
    }
    for (const name of ['SPP 1', 'SPP * 1', 'SPP-1']) {
      expect((await Stage.open<string, string>(stages, name)).result).toBe(name);
    }
    await writeFile(join(stages, 'torn.checkpoint'), 'no such thing');
    await expect(Stage.open(stages, 'torn')).rejects.toThrow(/torn\.checkpoint is no checkpoint; remove it/);
    await mkdir(join(stages, 'folder.checkpoint'));
    await expect(Stage.open(stages, 'folder')).rejects.toThrow(LgiError);
    await expect(Stage.open(join(stages, 'torn.checkpoint'), 'below')).rejects.toThrow(LgiError);
  });
});

describe('an INCODE of the laboratory', () => {
  test('is judged on its way as well, by the best of it wherever it was interrupted', async () => {
    const target = {
      data: Float32Array.from(WAVES, (value) => value / 255),
      shape: [64, 64] as const,
      channels: 1,
    };
    const settings = {
      system: { method: 'LGI', localWidth: 5, globalWidth: 6, partitions: [2, 2] },
      harmonizer: { hidden: [6], isNormalised: false, initialBias: 0.312 },
      ...{ iterations: 30, judgedEvery: 5, localRate: 2e-2, globalRate: 2e-2, finalRateFactor: 1 },
    } as const;
    const options = { engine, data: folder, scale: 1, shrink: 1, checkpointSeconds: 0 };
    const judged: number[] = [];
    const task = {
      ...{ name: 'incode', seed: 1, target },
      decode: async ({ model, grid, weights }: IncodeNetwork) => {
        const outputs = await decodeOutputs(engine, model, grid, weights);
        judged.push(pictureQuality({ ...target, data: outputs }, target).unclamped ?? NaN);
        return outputs;
      },
    };
    const lab = (name: string, signal?: AbortSignal, onProgress = (): void => undefined) =>
      new Laboratory({ ...options, checkpoints: join(folder, name), ...(signal && { signal }), onProgress });
    const whole = await runIncode(lab('incode-whole'), settings, task);
    expect(judged.length).toBe(7);
    expect(whole.metrics.best).toBe(Math.max(...judged));
    expect(whole.metrics.unclamped).toBe(judged[6]);
    const stopping = new AbortController();
    const stopped = runIncode(lab('incode', stopping.signal), settings, {
      ...task,
      decode: async (network) => {
        stopping.abort(new Error('by hand'));
        return task.decode(network);
      },
    });
    await expect(stopped).rejects.toThrow('by hand');
    const resumed = await runIncode(lab('incode'), settings, task);
    expect({ ...resumed.metrics, seconds: 0 }).toEqual({ ...whole.metrics, seconds: 0 });
    expect(resumed.curve).toEqual(whole.curve);
  });
});

describe('pictures of the tasks', () => {
  const picture = {
    data: Float32Array.from({ length: 6 * 9 * 2 }, (_, i) => i),
    shape: [6, 9] as const,
    channels: 2,
  };
  const meanOf = ({ data }: { data: Float32Array }): number =>
    data.reduce((sum, value) => sum + value, 0) / data.length;

  test('keep their mean when they are made smaller, by whole factors and others', () => {
    for (const shape of [
      [3, 3],
      [4, 5],
      [6, 9],
      [1, 1],
    ] as const) {
      const smaller = areaResized(picture, shape);
      expect(smaller.shape).toEqual(shape);
      expect(meanOf(smaller)).toBeCloseTo(meanOf(picture), 3);
    }
    const [first, second] = areaResized(picture, [3, 3]).data;
    expect(first).toBeCloseTo((0 + 2 + 4 + 18 + 20 + 22) / 6, 4);
    expect(second).toBeCloseTo((1 + 3 + 5 + 19 + 21 + 23) / 6, 4);
  });

  test('are cut, and doubled so that halves of the double are the picture where it is even', () => {
    expect([...upperLeft(picture, [1, 2]).data]).toEqual([0, 1, 2, 3]);
    const back = areaResized(bilinearDoubled(picture), picture.shape);
    // Inner samples; at borders there is nothing to go on to.
    expect(back.data[(2 * 9 + 4) * 2]).toBeCloseTo(picture.data[(2 * 9 + 4) * 2], 4);
  });

  test('are compared as what is decoded, and stretched to one range as the paper has them', async () => {
    const media = memoryMedia({ data: WAVES, shape: [64, 64] });
    const exact = Float32Array.from(WAVES, (value) => value / 127.5 - 1);
    const faint = await encodedQuality(
      media,
      exact.map((value) => value / 2),
    );
    expect(faint.psnr).toBeLessThan(20);
    expect(faint.stretched).toBeGreaterThan(100);
    const brightest = WAVES.indexOf(Math.max(...WAVES));
    const beyond = await encodedQuality(media, exact.with(brightest, 3));
    expect(beyond.psnr).toBeGreaterThan(50);
    expect(beyond.stretched).toBeLessThan(20);
  });

  test('of one brightness have nothing to stretch', () => {
    expect([...stretched(Float32Array.of(3, 3))]).toEqual([0, 0]);
  });

  test('in colour are as similar as their channels on the mean', () => {
    const [width, height] = [32, 16];
    const grey = Float32Array.from({ length: width * height }, (_, i) => ((i * 37) % 101) / 100);
    const poor = grey.map((value) => 1.2 * value - 0.1);
    const of = (...channels: Float32Array[]) => ({
      data: Float32Array.from(
        { length: grey.length * channels.length },
        (_, i) => channels[i % channels.length][Math.floor(i / channels.length)],
      ),
      shape: [height, width] as const,
      channels: channels.length,
    });
    const one = pictureQuality(of(poor), of(grey));
    const three = pictureQuality(of(grey, poor, grey), of(grey, grey, grey));
    expect(three.ssim).toBeCloseTo((2 + (one.ssim ?? NaN)) / 3, 6);
    // Some values lie outside, which clamping brings nearer.
    expect(one.psnr).toBeGreaterThan((one.unclamped ?? NaN) + 0.1);
  });

  test('get the noise of photons and of reading them out', () => {
    const flat = { data: new Float32Array(40_000).fill(0.5), shape: [200, 200] as const, channels: 1 };
    const seen = noisy(flat, 1);
    const mean = meanOf(seen);
    const variance = meanOf({ data: seen.data.map((value) => (value - mean) ** 2) });
    expect(mean).toBeCloseTo(0.5, 2);
    // 20 photons on the mean, and a deviation of 2, of 40.
    expect(variance).toBeCloseTo((20 + 4) / 40 ** 2, 3);
    expect(noisy(flat, 1).data).toEqual(seen.data);
  });
});

describe('weights from a safetensors file', () => {
  async function file(entries: object, numbers: Float32Array): Promise<string> {
    const header = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const path = join(folder, 'weights.safetensors');
    await writeFile(path, Buffer.concat([length, header, Buffer.from(numbers.buffer)]));
    return path;
  }

  test('are taken by name, or refused in words', async () => {
    const numbers = Float32Array.of(1, 2, 3);
    const entries = { 'bn1.weight': { dtype: 'F32', shape: [3], data_offsets: [0, 12] } };
    const weights = await readSafetensors(await file(entries, numbers));
    expect(weights.tensor('bn1.weight', 3)).toEqual(numbers);
    expect(() => weights.tensor('bn1.weight', 4)).toThrow(/3 numbers in bn1.weight instead of 4/);
    expect(() => weights.tensor('toString', 3)).toThrow(/no float32 tensor toString/);
    const cut = await readSafetensors(await file(entries, Float32Array.of(1)));
    expect(() => cut.tensor('bn1.weight', 3)).toThrow(/instead of 3/);
    await expect(readSafetensors(join(folder, 'nowhere'))).rejects.toThrow(
      /cannot read .*nowhere: there is no such file/,
    );
    const other = join(folder, 'other.safetensors');
    await writeFile(other, 'x'.repeat(40));
    await expect(readSafetensors(other)).rejects.toThrow(/is no safetensors file/);
  });
});
