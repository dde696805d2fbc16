import type { Box } from '../codec/grid.js';
import type { Media } from './media/media.js';

/** The samples of a medium whose first is at a place among a signal's positions. */
export function readerAt(
  media: Media,
  corner: readonly number[],
  signal?: AbortSignal,
): (box: Box) => ReturnType<Media['read']> {
  const own = (at: readonly number[]): number[] => at.map((position, axis) => position - corner[axis]);
  return ({ begin, end }) => media.read({ begin: own(begin), end: own(end) }, signal);
}
