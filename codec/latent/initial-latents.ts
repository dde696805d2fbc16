import { RandomStream } from '../random.js';
import {
  latentCount,
  latentTensors,
  latentWeightCount,
  placeGrids,
  TAPS,
  type LatentArchitecture,
  type PlacedGrid,
} from './latent-architecture.js';
import { LEAST_SPREAD, CONTEXT_ONE } from './entropy-model.js';

/**
 * Taps that training begins with: cubic interpolation (Keys 1981, a = -1/2) at a quarter between samples, where the finer level's
 * first sample of two has its centre.
 */
const FIRST_TAPS = [-0.0234, 0.2266, 0.8672, -0.0703] as const;

/** What a neighbour's magnitude counts for at first: eight of them make about one. */
const FIRST_SPREAD = 0.1;

/** Of output weights: little beside the bypass, by which training begins as the pyramid that latents are made of. */
const FIRST_OUTPUT = 0.1;

/** From planes to channels, [channel][plane], and back, [plane][channel]. */
interface ColourMatrix {
  readonly toChannels: readonly (readonly number[])[];
  readonly toPlanes: readonly (readonly number[])[];
}

/** ITU-R BT.601, of which only that brightness is apart from colour matters: training bends it to the picture. */
const BRIGHTNESS_AND_COLOUR: ColourMatrix = {
  toChannels: [
    [1, 0, 1.402],
    [1, -0.344136, -0.714136],
    [1, 1.772, 0],
  ],
  toPlanes: [
    [0.299, 0.587, 0.114],
    [-0.168736, -0.331264, 0.5],
    [0.5, -0.418688, -0.081312],
  ],
};

/** Planes are channels, but red, green and blue; alpha is a plane of its own. */
function colourMatrix(planes: number): ColourMatrix {
  const isColour = planes >= 3;
  const entry = (matrix: readonly (readonly number[])[], row: number, column: number): number =>
    isColour && row < 3 && column < 3 ? matrix[row][column] : row === column ? 1 : 0;
  const full = (matrix: readonly (readonly number[])[]): number[][] =>
    Array.from({ length: planes }, (_, row) =>
      Array.from({ length: planes }, (__, column) => entry(matrix, row, column)),
    );
  return {
    toChannels: full(BRIGHTNESS_AND_COLOUR.toChannels),
    toPlanes: full(BRIGHTNESS_AND_COLOUR.toPlanes),
  };
}

/** Means of 2 by 2, of what there is of them at the ends. */
function halved(
  plane: Float64Array,
  [height, width]: readonly [number, number],
): { plane: Float64Array; shape: [number, number] } {
  const shape: [number, number] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const result = new Float64Array(shape[0] * shape[1]);
  for (let y = 0; y < shape[0]; y++) {
    for (let x = 0; x < shape[1]; x++) {
      let [sum, count] = [0, 0];
      for (let i = 2 * y; i < Math.min(height, 2 * y + 2); i++) {
        for (let j = 2 * x; j < Math.min(width, 2 * x + 2); j++) {
          sum += plane[i * width + j];
          count++;
        }
      }
      result[y * shape[1] + x] = sum / count;
    }
  }
  return { plane: result, shape };
}

/** The other way, by {@link FIRST_TAPS}. */
function doubled(
  plane: Float64Array,
  [height, width]: readonly [number, number],
  [tall, wide]: readonly [number, number],
): Float64Array {
  const source = (output: number, tap: number, length: number): number => {
    const at = output % 2 === 0 ? output / 2 - 2 + tap : (output - 1) / 2 + 2 - tap;
    return Math.max(0, Math.min(length - 1, at));
  };
  const rows = new Float64Array(tall * width);
  for (let y = 0; y < tall; y++) {
    for (let tap = 0; tap < TAPS; tap++) {
      const from = source(y, tap, height) * width;
      for (let x = 0; x < width; x++) rows[y * width + x] += FIRST_TAPS[tap] * plane[from + x];
    }
  }
  const result = new Float64Array(tall * wide);
  for (let x = 0; x < wide; x++) {
    for (let tap = 0; tap < TAPS; tap++) {
      const from = source(x, tap, width);
      for (let y = 0; y < tall; y++) result[y * wide + x] += FIRST_TAPS[tap] * rows[y * width + from];
    }
  }
  return result;
}

/**
 * Latents that a partition begins with: a Laplacian pyramid of its planes, by which the first weights give about the samples back.
 *
 * @param target f32 [m, height, width], in units of the amplitude.
 */
export function initialLatents(
  architecture: LatentArchitecture,
  shape: readonly [number, number],
  target: Float32Array,
): Float32Array {
  const { finestLevels, levels } = architecture;
  const grids = placeGrids(architecture, shape);
  const latents = new Float32Array(latentCount(grids));
  const { toPlanes } = colourMatrix(finestLevels.length);
  const samples = shape[0] * shape[1];
  finestLevels.forEach((_, plane) => {
    const whole = new Float64Array(samples);
    toPlanes[plane].forEach((factor, channel) => {
      for (let i = 0; i < samples; i++) whole[i] += factor * target[channel * samples + i];
    });
    const pyramid: { plane: Float64Array; shape: [number, number] }[] = [
      { plane: whole, shape: [shape[0], shape[1]] },
    ];
    for (let level = 1; level < levels; level++) {
      const finer = pyramid[level - 1];
      pyramid.push(halved(finer.plane, finer.shape));
    }
    for (const grid of grids) {
      if (grid.plane !== plane) continue;
      const { plane: own, shape: ownShape } = pyramid[grid.level];
      const coarser = pyramid[grid.level + 1];
      const foretold = coarser && doubled(coarser.plane, coarser.shape, ownShape);
      own.forEach((value, i) => {
        latents[grid.offset + i] = 2 ** grid.level * (value - (foretold?.[i] ?? 0));
      });
    }
  });
  return latents;
}

/**
 * Shared weights that training begins with, where there are no better ones.
 *
 * @param latents of all partitions: scales begin at what these are on the mean.
 */
export function initialSharedWeights(
  architecture: LatentArchitecture,
  partitions: readonly { readonly grids: readonly PlacedGrid[]; readonly latents: Float32Array }[],
  seed: number,
): Float32Array {
  const random = new RandomStream(seed, 'global-weights');
  const weights = new Float32Array(latentWeightCount(architecture));
  const { toChannels } = colourMatrix(architecture.finestLevels.length);
  const features = partitions[0].grids;
  for (const { name, offset, rows, columns, grid = 0 } of latentTensors(architecture)) {
    for (let i = 0; i < rows * columns; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      weights[offset + i] = {
        hiddenWeight: () => random.symmetric(Math.sqrt(3 / features.length)),
        hiddenBias: () => 0,
        outputWeight: () => random.symmetric(FIRST_OUTPUT),
        outputBias: () => 0,
        bypass: () => toChannels[row][features[column].plane],
        taps: () => FIRST_TAPS[column],
        mean: () => 0,
        spread: () => FIRST_SPREAD,
        scale: () => (column === 0 ? firstScale(partitions, grid) : 1),
        presence: () => 0,
      }[name]();
    }
  }
  return weights;
}

/** log2 of how many times the spread of neighbours a latent's magnitude is. */
function firstScale(partitions: Parameters<typeof initialSharedWeights>[1], grid: number): number {
  let [sum, count] = [0, 0];
  for (const { grids, latents } of partitions) {
    const { offset, height, width } = grids[grid];
    for (let i = offset; i < offset + height * width; i++) sum += Math.abs(latents[i]);
    count += height * width;
  }
  const magnitude = sum / count;
  const isTop = partitions[0].grids[grid].parent < 0;
  return Math.log2((magnitude + 0.1) / (LEAST_SPREAD / CONTEXT_ONE + (isTop ? 0 : magnitude)));
}
