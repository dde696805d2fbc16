import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import { patchPoints } from '../../codec/engine/cpu/plan.js';
import type { Engine, Step, TrainingSetup } from '../../codec/engine/engine.js';
import { boxSize } from '../../codec/grid.js';
import { initialWeights } from '../../codec/initialise.js';
import { sampleObjective } from '../../codec/objective.js';
import { permutation } from '../../codec/random.js';
import { PRESETS } from '../../codec/recipe.js';
import type { PresetName } from '../../codec/recipe.js';
import { resolveSettings } from '../../src/encode-settings.js';
import type { Media } from '../../src/media/media.js';
import { leastMsAsync } from './measure.js';
import type { Measurement } from './measure.js';
import { forwardMultiplyAdds } from './operations.js';

const PAPER_SIZES = { grid: [16, 16], localWidth: 14, globalWidth: 84 };

async function setupOf(media: Media, preset: PresetName): Promise<TrainingSetup> {
  const { model, grid } = resolveSettings(media, { preset, ...PAPER_SIZES });
  const { recipe } = PRESETS[preset];
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box));
  const weights = initialWeights(model.architecture, grid.count, { ...recipe.initialisation, seed: 1 });
  return { model, ...objective, weights, optimiser: recipe.optimiser };
}

function latticePoints({ boxes, model }: Pick<TrainingSetup, 'boxes' | 'model'>): number {
  const stride = model.architecture.latticeStride;
  if (stride === 0) return 0;
  return boxes.reduce((sum, { begin, end }) => sum + patchPoints(begin, end, stride), 0);
}

/** GFLOP of a step: three forward passes over samples, and over lattice points where the global network moves. */
function stepGigaflop(
  { model, boxes }: TrainingSetup,
  step: Pick<Step, 'batches' | 'partitions'>,
  trainsGlobal: boolean,
): number {
  const { perSample, perLatticePoint } = forwardMultiplyAdds(model.architecture);
  const active = boxes.filter((_, p) => step.partitions?.[p] !== 0);
  const samples = active.reduce((sum, box) => sum + boxSize(box), 0) / step.batches;
  const points = trainsGlobal ? latticePoints({ model, boxes: active }) : 0;
  return (6 * (perSample * samples + perLatticePoint * points)) / 1e9;
}

async function stepMs(engine: Engine, setup: TrainingSetup, step: Omit<Step, 'localRate'>): Promise<number> {
  const session = await engine.createTrainingSession(setup);
  const take = (): Promise<unknown> => session.step({ ...step, localRate: 1e-4 });
  await take();
  await take();
  const ms = await leastMsAsync(step.batches === 1 ? 4 : 30, take);
  await session.dispose();
  return ms;
}

/** ms per training iteration: the paper's configuration on one and two threads, and the phases of `fast`. */
export async function measureTraining(media: Media, peak: number): Promise<Measurement[]> {
  const [one, two] = [createCpuEngine(1), createCpuEngine(2)];
  const paper = await setupOf(media, 'paper');
  const full = { batches: 1, batch: 0, globalRate: 1e-4 };
  const lines: Measurement[] = [];
  const oneMs = await stepMs(one, paper, full);
  const rate = stepGigaflop(paper, full, true) / (oneMs / 1e3);
  lines.push({
    name: 'iteration, paper, one thread',
    value: oneMs,
    unit: 'ms',
    ratio: rate / peak,
    ratioOf: `peak (${rate.toFixed(1)} GFLOP/s)`,
  });
  const twoMs = await stepMs(two, paper, full);
  lines.push({
    name: 'iteration, paper, two threads',
    value: twoMs,
    unit: 'ms',
    ratio: oneMs / twoMs,
    ratioOf: 'speed of one thread',
  });
  const fast = await setupOf(media, 'fast');
  const sizes = new Set(fast.boxes.map(boxSize));
  const orders = new Map([...sizes].map((size) => [size, permutation(size, 1, size)]));
  for (const { batches, turns, trains } of PRESETS.fast.recipe.phases) {
    const trainsGlobal = trains === 'all';
    const partitions = Uint8Array.from(fast.boxes, (_, p) => (p % turns === 0 ? 1 : 0));
    const step = {
      orders,
      batches,
      batch: 0,
      ...(turns > 1 && { partitions }),
      globalRate: trainsGlobal ? 1e-4 : 0,
    };
    for (const [engine, threads] of [
      [one, 'one thread'],
      [two, 'two threads'],
    ] as const) {
      const ms = await stepMs(engine, fast, step);
      const gigaflops = stepGigaflop(fast, step, trainsGlobal) / (ms / 1e3) / engine.threads;
      lines.push({
        name: `iteration, fast, ${trainsGlobal ? 'joint' : 'local'}, 1/${batches * turns} of the samples, ${threads}`,
        value: ms,
        unit: 'ms',
        ratio: gigaflops / peak,
        ratioOf: 'peak a thread, sines not counted',
      });
    }
  }
  await one.dispose();
  await two.dispose();
  return lines;
}
