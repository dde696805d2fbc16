// Filling a tile: positions, signal and cell coordinates. Computed in f64 and rounded to f32 once, as the format says.
import {
  axisHalfCell, appendOnes, cellCoordinates, inputs, signalCoordinate,
} from './plan';
import { BOX_SHAPE } from '../records';
import { TILE } from './product';
import { localCoordinates, signalCoordinates, tilePositions } from './scratch';

// @ts-ignore: decorator
@inline
export function setPosition(axis: i32, lane: i32, position: f64): void {
  store<f64>(tilePositions + (<usize>(axis * TILE + lane) << 3), position);
}

// @ts-ignore: decorator
@inline
export function positionOf(axis: i32, lane: i32): f64 {
  return load<f64>(tilePositions + (<usize>(axis * TILE + lane) << 3));
}

/**
 * Turns the tile's positions into coordinates.
 *
 * @param box i32 begin [4], i32 shape [4] of the partition
 * @param lanes how many positions are set; the rest repeat the last, so that nothing undefined is computed
 */
export function fillCoordinates(box: usize, lanes: i32): void {
  for (let axis = 0; axis < inputs; axis++) {
    const begin = <f64>load<i32>(box + (<usize>axis << 2));
    const length = <f64>load<i32>(box + BOX_SHAPE + (<usize>axis << 2));
    const centre = begin + length / 2;
    const halfCell = axisHalfCell(axis);
    const last = positionOf(axis, lanes - 1);
    for (let lane = 0; lane < TILE; lane++) {
      let position = last;
      if (lane < lanes) position = positionOf(axis, lane);
      else setPosition(axis, lane, last);
      const at = <usize>(axis * TILE + lane) << 2;
      const coordinate = signalCoordinate(axis, position);
      store<f32>(signalCoordinates + at, coordinate);
      store<f32>(localCoordinates + at, cellCoordinates ? <f32>((position - centre) / halfCell) : coordinate);
    }
  }
  appendOnes(signalCoordinates, inputs);
  appendOnes(localCoordinates, inputs);
}
