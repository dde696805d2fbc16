import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/index.js';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { RangeServer, type Switches } from '../io/range-server.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(128, 128));
// Weights that are long enough for the file to be longer than the first read.
await workplace.json(
  ...['encode', 'scene.png', '-o', 'a.lgi', '--cell', '8x8', '--iterations', '2', '--weights', 'float32'],
);
await writeImage(workplace.path('side.png'), scene(8, 128));
const file = await readFile(workplace.path('a.lgi'));
const server = await RangeServer.start(file);
afterAll(() => server.stop());
const secretUrl = `${server.url.replace('//', '//user:word@')}?signature=secret`;

/** Every command that reads an LGI file, on the one at this place. */
const commands = (place: string): string[][] => [
  ['decode', place, '-o', 'out.png', '--region', '50,50,30,30'],
  ['crop', place, '-o', 'out.lgi', '--region', '50,50,30,30'],
  ['info', place],
  ['verify', place],
  ['compare', 'scene.png', place],
  ['join', place, '-o', 'out.lgi'],
  ['repair', place, '-o', 'out.lgi'],
  ['append', place, 'side.png', '-o', 'out.lgi', '--side', 'left', '--iterations', '2'],
];

describe('commands that read', () => {
  it('give the same of a URL as of the file, and show no secret of it', async () => {
    server.reset(file);
    for (const [i, argv] of commands(secretUrl).entries()) {
      const ofUrl = { ...(await workplace.json(...argv)) } as Record<string, unknown>;
      const output = argv[argv.indexOf('-o') + 1];
      const bytes = argv.includes('-o') ? await readFile(workplace.path(output)) : undefined;
      const ofFile = { ...(await workplace.json(...commands('a.lgi')[i])) } as Record<string, unknown>;
      for (const name of ['seconds', 'bytesFetched', 'requests', 'bytesRead']) delete ofUrl[name];
      for (const name of ['seconds', 'bytesRead']) delete ofFile[name];
      expect(ofUrl).toEqual(ofFile);
      if (bytes) expect(bytes.equals(await readFile(workplace.path(output)))).toBe(true);
      const { stdout, stderr } = await workplace.runInside(argv);
      expect(stdout + stderr).not.toMatch(/secret|word@/);
    }
    expect(new Set(server.methods)).toEqual(new Set(['GET']));
  });

  it.each<[string, Switches]>([
    ['ranges are ignored', { isPlain: true }],
    ['the server redirects', { redirect: 'once' }],
    ['less comes at once than was asked for', { mostBytes: 20_000 }],
    ['the server says no ETag', { etag: null }],
  ])('work where %s', async (_, switches) => {
    for (const argv of commands(server.url)) {
      server.reset(file, switches);
      await workplace.json(...argv);
    }
  });

  // Every command reads by the same source, which test/io/http-source.test.ts gives all kinds of faults. What is asked for again
  // waits for real here, so that one command stands for all.
  it.each<[string, Switches, number]>([
    ['the first answer is 500', { statuses: [500] }, 1],
    ['the connection breaks once', { resetAfter: 1000, resets: 1 }, 0],
  ])('work where %s', async (_, switches, which) => {
    server.reset(file, switches);
    await workplace.json(...commands(server.url)[which]);
  });

  const end403 = () => (server.requests > 1 ? (server.switches.statuses = [403]) : undefined);
  it.each<[string, () => Switches, RegExp, number[]?]>([
    ['404', () => ({ statuses: [404] }), /status 404, there is no such file; check the URL/],
    ['403', () => ({ statuses: [403] }), /status 403, the server forbids it/],
    ['a compressed range', () => ({ encoding: 'gzip' }), /Content-Encoding: gzip/],
    // Later than opening, when something may be written already; info reads nothing then.
    ['403 after a while', () => ({ onRequest: end403 }), /status 403/, [0, 1, 3, 4, 5, 6, 7]],
    ['500 again and again', () => ({ statuses: [500, 500, 500] }), /status 500.*tried 3 times/, [1]],
  ])('say what is wrong where the answer is %s, and leave nothing', async (_, switches, message, which) => {
    const before = await workplace.names();
    for (const [i, argv] of commands(secretUrl).entries()) {
      if (which?.includes(i) === false) continue;
      const output = argv.map((value) => value.replace('out.', 'never.'));
      server.reset(file, switches());
      const { code, stdout } = await workplace.runInside([...output, '--json']);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect([argv[0], code, error.code]).toEqual([argv[0], 1, 'io']);
      expect(error.message).toMatch(message);
      expect(error.message).not.toMatch(/secret|word/);
    }
    expect(await workplace.names()).toEqual(before);
  });

  it.each([
    [
      '<!DOCTYPE html>\n<html><body>Please log in</body></html>',
      /this is an HTML page, not an LGI file; check the URL/,
    ],
    ['\n<html lang="en">', /this is an HTML page/],
    ['<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', /this is an XML document/],
    ['{"error": "no such file"}', /this is JSON/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00', /this is a Git LFS pointer.*git lfs pull/],
    ['\u001f\u008b\u0008\u0000', /this is a gzip file, not an LGI file; unpack it first/],
    ['RIFF....WEBPVP8 ', /this is a WebP, not an LGI file; encode it first/],
    [
      'It is a text',
      /the file begins with 49 74 20 69 73 20 61 20, so it is not an LGI file; check the path or URL/,
    ],
    ['', /the file is empty/],
  ])('say what is there in place of an LGI file: %j', async (text, message) => {
    server.reset(Buffer.from(text, 'latin1'), { isPlain: true });
    for (const argv of [['info', server.url], commands(server.url)[0]]) {
      const { code, stdout } = await workplace.runInside([...argv, '--json']);
      expect(code).toBe(1);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect(error).toMatchObject({ code: 'not-lgi', message: expect.stringMatching(message) as string });
    }
  });

  it.each(['http://', 'https://[::1', 'http://user:word@127.0.0.1:99999/a.lgi?secret=1'])(
    'say of %s that it is no URL, and nothing of its secrets',
    async (url) => {
      const { code, stderr } = await workplace.runInside(['info', url]);
      expect([code, stderr]).toEqual([
        1,
        `lgi: ${url.replace('user:word@', '').replace(/\?.*/, '')} is no URL that can be read; check its host and port\n`,
      ]);
    },
  );

  it('say that a file was replaced while it was read', async () => {
    const png = await readFile(workplace.path('scene.png'));
    for (const argv of [commands(server.url)[0], ['verify', server.url]]) {
      server.reset(file, {
        onRequest: (requests) => {
          if (requests === 2) server.reset(png, { etag: '"v2"' });
        },
      });
      const { code, stdout } = await workplace.runInside([...argv, '--json']);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'replaced' } });
    }
  });

  it('say of a picture behind a URL that only files are read', async () => {
    server.reset(await readFile(workplace.path('scene.png')));
    for (const argv of [
      ['compare', secretUrl, 'a.lgi'],
      ['encode', secretUrl, '-o', 'never.lgi'],
    ]) {
      const { code, stdout } = await workplace.runInside([...argv, '--json']);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        error: { code: 'unavailable', message: expect.stringMatching(/^pictures are read from files/) },
      });
      expect(stdout).not.toMatch(/secret|word/);
    }
  });

  it('end with the process, without waiting for connections', async () => {
    server.reset(file);
    expect(await workplace.lgi(['info', server.url])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('lgi crop of a URL', () => {
  it('fetches the first 64 KiB, the chunks that it keeps, and gaps of up to 16 KiB', async () => {
    const { index } = await openContainer(new MemorySource(file));
    const { grid, chunks } = index.signals[0];
    for (const [x, y, size] of [
      [100, 8, 20],
      [50, 50, 30],
      [0, 0, 128],
    ]) {
      server.reset(file);
      await workplace.json('crop', server.url, '-o', 'out.lgi', '--region', [x, y, size, size].join());
      const kept = grid
        .ordinalsIn({ begin: [y, x], end: [y + size, x + size] })
        .map((ordinal) => chunks.find(ordinal))
        .map((chunk) => [chunks.byteOffsets[chunk], chunks.end(chunk)])
        .sort(([a], [b]) => a - b);
      expect(server.ranges[0]).toEqual([0, 65_536]);
      for (const [begin, end] of server.ranges.slice(1)) {
        const inside = kept.filter(([from, to]) => to > begin && from < end);
        // From the first kept chunk to the last, or on from where the first read ended.
        expect(begin).toBe(Math.max(inside[0][0], 65_536));
        expect(end).toBe(inside[inside.length - 1][1]);
        for (let i = 1; i < inside.length; i++) {
          expect(inside[i][0] - inside[i - 1][1]).toBeLessThanOrEqual(16_384);
        }
      }
    }
  });
});
