import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionError } from '../../dist/codec/errors.js';
import {
  Grid,
  MAX_PARTITIONS,
  boxShape,
  boxSize,
  contains,
  cutsByCell,
  cutsByCount,
  intersect,
  linspaceMap,
  makeGrid,
  spreadMap,
} from '../../dist/codec/grid.js';
import type { AxisCuts, Box } from '../../dist/codec/grid.js';

const lengths = fc.integer({ min: 1, max: 5000 });
const sizes = fc.integer({ min: 1, max: 6000 });

/** Cuts as files have them: anywhere, also below 0, with cells of any size and any first coordinate. */
const anyAxis: fc.Arbitrary<AxisCuts> = fc
  .record({
    first: fc.integer({ min: -20, max: 20 }),
    cells: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
    firstCell: fc.integer({ min: -5, max: 5 }),
  })
  .map(({ first, cells, firstCell }) => {
    const cuts = [first];
    for (const cell of cells) cuts.push(cuts[cuts.length - 1] + cell);
    return { cuts, firstCell };
  });
const anyGrid = fc.array(anyAxis, { minLength: 1, maxLength: 3 }).map((axes) => new Grid(axes));

/** Boxes around a grid, which may be empty or lie outside. */
function boxesNear({ extent }: Grid): fc.Arbitrary<Box> {
  return fc
    .tuple(
      ...extent.begin.map((begin, axis) =>
        fc.tuple(
          fc.integer({ min: begin - 4, max: extent.end[axis] + 4 }),
          fc.integer({ min: 0, max: extent.end[axis] - begin + 8 }),
        ),
      ),
    )
    .map((axes) => ({ begin: axes.map(([at]) => at), end: axes.map(([at, length]) => at + length) }));
}

const ordinals = (grid: Grid): number[] => Array.from({ length: grid.count }, (_, ordinal) => ordinal);

function expectCuts({ cuts, firstCell }: AxisCuts, length: number): void {
  expect([cuts[0], cuts[cuts.length - 1], firstCell]).toEqual([0, length, 0]);
  for (let i = 1; i < cuts.length; i++) if (!(cuts[i] > cuts[i - 1])) expect(cuts[i]).toBe('ascending');
}

describe('the cuts of an axis cover it without gaps', () => {
  test('by count: as many cells as asked for, as far as there are samples, and none larger by more than one', () => {
    fc.assert(
      fc.property(lengths, sizes, (length, count) => {
        const axis = cutsByCount(length, count);
        expectCuts(axis, length);
        expect(axis.cuts.length - 1).toBe(Math.min(count, length));
        const cells = axis.cuts.slice(1).map((cut, i) => cut - axis.cuts[i]);
        expect(Math.max(...cells) - Math.min(...cells)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('by cell: all of the size asked for, but a last one that may be smaller', () => {
    fc.assert(
      fc.property(lengths, sizes, (length, cell) => {
        const axis = cutsByCell(length, cell);
        expectCuts(axis, length);
        axis.cuts.slice(0, -1).forEach((cut, i) => expect(cut).toBe(i * cell));
        expect(axis.cuts.length - 1).toBe(Math.ceil(length / cell));
      }),
    );
  });
});

describe('a grid', () => {
  test('names every cell by ordinal and by coordinates, and nothing else', () => {
    fc.assert(
      fc.property(anyGrid, (grid) => {
        const names = ordinals(grid).map((ordinal) => grid.coordinatesOf(ordinal));
        names.forEach((coordinates, ordinal) => expect(grid.ordinalOf(coordinates)).toBe(ordinal));
        expect(new Set(names.map(String)).size).toBe(grid.count);
        expect(grid.coordinatesOf(0)).toEqual(grid.axes.map(({ firstCell }) => firstCell));
        expect([...grid.coordinatesOfAll(Int32Array.from(ordinals(grid)))]).toEqual(names.flat());
        expect([...grid.ordinalsOfAll(Int32Array.from(names.flat()))]).toEqual(ordinals(grid));
        grid.axes.forEach(({ firstCell }, axis) => {
          for (const beyond of [firstCell - 1, firstCell + grid.shape[axis], NaN]) {
            const name = names[0].map((c, i) => (i === axis ? beyond : c));
            expect(grid.ordinalOf(name)).toBe(-1);
            if (Number.isFinite(beyond)) {
              const all = Int32Array.from([...names[0], ...name, ...names[0]]);
              expect([...grid.ordinalsOfAll(all)]).toEqual([0, -1, 0]);
            }
          }
        });
      }),
    );
  });

  test('as large as any file has names its cells one by one and all at once alike', () => {
    const sides = fc.array(fc.integer({ min: 1, max: 1 << 20 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(sides, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (shape, fractions) => {
        let room = 1 << 20;
        const axes = shape.map((side) => {
          const cells = Math.min(side, room);
          room = Math.floor(room / cells);
          return { cuts: Array.from({ length: cells + 1 }, (_, i) => i), firstCell: -cells };
        });
        const grid = new Grid(axes);
        const anywhere = fractions.map((fraction) => Math.floor(fraction * (grid.count - 1)));
        // Where a division would be rounded the other way, if anywhere: at the ends of rows.
        const row = grid.shape[grid.shape.length - 1];
        const ends = anywhere.flatMap((ordinal) => [
          ordinal - (ordinal % row),
          ordinal - (ordinal % row) + row - 1,
        ]);
        const ordinals = Int32Array.from([...anywhere, ...ends, 0, grid.count - 1]);
        const coordinates = grid.coordinatesOfAll(ordinals);
        expect([...coordinates]).toEqual([...ordinals].flatMap((ordinal) => grid.coordinatesOf(ordinal)));
        expect(grid.ordinalsOfAll(coordinates)).toEqual(ordinals);
      }),
      { numRuns: 30 },
    );
  });

  test('gives every sample of its extent to one cell', () => {
    fc.assert(
      fc.property(anyGrid, (grid) => {
        const boxes = ordinals(grid).map((ordinal) => grid.boxOf(ordinal));
        expect(boxes.reduce((sum, box) => sum + boxSize(box), 0)).toBe(boxSize(grid.extent));
        boxes.forEach((box, i) => {
          expect(contains(grid.extent, box)).toBe(true);
          for (const other of boxes.slice(i + 1)) expect(intersect(box, other)).toBeNull();
        });
        const largest = grid.largestCell();
        largest.forEach((most, axis) =>
          expect(most).toBe(Math.max(...boxes.map((box) => boxShape(box)[axis]))),
        );
      }),
    );
  });

  test('finds the cell that begins at or before a position, and beyond the extent the nearest', () => {
    fc.assert(
      fc.property(anyAxis, fc.double({ min: -40, max: 60, noNaN: true }), (axis, position) => {
        const grid = new Grid([axis]);
        const { cuts } = axis;
        for (const at of [position, ...cuts]) {
          const containing = cuts.findIndex((cut, i) => cut <= at && at < cuts[i + 1]);
          expect(grid.cellAt(0, at)).toBe(containing >= 0 ? containing : at < cuts[0] ? 0 : cuts.length - 2);
        }
      }),
    );
  });

  test('lists the cells that share a sample with a box, ascending', () => {
    fc.assert(
      fc.property(
        anyGrid.chain((grid) => boxesNear(grid).map((box) => ({ grid, box }))),
        ({ grid, box }) => {
          const touched = ordinals(grid).filter((ordinal) => intersect(grid.boxOf(ordinal), box) !== null);
          expect(grid.ordinalsIn(box)).toEqual(touched);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a requested grid', () => {
  test('is cut as requested; what exceeds the signal is clamped, and a notice says so', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 })), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.boolean(),
        (axes, byCount) => {
          const shape = axes.map(([length]) => length);
          const asked = axes.map(([, size]) => size);
          const { grid, notice } = makeGrid(shape, byCount ? { counts: asked } : { cell: asked });
          expect(grid.extent).toEqual({ begin: shape.map(() => 0), end: shape });
          const used = asked.map((size, axis) => Math.min(size, shape[axis]));
          expect(grid.shape).toEqual(
            byCount ? used : used.map((size, axis) => Math.ceil(shape[axis] / size)),
          );
          if (used.join() === asked.join()) expect(notice).toBeUndefined();
          else for (const list of [asked, shape, used]) expect(notice).toContain(list.join('x'));
        },
      ),
    );
  });

  const refused = (shape: readonly number[], request: Parameters<typeof makeGrid>[1], says: string): void => {
    const option = 'counts' in request ? 'grid' : 'cell';
    const attempt = (): unknown => makeGrid(shape, request);
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(says);
    expect(attempt).toThrow(expect.objectContaining({ option }));
  };

  test('is refused where its numbers are not one positive whole number per axis', () => {
    for (const size of [0, -3, 1.5, NaN, Infinity]) {
      refused([40, 50], { counts: [2, size] }, `${size} is no positive whole number`);
      refused([40, 50], { cell: [size, 2] }, `${size} is no positive whole number`);
    }
    refused([40, 50], { cell: [8] }, '1 numbers given for a signal of 2 axes');
    refused([40, 50], { counts: [2, 2, 2] }, '3 numbers given for a signal of 2 axes');
  });

  test('has up to 2^20 partitions and no more', () => {
    expect(makeGrid([1024, 1024], { counts: [1024, 1024] }).grid.count).toBe(MAX_PARTITIONS);
    refused([1025, 1024], { counts: [1025, 1024] }, `${1025 * 1024} partitions, the limit is 1048576`);
    refused([2048, 2048], { cell: [1, 1] }, `${2048 * 2048} partitions`);
  });
});

describe('coordinates of an axis', () => {
  const at = ({ scale, offset }: { scale: number; offset: number }, position: number): number =>
    scale * position + offset;

  test('are spread with its edges at -1 and 1, or with its outer centres at the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100_000 }), fc.constantFrom(1, 100), (length, bound) => {
        const spread = spreadMap(length);
        expect([at(spread, 0), at(spread, length)]).toEqual([-1, expect.closeTo(1, 12)]);
        const linspace = linspaceMap(length, bound);
        expect(at(linspace, 0.5)).toBeCloseTo(-bound, 9);
        expect(at(linspace, length - 0.5)).toBeCloseTo(bound, 9);
      }),
    );
  });

  test('are 0 on an axis of one sample', () => {
    for (const map of [spreadMap(1), linspaceMap(1), linspaceMap(1, 100)]) expect(at(map, 0.5)).toBe(0);
  });
});
