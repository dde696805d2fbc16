import { expect, it } from 'vitest';
import { planDecode } from '../../dist/codec/decode.js';
import { Grid } from '../../dist/codec/grid.js';

it('evaluates nothing outside the extent where rounding leads out of it, on either side', () => {
  const begin = -2_142_005_924;
  const scale = 2_102_644.891563974;
  // What this is about: in f64 the first output would lie before the first cut, and in no cell.
  expect((begin * scale + 0.5) / scale).toBeLessThan(begin);
  const grid = new Grid([{ cuts: [begin, begin + 1], firstCell: 0 }]);
  const { tiles } = planDecode(grid, grid.extent, { scale }, 1);
  expect(tiles.map(({ ordinal }) => ordinal)).toEqual([0]);
  const [positions] = tiles[0].positions;
  expect(positions[0]).toBe(begin);
  expect(positions.at(-1)).toBeLessThanOrEqual(begin + 1);
});
