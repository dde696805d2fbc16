import { surfaceNets } from 'isosurface';
import { LgiError } from '../../codec/errors.js';
import type { SampleArray, SampleFormat } from '../../codec/signal.js';
import type { GridPlacement } from '../grid-placement.js';
import type { Mesh } from './mesh.js';

/** A shape as `decode` gives it. */
export interface ShapeSamples {
  /** Row-major `[z, y, x]`, one channel. */
  readonly data: SampleArray;
  readonly shape: readonly number[];
  readonly channels: number;
  readonly format: Pick<SampleFormat, 'mapping'>;
}

/**
 * The surface of a shape as a closed mesh, faces outwards: where the network's output is 0, half way between inside and outside.
 *
 * Beyond the samples is outside, so that a shape that was cropped is closed where it was cut.
 *
 * @param placement of the first sample's corner; default voxels, the corner at 0.
 * @throws LgiError `media` where nothing or everything is inside, and for more than one channel.
 */
export function surfaceOf(
  { data, shape, channels, format }: ShapeSamples,
  placement: GridPlacement = { origin: [0, 0, 0], spacing: [1, 1, 1] },
): Mesh {
  if (shape.length !== 3 || channels !== 1 || data.length !== shape.reduce((a, b) => a * b, 1)) {
    throw new LgiError(
      'media',
      `a surface is of z x y x x samples with one channel, these are ${shape.join('x')}`,
    );
  }
  const [depth, height, width] = shape;
  const level = format.mapping.offset;
  const sign = Math.sign(format.mapping.scale);
  const inside = (x: number, y: number, z: number): number => {
    // One more of outside on every side.
    const [i, j, k] = [z - 1, y - 1, x - 1];
    if (i < 0 || j < 0 || k < 0 || i >= depth || j >= height || k >= width)
      return Math.abs(format.mapping.scale);
    const difference = sign * (level - data[(i * height + j) * width + k]);
    // What lies on the level is outside, as for IoU; a zero would put corners of faces on one another.
    return difference === 0 ? Number.MIN_VALUE : difference;
  };
  const { positions, cells } = surfaceNets([width + 2, height + 2, depth + 2], inside);
  if (cells.length === 0) throw new LgiError('media', 'the shape has nothing inside, so it has no surface');
  const { origin, spacing } = placement;
  const mesh = {
    positions: new Float64Array(3 * positions.length),
    indices: new Uint32Array(3 * cells.length),
  };
  positions.forEach((position, vertex) => {
    for (let axis = 0; axis < 3; axis++) {
      // The lattice point 1 is the centre of the first sample.
      mesh.positions[3 * vertex + axis] = origin[2 - axis] + (position[axis] - 0.5) * spacing[2 - axis];
    }
  });
  cells.forEach((cell, face) => mesh.indices.set(cell, 3 * face));
  return mesh;
}
