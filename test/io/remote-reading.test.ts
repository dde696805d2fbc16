import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSlot, SLOT_BYTES } from '../../dist/src/container/superblock.js';
import { openContainer } from '../../dist/src/container/reader.js';
import {
  append,
  crop,
  encode,
  memoryMedia,
  MemorySink,
  MemorySource,
  MemoryTarget,
  open,
  RemoteSource,
  verify,
} from '../../dist/src/index.js';
import { scene } from '../../dist/test/media/scene.js';
import { fetchAcrossOrigins, RangeServer, type Switches } from './range-server.js';

const SIZE = 512;
const PREFIX_BYTES = 1 << 16;
const quick = { onFailure: ({ delayMs }: { delayMs: number | null }) => (delayMs === null ? null : 0) };

async function encoded(size: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  const { data } = scene(size, size, 'grey');
  // Trained for a moment, since sizes of so many bits do not depend on it.
  await encode(memoryMedia({ data, shape: [size, size] }), sink, { weights: 'int11', iterations: 2 });
  return sink.bytes();
}

const [file, other] = [await encoded(SIZE), await encoded(64)];
const server = await RangeServer.start(file);
afterAll(() => server.stop());
const reference = await openContainer(new MemorySource(file));

/** The file after an append: new bytes at its end, one slot that speaks of them. */
function grown(bytes: Uint8Array, changes: object = {}): Uint8Array {
  const after = new Uint8Array(bytes.length + 1000);
  after.set(bytes);
  const { superblock } = reference;
  const slot = encodeSlot({
    ...superblock,
    generation: superblock.generation + 1,
    committedByteLength: after.length,
    ...changes,
  });
  after.set(slot, SLOT_BYTES);
  return after;
}

/** A server in the same process: many files are opened without a connection each. */
function memoryFetch(bytes: Uint8Array) {
  return async (_: string, { headers }: RequestInit) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(headers).get('Range') ?? '');
    const [begin, end] = [Number(range?.[1]), Math.min(Number(range?.[2]) + 1, bytes.length)];
    return new Response(bytes.slice(begin, end), {
      status: 206,
      headers: { 'Content-Range': `bytes ${begin}-${end - 1}/${bytes.length}` },
    });
  };
}

function touched(y: number, x: number, size: number): number[] {
  const { grid, chunks } = reference.index.signals[0];
  return grid.ordinalsIn({ begin: [y, x], end: [y + size, x + size] }).map((ordinal) => chunks.find(ordinal));
}

describe('a 512x512 picture of default settings behind a URL', () => {
  it('is open after one request', async () => {
    server.reset(file);
    const opened = await open(server.url);
    expect(opened.signals[0].shape).toEqual([SIZE, SIZE]);
    expect(server.ranges).toEqual([[0, PREFIX_BYTES]]);
    expect(server.methods).toEqual(['GET']);
    await opened.dispose();
  });

  it('shows any part of 100x100 by 4 more requests at most, and at most twice the bytes that the part has', async () => {
    const { chunks } = reference.index.signals[0];
    let [views, fetchedOfAll, neededOfAll, mostRequests, worst] = [0, 0, 0, 0, 0];
    for (let y = 0; y <= SIZE - 100; y += 12) {
      for (let x = 0; x <= SIZE - 100; x += 12) {
        const source = new RemoteSource('http://host/a.lgi', { fetch: memoryFetch(file) });
        const container = await openContainer(source);
        const wanted = touched(y, x, 100);
        let count = 0;
        for await (const { payload } of container.readChunks(0, wanted)) count += Math.sign(payload.length);
        expect(count).toBe(wanted.length);
        const { requests, bytesFetched } = source.statistics;
        const needed = wanted.reduce(
          (sum, chunk) =>
            sum + Math.min(chunks.byteLength(chunk), Math.max(0, chunks.end(chunk) - PREFIX_BYTES)),
          0,
        );
        const fetched = bytesFetched - PREFIX_BYTES;
        expect(requests - 1).toBeLessThanOrEqual(4);
        expect(fetched).toBeLessThanOrEqual(2 * needed);
        views++;
        fetchedOfAll += fetched;
        neededOfAll += needed;
        mostRequests = Math.max(mostRequests, requests - 1);
        if (needed > 0) worst = Math.max(worst, fetched / needed);
      }
    }
    console.log(
      `${views} views of 100x100: ${Math.round(fetchedOfAll / views)} bytes each, ` +
        `${(fetchedOfAll / neededOfAll).toFixed(3)} of those needed, worst ${worst.toFixed(3)}, ` +
        `at most ${mostRequests} requests after the first`,
    );
  });

  it('decodes to the same samples as from memory, two parts at once, and crops to the same bytes', async () => {
    server.reset(file);
    const [remote, local] = [await open(server.url), await open(file)];
    const regions = [
      { begin: [300, 40], end: [400, 140] },
      { begin: [350, 80], end: [450, 180] },
    ];
    const parts = await Promise.all(regions.map((region) => remote.signals[0].decode({ region })));
    for (const [i, region] of regions.entries()) {
      expect(parts[i].data).toEqual((await local.signals[0].decode({ region })).data);
    }
    // Each byte once.
    const seen = new Set<number>();
    for (const [begin, end] of server.ranges) {
      for (let at = begin; at < end; at++) {
        expect(seen.has(at)).toBe(false);
        seen.add(at);
      }
    }
    const [fromUrl, fromMemory] = [new MemorySink(), new MemorySink()];
    await crop(server.url, fromUrl, { region: regions[0] });
    await crop(file, fromMemory, { region: regions[0] });
    expect(fromUrl.bytes()).toEqual(fromMemory.bytes());
    await remote.dispose();
    await local.dispose();
  });

  it('is read where CORS hides what it can, where ranges are ignored, and where they break now and then', async () => {
    const cases: [Switches, object][] = [
      [{}, { fetch: fetchAcrossOrigins }],
      [{ isPlain: true }, {}],
      [{ resetAfter: 10, resets: 2 }, {}],
      [{ statuses: [503] }, {}],
    ];
    for (const [switches, options] of cases) {
      server.reset(file, switches);
      const source = new RemoteSource(server.url, { ...quick, ...options });
      const problems = [];
      for await (const problem of verify(source)) problems.push(problem);
      expect(problems).toEqual([]);
    }
  });

  it('ends the requests that were made ahead when a decode is aborted, and is whole for the next', async () => {
    server.reset(file);
    const remote = await open(server.url);
    server.switches = { stallAfter: 100 };
    const stop = new AbortController();
    const decode = remote.signals[0].decode({ signal: stop.signal });
    await expect.poll(() => server.requests).toBeGreaterThan(1);
    stop.abort(new Error('enough'));
    await expect(decode).rejects.toThrow('enough');
    server.switches = {};
    const local = await open(file);
    expect((await remote.signals[0].decode()).data).toEqual((await local.signals[0].decode()).data);
    await remote.dispose();
    await local.dispose();
  });
});

describe('a file that changes behind its URL', () => {
  const region = { begin: [300, 300], end: [500, 500] };
  let samples: unknown;
  beforeAll(async () => {
    const local = await open(file);
    samples = (await local.signals[0].decode({ region })).data;
    await local.dispose();
  });

  it('is read on where it has grown', async () => {
    server.reset(file);
    const remote = await open(server.url);
    server.reset(grown(file), { etag: '"v2"' });
    expect((await remote.signals[0].decode({ region })).data).toEqual(samples);
    expect(server.ranges).toContainEqual([0, 1024]);
    await remote.dispose();
  });

  it('is refreshed by reading superblock and index alone, and then shows what was appended', async () => {
    const target = new MemoryTarget(file);
    const { data } = scene(96, SIZE, 'grey');
    const added = memoryMedia({ data, shape: [SIZE, 96] });
    await append(target, added, { side: 'right', iterations: 2 });
    const after = target.bytes().slice();
    server.reset(file);
    const remote = await open(server.url);
    expect(await remote.refresh()).toEqual([]);
    server.reset(after, { etag: '"v2"' });
    const changed = await remote.refresh();
    expect(changed).toHaveLength(16 * 3);
    const { index } = remote.container.superblock;
    // Once more for the superblock where the change is met.
    const ranges = server.ranges.filter(([begin]) => begin !== 0);
    expect(ranges).toEqual([[index.byteOffset, index.byteOffset + index.byteLength]]);
    const local = await open(after);
    const wide = { begin: [300, 480], end: [500, 600] };
    const seen = await remote.signals[0].decode({ region: wide });
    expect(seen.data).toEqual((await local.signals[0].decode({ region: wide })).data);
    await remote.dispose();
    await local.dispose();
  });

  it.each<[string, () => Uint8Array]>([
    ['another file', () => other],
    ['no such file', () => new Uint8Array(400_000)],
    ['of another file id', () => grown(file, { fileId: new Uint8Array(16) })],
    ['of another header', () => grown(file, { header: { ...reference.superblock.header, crc: 1 } })],
    ['of the same generation with another index', () => replacedIndex()],
    ['empty', () => new Uint8Array(0)],
  ])('is refused for good where it is %s', async (_, bytes) => {
    server.reset(file);
    const remote = await open(server.url);
    server.reset(bytes(), { etag: '"v2"' });
    await expect(remote.signals[0].decode({ region })).rejects.toMatchObject({ code: 'replaced' });
    // Also where the server now says what it said first: what was kept may be mixed.
    server.reset(file);
    await expect(remote.signals[0].decode({ region })).rejects.toMatchObject({ code: 'replaced' });
    await remote.dispose();
    const again = await open(server.url);
    expect((await again.signals[0].decode({ region })).data).toEqual(samples);
    await again.dispose();
  });

  it('is refused where it is of an older generation, as after a restored backup', async () => {
    server.reset(grown(file));
    const remote = await open(server.url);
    server.reset(file, { etag: '"v2"' });
    await expect(remote.signals[0].decode({ region })).rejects.toMatchObject({ code: 'replaced' });
    await remote.dispose();
  });

  function replacedIndex(): Uint8Array {
    const { superblock } = reference;
    const slot = encodeSlot({ ...superblock, index: { ...superblock.index, crc: 1 } });
    const bytes = file.slice();
    bytes.set(slot, 0);
    bytes.set(slot, SLOT_BYTES);
    return bytes;
  }

  it('is checked again where the check itself failed, before anything is given', async () => {
    server.reset(file);
    const remote = await open(new RemoteSource(server.url, { ...quick, retries: 0 }));
    // The first read meets the new version, the check of the superblock fails.
    server.reset(other, {
      etag: '"v2"',
      onRequest: () => {
        if (server.ranges.length === 1) server.switches.statuses = [500];
      },
    });
    const part = { begin: [480, 0], end: [500, 20] };
    await expect(remote.signals[0].decode({ region: part })).rejects.toMatchObject({ code: 'io' });
    server.switches = { etag: '"v2"' };
    await expect(remote.signals[0].decode({ region: part })).rejects.toMatchObject({ code: 'replaced' });
    await remote.dispose();
  });

  it('is opened anew, once, where it changes while it is opened', async () => {
    // Index and header beyond the first read, so that opening takes two.
    const long = await longHeader();
    let version = 0;
    for (const changes of [1, 2]) {
      version = 0;
      server.reset(long, {
        etag: '"v0"',
        onRequest: (requests) => {
          // Before the second request, and in the second case the one after starting over.
          if (requests === 2 || (changes === 2 && requests === 4)) server.switches.etag = `"v${++version}"`;
        },
      });
      const opening = openContainer(new RemoteSource(server.url));
      if (changes === 1) expect((await opening).chunkCount).toBe(12);
      else await expect(opening).rejects.toMatchObject({ code: 'replaced' });
    }
  });

  it('is not read on for ever where every answer is of another version', async () => {
    server.reset(file);
    const remote = await open(server.url);
    server.reset(file, {
      onRequest: (requests) => (server.switches.etag = `"n${requests}"`),
    });
    await expect(remote.signals[0].decode({ region })).rejects.toMatchObject({ code: 'replaced' });
    expect(server.requests).toBeLessThan(40);
    await remote.dispose();
  });
});

async function longHeader(): Promise<Uint8Array> {
  const { sampleContent, patternBytes } = await import('../container/sample-container.js');
  const { writeContainer } = await import('../../dist/src/container/writer.js');
  const content = sampleContent();
  const [signal] = content.header.signals;
  const header = { ...content.header, signals: [{ ...signal, globalPayload: patternBytes(150_000, 2) }] };
  const sink = new MemorySink();
  await writeContainer(sink, { ...content, header });
  return sink.bytes();
}
