import { createServer, type AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { HttpSource, open, OptionError } from '../../dist/src/index.js';
import { patternBytes } from '../container/sample-container.js';
import { fetchAcrossOrigins, RangeServer, type Switches } from './range-server.js';

const FILE = patternBytes(200_000, 1);
const server = await RangeServer.start(FILE);
afterAll(() => server.stop());

/** Waits for nothing, so that tests do not. */
const quick = { onFailure: ({ delayMs }: { delayMs: number | null }) => (delayMs === null ? null : 0) };

function sourceWith(switches: Switches, options: ConstructorParameters<typeof HttpSource>[1] = {}) {
  server.reset(FILE, switches);
  return new HttpSource(`${server.url}?signature=secret#part`, { ...quick, ...options });
}

/** What a read of this range ends in. */
async function failure(source: HttpSource, byteOffset = 1000, byteLength = 500): Promise<Error> {
  const error: unknown = await source.read(byteOffset, byteLength).then(
    () => new Error('it was read'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).not.toMatch(/secret|signature/);
  return error as Error;
}

const RANGES = [
  [0, 10],
  [5, 0],
  [70_000, 65_536],
  [FILE.length - 3, 10],
  [FILE.length, 10],
  [2 ** 40, 2 ** 31],
  [FILE.length - 7, 2 ** 53],
] as const;

describe('a file behind a URL', () => {
  it.each<[string, Switches, object]>([
    ['by ranges', {}, {}],
    ['where CORS hides Content-Range and ETag', {}, { fetch: fetchAcrossOrigins }],
    ['after a redirect', { redirect: 'once' }, {}],
    ['from a server that gives less at once than asked', { mostBytes: 30_000 }, {}],
    ['from one that does so and hides it', { mostBytes: 30_000, etag: null }, { fetch: fetchAcrossOrigins }],
    ['from a server that ignores ranges', { isPlain: true }, {}],
    ['from one that ignores ranges and hides its headers', { isPlain: true }, { fetch: fetchAcrossOrigins }],
  ])('is read as bytes in memory are: %s', async (_, switches, options) => {
    const source = sourceWith(switches, options);
    for (const [at, length] of RANGES) {
      expect(Buffer.from(await source.read(at, length)).equals(FILE.slice(at, at + length))).toBe(true);
      // What was read is not taken for all there is.
      expect([undefined, FILE.length]).toContain(source.knownByteLength());
    }
    expect(new Set(server.methods)).toEqual(new Set(['GET']));
    await expect(source.read(0, 1, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('costs one request a read, and one in all where the server ignores ranges', async () => {
    const ranged = sourceWith({});
    for (const [at, length] of RANGES) await ranged.read(at, length);
    expect(ranged.requests).toBe(RANGES.length - 1);
    const plain = sourceWith({ isPlain: true });
    await Promise.all(RANGES.map(([at, length]) => plain.read(at, length)));
    for (const [at, length] of RANGES) await plain.read(at, length);
    expect(server.requests).toBeLessThanOrEqual(RANGES.length - 1);
    expect(plain.bytesFetched).toBe(FILE.length);
  });

  it.each<[string, Switches, RegExp, number]>([
    ['401', { statuses: [401] }, /status 401.*user:password@/, 1],
    ['403', { statuses: [403] }, /status 403.*forbids.*expired/, 1],
    ['404', { statuses: [404] }, /status 404, there is no such file; check the URL/, 1],
    ['410', { statuses: [410] }, /status 410/, 1],
    ['204', { statuses: [204] }, /status 204, that is no answer/, 1],
    ['500 for ever', { statuses: [500, 500, 500, 500] }, /status 500.*tried 3 times/, 3],
    [
      '429 and too long a wait',
      { statuses: [429], retryAfter: '3600' },
      /status 429.*asks to wait 3600 s;/,
      1,
    ],
    ['a body too long', { excessBytes: 5 }, /more than the 500 bytes/, 3],
    ['a body too short', { excessBytes: -5 }, /495 of the 500 bytes/, 3],
    ['another range', { shift: 1 }, /bytes 1000 to 1499 were asked for.*bytes 1001-1500/, 3],
    ['compressed ranges', { encoding: 'gzip' }, /Content-Encoding: gzip/, 1],
    ['a connection that breaks', { resetAfter: 100, resets: 9 }, /connection broke.*tried 3 times/, 3],
    ['a circle of redirects', { redirect: 'circle' }, /redirects in a circle/, 21],
  ])('that is answered by %s ends in one error that says so', async (_, switches, message, requests) => {
    const error = await failure(sourceWith(switches));
    expect(error).toMatchObject({ name: 'LgiError', code: 'io' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`cannot read ${server.url}: `);
    expect(server.requests).toBe(requests);
  });

  it.each<[string, Switches]>([
    ['5xx', { statuses: [503, 500] }],
    ['429 with a wait that is bearable', { statuses: [429], retryAfter: '1' }],
    ['408', { statuses: [408] }],
    ['a broken connection', { resetAfter: 100, resets: 2 }],
  ])('is asked for again after %s', async (_, switches) => {
    const bytes = await sourceWith(switches).read(1000, 500);
    expect(Buffer.from(bytes).equals(FILE.slice(1000, 1500))).toBe(true);
  });

  it('that stalls is given up after the time that was set, before or in the middle of a body', async () => {
    for (const stallAfter of [0, 100]) {
      const error = await failure(sourceWith({ stallAfter }, { timeoutMs: 60, retries: 1 }));
      expect(error.message).toMatch(/nothing arrived for 0.06 s \(tried 2 times\); check the connection/);
    }
    const never = () => new Promise<Response>(() => undefined);
    const error = await failure(sourceWith({}, { fetch: never, timeoutMs: 30, retries: 0 }));
    expect(error.message).toMatch(/nothing arrived/);
  });

  it('that is large and comes whole is refused, whether its length is said or not', async () => {
    const declared = await failure(sourceWith({ isPlain: true }, { maxWholeBytes: 199_999 }));
    expect(declared.message).toMatch(/ignores Range.*all 200000 bytes.*199999 are taken.*download/);
    const endless = async () =>
      new Response(new ReadableStream({ pull: (queue) => queue.enqueue(new Uint8Array(1000)) }));
    const source = sourceWith({}, { fetch: endless, maxWholeBytes: 50_000 });
    expect((await failure(source)).message).toMatch(/more than 50000 bytes/);
    expect(source.bytesFetched).toBeLessThan(60_000);
  });

  it.each<[string, Switches, Switches]>([
    ['strong ETag', { etag: '"a"' }, { etag: '"b"' }],
    [
      'date, where there is no ETag',
      { etag: null, lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' },
      { etag: null, lastModified: 'Mon, 01 Jan 2024 00:00:01 GMT' },
    ],
    ['weak ETag, where nothing else is known', { etag: 'W/"a"' }, { etag: 'W/"b"' }],
  ])('that becomes another one by its %s is not read on, unless it is renewed', async (_, before, after) => {
    const source = sourceWith(before);
    await source.read(0, 10);
    server.switches = after;
    expect(await failure(source)).toMatchObject({ name: 'LgiError', code: 'replaced' });
    expect(await failure(source)).toMatchObject({ code: 'replaced' });
    source.renew();
    await source.read(0, 10);
    await source.read(10, 10);
  });

  it('is another one when its length is, and the same one under several dates with one ETag', async () => {
    const source = sourceWith({ etag: null });
    await source.read(0, 10);
    server.bytes = patternBytes(100_000, 2);
    expect(await failure(source)).toMatchObject({ code: 'replaced' });
    expect(await failure(source, 150_000)).toMatchObject({ code: 'replaced' });
    const cluster = sourceWith({ lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' });
    await cluster.read(0, 10);
    server.switches = { lastModified: 'Mon, 01 Jan 2024 00:00:09 GMT' };
    expect(await cluster.read(0, 10)).toHaveLength(10);
  });

  it('is asked for with the headers given, made anew for every request, and the user of the URL', async () => {
    let token = 0;
    const source = sourceWith({}, { headers: async () => ({ Authorization: `Bearer ${++token}` }) });
    await source.read(0, 1);
    await source.read(0, 1);
    expect(server.headers.map(({ authorization }) => authorization)).toEqual(['Bearer 1', 'Bearer 2']);
    server.reset(FILE);
    const withUser = new HttpSource(server.url.replace('//', '//us%20er:p%C3%A4ss@'));
    await withUser.read(0, 1);
    const basic = server.headers[0].authorization?.replace('Basic ', '') ?? '';
    expect(Buffer.from(basic, 'base64').toString()).toBe('us er:päss');
    expect(withUser.name).toBe(server.url);
  });

  it('lets its user decide on failures, within the number of retries', async () => {
    const seen: (number | undefined)[] = [];
    const onFailure = ({ status }: { status?: number }) => (seen.push(status), status === 404 ? 0 : null);
    const source = sourceWith({ statuses: [404, 404, 403] }, { onFailure, retries: 5 });
    expect((await failure(source)).message).toMatch(/status 403.*tried 3 times/);
    expect(seen).toEqual([404, 404, 403]);
  });

  it('ends its reads when it is closed or aborted, while it waits to ask again too', async () => {
    for (const switches of [{ stallAfter: 10 }, { statuses: [500], retryAfter: '9' }]) {
      const stop = new AbortController();
      const source = sourceWith(switches, { onFailure: () => undefined });
      const reads = [source.read(0, 100, stop.signal), source.read(0, 100)];
      const results = Promise.allSettled(reads);
      await expect.poll(() => server.requests).toBeGreaterThan(1);
      stop.abort(new Error('enough'));
      await expect(reads[0]).rejects.toThrow('enough');
      source.close();
      await results;
    }
    const source = sourceWith({});
    source.close();
    await expect(source.read(0, 1)).rejects.toThrow('was closed');
  });

  it('is refused before any request where URL or options are none', async () => {
    for (const url of ['ftp://host/a.lgi', 'a.lgi', 'file:///a.lgi', '']) {
      expect(() => new HttpSource(url)).toThrow(OptionError);
      await expect(open(url)).rejects.toThrow(OptionError);
    }
    for (const options of [
      { retries: -1 },
      { timeoutMs: 0 },
      { maxWholeBytes: 0.5 },
      { headers: { 'a b': 'c' } },
    ]) {
      expect(() => new HttpSource('http://host/', options)).toThrow(OptionError);
    }
  });

  it('says what is wrong where there is no server', async () => {
    const gone = await RangeServer.start(FILE);
    const { url } = gone;
    await gone.stop();
    expect((await failure(new HttpSource(url, quick))).message).toMatch(/nothing answers there/);
    const port25 = await failure(new HttpSource('http://127.0.0.1:25/a.lgi', quick));
    expect(port25.message).toMatch(/no requests to this port.*another port/);
  });

  it('says so where the server speaks another protocol, without asking again', async () => {
    server.reset(FILE);
    const https = new HttpSource(server.url.replace('http:', 'https:'), quick);
    expect((await failure(https)).message).toMatch(/does not speak https; check the port/);
    expect(https.requests).toBe(1);
    const greeter = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('220 mail.example ESMTP\r\n'),
    );
    await new Promise<void>((fulfil) => greeter.listen(0, '127.0.0.1', fulfil));
    const { port } = greeter.address() as AddressInfo;
    const mail = new HttpSource(`http://127.0.0.1:${port}/a.lgi`, quick);
    expect((await failure(mail)).message).toMatch(/does not speak HTTP; check the port/);
    await new Promise((fulfil) => greeter.close(fulfil));
  });
});
