/** What is kept of a tile. */
export interface CachedTile {
  readonly byteLength: number;
  /** Gives back what it holds. */
  close(): void;
}

/** Tiles by name, the least recently used dropped where they are too many bytes. */
export class TileCache<T extends CachedTile> {
  readonly #maxBytes: number;
  /** In the order of their use. */
  readonly #tiles = new Map<string, T>();
  #byteLength = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** A tile, which thereby counts as used. */
  get(key: string): T | undefined {
    const tile = this.#tiles.get(key);
    if (tile === undefined) return undefined;
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }

  has(key: string): boolean {
    return this.#tiles.has(key);
  }

  /** Keeps a tile in place of one of the same name; one alone is kept whatever its size. */
  set(key: string, tile: T): void {
    this.delete(key);
    this.#tiles.set(key, tile);
    this.#byteLength += tile.byteLength;
    for (const oldest of this.#tiles.keys()) {
      if (this.#byteLength <= this.#maxBytes || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const tile = this.#tiles.get(key);
    if (tile === undefined) return;
    this.#tiles.delete(key);
    this.#byteLength -= tile.byteLength;
    tile.close();
  }

  /** Drops those that a condition holds for. */
  deleteWhere(condition: (key: string, tile: T) => boolean): void {
    for (const [key, tile] of this.#tiles) if (condition(key, tile)) this.delete(key);
  }

  clear(): void {
    this.deleteWhere(() => true);
  }
}
