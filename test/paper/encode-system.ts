import { countParameters } from '../../codec/architecture.js';
import type { Weights } from '../../codec/model.js';
import { sampleObjective } from '../../codec/objective.js';
import { wholeError } from '../../codec/whole-error.js';
import type { EncodeSettings } from '../../src/encode-settings.js';
import type { Media } from '../../src/media/media.js';
import { TrainingRecord } from './training-record.js';
import { decodeOutputs } from './decode-system.js';
import type { Outcome } from './experiment.js';
import type { Laboratory } from './laboratory.js';
import { encodedQuality } from './picture-quality.js';

/** What is trained, and how long. */
export interface SystemTraining {
  /** Of the training, for its checkpoints. */
  readonly name: string;
  readonly media: Media;
  readonly settings: EncodeSettings;
  readonly iterations: number;
  readonly seed: number;
  /** Weights to begin with; default as the preset draws them. */
  readonly initial?: Weights;
}

/** A trained network, and how good it is. */
export interface TrainedSystem extends Outcome {
  readonly weights: Weights;
}

/** Trains a network on a medium as the paper does, and measures it without quantisation. */
export async function encodeSystem(
  laboratory: Laboratory,
  { name, media, settings, iterations, seed, initial }: SystemTraining,
): Promise<TrainedSystem> {
  const { model, grid, preset } = settings;
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box));
  const record = new TrainingRecord();
  const { weights, seconds } = await laboratory.train(
    name,
    { model, objective, recipe: preset.recipe, seed, budget: { iterations }, ...(initial && { initial }) },
    record,
  );
  const { engine } = laboratory;
  const outputs = await decodeOutputs(engine, model, grid, weights);
  return {
    weights,
    iterations,
    shape: media.shape,
    curve: record.notes.curve,
    metrics: {
      mse: await wholeError(engine, model, weights, objective),
      ...(await encodedQuality(media, outputs)),
      seconds,
      parameters: countParameters(model.architecture, grid.count).total,
    },
  };
}
