import { intersect, type Box } from '../../codec/grid.js';
import type { DamagedPartition, PlaneReply, PlaneRequest, SignalDescription } from '../worker/methods.js';
import { TileCache, type CachedTile } from './tile-cache.js';
import { samplesOf, TileGrid, type Tile } from './tile-grid.js';
import { TileLoader } from './tile-loader.js';
import { allowedView, fitView, originOf, visibleBox, type Pair, type View } from './view.js';

/** A plane of a signal: which axes it has, and where it lies on the others. */
export interface Plane {
  readonly signal: SignalDescription;
  /** Axes of the signal, vertical and horizontal. */
  readonly axes: readonly [number, number];
  /** Sample on every axis; those of the plane's own are not looked at. */
  readonly at: readonly number[];
}

/** What a plane's view works with. */
export interface PlaneViewOptions {
  /** Bytes of decoded tiles that are kept. */
  readonly maxBytes: number;
  readonly load: (request: PlaneRequest, signal: AbortSignal) => Promise<PlaneReply>;
  /** Something was drawn. */
  readonly onDraw: (state: DrawState) => void;
  readonly onViewChange: (view: View) => void;
  /** A tile could not be loaded; it is not tried again before {@link PlaneView.retry}. */
  readonly onFailed: (error: Error) => void;
  /** Partitions of a tile that was loaded are damaged. */
  readonly onDamaged: (damaged: readonly DamagedPartition[]) => void;
}

/** How much of what should be seen is. */
export interface DrawState {
  /** Everything is there at some resolution. */
  readonly isCovered: boolean;
  /** Everything is there at the resolution of the screen. */
  readonly isSharp: boolean;
}

/** Planes one after the other, to be decoded together. */
export interface PlaneRun {
  /** Of the first. */
  readonly at: readonly number[];
  readonly count: number;
}

interface PlacedTile extends Tile, PlaneRun {}

interface LoadedTile extends CachedTile {
  readonly tile: Tile;
  readonly bitmap: ImageBitmap;
  /** In samples of the plane. */
  readonly box: Box;
  readonly at: readonly number[];
  readonly isDamaged: boolean;
}

/** Shows a plane on a canvas: loads the tiles in view, coarse ones first, and draws the best that is there. */
export class PlaneView {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #options: PlaneViewOptions;
  readonly #cache: TileCache<LoadedTile>;
  readonly #loader: TileLoader<PlacedTile, PlaneReply>;
  #plane: Plane | undefined;
  #grid: TileGrid | undefined;
  /** Planes that will be wanted next, in their order. */
  #ahead: readonly PlaneRun[] = [];
  #view: View = { scale: 1, centre: [0, 0] };
  /** Whether all of the plane is shown, whatever the size of the canvas. */
  #isFitted = true;
  /** Of the canvas, device pixels; 0 until they are known, when nothing is loaded yet. */
  #size: Pair = [0, 0];
  #frame = 0;
  /** Whether only what is coarse is being loaded. */
  #isCoarse = false;
  #isThrifty = false;
  /** The plane that was drawn last, which stays until another is there. */
  #shownAt: readonly number[] | undefined;
  readonly #resizes: ResizeObserver;

  constructor(canvas: HTMLCanvasElement, options: PlaneViewOptions) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this canvas has no 2d context');
    this.canvas = canvas;
    this.#context = context;
    this.#options = options;
    this.#cache = new TileCache(options.maxBytes);
    this.#loader = new TileLoader({
      keyOf: (tile) => `${keyOf(tile, tile.at)}+${tile.count}`,
      load: (tile, signal) => this.#load(tile, signal),
      onLoaded: (tile, reply) => this.#keep(tile, reply),
      onFailed: (_, error) => {
        options.onFailed(error);
        // What is sharp may be there all the same.
        if (this.#isCoarse && !this.#loader.isBusy) this.#update();
      },
    });
    this.#resizes = new ResizeObserver((entries) => this.#resize(entries[entries.length - 1]));
    this.#resizes.observe(canvas);
  }

  get view(): View {
    return this.#view;
  }

  /** Device pixels of the canvas, vertical first. */
  get size(): Pair {
    return this.#size;
  }

  get plane(): Plane | undefined {
    return this.#plane;
  }

  /** Samples of the plane, vertical first. */
  get shape(): Pair {
    return this.#grid?.shape ?? [1, 1];
  }

  /** Shows a plane; of the same signal and axes at once where its tiles are there, and the view stays. */
  show(plane: Plane, ahead: readonly PlaneRun[] = []): void {
    const before = this.#plane;
    const isOther =
      this.#plane?.signal !== plane.signal || this.#plane.axes.some((axis, i) => axis !== plane.axes[i]);
    this.#plane = plane;
    this.#ahead = ahead;
    if (isOther) {
      const { signal, axes } = plane;
      const [v, u] = axes;
      this.#grid = new TileGrid([signal.shape[v], signal.shape[u]], [signal.cuts[v], signal.cuts[u]]);
      this.#cache.clear();
      this.#loader.retry();
      this.#shownAt = undefined;
      this.fit();
      return;
    }
    this.#update();
    // By the next frame it would be late by one.
    if (before?.at.join() !== plane.at.join()) this.#draw();
  }

  /** The same plane after its signal has changed: the view stays where it is, tiles that show something else are dropped. */
  replace(signal: SignalDescription, changed: readonly Box[], moved: readonly number[]): void {
    const plane = this.#plane;
    if (plane === undefined) return;
    const [v, u] = plane.axes;
    const by: Pair = [moved[v], moved[u]];
    const isGrown =
      moved.some((step) => step !== 0) || signal.shape.some((n, axis) => n !== plane.signal.shape[axis]);
    this.#plane = { ...plane, signal, at: plane.at.map((at, axis) => at + moved[axis]) };
    this.#grid = new TileGrid([signal.shape[v], signal.shape[u]], [signal.cuts[v], signal.cuts[u]]);
    const grid = this.#grid;
    // What was read of tiles that are others now is kept where files are read.
    if (moved.some((step) => step !== 0)) this.#cache.clear();
    else {
      if (isGrown) this.#cache.deleteWhere((_, { tile }) => !grid.has(tile));
      const boxes = changed.map(({ begin, end }) => ({ begin: [begin[v], begin[u]], end: [end[v], end[u]] }));
      this.#cache.deleteWhere((_, tile) => boxes.some((box) => intersect(box, tile.box) !== null));
    }
    this.#loader.retry();
    const { scale, centre } = this.#view;
    if (this.#isFitted) this.fit();
    else this.#setView({ scale, centre: [centre[0] + by[0], centre[1] + by[1]] }, false);
  }

  /** Shows all of the plane, also when the canvas changes its size. */
  fit(): void {
    this.#setView(fitView(this.shape, this.#size), true);
  }

  /** Whether outputs larger than device pixels do, as where there are many planes a second. */
  set isThrifty(isThrifty: boolean) {
    if (isThrifty === this.#isThrifty) return;
    this.#isThrifty = isThrifty;
    this.#update();
  }

  /** Shows a part of the plane, or the nearest to it that is allowed. */
  look(view: View): void {
    this.#setView(allowedView(view, this.shape, this.#size), false);
  }

  /** Tries again what has failed, and what was damaged. */
  retry(): void {
    this.#loader.retry();
    this.#cache.deleteWhere((_, { isDamaged }) => isDamaged);
    this.#update();
  }

  /** Whether another plane of the signal can be shown sharp at once. */
  isReady(at: readonly number[]): boolean {
    const level = this.#level();
    return this.#visibleTiles(level).every((tile) => this.#cache.has(keyOf(tile, at)));
  }

  /** Whether anything is being loaded or waits for it. */
  get isBusy(): boolean {
    return this.#loader.isBusy;
  }

  /** Bytes of the tiles that are kept. */
  get cachedBytes(): number {
    return this.#cache.byteLength;
  }

  dispose(): void {
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#loader.want([]);
    this.#cache.clear();
    this.#plane = undefined;
  }

  #setView(view: View, isFitted: boolean): void {
    this.#isFitted = isFitted;
    this.#view = view;
    this.#options.onViewChange(view);
    this.#update();
  }

  #resize({ devicePixelContentBoxSize, contentRect }: ResizeObserverEntry): void {
    // Absent in Safari, and in other pixels where a screen's are emulated.
    const exact = (devicePixelContentBoxSize as typeof devicePixelContentBoxSize | undefined)?.[0];
    const ratio = globalThis.devicePixelRatio;
    const pixels = (css: number, device = css * ratio): number =>
      Math.max(1, Math.round(Math.abs(device - css * ratio) <= 1 ? device : css * ratio));
    const size: Pair = [
      pixels(contentRect.height, exact?.blockSize),
      pixels(contentRect.width, exact?.inlineSize),
    ];
    if (size[0] === this.#size[0] && size[1] === this.#size[1]) return;
    this.#size = size;
    [this.canvas.height, this.canvas.width] = size;
    if (this.#isFitted) this.fit();
    else this.look(this.#view);
    // A canvas of another size is empty; waiting for a frame, it would be seen so.
    this.#draw();
  }

  #level(): number {
    if (this.#grid === undefined) return 0;
    const { scale } = this.#view;
    return this.#isThrifty ? this.#grid.levelBelow(scale) : this.#grid.levelFor(scale);
  }

  #visibleTiles(level: number): Tile[] {
    const visible = visibleBox(this.#view, this.shape, this.#size);
    return visible === null || this.#grid === undefined ? [] : this.#grid.tilesOf(level, visible);
  }

  /** Says what is wanted, and draws by the next frame. */
  #update(): void {
    const plane = this.#plane;
    if (plane === undefined || this.#size[0] === 0) return;
    const level = this.#level();
    const through = this.#through();
    const missing = (each: number, { at, count }: PlaneRun): PlacedTile[] =>
      this.#visibleTiles(each)
        .filter((tile) => {
          const planes = Array.from({ length: count }, (_, i) => stepped(at, through, i));
          return planes.some((plane) => !this.#cache.has(keyOf(tile, plane)));
        })
        .map((tile) => ({ ...tile, at, count }));
    const present = { at: plane.at, count: 1 };
    // What is seen at first comes alone, since it costs little and all else would share its line.
    const coarse = coarseLevels(plane.signal, level)
      .flatMap((each) => missing(each, present))
      .filter((tile) => !this.#loader.hasFailed(tile));
    this.#isCoarse = coarse.length > 0;
    this.#loader.want(
      this.#isCoarse ? coarse : [present, ...this.#ahead].flatMap((run) => missing(level, run)),
    );
    this.#requestDraw();
  }

  #requestDraw(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** The first axis off the plane, on which planes follow each other; -1 where there is none. */
  #through(): number {
    const plane = this.#plane;
    return plane === undefined ? -1 : plane.at.findIndex((_, axis) => !plane.axes.includes(axis));
  }

  #load({ level, outputs, at, count }: PlacedTile, signal: AbortSignal): Promise<PlaneReply> {
    const plane = this.#plane;
    if (plane === undefined) return Promise.reject(new Error('nothing is shown'));
    const { signalIndex } = plane.signal;
    return this.#options.load(
      { signalIndex, axes: plane.axes, at, count, scale: 2 ** level, outputs },
      signal,
    );
  }

  #keep(tile: PlacedTile, { bitmaps, damaged }: PlaneReply): void {
    const through = this.#through();
    bitmaps.forEach((bitmap, i) => this.#keepPlane(tile, stepped(tile.at, through, i), bitmap, damaged));
    if (damaged.length > 0) this.#options.onDamaged(damaged);
    if (!this.#isCoarse || this.#loader.isBusy) {
      this.#requestDraw();
      return;
    }
    this.#draw();
    this.#update();
  }

  #keepPlane(
    tile: Tile,
    at: readonly number[],
    bitmap: ImageBitmap,
    damaged: readonly DamagedPartition[],
  ): void {
    this.#cache.set(keyOf(tile, at), {
      bitmap,
      tile,
      box: samplesOf(tile),
      at,
      isDamaged: damaged.length > 0,
      byteLength: bitmap.width * bitmap.height * 4,
      close: () => bitmap.close(),
    });
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const plane = this.#plane;
    if (plane === undefined) return;
    const level = this.#level();
    const missing = this.#visibleTiles(level).filter((tile) => !this.#cache.has(keyOf(tile, plane.at)));
    const isSharp = missing.length === 0;
    this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    let isCovered = isSharp;
    if (!isSharp) {
      // What was seen before is nearer to what comes than nothing.
      if (this.#shownAt !== undefined && this.#shownAt.join() !== plane.at.join()) {
        this.#drawLevel(level, this.#shownAt);
      }
      const coarse = coarseLevels(plane.signal, level);
      for (const each of [...coarse, level - 2, level - 1, level + 2, level + 1]) {
        if (this.#drawLevel(each, plane.at)) isCovered = true;
      }
    } else this.#shownAt = plane.at;
    this.#drawLevel(level, plane.at);
    this.#options.onDraw({ isCovered, isSharp });
  }

  /** Draws the tiles of a level that are there; whether all were. */
  #drawLevel(level: number, at: readonly number[]): boolean {
    const origin = originOf(this.#view, this.#size);
    const { scale } = this.#view;
    let isWhole = true;
    this.#context.imageSmoothingEnabled = scale !== 2 ** level;
    this.#context.imageSmoothingQuality = 'high';
    for (const tile of this.#visibleTiles(level)) {
      const loaded = this.#cache.get(keyOf(tile, at));
      if (loaded === undefined) {
        isWhole = false;
        continue;
      }
      const { begin, end } = loaded.box;
      // Rounded as its neighbours are, so that they meet.
      const [top, bottom] = [begin[0], end[0]].map((place) => Math.round(origin[0] + place * scale));
      const [left, right] = [begin[1], end[1]].map((place) => Math.round(origin[1] + place * scale));
      this.#context.clearRect(left, top, right - left, bottom - top);
      this.#context.drawImage(loaded.bitmap, left, top, right - left, bottom - top);
    }
    return isWhole;
  }
}

/** A place so many planes on. */
function stepped(at: readonly number[], through: number, by: number): number[] {
  return at.map((place, axis) => (axis === through ? place + by : place));
}

function keyOf({ level, row, column }: Tile, at: readonly number[]): string {
  return `${at.join()}:${level}:${row}:${column}`;
}

/** Levels of overviews that are coarser than what is wanted and cost little: the coarsest of them. */
function coarseLevels({ overviews }: SignalDescription, level: number): number[] {
  const coarsest = overviews.at(-1);
  if (coarsest === undefined) return [];
  const coarse = -Math.log2(coarsest);
  return coarse < level ? [coarse] : [];
}
