import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import { patchPoints } from '../../codec/engine/cpu/plan.js';
import type { Engine, Step, TrainingSetup } from '../../codec/engine/engine.js';
import { boxSize } from '../../codec/grid.js';
import { initialWeights } from '../../codec/initialise.js';
import { sampleObjective } from '../../codec/objective.js';
import type { PresetName } from '../../codec/preset.js';
import { PRESETS } from '../../codec/presets.js';
import { permutation } from '../../codec/random.js';
import { resolveSettings } from '../../src/encode-settings.js';
import type { EncodeOptions } from '../../src/encode-options.js';
import type { Media } from '../../src/media/media.js';
import { leastMsAsync } from './measure.js';
import type { Measurement } from './measure.js';
import { forwardCost, soapMultiplyAdds } from './operations.js';

/** What a session of a preset is made of. */
export async function setupOf(
  media: Media,
  options: EncodeOptions & { preset: PresetName },
): Promise<TrainingSetup> {
  const { model, grid } = resolveSettings(media, options);
  const { recipe } = PRESETS[media.kind][options.preset];
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box));
  const weights = initialWeights(model.architecture, grid.count, { ...recipe.initialisation, seed: 1 });
  return { model, ...objective, weights, optimiser: recipe.optimiser };
}

function latticePoints({ boxes, model }: Pick<TrainingSetup, 'boxes' | 'model'>): number {
  const stride = model.architecture.latticeStride;
  if (stride === 0) return 0;
  return boxes.reduce((sum, { begin, end }) => sum + patchPoints(begin, end, stride), 0);
}

/** A call of the engine. */
export interface Call extends Omit<Step, 'localRates'> {
  readonly steps: number;
}

/** GFLOP and sines of a call: three forward passes over samples, and over lattice points where the global network moves. */
function callCost(
  { model, boxes, optimiser }: TrainingSetup,
  call: Call,
): { gigaflop: number; sines: number } {
  const { architecture } = model;
  const { perSample, perLatticePoint, interpolationPerSample } = forwardCost(architecture);
  const active = boxes.filter((_, p) => call.rateFactors?.[p] !== 0);
  const samples = (active.reduce((sum, box) => sum + boxSize(box), 0) / call.batches) * call.steps;
  const trainsGlobal = call.globalRate > 0;
  const points = trainsGlobal ? latticePoints({ model, boxes: active }) : 0;
  const updates = optimiser.kind === 'soap' ? active.length * call.steps : 0;
  const multiplyAdds =
    samples * (3 * perSample.multiplyAdds + (trainsGlobal ? 2 : 1) * interpolationPerSample) +
    points * 3 * perLatticePoint.multiplyAdds +
    updates * soapMultiplyAdds(architecture);
  return {
    gigaflop: (2 * multiplyAdds) / 1e9,
    sines: samples * perSample.sines + points * perLatticePoint.sines,
  };
}

/** Least time of a call in ms. */
export async function callMs(
  engine: Engine,
  setup: TrainingSetup,
  { steps, ...call }: Call,
): Promise<number> {
  const session = await engine.createTrainingSession(setup);
  const localRates = Array.from({ length: steps }, () => 1e-4);
  const take = (): Promise<unknown> => session.step({ ...call, localRates });
  await take();
  await take();
  const ms = await leastMsAsync(call.batches === 1 ? 4 : 20, take);
  await session.dispose();
  return ms;
}

/** An epoch of the local phase of `fast`, in one call. */
export function localEpoch({ boxes }: TrainingSetup): Call {
  const { batches } = PRESETS.image.fast.recipe.phases[1];
  const orders = new Map([...new Set(boxes.map(boxSize))].map((size) => [size, permutation(size, 1, size)]));
  return { orders, batches, batch: 0, steps: batches, globalRate: 0 };
}

/**
 * ms per training iteration: the paper's configuration on one and two threads, and the phases of `fast`.
 *
 * @param readPeak the multiply-add peak of one thread in GFLOP/s, as it is now
 * @param sineNs time of a sine with its slope, measured in the same run
 */
export async function measureTraining(
  media: Media,
  readPeak: () => number,
  sineNs: number,
): Promise<Measurement[]> {
  const engines = [createCpuEngine(1), createCpuEngine(2)];
  const lines: Measurement[] = [];
  const measure = async (
    name: string,
    setup: TrainingSetup,
    call: Call,
    asked: number,
    besideSines: boolean,
  ): Promise<void> => {
    const { gigaflop, sines } = callCost(setup, call);
    let oneMs = 0;
    for (const engine of engines) {
      const ms = await callMs(engine, setup, call);
      const onOne = engine.threads === 1;
      if (onOne) oneMs = ms;
      const peak = readPeak();
      const ofPeak = (time: number): number => gigaflop / (time / 1e3) / peak;
      const withoutSines = ofPeak(ms - (sines * sineNs) / 1e6);
      lines.push({
        name: `${name}, ${onOne ? 'one thread' : 'two threads'}`,
        value: ms / call.steps,
        unit: 'ms',
        ratio: onOne ? (besideSines ? withoutSines : ofPeak(ms)) : oneMs / ms,
        ratioOf: onOne
          ? `peak ${besideSines ? `beside sines, ${ofPeak(ms).toFixed(2)} with` : `with sines, ${withoutSines.toFixed(2)} beside`} them`
          : 'speed of one thread',
        ratioAsked: String(onOne ? asked : 1.9),
      });
    }
  };
  await measure(
    'iteration, paper',
    await setupOf(media, { preset: 'paper' }),
    {
      batches: 1,
      batch: 0,
      globalRate: 1e-4,
      steps: 1,
    },
    0.7,
    false,
  );
  const fast = await setupOf(media, { preset: 'fast' });
  const epoch = localEpoch(fast);
  const [{ batches, turns }] = PRESETS.image.fast.recipe.phases;
  const joint = {
    ...epoch,
    batches,
    steps: 1,
    rateFactors: Float32Array.from(fast.boxes, (_, p) => (p % turns === 0 ? 1 : 0)),
    globalRate: 1e-4,
  };
  await measure(`iteration, fast, joint, 1/${batches * turns} of the samples`, fast, joint, 0.5, true);
  await measure(`iteration, fast, local, 1/${epoch.batches} of the samples`, fast, epoch, 0.5, true);
  for (const engine of engines) await engine.dispose();
  return lines;
}
