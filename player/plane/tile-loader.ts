/** How tiles are loaded. */
export interface TileLoading<T, R> {
  readonly keyOf: (tile: T) => string;
  readonly load: (tile: T, signal: AbortSignal) => Promise<R>;
  readonly onLoaded: (tile: T, result: R) => void;
  /** Of tiles that are still wanted; they are not tried again before {@link TileLoader.retry}. */
  readonly onFailed: (tile: T, error: Error) => void;
}

/**
 * Tiles that are loaded at a time: enough that reads of neighbours are made in one and the engine does not wait, few enough that what is
 * wanted next is not behind what was wanted before.
 */
const MOST_AT_A_TIME = 16;

/** Others begin when no more than these are left: begun together, their reads are made in few. */
const LEAST_AT_A_TIME = 8;

/** Loads what is wanted now, in its order; what is not wanted any more is dropped, what still is goes on. */
export class TileLoader<T, R> {
  readonly #loading: TileLoading<T, R>;
  readonly #running = new Map<string, AbortController>();
  readonly #failed = new Set<string>();
  #queue: readonly T[] = [];

  constructor(loading: TileLoading<T, R>) {
    this.#loading = loading;
  }

  /** Says what is wanted from now on, the most urgent first. */
  want(tiles: readonly T[]): void {
    const wanted = new Set(tiles.map(this.#loading.keyOf));
    for (const [key, controller] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      controller.abort(new DOMException('not wanted any more', 'AbortError'));
    }
    this.#queue = tiles.filter((tile) => {
      const key = this.#loading.keyOf(tile);
      return !this.#running.has(key) && !this.#failed.has(key);
    });
    this.#fill();
  }

  /** Whether anything wanted is still to come. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.#queue.length > 0;
  }

  hasFailed(tile: T): boolean {
    return this.#failed.has(this.#loading.keyOf(tile));
  }

  /** Lets tiles that have failed be wanted again. */
  retry(): void {
    this.#failed.clear();
  }

  #fill(): void {
    if (this.#running.size > LEAST_AT_A_TIME) return;
    while (this.#running.size < MOST_AT_A_TIME && this.#queue.length > 0) {
      const [next, ...rest] = this.#queue;
      this.#queue = rest;
      void this.#run(next);
    }
  }

  async #run(tile: T): Promise<void> {
    const { keyOf, load, onLoaded, onFailed } = this.#loading;
    const key = keyOf(tile);
    const controller = new AbortController();
    this.#running.set(key, controller);
    const isWanted = (): boolean => this.#running.get(key) === controller;
    try {
      const result = await load(tile, controller.signal);
      if (!isWanted()) return;
      this.#running.delete(key);
      onLoaded(tile, result);
    } catch (error) {
      if (!isWanted()) return;
      this.#running.delete(key);
      this.#failed.add(key);
      onFailed(tile, error as Error);
    }
    this.#fill();
  }
}
