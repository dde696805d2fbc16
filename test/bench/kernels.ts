import { compileKernels, instantiateKernels, sharedMemory } from '../../codec/engine/cpu/module.js';
import { leastMs } from './measure.js';
import type { Measurement } from './measure.js';

const ROUNDS = 200_000;
/** 26 vector multiply-adds a round, 4 lanes, 2 operations. */
const PEAK_FLOP = ROUNDS * 26 * 4 * 2;
const LAYERS: readonly (readonly [name: string, rows: number, depth: number])[] = [
  ['84 -> 84, the global layer', 84, 84],
  ['98 -> 14 (16), the merge', 16, 98],
  ['14 -> 14 (16), the local layer', 16, 14],
];

/** Runs until the host has compiled the function for good: it does so beside us, some calls later. */
async function warmUp(run: () => void): Promise<void> {
  for (let i = 0; i < 10; i++) {
    run();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Multiply-add peak of one thread in GFLOP/s, and what the kernels reach of it. */
export async function measureKernels(): Promise<{ peak: number; sineNs: number; lines: Measurement[] }> {
  const { module, fused } = await compileKernels();
  const memory = sharedMemory(16, 16);
  const kernels = instantiateKernels(module, memory);
  new Float32Array(memory.buffer).fill(0.01);
  kernels.prepareSine(1024);
  await warmUp(() => void kernels.multiplyAddPeak(ROUNDS));
  const peak = PEAK_FLOP / leastMs(60, () => void kernels.multiplyAddPeak(ROUNDS)) / 1e6;
  const lines: Measurement[] = [
    { name: `multiply-add peak, one thread${fused ? ', fused' : ''}`, value: peak, unit: 'GFLOP/s' },
  ];
  const [weights, features, out] = [4096, 65536, 131072];
  for (const [name, rows, depth] of LAYERS) {
    const calls = 2000;
    const ms = leastMs(20, () => {
      for (let i = 0; i < calls; i++) {
        kernels.layer(weights, rows * 4, weights + depth * rows * 4, features, out, rows, depth);
      }
    });
    const value = (calls * rows * depth * 32 * 2) / ms / 1e6;
    lines.push({ name: `layer ${name}`, value, unit: 'GFLOP/s', ratio: value / peak, ratioOf: 'peak' });
  }
  const calls = 2000;
  const rows = 84;
  const perValue = (run: () => void): number => (leastMs(20, run) * 1e6) / (calls * rows * 32);
  const sineNs = perValue(() => {
    for (let i = 0; i < calls; i++) kernels.activateWithSlope(features, out, rows, 1, 0, 1, 0);
  });
  lines.push({ name: 'sine and slope', value: sineNs, unit: 'ns each' });
  lines.push({
    name: 'sine',
    value: perValue(() => {
      for (let i = 0; i < calls; i++) kernels.activate(features, rows, 1, 0, 1, 0);
    }),
    unit: 'ns each',
  });
  return { peak, sineNs, lines };
}
