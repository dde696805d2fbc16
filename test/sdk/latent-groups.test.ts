import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { boxSize, makeGrid } from '../../dist/codec/grid.js';
import { encode } from '../../dist/src/encode.js';
import { MemorySink } from '../../dist/src/io/memory.js';
import { latentGroups } from '../../dist/src/latent-groups.js';
import { memoryMedia } from '../../dist/src/media/media.js';

const engine = createCpuEngine(2);
afterAll(() => engine.dispose());

/** Samples that one run is for at most. */
const MOST = 1 << 22;

describe('groups of partitions that are trained together', () => {
  it('hold every partition once, and no more samples than one run is for', () => {
    const length = fc.integer({ min: 1, max: 9000 });
    const cell = fc.constantFrom(16, 64, 100, 256);
    fc.assert(
      fc.property(length, length, cell, (height, width, side) => {
        const { grid } = makeGrid([height, width], {
          cell: [Math.min(side, height), Math.min(side, width)],
        });
        const groups = latentGroups(grid);
        const ordinals = groups.flat().sort((a, b) => a - b);
        expect(ordinals.length).toBe(grid.count);
        expect(ordinals.every((ordinal, i) => ordinal === i)).toBe(true);
        for (const group of groups) {
          const samples = group.reduce((sum, ordinal) => sum + boxSize(grid.boxOf(ordinal)), 0);
          expect(samples).toBeLessThanOrEqual(MOST);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('begin with partitions from everywhere, which the shared weights are trained by', () => {
    const { grid } = makeGrid([6400, 6400], { cell: [64, 64] });
    const [first] = latentGroups(grid);
    const gaps = first.slice(1).map((ordinal, i) => ordinal - first[i]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(grid.count / first.length));
  });

  it('make one picture of more samples than a run is for', async () => {
    const [height, width] = [2070, 2100];
    const data = Uint8Array.from({ length: height * width }, (_, i) => {
      const [y, x] = [Math.floor(i / width), i % width];
      return Math.round(127 + 60 * Math.sin(x / 17) + 60 * Math.cos(y / 23 + x / 90));
    });
    const fractions: number[] = [];
    const { psnr, iterations } = await encode(
      memoryMedia({ data, shape: [height, width] }),
      new MemorySink(),
      {
        family: 'latent',
        cell: [128, 128],
        iterations: 2,
        engine,
        onProgress: ({ fraction = NaN }) => fractions.push(fraction),
      },
    );
    expect(height * width).toBeGreaterThan(MOST);
    expect(psnr).toBeGreaterThan(33);
    expect(iterations).toBe(4);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });
});
