import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/index.js';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { RangeServer, type Switches } from '../io/range-server.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(256, 256));
// Weights that are long enough for the file to be longer than the first read.
await workplace.json(
  ...['encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '2', '--weights', 'float32'],
);
await writeImage(workplace.path('side.png'), scene(16, 256));
const file = await readFile(workplace.path('a.lgi'));
const server = await RangeServer.start(file);
afterAll(() => server.stop());
const secretUrl = `${server.url.replace('//', '//user:word@')}?signature=secret`;

/** Every command that reads an LGI file, on the one at this place. */
const commands = (place: string): string[][] => [
  ['decode', place, '-o', 'out.png', '--region', '100,100,60,60'],
  ['crop', place, '-o', 'out.lgi', '--region', '100,100,60,60'],
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
    ['the first answer is 500', { statuses: [500] }],
    ['the connection breaks once', { resetAfter: 1000, resets: 1 }],
    ['less comes at once than was asked for', { mostBytes: 20_000 }],
    ['the server says no ETag', { etag: null }],
  ])('work where %s', async (_, switches) => {
    for (const argv of commands(server.url)) {
      const statuses = switches.statuses && [...switches.statuses];
      server.reset(file, { ...switches, ...(statuses && { statuses }) });
      await workplace.json(...argv);
    }
  });

  it.each<[string, Switches, RegExp]>([
    ['404', { statuses: [404] }, /status 404, there is no such file; check the URL/],
    ['403', { statuses: [403] }, /status 403, the server forbids it/],
    ['500 again and again', { statuses: [500, 500, 500] }, /status 500.*tried 3 times/],
    ['a body too short', { excessBytes: -1 }, /65535 of the 65536 bytes.*tried 3 times/],
    ['a body too long', { excessBytes: 1 }, /more than the 65536 bytes/],
    ['another range', { shift: 512 }, /Content-Range: bytes 512-/],
    ['a compressed range', { encoding: 'gzip' }, /Content-Encoding: gzip/],
  ])('say what is wrong where the answer is %s, and leave nothing', async (_, switches, message) => {
    const before = await workplace.names();
    // What is asked for again takes 0.75 s each: one command stands for all, which share the source.
    const some = String(message).includes('500') ? commands(secretUrl) : [commands(secretUrl)[1]];
    for (const argv of switches.statuses?.length === 1 ? commands(secretUrl) : some) {
      const output = argv.map((value) => value.replace('out.', 'never.'));
      server.reset(file, { ...switches, ...(switches.statuses && { statuses: [...switches.statuses] }) });
      const { code, stdout } = await workplace.runInside([...output, '--json']);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect([argv[0], code, error.code]).toEqual([argv[0], 1, 'io']);
      expect(error.message).toMatch(message);
      expect(error.message).not.toMatch(/secret|word/);
    }
    expect(await workplace.names()).toEqual(before);
  });

  it('say that a file was replaced while it was read, and what a file is that is none', async () => {
    const png = await readFile(workplace.path('scene.png'));
    server.reset(png);
    const wrong = await workplace.runInside(['info', server.url]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/this is a PNG; encode it first/) });
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
      [200, 16, 40],
      [100, 100, 60],
      [0, 0, 256],
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
