import { compileKernels, instantiateKernels, sharedMemory } from '../../codec/engine/cpu/module.js';
import { leastMs } from './measure.js';
import type { Kernels } from '../../codec/engine/cpu/module.js';
import type { Measurement } from './measure.js';

/** Rounds of a probe: 0.2 ms, short enough to fall between two turns of other programs. */
const ROUNDS = 40_000;
/** 24 vector multiply-adds a round, 4 lanes, 2 operations. */
const PEAK_FLOP = ROUNDS * 24 * 4 * 2;
const LAYERS: readonly (readonly [name: string, rows: number, depth: number])[] = [
  ['84 -> 84, the global layer', 84, 84],
  ['98 -> 14, the merge', 14, 98],
  ['14 -> 14, the local layer', 14, 14],
  ['14 -> 1, the output', 1, 14],
];
const GRADIENTS: readonly (readonly [name: string, rows: number, columns: number])[] = [
  ['84 -> 84', 85, 84],
  ['98 -> 14', 99, 14],
  ['14 -> 14', 15, 14],
];

function pad4(n: number): number {
  return (n + 3) & ~3;
}

/** Where in the memory of a measurement its operands lie. */
const [WEIGHTS, FEATURES, OUT, GRADIENT] = [4096, 65536, 131072, 262144];
/** Width of a layer whose multiply-adds fill the pipes better than a probe's do on some processors. */
const PROBE_WIDTH = 84;

/**
 * What a peak may show in; each does about as many multiply-adds a round. On registers alone every operation waits for
 * one twelve before it; processors that this is too few for do more in a layer, which is then the better yardstick.
 */
function probesOf({ multiplyAddPeak, multiplyAndAddPeak, layer }: Kernels): ((rounds: number) => void)[] {
  const callMultiplyAdds = PROBE_WIDTH * PROBE_WIDTH * 32;
  const layers = (rounds: number): void => {
    const calls = Math.round((rounds * 24 * 4) / callMultiplyAdds);
    const bias = WEIGHTS + PROBE_WIDTH * PROBE_WIDTH * 4;
    for (let i = 0; i < calls; i++) {
      layer(WEIGHTS, PROBE_WIDTH * 4, bias, FEATURES, OUT, PROBE_WIDTH, PROBE_WIDTH);
    }
  };
  return [multiplyAddPeak, multiplyAndAddPeak, layers];
}

/**
 * Reads the multiply-add peak of one thread in GFLOP/s anew each time, and keeps the best.
 *
 * The clock of a processor moves within seconds, so that the peak is read before every kernel; otherwise one measured later
 * may seem to exceed it.
 */
function peakProbe(kernels: Kernels): () => number {
  let best = 0;
  return () => {
    for (const probe of probesOf(kernels)) {
      best = Math.max(best, PEAK_FLOP / leastMs(30, () => void probe(ROUNDS)) / 1e6);
    }
    return best;
  };
}

/** Rounds of a sustained probe: 20 ms, after which a clock that was raised for a moment has come down again. */
const SUSTAINED_ROUNDS = 100 * ROUNDS;

/** Reads the peak that lasts, for what takes longer than a moment; the best of all readings so far. */
function sustainedProbe(kernels: Kernels): () => number {
  let best = 0;
  return () => {
    for (const probe of probesOf(kernels)) {
      best = Math.max(best, (100 * PEAK_FLOP) / leastMs(15, () => void probe(SUSTAINED_ROUNDS)) / 1e6);
    }
    return best;
  };
}

/** Runs until the host has compiled the function for good: it does so beside us, some calls later. */
async function warmUp(run: () => void): Promise<void> {
  for (let i = 0; i < 10; i++) {
    run();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What other measurements need of the kernels'. */
interface KernelFigures {
  /** Reads the multiply-add peak of one thread, in GFLOP/s, as it is now and lasts for 20 ms. */
  readonly readPeak: () => number;
  /** Time of a sine with its slope. */
  readonly sineNs: number;
  readonly lines: Measurement[];
}

/** Multiply-add peak of one thread in GFLOP/s, and what the kernels reach of it. */
export async function measureKernels(): Promise<KernelFigures> {
  const { module, fused } = await compileKernels();
  const memory = sharedMemory(16, 16);
  const kernels = instantiateKernels(module, memory);
  new Float32Array(memory.buffer).fill(0.01);
  kernels.prepareSine(1024);
  const readPeak = peakProbe(kernels);
  await warmUp(() => {
    for (const probe of probesOf(kernels)) probe(ROUNDS);
  });
  readPeak();
  const rates: { name: string; value: number }[] = [];
  // Runs of 0.1 ms, as short as those of the peak: many fall between two turns of other programs.
  const callsOf = (multiplyAdds: number): number => Math.ceil(2e6 / multiplyAdds);
  const measure = async (name: string, multiplyAdds: number, run: () => void): Promise<void> => {
    const calls = callsOf(multiplyAdds);
    const all = (): void => {
      for (let i = 0; i < calls; i++) run();
    };
    await warmUp(all);
    const ms = leastMs(300, all);
    readPeak();
    rates.push({ name, value: (calls * multiplyAdds * 2) / ms / 1e6 });
  };
  for (const [name, rows, depth] of LAYERS) {
    const stride = pad4(rows) * 4;
    await measure(`layer ${name}`, rows * depth * 32, () =>
      kernels.layer(WEIGHTS, stride, WEIGHTS + depth * stride, FEATURES, OUT, rows, depth),
    );
  }
  for (const [name, rows, columns] of GRADIENTS) {
    await measure(`gradient of a tile, ${name}`, rows * columns * 32, () =>
      kernels.accumulateGradient(FEATURES, OUT, pad4(columns) * 4, GRADIENT, pad4(rows), pad4(columns)),
    );
  }
  const peak = readPeak();
  const lines: Measurement[] = [
    { name: `multiply-add peak, one thread${fused ? ', fused' : ''}`, value: peak, unit: 'GFLOP/s' },
    ...rates.map((rate) => ({ ...rate, unit: 'GFLOP/s', ratio: rate.value / peak, ratioOf: 'peak' })),
  ];
  const calls = 50;
  const rows = 84;
  const perValue = (run: () => void): number => (leastMs(300, run) * 1e6) / (calls * rows * 32);
  const sineNs = perValue(() => {
    for (let i = 0; i < calls; i++) kernels.activateWithSlope(FEATURES, OUT, rows, 1, 0, 1, 0);
  });
  lines.push({ name: 'sine and slope', value: sineNs, unit: 'ns each' });
  lines.push({
    name: 'sine',
    value: perValue(() => {
      for (let i = 0; i < calls; i++) kernels.activate(FEATURES, rows, 1, 0, 1, 0);
    }),
    unit: 'ns each',
  });
  return { readPeak: sustainedProbe(kernels), sineNs, lines };
}
