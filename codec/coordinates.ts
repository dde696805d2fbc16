import type { Box, CoordinateMap } from './grid.js';
import type { Model } from './model.js';

/** The coordinate that a network sees for a position on an axis, rounded to f32 as the format has it. */
export function signalCoordinate({ scale, offset }: CoordinateMap, position: number): number {
  return Math.fround(scale * position + offset);
}

/**
 * The cell coordinate of a position: 0 at the centre of its partition's box, and half a nominal cell is 1.
 *
 * A ragged cell thus spans less than [-1, 1], at the same scale as the full ones.
 */
export function cellCoordinate(begin: number, end: number, nominalCell: number, position: number): number {
  return Math.fround((position - (begin + end) / 2) / (nominalCell / 2));
}

/** What the global network sees at a position: f64 [axes], each an f32 number. */
export function globalCoordinates(model: Model, position: ArrayLike<number>): Float64Array {
  return Float64Array.from(model.maps, (map, axis) => signalCoordinate(map, position[axis]));
}

/** What the local network of the partition `box` sees at a position: f64 [axes], each an f32 number. */
export function localCoordinates(model: Model, box: Box, position: ArrayLike<number>): Float64Array {
  if (model.architecture.localCoordinates === 'signal') return globalCoordinates(model, position);
  return Float64Array.from(model.nominalCell, (cell, axis) =>
    cellCoordinate(box.begin[axis], box.end[axis], cell, position[axis]),
  );
}
