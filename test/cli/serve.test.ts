import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { encode, memoryMedia, MemorySink, open } from '../../dist/src/index.js';
import type { Access } from '../../dist/src/server/access.js';
import { createFileServer } from '../../dist/src/server/file-server.js';
import { Workplace } from './run-lgi.js';

let folder: string;
let server: Server;
let url: string;
let bytes: Uint8Array;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-serve-'));
  const data = Uint8Array.from({ length: 60 * 80 * 3 }, (_, i) => (i * 7) % 251);
  const sink = new MemorySink();
  await encode(memoryMedia({ data, shape: [60, 80] }), sink, { iterations: 20 });
  bytes = sink.bytes().slice();
  await mkdir(join(folder, 'shown', 'a b & <c>'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'outside');
  await writeFile(join(folder, 'shown', 'picture.lgi'), bytes);
  await writeFile(join(folder, 'shown', 'broken.lgi'), 'none');
  await writeFile(join(folder, 'shown', '.hidden'), 'hidden');
  await writeFile(join(folder, 'shown', 'a b & <c>', '"x" #1.lgi'), bytes);
  await mkdir(join(folder, 'shown', '.git'));
  await writeFile(join(folder, 'shown', '.git', 'config'), 'hidden');
  await symlink(join(folder, 'secret.txt'), join(folder, 'shown', 'link.txt'));
  await symlink(join(folder, 'shown', '.git'), join(folder, 'shown', 'repository'));
  server = await createFileServer(join(folder, 'shown'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

/** An answer to a path as it stands, which `fetch` would clean up. */
function rawStatus(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('a served folder', () => {
  it('is read as the SDK reads files: by ranges, with a strong ETag', async () => {
    const answer = await fetch(`${url}/picture.lgi`, { headers: { Range: 'bytes=8-15' } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes 8-15/${bytes.length}`);
    expect(answer.headers.get('content-type')).toBe('application/vnd.lgi');
    expect(answer.headers.get('etag')).toMatch(/^"[^"]+"$/);
    expect(answer.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes.slice(8, 16));
    const file = await open(`${url}/picture.lgi`);
    expect((await file.signals[0].decode()).partitionsDecoded).toBe(6);
    await file.dispose();
  });

  it('answers ranges behind the end with 416, repeated reads of the same with 304', async () => {
    const behind = await fetch(`${url}/picture.lgi`, { headers: { Range: `bytes=${bytes.length}-` } });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`]);
    const etag = (await fetch(`${url}/picture.lgi`, { method: 'HEAD' })).headers.get('etag') ?? '';
    expect(await rawStatus('/picture.lgi', { 'If-None-Match': etag })).toBe(304);
  });

  it('gives nothing outside it, and nothing hidden', async () => {
    const paths = [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/link.txt',
      '/.hidden',
      '/%2ehidden',
      '/.git/config',
      '/repository/config',
      '/%00',
      '/%zz',
      '/_lgi/../../package.json',
      '/_lgi/thumbnail?file=../secret.txt',
      '/none',
    ];
    for (const path of paths) expect([path, await rawStatus(path)]).toEqual([path, 404]);
    expect(await rawStatus('//')).not.toBe(500);
    expect((await fetch(`${url}/picture.lgi`, { method: 'POST' })).status).toBe(405);
  });

  it('is listed with thumbnails that lead to the player, whatever files are called', async () => {
    const page = await (await fetch(`${url}/`)).text();
    expect(page).toContain('/_lgi/view.html?file=%2Fpicture.lgi');
    expect(page).toContain('a b &amp; &lt;c&gt;/');
    expect(page).not.toContain('.hidden');
    const moved = await fetch(`${url}/a%20b%20&%20%3Cc%3E`, { redirect: 'manual' });
    expect(moved.status).toBe(301);
    const inner = await fetch(`${url}/a%20b%20&%20%3Cc%3E/`);
    expect(inner.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await inner.text();
    expect(text).toContain('&quot;x&quot; #1.lgi');
    const [, source] = /src="([^"]+)"/.exec(text) ?? [];
    const thumbnail = await fetch(new URL(source.replaceAll('&amp;', '&'), url));
    expect([thumbnail.status, thumbnail.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect((await fetch(`${url}/_lgi/thumbnail?file=/broken.lgi`)).status).toBe(422);
  });
});

/** Starts a server of the same folder, and ends it after the test. */
async function served(access: Access, address = '127.0.0.1'): Promise<number> {
  const other = await createFileServer(join(folder, 'shown'), access);
  await new Promise<void>((resolve) => other.listen(0, address, resolve));
  onTestFinished(() => {
    other.closeAllConnections();
    other.close();
  });
  return (other.address() as AddressInfo).port;
}

/** Status and headers of an answer to a request with these headers. */
function answerTo(port: number, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/picture.lgi', headers, method }, (response) => {
      response.resume();
      resolve(response);
    })
      .on('error', reject)
      .end();
  });
}

/** Headers that let pages of other origins read or embed. */
function granted({ headers }: IncomingMessage): (string | string[] | undefined)[] {
  return [headers['access-control-allow-origin'], headers['cross-origin-resource-policy']];
}

describe('who may read a served folder', () => {
  const page = { Origin: 'https://example.org' };

  it('is its own pages alone, unless an origin or all of them are let in', async () => {
    for (const [access, expected] of [
      [{}, [undefined, 'same-origin']],
      [{ cors: '*' }, ['*', 'cross-origin']],
      [{ cors: 'https://Example.org/' }, ['https://example.org', 'cross-origin']],
    ] as const) {
      const port = await served(access);
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        expect(granted(await answerTo(port, page, method))).toEqual(expected);
      }
      const asked = (await answerTo(port, page, 'OPTIONS')).headers['access-control-allow-headers'];
      expect(asked).toBe('cors' in access ? 'Range, If-None-Match, If-Range' : undefined);
    }
  });

  it('needs a name of loopback on loopback, so that a page whose name resolves to it reads nothing', async () => {
    const port = await served({ hosts: ['box.local'] });
    const status = async (host: string): Promise<number | undefined> =>
      (await answerTo(port, { Host: host })).statusCode;
    const known = fc.constantFrom(
      'localhost',
      'LocalHost.',
      'a.localhost',
      '127.0.0.1',
      '127.3.2.1',
      '[::1]',
      'box.local',
    );
    const suffix = fc.constantFrom('', `:${port}`, ':9000');
    await fc.assert(
      fc.asyncProperty(known, suffix, async (host, end) => {
        expect(await status(host + end)).toBe(200);
      }),
      { numRuns: 20 },
    );
    const foreign = fc.oneof(
      fc.domain(),
      fc.ipV4().filter((address) => !address.startsWith('127.')),
      fc.constantFrom(
        'localhost.example.org',
        '127.0.0.1.nip.io',
        'localhost@evil.example',
        'evil.example/localhost',
        '[::2]',
        'xlocalhost',
      ),
    );
    await fc.assert(
      fc.asyncProperty(foreign, suffix, async (host, end) => {
        expect([host, await status(host + end)]).toEqual([host, 403]);
      }),
      { numRuns: 60 },
    );
  });

  it('is whoever reaches it by any name on an address that other machines reach', async () => {
    const port = await served({}, '0.0.0.0');
    expect((await answerTo(port, { Host: 'box.example' })).statusCode).toBe(200);
  });

  it('cannot be what no browser sends', async () => {
    for (const cors of [
      '',
      'null',
      'example.org',
      'https://example.org/path',
      'file:///a',
      'https://u:p@a.b',
    ]) {
      await expect(createFileServer(folder, { cors })).rejects.toThrow(
        /is not an origin; give scheme, host and port/,
      );
    }
    for (const host of ['', 'a b', 'a.b:80', 'http://a.b']) {
      await expect(createFileServer(folder, { hosts: [host] })).rejects.toThrow(/is not a host name/);
    }
  });
});

const workplace = await Workplace.create();

describe('lgi serve', () => {
  it('says where the folder is, and ends by Ctrl-C', async () => {
    let said = '';
    const ended = await workplace.lgi(['serve', '.', '--port', '0', '--json'], {
      onStart: (child) =>
        child.stdout?.on('data', (data: Buffer) => {
          said += String(data);
          if (said.includes('\n')) child.kill('SIGINT');
        }),
    });
    expect(JSON.parse(said)).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) });
    expect([0, 130]).toContain(ended.code);
  });

  it('says what is wrong with a folder, a port or a host', async () => {
    const missing = await workplace.runInside(['serve', 'nowhere']);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot serve nowhere: there is no such folder; give a folder/),
    ]);
    await writeFile(workplace.path('a.lgi'), 'a file');
    const file = await workplace.runInside(['serve', 'a.lgi']);
    expect([file.code, file.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot serve a.lgi: it is no folder; give a folder/),
    ]);
    const port = await workplace.runInside(['serve', '.', '--port', '70000']);
    expect([port.code, port.stderr]).toEqual([2, expect.stringMatching(/70000/)]);
    const origin = await workplace.runInside(['serve', '.', '--cors', 'example.org']);
    expect([origin.code, origin.stderr]).toEqual([
      2,
      expect.stringMatching(/--cors.*'example.org' is not an origin/s),
    ]);
    const { port: taken } = server.address() as AddressInfo;
    const second = await workplace.runInside(['serve', '.', '--port', String(taken)]);
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/another program/)]);
  });
});
