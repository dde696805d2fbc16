import type { ParameterCount } from '../codec/architecture.js';
import { decodePositions, planDecode, planPositions, sampledShape } from '../codec/decode.js';
import type { Sampling } from '../codec/decode.js';
import type { Engine, SampleTarget } from '../codec/engine/engine.js';
import type { LgiError } from '../codec/errors.js';
import { boxShape, contains } from '../codec/grid.js';
import type { Box } from '../codec/grid.js';
import { allocateSamples, AXES } from '../codec/signal.js';
import type { SampleArray, SampleFormat, SignalKind } from '../codec/signal.js';
import type { Colour } from './colour.js';
import type { SignalHeader } from './container/header.js';
import type { SignalIndex } from './container/index-table.js';
import { countNetworks } from './container/local-weights.js';
import { overviewBox } from './container/overviews.js';
import type { Container } from './container/reader.js';
import { countSignalParameters } from './count-parameters.js';
import { LazyTileDecoder } from './lazy-tile-decoder.js';
import { PartitionDecoder, type Tile, type TileDecoder, type TileOptions } from './partition-decoder.js';
import { absoluteRegion } from './region.js';
import { regionInTime, type TimeRange } from './time-range.js';

/** What to decode, and how densely. */
export interface DecodeOptions extends Sampling, TileOptions {
  /** Samples from the visible window's corner, axis order of the signal; default the whole window. */
  readonly region?: Box;
  /**
   * Span of time, from the begin of the visible window; with a region, that of its axes besides time. Default all of it.
   */
  readonly time?: TimeRange;
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

/** Partitions of a signal by what the file has of them. */
export interface PartitionCount {
  readonly present: number;
  readonly constant: number;
  readonly absent: number;
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

function tileDecoder(container: Container, ordinal: number, engine: () => Engine): TileDecoder {
  const header = container.header.signals[ordinal];
  if (header.latents === undefined) return new PartitionDecoder(container, ordinal, header, engine);
  return new LazyTileDecoder(async () => {
    const { LatentPartitionDecoder } = await import('./latent-partition-decoder.js');
    return new LatentPartitionDecoder(container, ordinal, header, engine);
  });
}

/** One signal of an open file. */
export class Signal {
  /** Reduced copies of this signal in the file, finest first; see {@link Signal.view}. */
  readonly overviews: readonly Overview[];
  readonly #header: SignalHeader;
  readonly #index: SignalIndex;
  readonly #decoder: TileDecoder;

  /** Made by `open`. */
  constructor(
    container: Container,
    ordinal: number,
    engine: () => Engine,
    overviews: readonly Overview[] = [],
  ) {
    this.overviews = overviews;
    this.#header = container.header.signals[ordinal];
    this.#index = container.index.signals[ordinal];
    this.#decoder = tileDecoder(container, ordinal, engine);
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
    const { chunks, grid } = this.#index;
    const present = countNetworks(this.#header, chunks.payloadLengths);
    return { present, constant: chunks.count - present, absent: grid.count - chunks.count };
  }

  /** Parameters that the file holds. */
  get parameters(): ParameterCount {
    return countSignalParameters(this.#header, this.#index);
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
    const tiles = this.#decoder.tiles(plan.tiles, options, whole);
    for await (const { coordinates, box, missing: reason } of tiles) {
      if (reason === undefined) partitionsDecoded++;
      else missing.push({ coordinates, box, reason });
    }
    return { data, shape: plan.shape, channels: format.channels, format, missing, partitionsDecoded };
  }

  /** {@link Signal.decode} tile by tile, as partitions are read, in the order of the file. */
  stream(options: DecodeOptions = {}): AsyncIterable<Tile> {
    return this.#decoder.tiles(this.#plan(options).tiles, options);
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
    const all = sampledShape(region, options);
    const step =
      options.scale === undefined
        ? Math.min(...boxShape(region).map((length, axis) => length / all[axis]))
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
    const found = signal.#decoder.tiles(placed, options, whole);
    for await (const { coordinates, box, missing: reason } of found) {
      if (reason === undefined) target.partitionsDecoded++;
      else if (level > 0) holes.push(box);
      else target.missing.push({ coordinates, box, reason });
    }
    for (const { begin, end } of holes) {
      const part = positions.map((all, axis) => all.subarray(begin[axis] - at[axis], end[axis] - at[axis]));
      await this.#fill(target, level - 1, part, begin);
    }
  }

  #region({ region, time }: DecodeOptions): Box {
    const { window } = this.#index;
    const asked = time ? regionInTime(this.#header, window, time, region) : region;
    return asked ? absoluteRegion(asked, window, AXES[this.kind]) : window;
  }

  #plan(options: DecodeOptions): ReturnType<typeof planDecode> {
    return planDecode(this.#index.grid, this.#region(options), options, this.format.channels);
  }

  /** Ends what decoding holds open. */
  async dispose(): Promise<void> {
    await this.#decoder.dispose();
  }
}
