/**
 * The descriptor of the latent family (spec/latent.md, section 15 has its equations), and the order of its latents and weights.
 *
 * A partition is whole numbers, its *latents*, on grids of several levels: level 0 has one for every sample, level `l` one for every
 * `2^l` by `2^l` of them. All partitions share what makes samples of them (upsampling, then a small network at every sample), and
 * what foretells them, by which they are coded.
 */
export interface LatentArchitecture {
  /** Levels; the coarsest is `levels - 1`. Of 64x64 samples, seven end with a single latent. */
  readonly levels: number;
  /**
   * The finest level of every plane; planes are what channels are for samples. A plane of brightness begins at level 0, one of
   * colour, which is smoother, at level 1: separate planes are worth more than all else in this family.
   */
  readonly finestLevels: readonly number[];
  /** Features of the hidden layer. */
  readonly hiddenWidth: number;
  /** m: channels. */
  readonly outputs: number;
  /** What the network's outputs are multiplied by to be those of the signal, so that weights are of the order of 1. */
  readonly amplitude: number;
  /** Set of built-in weights that those of a header are differences from (default-weights.ts); default none. */
  readonly defaultSet?: number;
}

/** The latents of one plane at one level. */
export interface LatentGrid {
  readonly level: number;
  readonly plane: number;
  /** Position in the list of grids of the plane's next coarser level; -1 at the coarsest. */
  readonly parent: number;
  /** Positions of the grids of the same level of the planes before, ascending. */
  readonly earlier: readonly number[];
  /** Neighbours that foretell a latent: those of the same grid, the parent where there is one, one of every earlier plane. */
  readonly contexts: number;
}

/**
 * Neighbours in the same grid, all of them before the latent in row-major order: rows and columns from it. Two to either side hold
 * nearly all that is to be known.
 */
export const NEIGHBOURS: readonly (readonly [row: number, column: number])[] = [
  [0, -1],
  [0, -2],
  [-1, -1],
  [-1, 0],
  [-1, 1],
  [-2, 0],
  [-1, -2],
  [-1, 2],
];

/** Taps of a filter that doubles: for the output at twice a position; that behind it has them mirrored. */
export const TAPS = 4;

/** Grids in the order of coding: the coarsest level first, planes in order. */
export function latentGrids({ levels, finestLevels }: LatentArchitecture): LatentGrid[] {
  const grids: LatentGrid[] = [];
  for (let level = levels - 1; level >= 0; level--) {
    finestLevels.forEach((finest, plane) => {
      if (level < finest) return;
      const parent = grids.findIndex((grid) => grid.level === level + 1 && grid.plane === plane);
      const earlier = grids.flatMap((grid, at) => (grid.level === level ? [at] : []));
      const contexts = NEIGHBOURS.length + (parent < 0 ? 0 : 1) + earlier.length;
      grids.push({ level, plane, parent, earlier, contexts });
    });
  }
  return grids;
}

/** A grid in one partition. */
export interface PlacedGrid extends LatentGrid {
  readonly height: number;
  readonly width: number;
  /** Latents before it in the partition's flat array, in which each grid is row-major. */
  readonly offset: number;
}

/** Rows or columns of a level in a partition of so many. */
export function levelLength(samples: number, level: number): number {
  return Math.ceil(samples / 2 ** level);
}

/** The grids of a partition of `[height, width]` samples. */
export function placeGrids(
  architecture: LatentArchitecture,
  [height, width]: readonly number[],
): readonly PlacedGrid[] {
  let offset = 0;
  return latentGrids(architecture).map((grid) => {
    const placed = {
      ...grid,
      height: levelLength(height, grid.level),
      width: levelLength(width, grid.level),
      offset,
    };
    offset += placed.height * placed.width;
    return placed;
  });
}

/** Latents of a partition. */
export function latentCount(grids: readonly PlacedGrid[]): number {
  const last = grids[grids.length - 1];
  return last.offset + last.height * last.width;
}

/** What a tensor of shared weights is for; those of `synthesis` are real numbers, those of `entropy` whole ones. */
export type LatentRole = 'synthesis' | 'entropy';

/** One tensor in the flat array of shared weights. */
export interface LatentTensor {
  readonly name:
    | 'hiddenWeight'
    | 'hiddenBias'
    | 'outputWeight'
    | 'outputBias'
    | 'bypass'
    | 'taps'
    | 'mean'
    | 'spread'
    | 'scale'
    | 'presence';
  readonly role: LatentRole;
  /** Of `mean`, `spread`, `scale` and `presence`: which grid's. */
  readonly grid?: number;
  /** Row-major `[rows, columns]`. */
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
}

/**
 * Tensors of the shared weights, in order.
 *
 * With `F` grids: `hiddenWeight` [hidden, F], `hiddenBias` [hidden], `outputWeight` [m, hidden], `outputBias` [m], `bypass` [m, F],
 * `taps` [levels - 1, {@link TAPS}], of which row `l` leads from level `l + 1` to `l`; then for every grid `mean` [contexts], `spread` [contexts],
 * `scale` [2] (offset and gain) and `presence` [1].
 */
export function latentTensors(architecture: LatentArchitecture): LatentTensor[] {
  const { levels, hiddenWidth, outputs } = architecture;
  const grids = latentGrids(architecture);
  const tensors: LatentTensor[] = [];
  let offset = 0;
  const add = (
    name: LatentTensor['name'],
    role: LatentRole,
    rows: number,
    columns: number,
    grid?: number,
  ): void => {
    tensors.push({ name, role, rows, columns, offset, ...(grid !== undefined && { grid }) });
    offset += rows * columns;
  };
  add('hiddenWeight', 'synthesis', hiddenWidth, grids.length);
  add('hiddenBias', 'synthesis', 1, hiddenWidth);
  add('outputWeight', 'synthesis', outputs, hiddenWidth);
  add('outputBias', 'synthesis', 1, outputs);
  add('bypass', 'synthesis', outputs, grids.length);
  add('taps', 'synthesis', levels - 1, TAPS);
  grids.forEach(({ contexts }, grid) => {
    add('mean', 'entropy', 1, contexts, grid);
    add('spread', 'entropy', 1, contexts, grid);
    add('scale', 'entropy', 1, 2, grid);
    add('presence', 'entropy', 1, 1, grid);
  });
  return tensors;
}

/** Shared weights altogether. */
export function latentWeightCount(architecture: LatentArchitecture): number {
  const tensors = latentTensors(architecture);
  const last = tensors[tensors.length - 1];
  return last.offset + last.rows * last.columns;
}
