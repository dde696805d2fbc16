import { planDecode } from '../codec/decode.js';
import type { Engine } from '../codec/engine/engine.js';
import { boxShape, boxSize, type Box, type Grid } from '../codec/grid.js';
import { compareSamples } from '../codec/metrics.js';
import type { Model, Weights } from '../codec/model.js';
import { allocateSamples } from '../codec/signal.js';
import type { SampleArray, SampleFormat } from '../codec/signal.js';
import type { Budget } from '../codec/train.js';
import { structuralSimilarity } from '../codec/structural-similarity.js';

/** How near decoded samples come to their source. */
export interface Quality {
  /** dB; Infinity for no error at all. Colour counts by its alpha. */
  readonly psnr: number;
  readonly ssim: number;
}

/**
 * dB that quantised weights may lose against those in training, added to a target PSNR: the default weights lose less.
 */
const QUANTISER_ALLOWANCE_DB = 0.1;

/** A budget whose PSNR is that of weights in training, for one that speaks of the file. */
export function allowForQuantising(budget: Budget): Budget {
  return budget.psnr === undefined ? budget : { ...budget, psnr: budget.psnr + QUANTISER_ALLOWANCE_DB };
}

/**
 * Compares what a reader will see of a grid's partitions with their source.
 *
 * @param weights as a reader will have them, quantised.
 * @param read gives the source's samples of a box, row-major `[...box, channels]`.
 * @throws the signal's reason on abort.
 */
export async function measureQuality(
  engine: Engine,
  { grid, model, format }: { readonly grid: Grid; readonly model: Model; readonly format: SampleFormat },
  weights: Weights,
  read: (box: Box) => Promise<SampleArray>,
  signal?: AbortSignal,
): Promise<Quality> {
  const decoded = await decodeAll(engine, { grid, model, format }, weights, signal);
  const original = await read(grid.extent);
  signal?.throwIfAborted();
  const { psnr } = compareSamples(original, decoded, format);
  const [height, width] = boxShape(grid.extent);
  const ssim = structuralSimilarity(original, decoded, [height, width], format);
  signal?.throwIfAborted();
  return { psnr, ssim };
}

async function decodeAll(
  engine: Engine,
  { grid, model, format }: { readonly grid: Grid; readonly model: Model; readonly format: SampleFormat },
  weights: Weights,
  signal?: AbortSignal,
): Promise<SampleArray> {
  const plan = planDecode(grid, grid.extent, {}, format.channels);
  const evaluator = await engine.createEvaluator(model, weights.global);
  const samples = allocateSamples(format.sampleType, boxSize(grid.extent) * format.channels);
  try {
    const target = { data: samples, shape: plan.shape };
    const tasks = plan.tiles.map(({ ordinal, positions, box }) => ({
      box: grid.boxOf(ordinal),
      weights: weights.local[ordinal],
      positions,
      target,
      at: box.begin,
    }));
    await evaluator.decode(tasks, format, signal);
  } finally {
    await evaluator.dispose();
  }
  return samples;
}
