import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HttpSource, open, verify } from '../../dist/src/index.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { patternBytes, payloadsOf, sampleFile } from '../container/sample-container.js';

const hasNginx = spawnSync('nginx', ['-v']).status === 0;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((fulfil) => probe.listen(0, '127.0.0.1', fulfil));
  const { port } = probe.address() as AddressInfo;
  await new Promise((fulfil) => probe.close(fulfil));
  return port;
}

describe.skipIf(!hasNginx)('nginx as it is installed here (skipped where it is not)', () => {
  let folder = '';
  let url = '';
  let nginx: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lgi-nginx-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await mkdir(join(folder, 'files'));
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
       events {}
       http {
         access_log off;
         ${places.map((place) => `${place}_temp_path ${folder}/${place};`).join('\n')}
         server { listen 127.0.0.1:${port}; root ${folder}/files; location /plain/ { alias ${folder}/files/; max_ranges 0; } }
       }`,
    );
    nginx = spawn(
      'nginx',
      ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
      {
        stdio: 'ignore',
      },
    );
    await vi.waitFor(() => fetch(url), { timeout: 10_000 });
  });

  afterAll(async () => {
    nginx?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives what the file has, by ranges and whole', async () => {
    const bytes = patternBytes(100_000, 1);
    await writeFile(join(folder, 'files', 'b.lgi'), bytes);
    for (const path of ['/b.lgi', '/plain/b.lgi']) {
      const source = new HttpSource(url + path);
      for (const [at, length] of [
        [0, 65_536],
        [99_990, 100],
        [100_000, 5],
        [2 ** 40, 10],
      ]) {
        expect(Buffer.from(await source.read(at, length)).equals(bytes.slice(at, at + length))).toBe(true);
      }
    }
    await expect(new HttpSource(`${url}/none.lgi`).read(0, 1)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('status 404'),
    });
  });

  it('serves a file that is opened, verified, and noticed to be another', async () => {
    const path = join(folder, 'files', 'a.lgi');
    await writeFile(path, await sampleFile({ shape: [640, 640] }));
    const opened = await open(`${url}/a.lgi`);
    expect(opened.container.chunkCount).toBe(160 * 160);
    const problems = [];
    for await (const problem of verify(new HttpSource(`${url}/a.lgi`))) problems.push(problem);
    expect(problems).toEqual([]);
    await writeFile(path, await sampleFile({ shape: [640, 644] }));
    await utimes(path, 1, 1);
    await expect(payloadsOf(opened.container)).rejects.toMatchObject({ code: 'replaced' });
    await opened.dispose();
    const again = await openContainer(new HttpSource(`${url}/a.lgi`));
    expect((await payloadsOf(again)).size).toBe(160 * 161);
  });
});
