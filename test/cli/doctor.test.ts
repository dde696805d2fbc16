import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { encodeImage } from '../../dist/src/node.js';
import { Workplace } from './run-lgi.js';

interface Finding {
  readonly available: boolean;
  readonly is?: string;
  readonly hint?: string;
}

describe('lgi doctor', async () => {
  const workplace = await Workplace.create();

  it('says what is there, and how to get what is not', async () => {
    const { stdout, stderr, code } = await workplace.lgi(['doctor', '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const report = JSON.parse(stdout) as {
      node: string;
      threads: number;
      engines: Record<string, Finding>;
      media: Finding;
    };
    expect(report.node).toBe(process.versions.node);
    expect(report.threads).toBeGreaterThan(0);
    expect(report.engines['cpu']).toMatchObject({ available: true });
    // Of this project's own dependencies.
    expect(report.engines['tensorflow'].is).toMatch(
      /^WebAssembly, @tensorflow\/tfjs \d.*tfjs-node-gpu \(CUDA\)$|^CUDA/,
    );
    expect(report.engines['webgpu']).toEqual({ available: false, hint: 'not in this version' });
    expect(report.media.is).toMatch(/^node-av, FFmpeg \d/);
  });

  it('says it in words, in lines that fit a terminal', async () => {
    const { stdout } = await workplace.runInside(['doctor']);
    expect(stdout).toMatch(/^lgi \S+ on Node \S+\n {2}engine cpu +WebAssembly/);
    expect(stdout).toMatch(/engine webgpu +not there: not in this version/);
  });
});

describe('lgi encode --engine tensorflow', async () => {
  const workplace = await Workplace.create();

  it('writes a file that every engine decodes to the same samples', async () => {
    const data = Uint8Array.from({ length: 16 * 20 }, (_, i) => 128 + 90 * Math.sin(i / 9));
    const picture = { data, shape: [16, 20], channels: 1, layout: 'grey', sampleType: 'uint8' } as const;
    await writeFile(workplace.path('a.png'), await encodeImage('png', picture));
    const report = await workplace.json(
      'encode',
      workplace.path('a.png'),
      '-o',
      workplace.path('a.lgi'),
      ...['--engine', 'tensorflow', '--cell', '8x8', '--iterations', '40'],
    );
    expect(report).toMatchObject({ engine: 'tensorflow' });
    const compared = await workplace.json('compare', workplace.path('a.png'), workplace.path('a.lgi'));
    expect(Number(compared.psnr)).toBeCloseTo(Number(report.psnr), 2);
  });
});
