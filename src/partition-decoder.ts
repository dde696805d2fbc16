import { placeTile, type PlannedTile } from '../codec/decode.js';
import type { Engine, Evaluator, SampleTarget } from '../codec/engine/engine.js';
import type { LgiError } from '../codec/errors.js';
import { boxShape, boxSize, type Box } from '../codec/grid.js';
import { allocateSamples, outputsToSamples, type SampleArray } from '../codec/signal.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { SineSignal } from './container/header.js';
import { decodeConstant, isConstantPayload, localWeightsOf } from './container/local-weights.js';
import type { SignalIndex } from './container/index-table.js';
import { MAX_LOCAL_PARAMETERS } from './container/limits.js';
import type { Container } from './container/reader.js';

/** How tiles are made. */
export interface TileOptions {
  /** Goes on past damaged partitions; they are left zero and listed in `missing`. Default false. */
  readonly allowDamaged?: boolean;
  /** Stops reading and decoding; rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Part of a decode as it becomes ready. */
export interface Tile {
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  /** Outputs from the region's corner. */
  readonly box: Box;
  /** Row-major `[...box, channels]`; absent where the partition is missing. */
  readonly data?: SampleArray;
  readonly missing?: 'absent' | LgiError;
}

/** Makes samples of a signal's chunks, whatever its family. */
export interface TileDecoder {
  /**
   * Reads and decodes the partitions of planned tiles, in the order of the file.
   *
   * @param whole where all samples belong; absent, every tile gets an array of its own.
   * @throws LgiError `damaged` or `truncated` with the partition as section, unless damage is allowed; `io`.
   */
  tiles(planned: readonly PlannedTile[], options: TileOptions, whole?: SampleTarget): AsyncGenerator<Tile>;
  dispose(): Promise<void>;
}

/**
 * Outputs evaluated at a time: enough to occupy every thread, little enough that tiles come soon and memory stays small.
 */
const BATCH_OUTPUTS = 1 << 20;

/**
 * Weights of a batch, the other bound: a picture made small takes an output of each of very many partitions. As many as
 * the largest partition may have, 16 MiB; ordinary batches have far fewer.
 */
const BATCH_WEIGHTS = MAX_LOCAL_PARAMETERS;

/** Of the first batch: less, so that the engine soon has work while the rest is read. */
const FIRST_BATCH_OUTPUTS = 1 << 16;

/** A tile whose weights have been read. */
interface DecodedChunk {
  readonly tile: PlannedTile;
  readonly weights: Float32Array;
}

/** A batch that the engine has while the next one is read. */
interface RunningBatch {
  readonly tiles: Promise<Tile[]>;
  readonly done: boolean;
}

/** Makes samples of a sine signal's chunks: reads them, decodes their weights, and has the engine evaluate them. */
export class PartitionDecoder implements TileDecoder {
  readonly #container: Container;
  readonly #ordinal: number;
  readonly #engine: () => Engine;
  readonly #header: SineSignal;
  readonly #index: SignalIndex;
  #evaluator: Promise<Evaluator> | undefined;

  /** @param ordinal place of the signal in the file. */
  constructor(container: Container, ordinal: number, header: SineSignal, engine: () => Engine) {
    this.#container = container;
    this.#ordinal = ordinal;
    this.#engine = engine;
    this.#header = header;
    this.#index = container.index.signals[ordinal];
  }

  /** As {@link TileDecoder.tiles}; the engine works while the next are read. */
  async *tiles(
    planned: readonly PlannedTile[],
    options: TileOptions,
    whole?: SampleTarget,
  ): AsyncGenerator<Tile> {
    const { grid, chunks } = this.#index;
    const byChunk = new Map<number, PlannedTile>();
    for (const tile of planned) {
      const chunk = chunks.find(tile.ordinal);
      if (chunk >= 0) byChunk.set(chunk, tile);
      else yield { coordinates: grid.coordinatesOf(tile.ordinal), box: tile.box, missing: 'absent' };
    }
    const damaged: Tile[] = [];
    const onDamage = (reason: LgiError, chunk: number): void => {
      const tile = byChunk.get(chunk);
      if (tile === undefined) return;
      damaged.push({ coordinates: grid.coordinatesOf(tile.ordinal), box: tile.box, missing: reason });
    };
    const wanted = [...byChunk.keys()].sort((a, b) => chunks.byteOffsets[a] - chunks.byteOffsets[b]);
    let batch: DecodedChunk[] = [];
    let outputs = 0;
    let weightCount = 0;
    let batchOutputs = FIRST_BATCH_OUTPUTS;
    let running: RunningBatch | undefined;
    const { signal } = options;
    const read = { ...(signal && { signal }), ...(options.allowDamaged === true && { onDamage }) };
    for await (const { chunk, payload } of this.#container.readChunks(this.#ordinal, wanted, read)) {
      // Where reading is slow, tiles need not wait for all of the next batch.
      if (running?.done === true) {
        yield* await running.tiles;
        running = undefined;
      }
      const tile = byChunk.get(chunk);
      if (tile === undefined) continue;
      if (isConstantPayload(this.#header, payload.length)) {
        const constant = this.#constantTile(chunk, payload, tile, whole, options, onDamage);
        if (constant !== undefined) yield constant;
        continue;
      }
      const weights = this.#decodeChunk(chunk, payload, options, onDamage);
      if (weights === undefined) continue;
      batch.push({ tile, weights });
      outputs += boxSize(tile.box) * this.#header.format.channels;
      weightCount += weights.length;
      if (outputs < batchOutputs && weightCount < BATCH_WEIGHTS) continue;
      const before = running;
      running = this.#start(batch, whole, signal);
      batchOutputs = BATCH_OUTPUTS;
      batch = [];
      outputs = 0;
      weightCount = 0;
      if (before !== undefined) yield* await before.tiles;
    }
    const last = batch.length > 0 ? this.#start(batch, whole, signal) : undefined;
    if (running !== undefined) yield* await running.tiles;
    if (last !== undefined) yield* await last.tiles;
    yield* damaged;
  }

  #decodeChunk(
    chunk: number,
    payload: Uint8Array,
    { allowDamaged }: TileOptions,
    onDamage: (reason: LgiError, chunk: number) => void,
  ): Float32Array | undefined {
    const section = this.#container.chunkName(this.#ordinal, chunk);
    try {
      return localWeightsOf(this.#header, payload, section);
    } catch (error) {
      if (allowDamaged !== true) throw error;
      onDamage(error as LgiError, chunk);
      return undefined;
    }
  }

  /** A constant partition needs no engine. */
  #constantTile(
    chunk: number,
    payload: Uint8Array,
    { ordinal, box }: PlannedTile,
    whole: SampleTarget | undefined,
    { allowDamaged }: TileOptions,
    onDamage: (reason: LgiError, chunk: number) => void,
  ): Tile | undefined {
    const { sampleType, channels, mapping } = this.#header.format;
    const sample = allocateSamples(sampleType, channels);
    try {
      outputsToSamples(
        decodeConstant(payload, this.#container.chunkName(this.#ordinal, chunk)),
        mapping,
        sample,
      );
    } catch (error) {
      if (allowDamaged !== true) throw error;
      onDamage(error as LgiError, chunk);
      return undefined;
    }
    const data = allocateSamples(sampleType, boxSize(box) * channels);
    for (let i = 0; i < data.length; i++) data[i] = sample[i % channels];
    if (whole !== undefined) placeTile(data, box, channels, whole.data, whole.shape);
    const coordinates = this.#index.grid.coordinatesOf(ordinal);
    return { coordinates, box, ...(whole === undefined && { data }) };
  }

  /** Hands a batch to the engine, which takes it after those that it has. */
  #start(
    batch: readonly DecodedChunk[],
    whole: SampleTarget | undefined,
    signal?: AbortSignal,
  ): RunningBatch {
    const running = { tiles: this.#evaluate(batch, whole, signal), done: false };
    const settle = (): void => {
      running.done = true;
    };
    // A failure is met when its turn comes; until then it must not count as unhandled.
    running.tiles.then(settle, settle);
    return running;
  }

  async #evaluate(
    batch: readonly DecodedChunk[],
    whole: SampleTarget | undefined,
    signal?: AbortSignal,
  ): Promise<Tile[]> {
    const { grid } = this.#index;
    const { format } = this.#header;
    const evaluator = await this.#openEvaluator();
    const tasks = batch.map(({ tile: { ordinal, positions, box }, weights }) => ({
      box: grid.boxOf(ordinal),
      weights,
      positions,
      target: whole ?? {
        data: allocateSamples(format.sampleType, boxSize(box) * format.channels),
        shape: boxShape(box),
      },
      at: whole === undefined ? box.begin.map(() => 0) : box.begin,
    }));
    await evaluator.decode(tasks, format, signal);
    return batch.map(({ tile: { ordinal, box } }, i) => ({
      coordinates: grid.coordinatesOf(ordinal),
      box,
      ...(whole === undefined && { data: tasks[i].target.data }),
    }));
  }

  #openEvaluator(): Promise<Evaluator> {
    this.#evaluator ??= (async () => {
      return this.#engine().createEvaluator(this.#header.model, globalWeightsOf(this.#header));
    })();
    // A failure is not kept: the next decode tries again.
    this.#evaluator.catch(() => (this.#evaluator = undefined));
    return this.#evaluator;
  }

  /** Ends what decoding holds open. */
  async dispose(): Promise<void> {
    const evaluator = this.#evaluator;
    this.#evaluator = undefined;
    await (await evaluator?.catch(() => undefined))?.dispose();
  }
}
