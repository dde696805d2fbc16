import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Objective } from '../../dist/codec/objective.js';
import { sampleOrders } from '../../dist/codec/sample-orders.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { surfaceSamples } from '../../dist/codec/surface-samples.js';

/** One or two values, so that surfaces are rare or everywhere. */
const anyBox = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
    channels: fc.integer({ min: 1, max: 2 }),
    rarity: fc.constantFrom(1, 2, 30, 1000),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ shape, channels, rarity, seed }) => {
    let state = seed;
    const length = shape.reduce((product, side) => product * side, channels);
    const samples = Uint8Array.from({ length }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return (state >> 8) % rarity === 0 ? 255 : 0;
    });
    return { shape, channels, samples };
  });

function positionOf(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return [...shape]
    .reverse()
    .map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    })
    .reverse();
}

describe('samples near a surface', () => {
  test('are those with a neighbour of another value', () => {
    fc.assert(
      fc.property(anyBox, ({ shape, channels, samples }) => {
        const size = samples.length / channels;
        const valueOf = (i: number): string => String(samples.slice(i * channels, (i + 1) * channels));
        const all = Array.from({ length: size }, (_, i) => ({ i, at: positionOf(i, shape) }));
        const isNear = ({ i, at }: (typeof all)[number]): boolean =>
          all.some(
            (other) =>
              valueOf(other.i) !== valueOf(i) &&
              other.at.every((place, axis) => Math.abs(place - at[axis]) <= 1),
          );
        const [near, far] = surfaceSamples(shape, channels, samples);
        expect([...near]).toEqual(all.filter(isNear).map(({ i }) => i));
        expect([...far]).toEqual(all.filter((one) => !isNear(one)).map(({ i }) => i));
      }),
    );
  });
});

function objectiveOf(boxes: readonly { shape: readonly number[]; samples: Uint8Array }[]): Objective {
  return {
    boxes: boxes.map(({ shape }) => ({ begin: shape.map(() => 0), end: shape })),
    format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
    peak: 255,
    samples: Uint8Array.from(boxes.flatMap(({ samples }) => [...samples])),
  };
}

const someBoxes = fc.array(
  anyBox.filter(({ channels }) => channels === 1),
  { minLength: 1, maxLength: 3 },
);

describe('the order of an epoch', () => {
  test('has every sample of a partition once', () => {
    fc.assert(
      fc.property(someBoxes, fc.nat(1000), (boxes, epoch) => {
        const orders = sampleOrders(objectiveOf(boxes), 0, 1);
        expect(orders.isOwn).toBe(false);
        for (const [size, order] of orders.ofEpoch(epoch)) {
          expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        }
      }),
    );
  });

  test('draws a share of its samples near the surface, all of those, and none of the others twice', () => {
    fc.assert(
      fc.property(someBoxes, fc.constantFrom(0.3, 0.5), fc.nat(1000), (boxes, share, epoch) => {
        const orders = sampleOrders(objectiveOf(boxes), share, 1);
        expect(orders.isOwn).toBe(true);
        const drawn = orders.ofEpoch(epoch);
        boxes.forEach(({ shape, samples }, p) => {
          const order = drawn.get(p) ?? new Uint32Array(0);
          expect(order.length).toBe(samples.length);
          const [near] = surfaceSamples(shape, 1, samples);
          const ofNear = order.filter((i) => near.includes(i));
          expect(new Set(ofNear).size).toBe(near.length);
          expect(ofNear.length).toBe(
            near.length === 0 ? 0 : Math.max(near.length, Math.round(share * samples.length)),
          );
          const others = order.filter((i) => !near.includes(i));
          expect(new Set(others).size).toBe(others.length);
          // Any stretch has its share of them, so that batches are alike.
          const half =
            ofNear.length / 2 - order.subarray(0, order.length / 2).filter((i) => near.includes(i)).length;
          expect(Math.abs(half)).toBeLessThanOrEqual(1);
          expect(orders.errorScales?.[p]).toBeCloseTo(
            near.length === 0 ? 1 : near.length / ofNear.length,
            12,
          );
        });
      }),
    );
  });

  test('is another in every epoch, and the same for the same epoch and seed', () => {
    const boxes = [{ shape: [64], samples: Uint8Array.from({ length: 64 }, (_, i) => (i < 20 ? 255 : 0)) }];
    for (const share of [0, 0.5]) {
      const first = [...sampleOrders(objectiveOf(boxes), share, 3).ofEpoch(1).values()];
      expect([...sampleOrders(objectiveOf(boxes), share, 3).ofEpoch(1).values()]).toEqual(first);
      expect([...sampleOrders(objectiveOf(boxes), share, 3).ofEpoch(2).values()]).not.toEqual(first);
      expect([...sampleOrders(objectiveOf(boxes), share, 4).ofEpoch(1).values()]).not.toEqual(first);
    }
  });
});
