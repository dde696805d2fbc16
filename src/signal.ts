import { countParameters, localTensors } from '../codec/architecture.js';
import type { ParameterCount, Tensor } from '../codec/architecture.js';
import { decodeWeights } from '../codec/coder/payload.js';
import { decodePositions, planDecode, planPositions } from '../codec/decode.js';
import type { PlannedTile, Sampling } from '../codec/decode.js';
import type { Engine, Evaluator, SampleTarget } from '../codec/engine/engine.js';
import type { LgiError } from '../codec/errors.js';
import { boxShape, boxSize, contains } from '../codec/grid.js';
import type { Box } from '../codec/grid.js';
import { allocateSamples, AXES } from '../codec/signal.js';
import type { SampleArray, SampleFormat, SignalKind } from '../codec/signal.js';
import type { Colour } from './colour.js';
import { globalWeightsOf } from './container/global-weights.js';
import type { SignalHeader } from './container/header.js';
import type { SignalIndex } from './container/index-table.js';
import { MAX_LOCAL_PARAMETERS } from './container/limits.js';
import { overviewBox } from './container/overviews.js';
import type { Container } from './container/reader.js';
import { absoluteRegion } from './region.js';

/** What to decode, and how densely. */
export interface DecodeOptions extends Sampling {
  /** Samples from the visible window's corner, axis order of the signal; default the whole window. */
  readonly region?: Box;
  /** Goes on past damaged partitions; they are left zero and listed in `missing`. Default false. */
  readonly allowDamaged?: boolean;
  /** Stops reading and decoding; rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** A partition that a decode wanted and did not get. */
export interface MissingPartition {
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  /** Outputs that are left zero, from the region's corner. */
  readonly box: Box;
  /** `absent`: not in the file, as after a crop; otherwise the damage. */
  readonly reason: 'absent' | LgiError;
}

/** Decoded samples, row-major `[...shape, channels]`, in the source's sample type. */
export interface Samples {
  readonly data: SampleArray;
  readonly shape: readonly number[];
  readonly channels: number;
  readonly format: SampleFormat;
  readonly missing: readonly MissingPartition[];
  /** Partitions whose networks were evaluated. */
  readonly partitionsDecoded: number;
}

/** A reduced copy of a signal. */
export interface Overview {
  /** Samples of the signal per sample of the copy, on every axis; a power of two. */
  readonly factor: number;
  /** The copy, on axes of its own: its sample `i` is the mean of the signal's from `i * factor` on. */
  readonly signal: Signal;
}

/** What a view shows, and what it was made from. */
export interface View extends Samples {
  /** Of the overview; 1 where the signal itself was decoded. */
  readonly factor: number;
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

/** Partitions of a signal by what the file has of them. */
export interface PartitionCount {
  readonly present: number;
  readonly constant: number;
  readonly absent: number;
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

/** Where a view puts what it finds. */
interface ViewTarget {
  /** The signal itself, then the overviews that cover the region, as far as the view goes up. */
  readonly levels: readonly Overview[];
  readonly options: DecodeOptions;
  readonly whole: SampleTarget;
  readonly missing: MissingPartition[];
  partitionsDecoded: number;
}

/** One signal of an open file. */
export class Signal {
  /** Reduced copies of this signal in the file, finest first; see {@link Signal.view}. */
  readonly overviews: readonly Overview[];
  readonly #container: Container;
  readonly #ordinal: number;
  readonly #engine: () => Engine;
  readonly #header: SignalHeader;
  readonly #index: SignalIndex;
  readonly #localTensors: readonly Tensor[];
  #evaluator: Promise<Evaluator> | undefined;

  /** Made by `open`. */
  constructor(
    container: Container,
    ordinal: number,
    engine: () => Engine,
    overviews: readonly Overview[] = [],
  ) {
    this.overviews = overviews;
    this.#container = container;
    this.#ordinal = ordinal;
    this.#engine = engine;
    this.#header = container.header.signals[ordinal];
    this.#index = container.index.signals[ordinal];
    this.#localTensors = localTensors(this.#header.model.architecture);
  }

  get kind(): SignalKind {
    return this.#header.kind;
  }

  /** Samples per axis of the visible window. */
  get shape(): readonly number[] {
    return boxShape(this.#index.window);
  }

  /** The visible window, in positions of the first encode's axes. */
  get window(): Box {
    return this.#index.window;
  }

  get format(): SampleFormat {
    return this.#header.format;
  }

  get colour(): Colour | undefined {
    return this.#header.colour;
  }

  /** Everything about the signal that crop never changes: architecture, coordinate maps, quantiser. */
  get header(): SignalHeader {
    return this.#header;
  }

  /** Cells per axis, present or not. */
  get grid(): readonly number[] {
    return this.#index.grid.shape;
  }

  /** Per axis where one partition ends and the next begins, in samples from the visible window's corner, ascending. */
  get cuts(): readonly (readonly number[])[] {
    const { grid, window } = this.#index;
    return grid.axes.map(({ cuts }, axis) =>
      cuts
        .filter((cut) => cut > window.begin[axis] && cut < window.end[axis])
        .map((cut) => cut - window.begin[axis]),
    );
  }

  get partitions(): PartitionCount {
    const present = this.#index.chunks.count;
    // Of the command line's contract; this version's files have no constant partitions.
    return { present, constant: 0, absent: this.#index.grid.count - present };
  }

  /** Parameters that the file holds. */
  get parameters(): ParameterCount {
    return countParameters(this.#header.model.architecture, this.#index.chunks.count);
  }

  /**
   * Decodes a region at a resolution; only the partitions that it touches are read and evaluated.
   *
   * @throws OptionError for a region outside the window, or a scale or size that is none.
   * @throws LgiError `damaged` or `truncated` with the partition as section, unless damage is allowed; `io`.
   */
  async decode(options: DecodeOptions = {}): Promise<Samples> {
    const { format } = this;
    const plan = this.#plan(options);
    const length = plan.shape.reduce((product, count) => product * count, format.channels);
    const data = allocateSamples(format.sampleType, length);
    const whole = { data, shape: plan.shape };
    const missing: MissingPartition[] = [];
    let partitionsDecoded = 0;
    for await (const { coordinates, box, missing: reason } of this.#tiles(plan.tiles, options, whole)) {
      if (reason === undefined) partitionsDecoded++;
      else missing.push({ coordinates, box, reason });
    }
    return { data, shape: plan.shape, channels: format.channels, format, missing, partitionsDecoded };
  }

  /** {@link Signal.decode} tile by tile, as partitions are read, in the order of the file. */
  stream(options: DecodeOptions = {}): AsyncIterable<Tile> {
    return this.#tiles(this.#plan(options).tiles, options);
  }

  /**
   * Shows a region at a resolution, as a viewer does: like {@link Signal.decode}, but from the coarsest overview that has at
   * least as many samples as outputs are asked for on every axis. Outputs are then area averages, and few partitions are read.
   *
   * Without such an overview the signal itself is decoded. Where a partition of the overview is not in the file, as after a
   * crop that dropped some, its place is taken from finer ones and in the end from the signal; with `allowDamaged` where it is
   * damaged, too. `missing` names partitions of the signal itself.
   *
   * @throws OptionError and LgiError as {@link Signal.decode}.
   */
  async view(options: DecodeOptions = {}): Promise<View> {
    const { format } = this;
    const { grid } = this.#index;
    const region = this.#region(options);
    const positions = decodePositions(grid.extent, region, options, format.channels);
    const shape = positions.map(({ length }) => length);
    const step =
      options.scale === undefined
        ? Math.min(...boxShape(region).map((length, axis) => length / shape[axis]))
        : 1 / options.scale;
    const usable = this.overviews.filter(
      ({ factor, signal }) =>
        factor <= step && contains(signal.#index.grid.extent, overviewBox(region, factor)),
    );
    const data = allocateSamples(
      format.sampleType,
      shape.reduce((product, count) => product * count, format.channels),
    );
    const target: ViewTarget = {
      levels: [{ factor: 1, signal: this }, ...usable],
      options,
      whole: { data, shape },
      missing: [],
      partitionsDecoded: 0,
    };
    const at = shape.map(() => 0);
    await this.#fill(target, usable.length, positions, at);
    const { missing, partitionsDecoded } = target;
    const { factor } = target.levels[usable.length];
    return { data, shape, channels: format.channels, format, missing, partitionsDecoded, factor };
  }

  /**
   * Fills a part of a view from a level, and what is not there from the finer ones.
   *
   * @param positions of the signal itself, per axis.
   * @param at where the first of them belongs.
   */
  async #fill(
    target: ViewTarget,
    level: number,
    positions: readonly Float64Array[],
    at: readonly number[],
  ): Promise<void> {
    const { factor, signal } = target.levels[level];
    const { tiles } = planPositions(
      signal.#index.grid,
      positions.map((all) => all.map((position) => position / factor)),
    );
    const placed = tiles.map((tile) => ({
      ...tile,
      box: {
        begin: tile.box.begin.map((first, axis) => first + at[axis]),
        end: tile.box.end.map((last, axis) => last + at[axis]),
      },
    }));
    const holes: Box[] = [];
    const { options, whole } = target;
    for await (const { coordinates, box, missing: reason } of signal.#tiles(placed, options, whole)) {
      if (reason === undefined) target.partitionsDecoded++;
      else if (level > 0) holes.push(box);
      else target.missing.push({ coordinates, box, reason });
    }
    for (const { begin, end } of holes) {
      const part = positions.map((all, axis) => all.subarray(begin[axis] - at[axis], end[axis] - at[axis]));
      await this.#fill(target, level - 1, part, begin);
    }
  }

  #region({ region }: DecodeOptions): Box {
    const { window } = this.#index;
    return region ? absoluteRegion(region, window, AXES[this.kind]) : window;
  }

  #plan(options: DecodeOptions): ReturnType<typeof planDecode> {
    return planDecode(this.#index.grid, this.#region(options), options, this.format.channels);
  }

  /** @param whole where all samples belong; absent, every tile gets an array of its own. */
  async *#tiles(
    tiles: readonly PlannedTile[],
    options: DecodeOptions,
    whole?: SampleTarget,
  ): AsyncGenerator<Tile> {
    const { grid, chunks } = this.#index;
    const byChunk = new Map<number, PlannedTile>();
    for (const tile of tiles) {
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
      const weights = this.#decodeChunk(chunk, payload, options, onDamage);
      if (weights === undefined) continue;
      batch.push({ tile, weights });
      outputs += boxSize(tile.box) * this.format.channels;
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
    { allowDamaged }: DecodeOptions,
    onDamage: (reason: LgiError, chunk: number) => void,
  ): Float32Array | undefined {
    const { quantiser, coder } = this.#header;
    const section = this.#container.chunkName(this.#ordinal, chunk);
    try {
      return decodeWeights(payload, this.#localTensors, quantiser.local, quantiser.format, coder, section);
    } catch (error) {
      if (allowDamaged !== true) throw error;
      onDamage(error as LgiError, chunk);
      return undefined;
    }
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
    const { format } = this;
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
