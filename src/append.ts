import type { ParameterCount } from '../codec/architecture.js';
import type { Engine } from '../codec/engine/engine.js';
import { OptionError } from '../codec/errors.js';
import { boxShape, boxSize, type Box } from '../codec/grid.js';
import type { Progress, TrainingResult } from '../codec/train.js';
import {
  overviewOfPart,
  planOverviews,
  type GrownOverview,
  type OverviewGrowth,
} from './append-overviews.js';
import { asContainer, type Copyable } from './as-container.js';
import { chunkLayoutOf } from './container/chunk.js';
import { countSignalParameters } from './count-parameters.js';
import { checkWhole, growContainer, type SignalGrowth } from './container/grow.js';
import { ChunkTable } from './container/index-table.js';
import { openContainer, type Container } from './container/reader.js';
import { finishSink, writeContainer, type NewSignal } from './container/writer.js';
import { checkAppended, type AllowedByAppend } from './check-appended.js';
import { checkBudget, checkSeed } from './encode-settings.js';
import { finetune } from './finetune.js';
import { MemorySink, MemorySource } from './io/memory.js';
import type { Sink } from './io/sink.js';
import type { Target } from './io/target.js';
import { join } from './join.js';
import { matchingMedia } from './matching-media.js';
import type { Quality } from './measure.js';
import { EFFORTS, type Effort } from './latent-effort.js';
import type { SignalHeader } from './container/header.js';
import type { Media } from './media/media.js';
import { placeMedia, type Placement, type PlaceRequest } from './placement.js';
import { trainPart, type PartTraining } from './trained-part.js';
import { withEngine, type EngineChoice } from './with-engine.js';

/** Where a medium goes in a file, and how it is trained. */
export interface AppendOptions extends PlaceRequest, EngineChoice, AllowedByAppend {
  /** Optimiser steps; default those of a `fast` encode. */
  readonly iterations?: number;
  /** Wall-clock seconds to train for; two runs then differ. */
  readonly seconds?: number;
  /** PSNR in dB of the new part to stop at, where training comes that far. */
  readonly psnr?: number;
  /** How long latents are trained, of a file that has them; default `normal`. */
  readonly effort?: Effort;
  /** Whole number from 0; default 0. The same seed, engine, machine and iterations give the same bytes. */
  readonly seed?: number;
  /** Which signal grows; default 0. */
  readonly signalIndex?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops appending; rejects with its reason, and the file stays as it was. */
  readonly signal?: AbortSignal;
}

/** How a medium is added to a copy of a file. */
export interface AppendAnewOptions extends AppendOptions {
  /**
   * Trains all weights, the old partitions' against what they decode to (paper, section 3.4): the new file is of another
   * family. Default false: only new partitions are trained, and old chunks are copied.
   */
  readonly finetune?: boolean;
  /**
   * With `finetune`: what the visible window was encoded from. The old partitions are trained against it then, not against what
   * they decode to, which has lost what they lost; a long run needs it to come as far as a new file of the whole does.
   */
  readonly source?: Media;
}

/** What an append has done; quality is that of the new part, as the file decodes. */
export interface AppendReport extends Quality {
  /** Training alone. */
  readonly seconds: number;
  readonly iterations: number;
  readonly stoppedBy: TrainingResult['stoppedBy'];
  /** Partitions that were added or made anew. */
  readonly partitions: number;
  /** Parameters of the whole signal. */
  readonly parameters: ParameterCount;
  /** The visible window, in positions of the first encode's axes. */
  readonly window: Box;
  readonly engine: string;
  readonly threads: number;
  /** Length of the file. */
  readonly bytes: number;
  /** What of it is new: in place chunks and index, in a new file the chunks; after fine-tuning everything. */
  readonly addedBytes: number;
  readonly generation: number;
  /** With `finetune`: PSNR in dB of what the old partitions decode to now against `source`, or else what they did. */
  readonly keptPsnr?: number;
}

/** Everything that is known before training. */
interface Prepared {
  readonly container: Container;
  readonly signalIndex: number;
  readonly media: Media;
  readonly placement: Placement;
  readonly overviews: readonly OverviewGrowth[];
  readonly training: PartTraining;
}

/**
 * Adds a medium to a file, on one of its sides or into its holes, in place.
 *
 * Only the new partitions' networks are trained, against the global network as it is; whatever the file has stays byte for
 * byte. Until the superblock is written the file is the old one. Nobody else must write to the target meanwhile, which
 * `FileTarget` sees to.
 *
 * @throws OptionError for a place that partitions do not make, or options out of range.
 * @throws LgiError `media` for samples that the file cannot hold, of another rate, colour, voxel size or place in space; as {@link open}; `truncated`; `unsupported`, `limit`, `locked`, `diverged`,
 *   `io`.
 * @throws the signal's reason on abort.
 */
export async function append(target: Target, media: Media, options: AppendOptions): Promise<AppendReport> {
  const container = await openContainer(target, options.signal && { signal: options.signal });
  await checkWhole(container, target, options.signal);
  const prepared = await prepare(container, media, options);
  const { signalIndex, placement, training } = prepared;
  return withEngine(options, async (engine) => {
    const { chunks, ...trained } = await trainPrepared(engine, prepared);
    const overviews = await trainOverviews(engine, prepared);
    const { grid, window } = placement;
    const growth = new Array<SignalGrowth | undefined>(container.index.signals.length);
    growth[signalIndex] = { grid, window, chunks };
    for (const each of overviews) growth[each.signalIndex] = { ...each, left: each.stale };
    const written = await growContainer(container, target, growth, training.signal);
    return { ...summary(engine, prepared), ...trained, ...written };
  });
}

/**
 * {@link append} into a new file, the old one staying as it is: for stores that cannot change files in place, for an index in
 * front, and for training everything anew. The sink is closed on success and aborted on failure.
 *
 * @throws as {@link append}; `conflict` never.
 */
export async function appendAnew(
  from: Copyable,
  media: Media,
  to: Sink,
  options: AppendAnewOptions,
): Promise<AppendReport> {
  return finishSink(to, async () => {
    const { signal } = options;
    const container = await asContainer(from, signal);
    const prepared = await prepare(container, media, options);
    const source = sourceOf(prepared, options);
    return withEngine(options, async (engine) => {
      const { placement, signalIndex, training } = prepared;
      const added = summary(engine, prepared);
      const overviews = await trainOverviews(engine, prepared);
      if (options.finetune === true) {
        const { bytes, ...report } = await finetune(
          engine,
          { ...prepared, overviews, ...(source && { source }) },
          to,
        );
        return { ...added, ...report, bytes, addedBytes: bytes, generation: 1 };
      }
      const { chunks, ...trained } = await trainPrepared(engine, prepared);
      // The new part as a file of the same family; signals that do not grow have nothing in it.
      const signals: NewSignal[] = container.index.signals.map(({ grid, window }) => ({
        grid,
        window,
        chunks: [],
      }));
      signals[signalIndex] = { grid: placement.part, chunks };
      for (const each of overviews) signals[each.signalIndex] = each;
      const sink = new MemorySink();
      const { header, headerBytes } = container;
      const { headBytes } = chunkLayoutOf(header.signals[signalIndex]);
      await writeContainer(sink, { header, headerBytes, signals });
      const part = await openContainer(new MemorySource(sink.bytes()));
      const { bytes } = await join([withoutStale(container, overviews), part], to, {
        prefer: 'last',
        ...(training.signal && { signal: training.signal }),
      });
      const addedBytes = chunks.reduce((sum, { payload }) => sum + headBytes + payload.length, 0);
      return { ...added, ...trained, bytes, addedBytes, generation: 1 };
    });
  });
}

async function prepare(container: Container, media: Media, options: AppendOptions): Promise<Prepared> {
  const { signalIndex = 0, onProgress, signal } = options;
  const { signals } = container.header;
  const header = signals[signalIndex];
  if (header === undefined) {
    throw new OptionError('signalIndex', `${signalIndex}; the file has signals 0 to ${signals.length - 1}`);
  }
  const matching = matchingMedia(media, header, options);
  const placement = placeMedia(
    header.kind,
    container.index.signals[signalIndex],
    (header.latents ?? header.model).nominalCell,
    media.shape,
    options,
  );
  await checkAppended(container, signalIndex, media, placement.part.extent.begin, options, signal);
  return {
    container,
    signalIndex,
    media: matching,
    placement,
    overviews: planOverviews(container, signalIndex, placement),
    training: {
      budget: checkBudget(options),
      ...(options.effort !== undefined && { effort: checkEffort(options.effort, header) }),
      seed: checkSeed(options.seed),
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    },
  };
}

/** @throws OptionError for one that is none, or of a file without latents. */
function checkEffort(effort: Effort, { latents }: SignalHeader): Effort {
  if (latents === undefined)
    throw new OptionError('effort', 'is for latents, which the file has not; leave it out');
  if (EFFORTS.includes(effort)) return effort;
  throw new OptionError('effort', `'${String(effort)}' is no effort; give ${EFFORTS.join(' or ')}`);
}

/** @throws OptionError where it is not of the visible window; LgiError `media` for another format. */
function sourceOf(
  { container, signalIndex }: Prepared,
  { source, finetune: isFinetuned, ignoreColour }: AppendAnewOptions,
): Media | undefined {
  if (source === undefined) return undefined;
  if (isFinetuned !== true) {
    throw new OptionError('source', 'is what old partitions are trained against, which only `finetune` does');
  }
  const shape = boxShape(container.index.signals[signalIndex].window);
  if (source.shape.length !== shape.length || shape.some((length, axis) => length !== source.shape[axis])) {
    throw new OptionError(
      'source',
      `has ${[...source.shape].reverse().join('x')} samples, the file shows ${[...shape].reverse().join('x')}; ` +
        'give what the file was made from, cropped as the file is',
    );
  }
  return matchingMedia(source, container.header.signals[signalIndex], {
    ...(ignoreColour !== undefined && { ignoreColour }),
  });
}

function trainPrepared(
  engine: Engine,
  { container, signalIndex, media, placement, training }: Prepared,
): ReturnType<typeof trainPart> {
  return trainPart(engine, container.header.signals[signalIndex], media, placement.part, training);
}

/** Overviews cost a twelfth of their primary signal, so that they have the same steps, or as much time for each sample. */
async function trainOverviews(
  engine: Engine,
  { container, media, placement, overviews, training }: Prepared,
): Promise<GrownOverview[]> {
  const { budget, signal } = training;
  const corner = placement.part.extent.begin;
  const positions = boxSize(placement.part.extent);
  const grown: GrownOverview[] = [];
  for (const overview of overviews) {
    const { part, factor, signalIndex } = overview;
    if (part === undefined) {
      grown.push({ ...overview, chunks: [] });
      continue;
    }
    const header = container.header.signals[signalIndex];
    const means = await overviewOfPart(media, corner, part.extent, factor, header, signal);
    const seconds = budget.seconds && (budget.seconds * boxSize(part.extent)) / positions;
    const { chunks } = await trainPart(engine, header, means, part, {
      seed: training.seed,
      budget: { ...budget, ...(seconds !== undefined && { seconds }) },
      ...(signal && { signal }),
    });
    grown.push({ ...overview, chunks });
  }
  return grown;
}

/** The file without partitions of overviews that show what is no more. */
function withoutStale(container: Container, overviews: readonly OverviewGrowth[]): Container {
  const signals = container.index.signals.map((signal, i) => {
    const stale = overviews.find(({ signalIndex }) => signalIndex === i)?.stale ?? [];
    if (stale.length === 0) return signal;
    const { grid, chunks } = signal;
    const left = new Set(stale.map((coordinates) => grid.ordinalOf(coordinates)));
    const kept = Array.from({ length: chunks.count }, (_, chunk) => chunk).filter(
      (chunk) => !left.has(chunks.ordinals[chunk]),
    );
    const table = new ChunkTable(
      Int32Array.from(kept, (chunk) => chunks.ordinals[chunk]),
      Uint32Array.from(kept, (chunk) => chunks.payloadLengths[chunk]),
      Float64Array.from(kept, (chunk) => chunks.byteOffsets[chunk]),
      chunks.headBytes,
    );
    return { ...signal, chunks: table };
  });
  return container.withIndex({ ...container.index, signals });
}

/** What does not depend on training. */
function summary(
  engine: Engine,
  { container, signalIndex, placement }: Prepared,
): Pick<AppendReport, 'partitions' | 'parameters' | 'window' | 'engine' | 'threads'> {
  const { part, window } = placement;
  const added = Array.from({ length: part.count }, (_, ordinal) => part.coordinatesOf(ordinal)).filter(
    (coordinates) => container.findChunk(signalIndex, coordinates) < 0,
  );
  const header = container.header.signals[signalIndex];
  const before = countSignalParameters(header, container.index.signals[signalIndex]);
  const ordinals = Int32Array.from(added, (coordinates) => part.ordinalOf(coordinates));
  const { local } = countSignalParameters(header, {
    grid: part,
    // New partitions have networks: constants, which are few, are not told apart before training.
    chunks: { ordinals, payloadLengths: new Uint32Array(ordinals.length) },
  });
  return {
    partitions: part.count,
    parameters: { total: before.total + local, local: before.local + local, global: before.global },
    window,
    engine: engine.name,
    threads: engine.threads,
  };
}
