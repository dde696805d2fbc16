import type { PlannedTile } from '../codec/decode.js';
import type { SampleTarget } from '../codec/engine/engine.js';
import type { Tile, TileDecoder, TileOptions } from './partition-decoder.js';

/** A decoder whose code is loaded when it is first used: who has no file of its family does without. */
export class LazyTileDecoder implements TileDecoder {
  #decoder: Promise<TileDecoder> | undefined;

  constructor(private readonly load: () => Promise<TileDecoder>) {}

  async *tiles(
    planned: readonly PlannedTile[],
    options: TileOptions,
    whole?: SampleTarget,
  ): AsyncGenerator<Tile> {
    this.#decoder ??= this.load();
    // A failure is not kept: a server may be there the next time.
    this.#decoder.catch(() => (this.#decoder = undefined));
    yield* (await this.#decoder).tiles(planned, options, whole);
  }

  async dispose(): Promise<void> {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    await (await decoder?.catch(() => undefined))?.dispose();
  }
}
