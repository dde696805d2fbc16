import { TileCache, type CachedTile } from '../plane/tile-cache.js';
import { TileLoader } from '../plane/tile-loader.js';
import type { PeaksReply, PeaksRequest } from '../worker/methods.js';

/** Columns that are loaded at a time. */
const TILE_COLUMNS = 128;

/** Samples of a column that peaks are taken from at most: all of a long sound would be read otherwise. */
const MOST_COLUMN_SAMPLES = 512;

/** A stretch of columns, each of `2^level` samples. */
interface WaveTile {
  readonly level: number;
  readonly index: number;
}

interface LoadedWave extends CachedTile {
  readonly peaks: Float32Array;
}

/** What a waveform's view works with. */
export interface WaveformOptions {
  readonly signalIndex: number;
  readonly length: number;
  readonly load: (request: PeaksRequest, signal: AbortSignal) => Promise<PeaksReply>;
  readonly onDraw: (isWhole: boolean) => void;
  readonly onFailed: (error: Error) => void;
}

/** Draws the peaks of a sound over a stretch of it. */
export class WaveformView {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #options: WaveformOptions;
  readonly #cache = new TileCache<LoadedWave>(1 << 24);
  readonly #loader: TileLoader<WaveTile, PeaksReply>;
  readonly #resizes: ResizeObserver;
  /** Samples in view. */
  #begin = 0;
  #end: number;
  #playhead = 0;
  #selection: readonly [number, number] | undefined;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement, options: WaveformOptions) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this canvas has no 2d context');
    this.canvas = canvas;
    this.#context = context;
    this.#options = options;
    this.#end = options.length;
    this.#loader = new TileLoader({
      keyOf,
      load: (tile, signal) => options.load(this.#requestOf(tile), signal),
      onLoaded: (tile, { peaks }) => {
        this.#cache.set(keyOf(tile), { peaks, byteLength: peaks.byteLength, close: () => undefined });
        this.#requestDraw();
      },
      onFailed: (_, error) => options.onFailed(error),
    });
    this.#resizes = new ResizeObserver(() => this.#resize());
    this.#resizes.observe(canvas);
  }

  /** Samples in view, `[begin, end)`. */
  get range(): readonly [number, number] {
    return [this.#begin, this.#end];
  }

  look(begin: number, end: number): void {
    const { length } = this.#options;
    // A column of less than a sample shows no more.
    const span = Math.max(Math.min(end - begin, length), Math.min(length, this.canvas.width));
    this.#begin = Math.max(0, Math.min(begin, length - span));
    this.#end = this.#begin + span;
    this.#update();
  }

  /** Where playing stands, in samples. */
  set playhead(sample: number) {
    if (sample === this.#playhead) return;
    this.#playhead = sample;
    this.#requestDraw();
  }

  set selection(range: readonly [number, number] | undefined) {
    this.#selection = range;
    this.#requestDraw();
  }

  /** The sample at a part of the canvas's width. */
  sampleAt(part: number): number {
    return this.#begin + part * (this.#end - this.#begin);
  }

  retry(): void {
    this.#loader.retry();
    this.#update();
  }

  dispose(): void {
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#loader.want([]);
  }

  #resize(): void {
    const ratio = globalThis.devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.#update();
    this.#draw();
  }

  /** The level whose columns are no wider than pixels. */
  #level(): number {
    return Math.max(0, Math.floor(Math.log2((this.#end - this.#begin) / this.canvas.width)));
  }

  #tiles(): WaveTile[] {
    const level = this.#level();
    const tileSamples = TILE_COLUMNS * 2 ** level;
    const tiles: WaveTile[] = [];
    for (let index = Math.floor(this.#begin / tileSamples); index * tileSamples < this.#end; index++) {
      tiles.push({ level, index });
    }
    return tiles;
  }

  #requestOf({ level, index }: WaveTile): PeaksRequest {
    const { signalIndex, length } = this.#options;
    const columnSamples = 2 ** level;
    const begin = index * TILE_COLUMNS * columnSamples;
    const columns = Math.min(TILE_COLUMNS, Math.ceil((length - begin) / columnSamples));
    return { signalIndex, begin, columnSamples, columns, mostSamples: MOST_COLUMN_SAMPLES };
  }

  #update(): void {
    this.#loader.want(this.#tiles().filter((tile) => !this.#cache.has(keyOf(tile))));
    this.#requestDraw();
  }

  #requestDraw(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { width, height } = this.canvas;
    const style = getComputedStyle(this.canvas);
    const context = this.#context;
    context.clearRect(0, 0, width, height);
    const place = (sample: number): number => ((sample - this.#begin) / (this.#end - this.#begin)) * width;
    if (this.#selection !== undefined) {
      const [from, to] = this.#selection.map(place);
      context.fillStyle = '#6cb6ff44';
      context.fillRect(from, 0, to - from, height);
    }
    context.fillStyle = style.color;
    context.fillRect(0, height / 2, width, 1);
    let isWhole = true;
    for (const tile of this.#tiles()) {
      const loaded = this.#cache.get(keyOf(tile));
      if (loaded === undefined) {
        isWhole = false;
        continue;
      }
      const columnSamples = 2 ** tile.level;
      const first = tile.index * TILE_COLUMNS * columnSamples;
      for (let i = 0; i < loaded.peaks.length; i += 2) {
        const x = place(first + (i / 2) * columnSamples);
        const next = place(first + (i / 2 + 1) * columnSamples);
        const top = ((1 - loaded.peaks[i + 1]) * height) / 2;
        const bottom = ((1 - loaded.peaks[i]) * height) / 2;
        context.fillRect(x, top, Math.max(1, next - x), Math.max(1, bottom - top));
      }
    }
    context.fillStyle = '#ff6b6b';
    context.fillRect(Math.round(place(this.#playhead)), 0, 2, height);
    this.#options.onDraw(isWhole);
  }
}

function keyOf({ level, index }: WaveTile): string {
  return `${level}:${index}`;
}
