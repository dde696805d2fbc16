import { boxSize, intersect } from '../../codec/grid.js';
import type { SignalIndex } from './index-table.js';

/** Samples of present partitions that lie outside the visible window, and can be recovered from the file. */
export function hiddenSamplesOf({ grid, window, chunks }: SignalIndex): number {
  return chunks.ordinals.reduce((hidden, ordinal) => {
    const box = grid.boxOf(ordinal);
    const seen = intersect(box, window);
    return hidden + boxSize(box) - (seen === null ? 0 : boxSize(seen));
  }, 0);
}
