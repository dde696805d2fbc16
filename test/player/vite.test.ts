import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build, createServer, type InlineConfig, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { encode, memoryMedia, MemorySink } from '../../dist/src/index.js';
import { createFileServer } from '../../dist/src/server/file-server.js';
import type { AddressInfo } from 'node:net';
import { hasBrowser, useBrowser } from './browser.js';

const HTML = `<!doctype html><html><head><title>A page</title></head><body>
<lgi-player src="/small.lgi" style="height: 300px"></lgi-player><script type="module" src="/main.js"></script></body></html>`;

/** A project as a user has it: the package among its modules, and settings that the README names. */
describe.skipIf(!hasBrowser)('the player under Vite', () => {
  const place = useBrowser();
  let project: string;
  let server: ViteDevServer | undefined;

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'lgi-vite-'));
    await writeFile(join(project, 'package.json'), '{ "name": "page", "type": "module" }');
    await mkdir(join(project, 'node_modules'));
    await symlink(resolve('.'), join(project, 'node_modules', 'lgi'));
    await mkdir(join(project, 'public'));
    await writeFile(join(project, 'index.html'), HTML);
    await writeFile(join(project, 'main.js'), "import 'lgi/player';\n");
    const data = Uint8Array.from({ length: 100 * 150 }, (_, i) => 128 + 100 * Math.sin(i / 777));
    const sink = new MemorySink();
    await encode(memoryMedia({ data, shape: [100, 150] }), sink, { iterations: 30 });
    await writeFile(join(project, 'public', 'small.lgi'), sink.bytes());
  });

  afterAll(async () => {
    await server?.close();
    await rm(project, { recursive: true, force: true });
  });

  const config = {
    configFile: false,
    logLevel: 'error',
    optimizeDeps: { exclude: ['lgi'] },
    worker: { format: 'es' },
  } satisfies InlineConfig;

  async function expectPicture(page: Page, url: string): Promise<void> {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(url);
    await expect
      .poll(
        () =>
          page.evaluate(
            async () =>
              (await document.querySelector('lgi-player')?.player?.statistics())?.partitionsDecoded ?? 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(20);
    expect(errors).toEqual([]);
  }

  it('is built', async () => {
    await build({ ...config, root: project });
    const built = await createFileServer(join(project, 'dist'));
    await new Promise<void>((listening) => built.listen(0, '127.0.0.1', listening));
    const { port } = built.address() as AddressInfo;
    await expectPicture(await place.page(), `http://127.0.0.1:${port}/index.html`);
    built.closeAllConnections();
    built.close();
  });

  it('is served while one develops', async () => {
    server = await createServer({
      ...config,
      root: project,
      server: { port: 0, host: '127.0.0.1', fs: { strict: false } },
    });
    await server.listen();
    const { port } = server.httpServer?.address() as AddressInfo;
    await expectPicture(await place.page(), `http://127.0.0.1:${port}/`);
  });
});
