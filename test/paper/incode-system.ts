import { siren, type Architecture } from '../../codec/architecture.js';
import { loadTensorFlow } from '../../codec/engine/tensorflow/load-node.js';
import { Harmonizer, type HarmonizerShape } from '../../codec/incode/harmonizer.js';
import { RESNET_FEATURES, resnetFeatures } from '../../codec/incode/resnet-features.js';
import type { IncodeResult } from '../../codec/incode/train-incode.js';
import type { OutputLoss } from '../../codec/output-loss.js';
import { initialWeights } from '../../codec/initialise.js';
import { sampleObjective } from '../../codec/objective.js';
import type { Grid } from '../../codec/grid.js';
import type { Model, Weights } from '../../codec/model.js';
import { decodeOutputs } from './decode-system.js';
import { asMedia, type FloatPicture } from './float-picture.js';
import { TrainingRecord } from './training-record.js';
import type { Outcome } from './experiment.js';
import type { Laboratory } from './laboratory.js';
import { pictureQuality } from './picture-quality.js';
import { settingsOf, type System } from './system.js';

/** What an INCODE is, and how it is trained. */
export interface IncodeSystem {
  readonly system: System;
  /** Frequency factor of the local networks' first level; default 30. */
  readonly omegaFirst?: number;
  readonly harmonizer: Pick<HarmonizerShape, 'hidden' | 'isNormalised' | 'initialBias'>;
  /** The paper's. */
  readonly iterations: number;
  /** Iterations, of the paper's, after each of which the network may be the best. */
  readonly judgedEvery: number;
  readonly localRate: number;
  readonly globalRate: number;
  readonly finalRateFactor: number;
}

/** What is fitted, what the harmonizer sees of it, and what the network is judged by. */
export interface IncodeTask {
  /** Of the training, for its checkpoints. */
  readonly name: string;
  readonly seed: number;
  readonly target: FloatPicture;
  /** Default: the target. */
  readonly seen?: FloatPicture;
  /** In place of the distance from the target: of the picture that the network has, row-major. */
  readonly loss?: (picture: Float32Array) => { readonly loss: number; readonly gradient: Float32Array };
  /** What the network has for the reference; default its samples. */
  readonly decode?: (network: IncodeNetwork) => Promise<Float32Array>;
  /** Default: the target. */
  readonly reference?: FloatPicture;
}

/** A network with the activations that its harmonizer gives. */
export interface IncodeNetwork {
  readonly model: Model;
  readonly grid: Grid;
  readonly weights: Weights;
}

/** Trains an INCODE, of one network, per partition or local and global, and judges it. */
export async function runIncode(
  laboratory: Laboratory,
  { system, omegaFirst = 30, harmonizer: shape, judgedEvery, ...training }: IncodeSystem,
  task: IncodeTask,
): Promise<Outcome> {
  const { name, seed, target, seen = target, loss, reference = target } = task;
  const { engine } = laboratory;
  const media = asMedia(target);
  const activations: Architecture['activations'] = {
    local: siren(omegaFirst, 30),
    global: siren(30, 30),
    merge: siren(30, 30),
  };
  const { model, grid } = settingsOf(system, media, { activations });
  const roles = model.architecture.globalWidth > 0 ? 3 : 1;
  const harmonizer = new Harmonizer({ ...shape, inputs: RESNET_FEATURES, outputs: 4 * roles }, seed);
  const { tf } = await loadTensorFlow();
  const features = await resnetFeatures(tf, seen.data, seen.shape, laboratory.resnet(seed));
  const objective = await sampleObjective(grid, media.format, (box) => media.read(box));
  const weights = initialWeights(model.architecture, grid.count, { seed });
  const decode = task.decode ?? ((network) => decodeOutputs(engine, network.model, grid, network.weights));
  const qualityOf = async (trained: IncodeResult): Promise<Outcome['metrics']> => {
    const architecture = { ...model.architecture, activations: trained.activations };
    const network = { model: { ...model, architecture }, grid, weights: trained.weights };
    return pictureQuality({ ...reference, data: await decode(network) }, reference);
  };
  const iterations = laboratory.iterations(training.iterations);
  const record = new TrainingRecord();
  const mark = ({ unclamped = NaN }: Outcome['metrics']): void => record.mark(unclamped);
  const result = await laboratory.trainIncode(
    name,
    {
      ...training,
      setup: {
        model,
        ...objective,
        weights,
        ...(loss && { outputLoss: ofPicture(loss, grid, target.channels) }),
      },
      harmonizer,
      features,
      iterations,
      inspection: {
        everyIterations: laboratory.iterations(judgedEvery),
        inspect: async (trained) => mark(await qualityOf(trained)),
      },
    },
    record,
  );
  const quality = await qualityOf(result);
  mark(quality);
  const { curve, best } = record.notes;
  const local = weights.local.reduce((sum, each) => sum + each.length, 0);
  const parameters = local + weights.global.length + harmonizer.parameterCount;
  return {
    iterations,
    shape: target.shape,
    curve,
    metrics: { best: best ?? NaN, ...quality, seconds: result.seconds, parameters },
  };
}

/** A loss of a picture as one of outputs, which lie partition by partition. */
function ofPicture(loss: NonNullable<IncodeTask['loss']>, grid: Grid, channels: number): OutputLoss {
  const [height, width] = grid.extent.end;
  const places = new Uint32Array(height * width);
  let at = 0;
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const { begin, end } = grid.boxOf(ordinal);
    for (let y = begin[0]; y < end[0]; y++) {
      for (let x = begin[1]; x < end[1]; x++) places[at++] = y * width + x;
    }
  }
  return (outputs) => {
    const picture = new Float32Array(outputs.length);
    places.forEach((place, i) => {
      for (let c = 0; c < channels; c++) picture[place * channels + c] = outputs[i * channels + c];
    });
    const found = loss(picture);
    const gradient = new Float32Array(outputs.length);
    places.forEach((place, i) => {
      for (let c = 0; c < channels; c++) gradient[i * channels + c] = found.gradient[place * channels + c];
    });
    return { loss: found.loss, gradient };
  };
}
