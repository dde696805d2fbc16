import { contains, type Box, type Grid } from '../../codec/grid.js';

/**
 * Samples of partitions that lie outside a window, and can be recovered from the file.
 *
 * @param ordinals the partitions', i32 [partitions].
 */
export function hiddenSamplesOf(grid: Grid, ordinals: Int32Array, window: Box): number {
  if (contains(window, grid.extent)) return 0;
  const coordinates = grid.coordinatesOfAll(ordinals);
  // Per axis the lengths of all cells, and how much of them the window shows.
  const axes = grid.axes.map(({ cuts, firstCell }, axis) => {
    const [begin, end] = [window.begin[axis], window.end[axis]];
    const cells = cuts.slice(1).map((cut, cell) => ({ from: cuts[cell], to: cut }));
    return {
      firstCell,
      lengths: Float64Array.from(cells, ({ from, to }) => to - from),
      seen: Float64Array.from(cells, ({ from, to }) =>
        Math.max(0, Math.min(to, end) - Math.max(from, begin)),
      ),
    };
  });
  let hidden = 0;
  for (let at = 0; at < coordinates.length;) {
    let [size, seen] = [1, 1];
    for (const axis of axes) {
      const cell = coordinates[at++] - axis.firstCell;
      size *= axis.lengths[cell];
      seen *= axis.seen[cell];
    }
    hidden += size - seen;
  }
  return hidden;
}
