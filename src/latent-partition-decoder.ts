import { placeTile, type PlannedTile } from '../codec/decode.js';
import type { Engine, SampleTarget } from '../codec/engine/engine.js';
import { LgiError } from '../codec/errors.js';
import { boxShape, boxSize, type Grid } from '../codec/grid.js';
import type { LatentDecoder } from '../codec/latent/decoder.js';
import { decodeShared } from '../codec/latent/shared-weights.js';
import { outputsAt, REACH, surroundings, type PartitionOutputs } from '../codec/latent/tile.js';
import { allocateSamples, outputsToSamples } from '../codec/signal.js';
import type { LatentSignal } from './container/header.js';
import type { SignalIndex } from './container/index-table.js';
import type { Container } from './container/reader.js';
import type { Tile, TileDecoder, TileOptions } from './partition-decoder.js';

/** Samples decoded at a time: enough to occupy every thread, little enough that tiles come soon and memory stays small. */
const BATCH_SAMPLES = 1 << 20;

/** Makes samples of a latent signal's chunks: reads those of a region and, where it touches their borders, of its neighbours. */
export class LatentPartitionDecoder implements TileDecoder {
  readonly #container: Container;
  readonly #ordinal: number;
  readonly #engine: () => Engine;
  readonly #header: LatentSignal;
  readonly #index: SignalIndex;
  #decoder: Promise<LatentDecoder> | undefined;

  /** @param ordinal place of the signal in the file. */
  constructor(container: Container, ordinal: number, header: LatentSignal, engine: () => Engine) {
    this.#container = container;
    this.#ordinal = ordinal;
    this.#engine = engine;
    this.#header = header;
    this.#index = container.index.signals[ordinal];
  }

  /** As {@link TileDecoder.tiles}; what of a partition's neighbours is damaged counts as not there, where damage is allowed. */
  async *tiles(
    planned: readonly PlannedTile[],
    options: TileOptions,
    whole?: SampleTarget,
  ): AsyncGenerator<Tile> {
    const { grid, chunks } = this.#index;
    const present: PlannedTile[] = [];
    for (const tile of planned) {
      if (chunks.find(tile.ordinal) >= 0) present.push(tile);
      else yield { coordinates: grid.coordinatesOf(tile.ordinal), box: tile.box, missing: 'absent' };
    }
    const placeOf = ({ ordinal }: PlannedTile): number => chunks.byteOffsets[chunks.find(ordinal)];
    present.sort((a, b) => placeOf(a) - placeOf(b));
    // Of the batch before, for what touches it.
    let known = new Map<number, PartitionOutputs | LgiError>();
    for (const batch of batchesOf(present, grid)) {
      const wanted = new Set(batch.flatMap((tile) => [tile.ordinal, ...neighboursOf(grid, tile)]));
      const kept = new Map([...known].filter(([ordinal]) => wanted.has(ordinal)));
      known = await this.#decode([...wanted], kept, options);
      for (const tile of batch) {
        options.signal?.throwIfAborted();
        yield this.#tile(tile, known, whole);
      }
    }
  }

  /** Outputs of partitions, as far as they are in the file. */
  async #decode(
    ordinals: readonly number[],
    known: Map<number, PartitionOutputs | LgiError>,
    { allowDamaged, signal }: TileOptions,
  ): Promise<Map<number, PartitionOutputs | LgiError>> {
    const { grid, chunks } = this.#index;
    const byChunk = new Map<number, number>();
    for (const ordinal of ordinals) {
      const chunk = chunks.find(ordinal);
      if (chunk >= 0 && !known.has(ordinal)) byChunk.set(chunk, ordinal);
    }
    if (byChunk.size === 0) return known;
    const found: { ordinal: number; payload: Uint8Array; section: string }[] = [];
    const onDamage = (reason: LgiError, chunk: number): void => {
      known.set(byChunk.get(chunk) as number, reason);
    };
    const inOrder = [...byChunk.keys()].sort((a, b) => chunks.byteOffsets[a] - chunks.byteOffsets[b]);
    for await (const { chunk, payload } of this.#container.readChunks(this.#ordinal, inOrder, {
      ...(signal && { signal }),
      ...(allowDamaged === true && { onDamage }),
    })) {
      found.push({
        ordinal: byChunk.get(chunk) as number,
        // What was read is not kept: a decoder may run while the next is read over it.
        payload: payload.slice(),
        section: this.#container.chunkName(this.#ordinal, chunk),
      });
    }
    const decoder = await this.#openDecoder();
    const outputs = await decoder.decode(
      found.map(({ ordinal, payload, section }) => {
        const [height, width] = boxShape(grid.boxOf(ordinal));
        return { shape: [height, width] as const, payload, section };
      }),
    );
    outputs.forEach((planes, i) => {
      const { ordinal } = found[i];
      if (planes instanceof LgiError && allowDamaged !== true) throw planes;
      known.set(ordinal, planes instanceof LgiError ? planes : { box: grid.boxOf(ordinal), planes });
    });
    return known;
  }

  #tile(
    { ordinal, positions, box }: PlannedTile,
    known: ReadonlyMap<number, PartitionOutputs | LgiError>,
    whole: SampleTarget | undefined,
  ): Tile {
    const { grid } = this.#index;
    const { format, latents } = this.#header;
    const coordinates = grid.coordinatesOf(ordinal);
    const own = known.get(ordinal);
    if (own === undefined) throw new Error('a partition was not decoded');
    if (own instanceof LgiError) return { coordinates, box, missing: own };
    const around = surroundings(own, format.channels, (row, column) => {
      const neighbour = grid.ordinalOf([coordinates[0] + row, coordinates[1] + column]);
      const outputs = known.get(neighbour);
      return outputs instanceof LgiError ? undefined : outputs;
    });
    const { amplitude } = latents.architecture;
    const outputs = outputsAt(around, format.channels, amplitude, own.box.begin, positions);
    const data = allocateSamples(format.sampleType, boxSize(box) * format.channels);
    outputsToSamples(outputs, format.mapping, data);
    if (whole !== undefined) placeTile(data, box, format.channels, whole.data, whole.shape);
    return { coordinates, box, ...(whole === undefined && { data }) };
  }

  #openDecoder(): Promise<LatentDecoder> {
    this.#decoder ??= (async () => {
      const { architecture, shared } = this.#header.latents;
      const [height, width] = this.#index.grid.largestCell();
      return this.#engine().createLatentDecoder({
        architecture,
        stored: decodeShared(architecture, shared),
        most: [height, width],
      });
    })();
    // A failure is not kept: the next decode tries again.
    this.#decoder.catch(() => (this.#decoder = undefined));
    return this.#decoder;
  }

  /** Ends what decoding holds open. */
  async dispose(): Promise<void> {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    await (await decoder?.catch(() => undefined))?.dispose();
  }
}

/** Tiles whose partitions together have about as many samples as are decoded at a time. */
function* batchesOf(tiles: readonly PlannedTile[], grid: Grid): Generator<PlannedTile[]> {
  let batch: PlannedTile[] = [];
  let samples = 0;
  for (const tile of tiles) {
    batch.push(tile);
    samples += boxSize(grid.boxOf(tile.ordinal));
    if (samples < BATCH_SAMPLES) continue;
    yield batch;
    batch = [];
    samples = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Ordinals of the neighbours that a tile's values depend on: those behind borders that it comes near. */
function neighboursOf(grid: Grid, { ordinal, positions }: PlannedTile): number[] {
  const box = grid.boxOf(ordinal);
  const coordinates = grid.coordinatesOf(ordinal);
  const [rows, columns] = positions.map((axis, i) => {
    const sides = [0];
    // A position between samples is made of two on either side, and those near the border of what is behind it.
    if (axis[0] < box.begin[i] + 2 * REACH + 1) sides.push(-1);
    if (axis[axis.length - 1] > box.end[i] - 2 * REACH - 1) sides.push(1);
    return sides;
  });
  return rows.flatMap((row) =>
    columns.flatMap((column) => {
      if (row === 0 && column === 0) return [];
      const neighbour = grid.ordinalOf([coordinates[0] + row, coordinates[1] + column]);
      return neighbour < 0 ? [] : [neighbour];
    }),
  );
}
