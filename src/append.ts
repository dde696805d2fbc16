import { countParameters, localTensors } from '../codec/architecture.js';
import type { ParameterCount } from '../codec/architecture.js';
import { encodeWeights } from '../codec/coder/payload.js';
import type { Engine } from '../codec/engine/engine.js';
import { OptionError } from '../codec/errors.js';
import type { Box, Grid } from '../codec/grid.js';
import { sampleObjective } from '../codec/objective.js';
import { localBounds, quantisedWeights } from '../codec/quantise.js';
import { localPart, PRESETS } from '../codec/recipe.js';
import { drawWeights, train, type Budget, type Progress, type TrainingResult } from '../codec/train.js';
import { growContainer } from './container/grow.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { SignalHeader } from './container/header.js';
import { openContainer, type Container } from './container/reader.js';
import type { NewChunk } from './container/writer.js';
import { checkBudget, checkSeed } from './encode-settings.js';
import type { Target } from './io/target.js';
import { matchingMedia } from './matching-media.js';
import { allowForQuantising, measureQuality, type Quality } from './measure.js';
import type { Media } from './media/media.js';
import { placeMedia, type Placement, type PlaceRequest } from './placement.js';
import { withEngine, type EngineChoice } from './with-engine.js';

/** Where a medium goes in a file, and how it is trained. */
export interface AppendOptions extends PlaceRequest, EngineChoice {
  /** Optimiser steps; default those of a `fast` encode. */
  readonly iterations?: number;
  /** Wall-clock seconds to train for; two runs then differ. */
  readonly seconds?: number;
  /** PSNR in dB of the new part to stop at, where training comes that far. */
  readonly psnr?: number;
  /** Whole number from 0; default 0. */
  readonly seed?: number;
  /** Which signal grows; default 0. */
  readonly signalIndex?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops appending; rejects with its reason, and the file stays as it was. */
  readonly signal?: AbortSignal;
}

/** What an append has done; quality is that of the new part, as the file decodes. */
export interface AppendReport extends Quality {
  /** Training alone. */
  readonly seconds: number;
  readonly iterations: number;
  readonly stoppedBy: TrainingResult['stoppedBy'];
  /** Partitions that were trained. */
  readonly partitions: number;
  /** Parameters of the whole signal. */
  readonly parameters: ParameterCount;
  /** The visible window, in positions of the first encode's axes. */
  readonly window: Box;
  readonly engine: string;
  readonly threads: number;
  /** Length of the file. */
  readonly bytes: number;
  /** What of it is new. */
  readonly addedBytes: number;
  readonly generation: number;
}

/** New partitions of a signal, trained and encoded, that no file has yet. */
interface TrainedPart {
  readonly chunks: readonly NewChunk[];
  readonly report: Omit<AppendReport, 'bytes' | 'addedBytes' | 'generation' | 'window' | 'parameters'>;
}

/**
 * Adds a medium to a file, on one of its sides or into its holes, in place.
 *
 * Only the new partitions' networks are trained, against the global network as it is; whatever the file has stays byte for
 * byte. Until the superblock is written the file is the old one. Somebody else must not write to the target meanwhile, which
 * `FileTarget` makes sure of.
 *
 * @throws OptionError for a place that partitions do not make, or options out of range.
 * @throws LgiError `media` for samples that the file cannot hold; as {@link openContainer}; `unsupported`, `limit`, `locked`,
 *   `diverged`, `io`.
 * @throws the signal's reason on abort.
 */
export async function append(target: Target, media: Media, options: AppendOptions): Promise<AppendReport> {
  const { signal, signalIndex = 0 } = options;
  const container = await openContainer(target, signal === undefined ? {} : { signal });
  const header = signalOf(container, signalIndex);
  const matching = matchingMedia(media, header);
  const placement = placeMedia(
    header.kind,
    container.index.signals[signalIndex],
    header.model.nominalCell,
    media.shape,
    options,
  );
  const { chunks, report } = await trainPart(header, matching, placement, options);
  const { grid, window } = placement;
  const growth = container.index.signals.map((_, i) =>
    i === signalIndex ? { grid, window, chunks } : undefined,
  );
  const written = await growContainer(container, target, growth, signal);
  const old = container.index.signals[signalIndex];
  const replaced = chunks.filter(({ coordinates }) => container.findChunk(signalIndex, coordinates) >= 0);
  const present = old.chunks.count + chunks.length - replaced.length;
  return {
    ...report,
    ...written,
    window,
    parameters: countParameters(header.model.architecture, present),
  };
}

function signalOf(container: Container, signalIndex: number): SignalHeader {
  const { signals } = container.header;
  const header = signals[signalIndex];
  if (header !== undefined) return header;
  throw new OptionError('signalIndex', `${signalIndex}; the file has signals 0 to ${signals.length - 1}`);
}

function trainPart(
  header: SignalHeader,
  media: Media,
  placement: Placement,
  options: AppendOptions,
): Promise<TrainedPart> {
  const budget = checkBudget(options);
  const seed = checkSeed(options.seed);
  return withEngine(options, (engine) =>
    trainWith(engine, header, media, placement.part, budget, seed, options),
  );
}

async function trainWith(
  engine: Engine,
  header: SignalHeader,
  media: Media,
  part: Grid,
  budget: Budget,
  seed: number,
  { onProgress, signal }: AppendOptions,
): Promise<TrainedPart> {
  const { model, quantiser, coder, format } = header;
  const { architecture } = model;
  const corner = part.extent.begin;
  const read = (box: Box): ReturnType<Media['read']> =>
    media.read(
      {
        begin: box.begin.map((at, axis) => at - corner[axis]),
        end: box.end.map((at, axis) => at - corner[axis]),
      },
      signal,
    );
  const objective = await sampleObjective(part, format, read);
  const recipe = localPart(PRESETS.fast.recipe);
  const global = globalWeightsOf(header);
  const bounds = localBounds(architecture, quantiser);
  const trained = await train(engine, {
    model,
    objective,
    recipe,
    initial: { global, local: drawWeights({ model, objective, recipe, seed }).local },
    ...(bounds && { localBounds: bounds }),
    seed,
    budget: allowForQuantising(budget),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const { iterations, seconds, stoppedBy } = trained;
  const { local } = quantisedWeights(architecture, trained.weights, quantiser);
  const quality = await measureQuality(
    engine,
    { grid: part, model, format },
    { global, local },
    read,
    signal,
  );
  const tensors = localTensors(architecture);
  const chunks = trained.weights.local.map((weights, ordinal) => ({
    coordinates: part.coordinatesOf(ordinal),
    payload: encodeWeights(weights, tensors, quantiser.local, quantiser.format, coder),
  }));
  return {
    chunks,
    report: {
      ...quality,
      seconds,
      iterations,
      stoppedBy,
      partitions: part.count,
      engine: engine.name,
      threads: engine.threads,
    },
  };
}
