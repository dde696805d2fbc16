import type { Box } from '../../codec/grid.js';
import { axisOutputs } from '../worker/plane-sampling.js';
import type { Pair } from './view.js';

/** A part of a plane that is decoded at a time: whole partitions, at a scale of `2^level`. */
export interface Tile {
  readonly level: number;
  readonly row: number;
  readonly column: number;
  /** In outputs of the plane at that scale, `[v, u]`. */
  readonly outputs: Box;
}

/**
 * Outputs that a tile has at least on each axis, but for partitions larger than that: few enough that little is read beyond what is
 * seen, enough that neither messages nor drawing show.
 */
const LEAST_TILE_OUTPUTS = 128;

/** Finer than this, outputs are drawn larger: 64 to a sample show no more. */
export const FINEST_LEVEL = 6;

/** Where the tiles of a level begin and end on an axis, in outputs. */
interface AxisTiles {
  readonly edges: readonly number[];
}

/** The first output whose position is not before a place. */
function firstOutput(place: number, scale: number, outputs: number): number {
  return Math.min(outputs, Math.max(0, Math.ceil(place * scale - 0.5)));
}

function axisTiles(samples: number, cuts: readonly number[], scale: number): AxisTiles {
  const { outputs } = axisOutputs(samples, scale);
  const edges = [0];
  for (const cut of cuts) {
    const edge = firstOutput(cut, scale, outputs);
    const last = edges[edges.length - 1];
    if (edge - last >= LEAST_TILE_OUTPUTS && outputs - edge > 0) edges.push(edge);
  }
  edges.push(outputs);
  return { edges };
}

/** Index of the interval of ascending edges that a value lies in, the nearest where it lies outside. */
function intervalOf(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** How a plane is cut into tiles, at every scale along borders of partitions: no partition is read for two tiles of a level. */
export class TileGrid {
  /** Samples of the plane. */
  readonly shape: Pair;
  readonly #cuts: readonly [readonly number[], readonly number[]];
  readonly #levels = new Map<number, readonly [AxisTiles, AxisTiles]>();

  /** @param cuts per axis where partitions meet, in samples, ascending. */
  constructor(shape: Pair, cuts: readonly [readonly number[], readonly number[]]) {
    this.shape = shape;
    this.#cuts = cuts;
  }

  /** The level whose outputs are no larger than device pixels, the coarsest of those. */
  levelFor(scale: number): number {
    // A little below a power of two is that power, whatever the rounding of steps that led there.
    return Math.min(FINEST_LEVEL, Math.ceil(Math.log2(scale) - 1e-3));
  }

  /** The finest level whose outputs are no smaller than device pixels: a quarter of the work, and a little soft. */
  levelBelow(scale: number): number {
    return Math.min(FINEST_LEVEL, Math.floor(Math.log2(scale) + 1e-3));
  }

  /** The tiles of a level that show anything of these samples, those nearest to their middle first. */
  tilesOf(level: number, { begin, end }: Box): Tile[] {
    const scale = 2 ** level;
    const axes = this.#axesOf(level);
    const range = axes.map(({ edges }, axis) => ({
      first: intervalOf(edges, Math.floor(begin[axis] * scale)),
      last: intervalOf(edges, Math.ceil(end[axis] * scale) - 1),
    }));
    const tiles: Tile[] = [];
    for (let row = range[0].first; row <= range[0].last; row++) {
      for (let column = range[1].first; column <= range[1].last; column++) {
        tiles.push({
          level,
          row,
          column,
          outputs: {
            begin: [axes[0].edges[row], axes[1].edges[column]],
            end: [axes[0].edges[row + 1], axes[1].edges[column + 1]],
          },
        });
      }
    }
    const middle = begin.map((at, axis) => ((at + end[axis]) / 2) * scale);
    const distance = ({ outputs }: Tile): number =>
      Math.hypot(...middle.map((at, axis) => at - (outputs.begin[axis] + outputs.end[axis]) / 2));
    return tiles.sort((a, b) => distance(a) - distance(b));
  }

  /** Whether a tile of this place is the same, as after growth tiles at the former end are not. */
  has({ level, row, column, outputs }: Tile): boolean {
    return this.#axesOf(level).every(({ edges }, axis) => {
      const place = axis === 0 ? row : column;
      return edges[place] === outputs.begin[axis] && edges[place + 1] === outputs.end[axis];
    });
  }

  #axesOf(level: number): readonly [AxisTiles, AxisTiles] {
    const known = this.#levels.get(level);
    if (known !== undefined) return known;
    const scale = 2 ** level;
    const [v, u] = [0, 1].map((axis) => axisTiles(this.shape[axis], this.#cuts[axis], scale));
    this.#levels.set(level, [v, u]);
    return [v, u];
  }
}

/** The samples that a tile shows, `[v, u]`; ends may be fractions. */
export function samplesOf({ level, outputs }: Tile): Box {
  const scale = 2 ** level;
  return { begin: outputs.begin.map((at) => at / scale), end: outputs.end.map((at) => at / scale) };
}
