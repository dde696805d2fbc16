import { localTensors } from './architecture.js';
import type { Grid } from './grid.js';
import type { Model } from './model.js';

/** A partition that has weights, and the axes on which its picture is to be seen in a mirror. */
export interface MirrorSource {
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  readonly axes: readonly number[];
}

/**
 * The partition that a new one mirrors, as a picture is padded by its reflection (paper, section 3.4): the one as far inside
 * the old cells' edge as the new one is outside.
 *
 * @param old the cells that have weights
 */
export function mirrorSource(old: Grid, coordinates: readonly number[]): MirrorSource {
  const axes: number[] = [];
  const source = coordinates.map((coordinate, axis) => {
    const count = old.shape[axis];
    const { firstCell } = old.axes[axis];
    const cell = coordinate - firstCell;
    const period = 2 * count;
    const rest = ((cell % period) + period) % period;
    if (rest < count) return firstCell + rest;
    axes.push(axis);
    return firstCell + period - 1 - rest;
  });
  return { coordinates: source, axes };
}

/**
 * Weights of a local network whose picture is another's in a mirror.
 *
 * With cell coordinates the sign of a coordinate turns the picture round; the global features beyond an edge are mirrored
 * by themselves, since coordinates are folded there. With signal coordinates everything is folded, and the weights stay.
 *
 * @param weights f32 [local count].
 * @param axes on which the picture is mirrored.
 */
export function mirroredWeights(
  { architecture }: Model,
  weights: Float32Array,
  axes: readonly number[],
): Float32Array {
  const mirrored = weights.slice();
  if (architecture.localCoordinates === 'signal') return mirrored;
  const [{ offset, columns }] = localTensors(architecture);
  for (const axis of axes) {
    const row = offset + axis * columns;
    for (let i = row; i < row + columns; i++) mirrored[i] = -mirrored[i];
  }
  return mirrored;
}
