import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partitionMeans } from '../../dist/codec/objective.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';

const box = (length: number): { begin: number[]; end: number[] } => ({ begin: [0], end: [length] });

describe('the mean of a partition', () => {
  test('is what its samples would be if they were all alike, in output units', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
        (lengths, values) => {
          const samples = Uint8Array.from(
            lengths.flatMap((length, p) => Array<number>(length).fill(values[p])),
          );
          const format = {
            sampleType: 'uint8',
            channels: 1,
            layout: 'grey',
            mapping: fullRangeMapping('uint8'),
          } as const;
          const means = partitionMeans({ boxes: lengths.map(box), format, samples });
          means.forEach(([mean], p) => expect(mean).toBeCloseTo(values[p] / 127.5 - 1, 9));
        },
      ),
    );
  });

  test('counts colour by its alpha, and is the middle of the range where nothing can be seen', () => {
    const format = {
      sampleType: 'uint8',
      channels: 2,
      layout: 'grey-alpha',
      mapping: fullRangeMapping('uint8'),
    } as const;
    const samples = Uint8Array.of(255, 255, 0, 0, 200, 0, 100, 0);
    const [seen, hidden] = partitionMeans({ boxes: [box(2), box(2)], format, samples });
    expect([...seen]).toEqual([1, 0]);
    expect([...hidden]).toEqual([0, -1]);
  });
});
