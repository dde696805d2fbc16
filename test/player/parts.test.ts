import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxSize } from '../../dist/codec/grid.js';
import { FramePace } from '../../dist/player/playback/frame-pace.js';
import { TileCache } from '../../dist/player/plane/tile-cache.js';
import { samplesOf, TileGrid } from '../../dist/player/plane/tile-grid.js';
import { TileLoader } from '../../dist/player/plane/tile-loader.js';
import { allowedView, fitView, placeAt, zoomedView } from '../../dist/player/plane/view.js';
import { pixelsOf } from '../../dist/player/worker/pixels.js';
import { axisOutputs } from '../../dist/player/worker/plane-sampling.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';

/** Ascending cuts of an axis, however irregular, as crops and appends leave them. */
const anyAxis = fc.record({
  length: fc.integer({ min: 1, max: 5000 }),
  cells: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }),
});

function cutsOf({ length, cells }: { length: number; cells: number[] }): number[] {
  const cuts: number[] = [];
  let at = 0;
  for (let i = 0; (at += cells[i % cells.length]) < length; i++) cuts.push(at);
  return cuts;
}

describe('tiles of a plane', () => {
  test('cover what is seen once, at every scale, and no partition is in two of them', () => {
    fc.assert(
      fc.property(anyAxis, anyAxis, fc.integer({ min: -6, max: 6 }), (v, u, level) => {
        const cuts = [cutsOf(v), cutsOf(u)] as const;
        const grid = new TileGrid([v.length, u.length], cuts);
        const whole = { begin: [0, 0], end: [v.length, u.length] };
        const tiles = grid.tilesOf(level, whole);
        const scale = 2 ** level;
        const all = [v.length, u.length].map((length) => axisOutputs(length, scale).outputs);
        expect(tiles.reduce((sum, { outputs }) => sum + boxSize(outputs), 0)).toBe(all[0] * all[1]);
        for (const axis of [0, 1]) {
          const cellOf = (output: number): number => {
            const at = (output + 0.5) / scale;
            return cuts[axis].filter((cut) => cut <= at).length;
          };
          for (const { outputs } of tiles) {
            const [begin, end] = [outputs.begin[axis], outputs.end[axis]];
            expect(end).toBeGreaterThan(begin);
            if (begin > 0) expect(cellOf(begin - 1)).not.toBe(cellOf(begin));
            if (end < all[axis]) expect(cellOf(end - 1)).not.toBe(cellOf(end));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of a part are those of the whole that show any of it, the middle ones first', () => {
    const grid = new TileGrid(
      [1000, 2000],
      [
        Array.from({ length: 31 }, (_, i) => 32 * (i + 1)),
        Array.from({ length: 62 }, (_, i) => 32 * (i + 1)),
      ],
    );
    const seen = { begin: [300, 700], end: [600, 1300] };
    const tiles = grid.tilesOf(0, seen);
    const all = grid.tilesOf(0, { begin: [0, 0], end: [1000, 2000] });
    const meets = all.filter(({ outputs: { begin, end } }) =>
      begin.every((at, axis) => at < seen.end[axis] && end[axis] > seen.begin[axis]),
    );
    expect(new Set(tiles.map(({ row, column }) => `${row},${column}`))).toEqual(
      new Set(meets.map(({ row, column }) => `${row},${column}`)),
    );
    const { begin, end } = samplesOf(tiles[0]);
    expect(begin.every((at, axis) => at <= [450, 1000][axis] && [450, 1000][axis] <= end[axis])).toBe(true);
  });
});

describe('a view', () => {
  const pair = fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 4000 }));

  test('that is zoomed leaves what is under the pointer where it is, to a pixel', () => {
    fc.assert(
      fc.property(pair, pair, fc.double({ min: 0.2, max: 5, noNaN: true }), (shape, canvas, factor) => {
        const view = fitView(shape, canvas);
        const point = [canvas[0] / 3, canvas[1] / 4] as const;
        const before = placeAt(view, point, canvas);
        const zoomed = zoomedView(view, factor, point, canvas);
        const after = placeAt(zoomed, point, canvas);
        for (const axis of [0, 1]) {
          const slack = 1.01 / view.scale + 1.01 / zoomed.scale;
          expect(Math.abs(after[axis] - before[axis])).toBeLessThanOrEqual(slack);
        }
      }),
    );
  });

  test('is never lost outside the plane', () => {
    fc.assert(
      fc.property(
        pair,
        pair,
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        pair,
        (shape, canvas, scale, at) => {
          const view = allowedView({ scale, centre: [at[0] - 2000, at[1] - 2000] }, shape, canvas);
          expect(view.scale).toBeLessThanOrEqual(256);
          for (const axis of [0, 1]) {
            const half = canvas[axis] / view.scale / 2;
            expect(view.centre[axis] + half).toBeGreaterThanOrEqual(Math.min(shape[axis], 2 * half) - 1e-6);
            expect(view.centre[axis] - half).toBeLessThanOrEqual(Math.max(0, shape[axis] - 2 * half) + 1e-6);
          }
        },
      ),
    );
  });
});

describe('the loader of tiles', () => {
  interface Load {
    readonly signal: AbortSignal;
    resolve(result: string): void;
    reject(error: Error): void;
  }

  function loader(): {
    loads: Map<string, Load>;
    loaded: string[];
    failed: string[];
    loader: TileLoader<string, string>;
  } {
    const loads = new Map<string, Load>();
    const loaded: string[] = [];
    const failed: string[] = [];
    return {
      loads,
      loaded,
      failed,
      loader: new TileLoader<string, string>({
        keyOf: (tile) => tile,
        load: (tile, signal) =>
          new Promise((resolve, reject) => void loads.set(tile, { signal, resolve, reject })),
        onLoaded: (tile) => void loaded.push(tile),
        onFailed: (tile) => void failed.push(tile),
      }),
    };
  }

  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  const names = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `${from + i}`);

  test('drops what is not wanted any more, keeps what still is, and begins with what is most urgent', async () => {
    const { loads, loaded, loader: tiles } = loader();
    tiles.want(names(0, 40));
    expect([...loads.keys()]).toEqual(names(0, 16));
    tiles.want(names(10, 50));
    expect(names(0, 10).every((name) => loads.get(name)?.signal.aborted)).toBe(true);
    expect(names(10, 16).every((name) => loads.get(name)?.signal.aborted === false)).toBe(true);
    expect([...loads.keys()]).toEqual(names(0, 26));
    for (const [name, load] of loads) load.resolve(name);
    await settle();
    expect(loaded).toEqual(names(10, 26));
  });

  test('tries what has failed again only when it is told to', async () => {
    const { loads, failed, loader: tiles } = loader();
    tiles.want(['a']);
    loads.get('a')?.reject(new Error('lost'));
    await settle();
    expect(failed).toEqual(['a']);
    loads.clear();
    tiles.want(['a']);
    expect(loads.size).toBe(0);
    tiles.retry();
    tiles.want(['a']);
    expect(loads.size).toBe(1);
  });
});

test('the cache of tiles keeps those used last, within its bytes, and closes the others', () => {
  const closed: string[] = [];
  const cache = new TileCache<{ byteLength: number; close(): void }>(100);
  const put = (name: string): void =>
    cache.set(name, { byteLength: 40, close: () => void closed.push(name) });
  put('a');
  put('b');
  cache.get('a');
  put('c');
  expect(closed).toEqual(['b']);
  expect(cache.byteLength).toBe(80);
  cache.clear();
  expect(closed).toEqual(['b', 'a', 'c']);
});

test('a machine that is too slow is asked for fewer frames, and for all again once it keeps up', () => {
  const notices: (string | undefined)[] = [];
  const pace = new FramePace((text) => notices.push(text));
  for (let due = 0; due < 100; due++) pace.note(due, false);
  expect(pace.stride).toBeGreaterThan(1);
  expect(notices.at(-1)).toMatch(/one of \d+ frames/);
  for (let due = 100; due < 3000; due++) pace.note(due, true);
  expect(pace.stride).toBe(1);
  expect(notices.at(-1)).toBeUndefined();
});

test('samples of any kind become pixels: full range to full range, missing alpha opaque', () => {
  const format = {
    channels: 1,
    layout: 'grey',
    sampleType: 'uint16',
    mapping: fullRangeMapping('uint16'),
  } as const;
  const grey = pixelsOf('image', format, Uint16Array.of(0, 32768, 65535));
  expect([...grey]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
  const floats = {
    ...format,
    sampleType: 'float32',
    layout: 'plain',
    mapping: { scale: 2, offset: 5 },
  } as const;
  expect([...pixelsOf('volume', floats, Float32Array.of(3, 5, 7))].filter((_, i) => i % 4 === 0)).toEqual([
    0, 128, 255,
  ]);
  const rgba = {
    channels: 4,
    layout: 'rgb-alpha',
    sampleType: 'uint8',
    mapping: fullRangeMapping('uint8'),
  } as const;
  expect([...pixelsOf('image', rgba, Uint8Array.of(1, 2, 3, 4))]).toEqual([1, 2, 3, 4]);
});
