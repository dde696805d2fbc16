import { mediaFault } from './image-limits.js';

/** The largest number that float32 holds. */
export const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Index along each axis, last axis fastest. */
export function placeOf(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = index;
  for (const length of [...shape].reverse()) {
    place.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return place;
}

/**
 * The refusal of a sample that float32 cannot hold: one that is not finite, or too large.
 *
 * @param shape `[z, y, x]`, and more where the sample has channels.
 */
export function beyondFloat32(name: string, value: number, index: number, shape: readonly number[]): Error {
  const at = `the sample at z, y, x = ${placeOf(index, shape).slice(0, 3).join(', ')} is ${value}`;
  if (!Number.isFinite(value)) {
    return mediaFault(name, at, 'replace values that are not finite, such as with np.nan_to_num(array)');
  }
  return mediaFault(
    name,
    `${at}, beyond the limit of float32, ${MAX_FLOAT32}`,
    'divide the values by a power of ten, or replace those that are no measurement',
  );
}
