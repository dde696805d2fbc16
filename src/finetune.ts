import { sha256 } from '@noble/hashes/sha2.js';
import { globalTensors } from '../codec/architecture.js';
import { encodeWeights } from '../codec/coder/encode-weights.js';
import type { Engine } from '../codec/engine/engine.js';
import { placeTile } from '../codec/decode.js';
import { boxShape, boxSize, intersect, sampleCentres, type Box } from '../codec/grid.js';
import { compareSamples } from '../codec/metrics.js';
import type { Model, Weights } from '../codec/model.js';
import { sampleObjective } from '../codec/objective.js';
import { quantiserOf } from '../codec/fit-quantiser.js';
import { precisionOf, quantisedWeights } from '../codec/quantise.js';
import { finetuneRecipe } from '../codec/presets.js';
import { allocateSamples, signalPeak, type SampleArray, type SampleFormat } from '../codec/signal.js';
import { drawWeights, train, type TrainingResult } from '../codec/train.js';
import type { GrownOverview } from './append-overviews.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { Header, SineSignal } from './container/header.js';
import { sineSignal } from './container/sine-signal.js';
import { encodeNetwork, quantiserFor } from './container/encode-local-weights.js';
import { isConstantPayload, localWeightsOf, originWeightsOf } from './container/local-weights.js';
import type { Container } from './container/reader.js';
import { writeContainer, type NewChunk, type NewSignal } from './container/writer.js';
import type { Sink } from './io/sink.js';
import { allowForQuantising, measureQuality, type Quality } from './measure.js';
import type { Media } from './media/media.js';
import type { Placement } from './placement.js';
import { readerAt } from './reader-at.js';
import type { PartTraining } from './trained-part.js';
import { WRITER_NAME } from './version.js';

/** What is trained anew, and with what. */
export interface FinetuneInput {
  readonly container: Container;
  readonly signalIndex: number;
  /** The new part, in the signal's format. */
  readonly media: Media;
  /** What the visible window was encoded from, in the signal's format; without it the old part is what it decodes to. */
  readonly source?: Media;
  readonly placement: Placement;
  readonly overviews: readonly GrownOverview[];
  readonly training: PartTraining;
}

/** What fine-tuning came to; quality is that of the new part. */
export interface FinetuneReport extends Quality {
  readonly keptPsnr: number;
  readonly seconds: number;
  readonly iterations: number;
  readonly stoppedBy: TrainingResult['stoppedBy'];
  /** Length of the file. */
  readonly bytes: number;
}

/** Partitions that stay, what they decode to, and their weights. */
interface OldPart {
  readonly coordinates: readonly (readonly number[])[];
  readonly boxes: readonly Box[];
  readonly weights: readonly Float32Array[];
  /** Partitions without networks, which stay as they are. */
  readonly constants: readonly NewChunk[];
  /** Partition-major, as in an objective. */
  readonly samples: SampleArray;
}

/**
 * Trains all weights of a signal and a new part, and writes them as a new file: other weights, other quantisers, another
 * family. Where the source of the old partitions is not given they are trained against what they decode to, since it is not in the
 * file.
 *
 * @throws LgiError `damaged` for a chunk that is; `diverged`, `limit`, `io`. The sink stays open.
 */
export async function finetune(engine: Engine, input: FinetuneInput, to: Sink): Promise<FinetuneReport> {
  const { container, signalIndex, media, placement, training } = input;
  const { budget, seed, onProgress, signal } = training;
  const header = sineSignal(container.header.signals[signalIndex], 'finetuning');
  const { model, format, quantiser: before } = header;
  const { architecture } = model;
  const precision = precisionOf(before, architecture, header.coder);
  const global = globalWeightsOf(header);
  const old = await readOldPart(engine, container, signalIndex, placement, global, signal);
  if (input.source) await takeSource(old, input.source, container.index.signals[signalIndex].window, signal);
  const { part } = placement;
  const peak = signalPeak(header.kind, format);
  const readMedia = readerAt(media, part.extent.begin, signal);
  const fresh = await sampleObjective(part, format, readMedia, { peak });
  const samples = allocateSamples(format.sampleType, old.samples.length + fresh.samples.length);
  samples.set(old.samples, 0);
  samples.set(fresh.samples, old.samples.length);
  const objective = { boxes: [...old.boxes, ...fresh.boxes], format, peak, samples };
  const recipe = finetuneRecipe(header.kind);
  const origin = originWeightsOf(header);
  const drawn = drawWeights({ model, objective: fresh, recipe, seed }, undefined, origin).local;
  const { weights, iterations, seconds, stoppedBy } = await train(engine, {
    model,
    objective,
    recipe,
    initial: { global, local: [...old.weights, ...drawn] },
    seed,
    budget: allowForQuantising(budget, precision.roundingShare),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const quantiser = quantiserFor(
    header.coder,
    await quantiserOf(engine, precision, { model, weights, objective }, signal),
    architecture,
    weights.local,
    origin,
  );
  const seen = quantisedWeights(architecture, weights, quantiser);
  const oldCount = old.boxes.length;
  const payloads = weights.local.map((values) => encodeNetwork(values, { ...header, quantiser }));
  const trained: SineSignal = {
    ...header,
    quantiser,
    globalPayload:
      architecture.globalWidth === 0
        ? new Uint8Array(0)
        : encodeWeights(
            weights.global,
            globalTensors(architecture),
            quantiser.global,
            quantiser.format,
            header.coder,
          ),
  };
  const quality = await measureQuality(
    engine,
    { ...trained, grid: part, payloads: payloads.slice(oldCount) },
    readMedia,
    signal,
  );
  const kept = await decodeBoxes(engine, model, format, old.boxes, {
    global: seen.global,
    local: seen.local.slice(0, oldCount),
  });
  const keptPsnr = oldCount === 0 ? Infinity : compareSamples(old.samples, kept, format, peak).psnr;
  const coordinates = [
    ...old.coordinates,
    ...Array.from({ length: part.count }, (_, ordinal) => part.coordinatesOf(ordinal)),
  ];
  const networks = payloads.map((payload, i) => ({ coordinates: coordinates[i], payload }));
  const content = await newContent(input, trained, [...networks, ...old.constants], samples);
  const { bytes } = await writeContainer(to, content, signal && { signal });
  return { ...quality, keptPsnr, iterations, seconds, stoppedBy, bytes };
}

async function readOldPart(
  engine: Engine,
  container: Container,
  signalIndex: number,
  { part }: Placement,
  global: Float32Array,
  signal?: AbortSignal,
): Promise<OldPart> {
  const { grid, chunks } = container.index.signals[signalIndex];
  const header = sineSignal(container.header.signals[signalIndex], 'finetuning');
  const { model, format } = header;
  const kept = Array.from({ length: chunks.count }, (_, chunk) => chunk).filter(
    (chunk) => part.ordinalOf(grid.coordinatesOf(chunks.ordinals[chunk])) < 0,
  );
  const wanted = kept.filter((chunk) => !isConstantPayload(header, chunks.payloadLengths[chunk]));
  const isWanted = new Set(wanted);
  const constants = await copyChunks(
    container,
    signalIndex,
    kept.filter((chunk) => !isWanted.has(chunk)),
    signal,
  );
  const read: { readonly ordinal: number; readonly weights: Float32Array }[] = [];
  for await (const { chunk, payload } of container.readChunks(signalIndex, wanted, signal && { signal })) {
    const section = container.chunkName(signalIndex, chunk);
    const weights = localWeightsOf(header, payload, section);
    read.push({ ordinal: chunks.ordinals[chunk], weights });
  }
  // By place, not by chunk: the same partitions then give the same bytes, wherever their chunks stand.
  read.sort((a, b) => a.ordinal - b.ordinal);
  const boxes = read.map(({ ordinal }) => grid.boxOf(ordinal));
  const weights = read.map((each) => each.weights);
  return {
    coordinates: read.map(({ ordinal }) => grid.coordinatesOf(ordinal)),
    boxes,
    weights,
    constants,
    samples: await decodeBoxes(engine, model, format, boxes, { global, local: weights }, signal),
  };
}

/** Puts the source's samples in the place of what old partitions decode to, as far as the window shows them. */
async function takeSource(
  { boxes, samples }: OldPart,
  source: Media,
  window: Box,
  signal?: AbortSignal,
): Promise<void> {
  const { channels } = source;
  let offset = 0;
  for (const box of boxes) {
    const length = boxSize(box) * channels;
    const visible = intersect(box, window);
    if (visible !== null) {
      const local = (at: readonly number[]): number[] =>
        at.map((position, axis) => position - window.begin[axis]);
      const part = await source.read({ begin: local(visible.begin), end: local(visible.end) }, signal);
      const place = {
        begin: visible.begin.map((position, axis) => position - box.begin[axis]),
        end: visible.end.map((position, axis) => position - box.begin[axis]),
      };
      placeTile(part, place, channels, samples.subarray(offset, offset + length), boxShape(box));
    }
    offset += length;
  }
}

/** Every sample of some partitions, partition-major. */
async function decodeBoxes(
  engine: Engine,
  model: Model,
  format: SampleFormat,
  boxes: readonly Box[],
  weights: Weights,
  signal?: AbortSignal,
): Promise<SampleArray> {
  const { channels, sampleType } = format;
  const total = boxes.reduce((sum, box) => sum + boxSize(box), 0) * channels;
  const samples = allocateSamples(sampleType, total);
  const evaluator = await engine.createEvaluator(model, weights.global);
  try {
    let at = 0;
    const tasks = boxes.map((box, i) => {
      const begin = at;
      at += boxSize(box) * channels;
      return {
        box,
        weights: weights.local[i],
        positions: sampleCentres(box),
        target: { data: samples.subarray(begin, at), shape: boxShape(box) },
        at: box.begin.map(() => 0),
      };
    });
    await evaluator.decode(tasks, format, signal);
  } finally {
    await evaluator.dispose();
  }
  return samples;
}

/** What the new file holds: the trained signal anew, all else as it was. */
async function newContent(
  { container, signalIndex, placement, overviews, training }: FinetuneInput,
  signalHeader: SineSignal,
  chunks: readonly NewChunk[],
  samples: SampleArray,
): Promise<Parameters<typeof writeContainer>[1]> {
  const header: Header = {
    ...container.header,
    signals: container.header.signals.map((each, i) => (i === signalIndex ? signalHeader : each)),
    digest: digestOf(container, samples),
    writer: WRITER_NAME,
  };
  const { grid, window } = placement;
  const signals: NewSignal[] = [];
  for (let i = 0; i < container.index.signals.length; i++) {
    const overview = overviews.find((each) => each.signalIndex === i);
    signals.push(
      i === signalIndex
        ? { grid, window, chunks }
        : await sameSignal(container, i, overview, training.signal),
    );
  }
  const { sections } = container.index;
  const bytes = await container.readSections(sections, training.signal);
  return { header, signals, metadata: sections.map(({ name }, i) => ({ name, bytes: bytes[i] })) };
}

/** A signal with its weights as they are; its chunks' checksums continue another header's, so that they are read. */
async function sameSignal(
  container: Container,
  signalIndex: number,
  overview: GrownOverview | undefined,
  signal?: AbortSignal,
): Promise<NewSignal> {
  const { grid, window, chunks } = container.index.signals[signalIndex];
  const stale = new Set(overview?.stale.map((coordinates) => grid.ordinalOf(coordinates)));
  const wanted = Array.from({ length: chunks.count }, (_, chunk) => chunk).filter(
    (chunk) => !stale.has(chunks.ordinals[chunk]),
  );
  const copied = await copyChunks(container, signalIndex, wanted, signal);
  return {
    grid: overview?.grid ?? grid,
    window: overview?.window ?? window,
    chunks: [...(overview?.chunks ?? []), ...copied],
  };
}

/** Chunks of a signal as they are. */
async function copyChunks(
  container: Container,
  signalIndex: number,
  wanted: readonly number[],
  signal?: AbortSignal,
): Promise<NewChunk[]> {
  const { grid, chunks } = container.index.signals[signalIndex];
  const copied: NewChunk[] = [];
  for await (const { chunk, payload } of container.readChunks(signalIndex, wanted, signal && { signal })) {
    // A copy: what is read is a view of more.
    copied.push({ coordinates: grid.coordinatesOf(chunks.ordinals[chunk]), payload: payload.slice() });
  }
  return copied;
}

/** Of the old family and everything that was trained on, so that different runs are different families. */
function digestOf(container: Container, samples: SampleArray): Uint8Array {
  return sha256
    .create()
    .update(container.familyIdBytes)
    .update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
    .digest();
}
