import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFewReads, planReads } from '../../dist/src/io/coalesce.js';
import { LgiError, MeasuredSource, MemorySource, withCache, withCoalescing } from '../../dist/src/index.js';
import { patternBytes } from '../container/sample-container.js';

const FILE = patternBytes(3000, 1);

/** A source whose reads end only when they are told to, in any order, or fail. */
class HeldSource {
  readonly asked: { at: number; length: number; settle: (failure?: Error) => void; isOver: boolean }[] = [];
  aborts = 0;

  read(at: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return new Promise((fulfil, reject) => {
      const settle = (failure?: Error): void => {
        read.isOver = true;
        if (failure) reject(failure);
        else fulfil(FILE.subarray(at, at + length));
      };
      const read = { at, length, settle, isOver: false };
      this.asked.push(read);
      signal?.addEventListener('abort', () => {
        if (read.isOver) return;
        this.aborts++;
        read.isOver = true;
        reject(signal.reason as Error);
      });
    });
  }

  get waiting() {
    return this.asked.filter(({ isOver }) => !isOver);
  }
}

type Action =
  | { readonly kind: 'read'; readonly at: number; readonly length: number }
  | { readonly kind: 'abort' | 'settle' | 'fail'; readonly which: number }
  | { readonly kind: 'turn' };

const actions = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('read' as const), at: fc.nat(3200), length: fc.nat(400) }),
    fc.record({
      kind: fc.constantFrom('abort' as const, 'settle' as const, 'fail' as const),
      which: fc.nat(9),
    }),
    fc.constant({ kind: 'turn' as const }),
  ),
  { minLength: 1, maxLength: 40 },
);

/** Lets everything run that waits for nothing. */
const turn = () => new Promise<void>((fulfil) => setImmediate(fulfil));

async function agreesWithPlain(
  layer: (source: HeldSource) => { read: HeldSource['read'] },
  list: readonly Action[],
): Promise<void> {
  const held = new HeldSource();
  const source = layer(held);
  const reads: { at: number; length: number; stop: AbortController; result: Promise<unknown> }[] = [];
  for (const action of list) {
    if (action.kind === 'turn') await turn();
    else if (action.kind === 'read') {
      const stop = new AbortController();
      const result = source.read(action.at, action.length, stop.signal).catch((error: unknown) => error);
      reads.push({ ...action, stop, result });
    } else if (action.kind === 'abort') {
      reads[action.which]?.stop.abort(new Error('left'));
    } else {
      held.waiting[action.which]?.settle(action.kind === 'fail' ? new LgiError('io', 'failed') : undefined);
    }
  }
  const all = Promise.all(reads.map(({ result }) => result));
  const settleAll = async () => {
    do {
      await turn();
      held.waiting.forEach(({ settle }) => settle());
    } while (held.waiting.length > 0);
  };
  await settleAll();
  const results = await all;
  reads.forEach(({ at, length, stop }, i) => {
    const result = results[i];
    if (result instanceof Error) {
      // Nobody is aborted by others.
      if (result.message === 'left') expect(stop.signal.aborted).toBe(true);
      else expect(result).toMatchObject({ code: 'io', message: 'failed' });
    } else expect(result).toEqual(FILE.subarray(at, at + length));
  });
  // No hole stays, and no failure.
  const again = reads.map(({ at, length }) => source.read(at, length));
  const whole = source.read(0, 4000);
  await settleAll();
  for (const [i, { at, length }] of reads.entries()) {
    expect(await again[i]).toEqual(FILE.subarray(at, at + length));
  }
  expect(await whole).toEqual(FILE);
}

describe('any interleaving of reads, aborts and failures gives what the plain source gives', () => {
  it.each<[string, (source: HeldSource) => { read: HeldSource['read'] }]>([
    ['through a cache', (source) => withCache(source, { maxBytes: 1500 })],
    ['through coalescing', (source) => withCoalescing(source, { gapBytes: 50, maxBytes: 600 })],
    ['through both', (source) => withCache(withCoalescing(source, { gapBytes: 50 }))],
  ])('%s', async (_, layer) => {
    await fc.assert(
      fc.asyncProperty(actions, (list) => agreesWithPlain(layer, list)),
      { numRuns: 150 },
    );
  });
});

describe('a cache', () => {
  it('reads every byte once, and of two who ask at once for the same only one', async () => {
    const counted = new MeasuredSource(new MemorySource(FILE));
    const source = withCache(counted);
    await Promise.all([source.read(0, 1000), source.read(500, 1000), source.read(0, 1500)]);
    expect(counted).toMatchObject({ reads: 2, bytes: 1500 });
    await source.read(1499, 2);
    await source.read(0, 1501);
    expect(counted).toMatchObject({ reads: 3, bytes: 1501 });
  });

  it('aborts a shared read when the last who waits has left, and begins anew for who comes then', async () => {
    const held = new HeldSource();
    const source = withCache(held);
    const [first, second] = [new AbortController(), new AbortController()];
    const results = Promise.allSettled([source.read(0, 10, first.signal), source.read(0, 10, second.signal)]);
    first.abort(new Error('first left'));
    await turn();
    expect(held).toMatchObject({ aborts: 0, asked: [{}] });
    second.abort(new Error('second left'));
    const third = source.read(0, 10);
    expect(held).toMatchObject({ aborts: 1, asked: [{}, {}] });
    held.asked[1].settle();
    expect(await third).toEqual(FILE.subarray(0, 10));
    expect((await results).map((result) => result.status)).toEqual(['rejected', 'rejected']);
  });

  it('keeps no more bytes than it may, those used last', async () => {
    const counted = new MeasuredSource(new MemorySource(FILE));
    const source = withCache(counted, { maxBytes: 1000 });
    for (const at of [0, 300, 600, 0, 900]) await source.read(at, 200);
    expect(counted.reads).toBe(4);
    await source.read(0, 200);
    await source.read(900, 200);
    expect(counted.reads).toBe(4);
    await source.read(300, 200);
    expect(counted.reads).toBe(5);
    expect(await source.read(0, 3000)).toEqual(FILE);
    expect(() => withCache(counted, { maxBytes: -1 })).toThrow('maxBytes');
  });

  it('does not keep where the file ends', async () => {
    let bytes = FILE.subarray(0, 100);
    const source = withCache({ read: async (at, length) => bytes.subarray(at, at + length) });
    expect(await source.read(50, 100)).toHaveLength(50);
    bytes = FILE;
    expect(await source.read(50, 100)).toEqual(FILE.subarray(50, 150));
  });
});

describe('coalescing', () => {
  it('makes one read of those of one turn that lie near each other, and leaves others alone', async () => {
    const held = new HeldSource();
    const source = withCoalescing(held, { gapBytes: 100, maxBytes: 1000 });
    const stop = new AbortController();
    const results = Promise.allSettled([
      source.read(0, 100),
      source.read(150, 100, stop.signal),
      source.read(2000, 10),
      source.read(200, 100),
    ]);
    await turn();
    const later = source.read(300, 10);
    await turn();
    expect(held.asked.map(({ at, length }) => [at, length])).toEqual([
      [0, 300],
      [2000, 10],
      [300, 10],
    ]);
    stop.abort(new Error('left'));
    held.asked.forEach(({ settle }) => settle());
    expect(held.aborts).toBe(0);
    expect(await later).toEqual(FILE.subarray(300, 310));
    expect((await results).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });
});

describe('a plan of few reads', () => {
  const ranges = fc
    .uniqueArray(fc.nat(60), { minLength: 1, maxLength: 9 })
    .map((places) => places.map((place) => ({ byteOffset: place * 10, byteLength: 10 })));
  const total = (reads: readonly { byteLength: number }[]) =>
    reads.reduce((sum, { byteLength }) => sum + byteLength, 0);

  it('covers every range, and no other of as few reads is smaller', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 4 }), (list, count) => {
        const plan = planFewReads(list, { count, freeGapBytes: 0, gapBytes: 1000, maxBytes: 10_000 });
        expect(plan.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([...list.keys()]);
        expect(plan.length).toBeLessThanOrEqual(count);
        for (const { byteOffset, byteLength, members } of plan) {
          for (const i of members) {
            expect(list[i].byteOffset).toBeGreaterThanOrEqual(byteOffset);
            expect(list[i].byteOffset + 10).toBeLessThanOrEqual(byteOffset + byteLength);
          }
        }
        // All ways to cut the sorted ranges into as many reads.
        const places = list.map(({ byteOffset }) => byteOffset).sort((a, b) => a - b);
        const least = (from: number, reads: number): number => {
          if (from === places.length) return 0;
          if (reads === 0) return Infinity;
          let best = Infinity;
          for (let to = from; to < places.length; to++) {
            best = Math.min(best, places[to] + 10 - places[from] + least(to + 1, reads - 1));
          }
          return best;
        };
        expect(total(plan)).toBe(least(0, count));
      }),
    );
  });

  it('reads along no gap beyond its budget, and makes no read too large', () => {
    fc.assert(
      fc.property(ranges, fc.nat(200), fc.integer({ min: 10, max: 300 }), (list, gapBytes, maxBytes) => {
        const plan = planFewReads(list, { count: 1, freeGapBytes: 0, gapBytes, maxBytes });
        const wide = planReads(list, gapBytes, Infinity);
        expect(plan.length).toBeGreaterThanOrEqual(wide.length);
        for (const { byteLength, members } of plan) {
          if (members.length > 1) expect(byteLength).toBeLessThanOrEqual(maxBytes);
        }
      }),
    );
  });
});

describe('a cache whose file may be another', () => {
  /** A file that is `version` in every byte, and counts its reads. */
  class Versions {
    version = 1;
    reads = 0;

    async read(at: number, length: number): Promise<Uint8Array> {
      this.reads++;
      return new Uint8Array(Math.max(0, Math.min(length, 1000 - at))).fill(this.version);
    }

    renew(): void {}
  }

  const ranges = fc.array(fc.tuple(fc.nat(990), fc.integer({ min: 1, max: 200 })), {
    minLength: 1,
    maxLength: 8,
  });

  it('gives what it had from a byte on once that is confirmed, and what was read meanwhile as it is now', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, ranges, fc.nat(1000), async (before, meanwhile, from) => {
        const source = new Versions();
        const cache = withCache(source);
        const held = new Uint8Array(1200);
        for (const [at, length] of before) {
          await cache.read(at, length);
          held.fill(1, at, Math.min(at + length, 1000));
        }
        cache.renew?.();
        source.version = 2;
        const fresh = new Uint8Array(1200);
        for (const [at, length] of meanwhile) {
          expect([...(await cache.read(at, length))].every((value) => value === 2)).toBe(true);
          fresh.fill(1, at, Math.min(at + length, 1000));
        }
        cache.confirm?.(from);
        source.reads = 0;
        for (let at = 0; at < 1000; at++) {
          const reads = source.reads;
          const [value] = await cache.read(at, 1);
          if (fresh[at] === 1) expect([value, source.reads]).toEqual([2, reads]);
          // A block that anything newer lies in is dropped whole.
          else if (value === 1) expect([held[at] === 1 && at >= from, source.reads]).toEqual([true, reads]);
          else expect(source.reads).toBe(reads + 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has nothing of it where it is not', async () => {
    const source = new Versions();
    const cache = withCache(source);
    await cache.read(0, 500);
    cache.renew?.();
    cache.renew?.();
    source.version = 2;
    expect([...(await cache.read(0, 500))].every((value) => value === 2)).toBe(true);
  });

  it('keeps all of it through a doubt that is confirmed', async () => {
    const source = new Versions();
    const cache = withCache(source);
    await cache.read(0, 500);
    cache.renew?.();
    cache.confirm?.(100);
    source.reads = 0;
    await cache.read(100, 400);
    expect(source.reads).toBe(0);
    await cache.read(0, 100);
    expect(source.reads).toBe(1);
  });
});
