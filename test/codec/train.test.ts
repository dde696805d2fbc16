import { afterAll, describe, expect, test } from 'vitest';
import { siren } from '../../dist/codec/architecture.js';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import type { Engine, Step } from '../../dist/codec/engine/engine.js';
import { LgiError } from '../../dist/codec/errors.js';
import { Grid, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { psnrOfError, sampleObjective, type Objective } from '../../dist/codec/objective.js';
import { PRESETS } from '../../dist/codec/presets.js';
import type { Recipe } from '../../dist/codec/recipe.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { train, type Progress, type TrainingOptions } from '../../dist/codec/train.js';
import { wholeError } from '../../dist/codec/whole-error.js';

const engine = createCpuEngine(2);
afterAll(() => engine.dispose());

const grid = new Grid([cutsByCell(24, 8), cutsByCell(20, 8)]);
const model: TrainingOptions['model'] = {
  architecture: {
    inputs: 2,
    outputs: 1,
    levels: 3,
    localWidth: 6,
    globalWidth: 8,
    localCoordinates: 'cell',
    latticeStride: 4,
    merge: 'concat',
    activations: { local: siren(30, 30), global: siren(60, 30), merge: siren(30, 30) },
  },
  maps: [spreadMap(24), spreadMap(20)],
  nominalCell: [8, 8],
};
const format = {
  sampleType: 'uint8',
  channels: 1,
  layout: 'grey',
  mapping: fullRangeMapping('uint8'),
} as const;
const objective: Objective = await sampleObjective(grid, format, async ({ begin, end }) => {
  const samples: number[] = [];
  for (let y = begin[0]; y < end[0]; y++) {
    for (let x = begin[1]; x < end[1]; x++) samples.push(128 + 90 * Math.sin(y / 3) * Math.cos(x / 2));
  }
  return Uint8Array.from(samples);
});

const { recipe } = PRESETS.image.fast;
const run = (options: Partial<TrainingOptions> = {}): ReturnType<typeof train> =>
  train(engine, { model, objective, recipe, seed: 3, ...options });

/** PSNR of the last report. */
async function finalPsnr(options: Partial<TrainingOptions>): Promise<number> {
  let psnr = 0;
  await run({ ...options, onProgress: (progress) => (psnr = progress.psnr) });
  return psnr;
}

describe('training', () => {
  test('fits, and better with more iterations', async () => {
    const few = await finalPsnr({ budget: { iterations: 60 } });
    const many = await finalPsnr({ budget: { iterations: 600 } });
    expect(many).toBeGreaterThan(few + 6);
  });

  test('gives the same weights for the same seed and others for another', async () => {
    const budget = { iterations: 40 };
    const [first, second, other] = [
      await run({ budget }),
      await run({ budget }),
      await run({ budget, seed: 4 }),
    ];
    expect(second.weights).toEqual(first.weights);
    expect(other.weights.global).not.toEqual(first.weights.global);
  });

  test('makes the iterations asked for, in the proportions of the recipe', async () => {
    for (const iterations of [1, 7, 100]) {
      const seen: Progress[] = [];
      const result = await run({ budget: { iterations }, onProgress: (progress) => seen.push(progress) });
      expect(result).toMatchObject({ iterations, stoppedBy: 'iterations' });
      const counted = seen.map(({ iteration }) => iteration);
      expect(counted).toEqual([...new Set(counted)].sort((a, b) => a - b));
      expect(seen.at(-1)).toMatchObject({ iterations, fraction: 1, secondsLeft: 0 });
    }
  });

  test('stops when its time is over, every phase having had its share', async () => {
    const shares = PRESETS.image.fast.recipe.phases.map(({ timeShare }) => timeShare);
    const seen: number[] = [];
    const result = await run({
      budget: { seconds: 1 },
      onProgress: ({ fraction }) => seen.push(fraction ?? NaN),
    });
    expect(result.stoppedBy).toBe('seconds');
    expect(result.seconds).toBeGreaterThanOrEqual(1);
    // Steps of the joint phase come before its share of the time, those of the local one after it.
    expect(seen.filter((fraction) => fraction < shares[0]).length).toBeGreaterThan(0);
    expect(seen.filter((fraction) => fraction > shares[0]).length).toBeGreaterThan(0);
  });

  test('names what ended it when several ends are given', async () => {
    expect(await run({ budget: { seconds: 1000, iterations: 5 } })).toMatchObject({
      stoppedBy: 'iterations',
      iterations: 5,
    });
    expect(await run({ budget: { seconds: 0.05, iterations: 2 ** 30 } })).toMatchObject({
      stoppedBy: 'seconds',
    });
  });

  test('gives every phase a step, so that no network stays as it was drawn', async () => {
    const drawn = (
      await run({ budget: { iterations: 1 }, recipe: { ...recipe, phases: [{ ...recipe.phases[1] }] } })
    ).weights;
    const trained = (await run({ budget: { iterations: 2 } })).weights;
    expect(trained.global).not.toEqual(drawn.global);
  });

  test('stops at the PSNR asked for', async () => {
    const result = await run({ budget: { psnr: 22 } });
    expect(result.stoppedBy).toBe('psnr');
    const psnr = psnrOfError(await wholeError(engine, model, result.weights, objective), objective);
    expect(psnr).toBeGreaterThanOrEqual(22);
    expect(psnr).toBeLessThan(24);
    const planned = recipe.phases.reduce((sum, { iterations }) => sum + iterations, 0);
    expect(result.iterations).toBeLessThan(planned);
  });

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ iteration }: Progress): void => {
      if (iteration >= 5) controller.abort(reason);
    };
    await expect(run({ signal: controller.signal, onProgress })).rejects.toBe(reason);
    await expect(run({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('says so when it diverges', async () => {
    const [phase] = PRESETS.image.paper.recipe.phases;
    const wild: Recipe = {
      ...PRESETS.image.paper.recipe,
      phases: [{ ...phase, localRate: 1e30, globalRate: 1e30 }],
    };
    const error = await run({ recipe: wild }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LgiError);
    expect(error).toMatchObject({
      code: 'diverged',
      message: expect.stringContaining('diverged 5 times') as string,
    });
  });
});

/** The engine, with every step it is asked for written down. */
function recording(steps: Step[]): Engine {
  return {
    name: engine.name,
    threads: engine.threads,
    createEvaluator: (...args) => engine.createEvaluator(...args),
    createLatentSession: (setup) => engine.createLatentSession(setup),
    createLatentDecoder: (setup) => engine.createLatentDecoder(setup),
    dispose: () => engine.dispose(),
    createTrainingSession: async (setup) => {
      const session = await engine.createTrainingSession(setup);
      return {
        step: (step) => {
          steps.push(step);
          return session.step(step);
        },
        weights: () => session.weights(),
        snapshot: () => session.snapshot(),
        restore: (...args) => session.restore(...args),
        setActivations: (...args) => session.setActivations(...args),
        dispose: () => session.dispose(),
      };
    },
  };
}

describe('a target PSNR', () => {
  test('is what progress is of, which never goes back and says nothing before it can be told', async () => {
    const seen: Progress[] = [];
    const steps: Step[] = [];
    const result = await train(recording(steps), {
      model,
      objective,
      recipe,
      seed: 3,
      budget: { psnr: 30 },
      onProgress: (progress) => seen.push(progress),
    });
    expect(result.stoppedBy).toBe('psnr');
    const joint = steps.filter(({ globalRate }) => globalRate > 0).length;
    expect(joint).toBeGreaterThan(0);
    for (const { iteration, fraction, secondsLeft } of seen) {
      expect(fraction === undefined).toBe(secondsLeft === Infinity);
      if (iteration <= joint) expect(fraction).toBeUndefined();
    }
    const fractions = seen.flatMap(({ fraction }) => (fraction === undefined ? [] : [fraction]));
    expect(fractions.length).toBeGreaterThan(3);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.slice(0, -1).every((fraction) => fraction > 0 && fraction < 1)).toBe(true);
    expect(seen.at(-1)).toMatchObject({ fraction: 1, secondsLeft: 0, iteration: result.iterations });
  });

  test('that the plan never comes to lets progress end with the plan', async () => {
    const seen: Progress[] = [];
    const budget = { psnr: 90, iterations: 200 };
    const result = await run({ budget, onProgress: (progress) => seen.push(progress) });
    expect(result).toMatchObject({ stoppedBy: 'iterations', iterations: 200 });
    expect(seen.at(-1)).toMatchObject({ fraction: 1, secondsLeft: 0 });
  });

  test('spends its effort on partitions that need it', async () => {
    // The left half is flat, the right half as before.
    const half = await sampleObjective(grid, format, async ({ begin, end }) => {
      const samples: number[] = [];
      for (let y = begin[0]; y < end[0]; y++) {
        for (let x = begin[1]; x < end[1]; x++) {
          samples.push(x < 8 ? 100 : 128 + 90 * Math.sin(y) * Math.cos(x * 1.4));
        }
      }
      return Uint8Array.from(samples);
    });
    const steps: Step[] = [];
    const options = { model, objective: half, recipe, seed: 3, budget: { psnr: 40, iterations: 4000 } };
    const result = await train(recording(steps), options);
    expect(result.stoppedBy).toBe('psnr');
    const flat = half.boxes.map(({ end }) => end[1] <= 8);
    const trained = (want: boolean): number =>
      steps.reduce(
        (sum, { rateFactors, localRates }) =>
          sum + localRates.length * flat.filter((is, p) => is === want && rateFactors?.[p] !== 0).length,
        0,
      ) / flat.filter((is) => is === want).length;
    expect(trained(true)).toBeLessThan(0.8 * trained(false));
  });
});

describe('divergence', () => {
  test('is undone at a lower rate, partition by partition', async () => {
    const factors = new Set<number>();
    const steps: Step[] = [];
    const [joint, local] = recipe.phases;
    const good = { ...local, decay: 'constant' } as const;
    const wild: Recipe = { ...recipe, phases: [joint, good, { ...local, localRate: 0.1 }] };
    const result = await train(recording(steps), {
      model,
      objective,
      recipe: wild,
      seed: 3,
      budget: { iterations: 600 },
    });
    for (const { rateFactors } of steps) rateFactors?.forEach((factor) => factors.add(factor));
    expect([...factors].some((factor) => factor > 0 && factor < 1)).toBe(true);
    expect(result.weights.local.every((weights) => weights.every(Number.isFinite))).toBe(true);
    const unguarded = { ...wild, divergence: { ...wild.divergence, errorFactor: Infinity } };
    const psnr = { guarded: 0, unguarded: 0 };
    const budget = { iterations: 600 };
    await run({ recipe: wild, budget, onProgress: (progress) => (psnr.guarded = progress.psnr) });
    await run({ recipe: unguarded, budget, onProgress: (progress) => (psnr.unguarded = progress.psnr) });
    expect(psnr.guarded).toBeGreaterThan(psnr.unguarded);
  });

  test('of all weights together takes all of them back', async () => {
    const steps: Step[] = [];
    const [joint, local] = recipe.phases;
    const wild: Recipe = { ...recipe, phases: [{ ...joint, localRate: 1, globalRate: 1 }, local] };
    await train(recording(steps), { model, objective, recipe: wild, seed: 3, budget: { iterations: 800 } });
    const rates = new Set(steps.map(({ globalRate }) => globalRate));
    expect(rates.has(0.5)).toBe(true);
  });
});
