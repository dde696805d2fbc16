import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { createFileServer } from '../../dist/src/server/file-server.js';

/** Debian's package, or what the environment names. */
const CHROMIUM = process.env['LGI_CHROMIUM'] ?? '/usr/bin/chromium';

/** Whether there is a browser; tests that need one say so where they are skipped. */
export const hasBrowser = existsSync(CHROMIUM);

if (!hasBrowser) {
  process.stderr.write(`no ${CHROMIUM}: tests in a browser are skipped; install chromium, or set LGI_CHROMIUM\n`);
}

/** A browser and a served folder of this test file. */
export interface BrowserPlace {
  readonly browser: Browser;
  /** Files put here are served. */
  readonly folder: string;
  /** The server's, with a slash at its end. */
  readonly url: string;
  readonly server: Server;
  /** A page that fails the test on errors of its scripts. */
  open(path: string, options?: { readonly width?: number; readonly height?: number }): Promise<Page>;
  path(name: string): string;
}

/** Starts both before the file's tests and ends them afterwards. */
export function useBrowser(): BrowserPlace {
  const place = {} as {
    -readonly [K in keyof BrowserPlace]: BrowserPlace[K];
  };
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    place.folder = await mkdtemp(join(tmpdir(), 'lgi-player-'));
    place.server = await createFileServer(place.folder);
    await new Promise<void>((resolve) => place.server.listen(0, '127.0.0.1', resolve));
    place.url = `http://127.0.0.1:${(place.server.address() as AddressInfo).port}/`;
    place.path = (name) => join(place.folder, name);
    place.browser = await chromium.launch({
      executablePath: CHROMIUM,
      chromiumSandbox: false,
      args: [
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    place.open = async (path, { width = 800, height = 600 } = {}) => {
      const context = await place.browser.newContext({ viewport: { width, height } });
      contexts.push(context);
      const page = await context.newPage();
      page.on('pageerror', (error) => {
        throw error;
      });
      await page.goto(new URL(path, place.url).href);
      return page;
    };
  });
  afterAll(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    await place.browser?.close();
    place.server?.closeAllConnections();
    await new Promise((resolve) => place.server?.close(resolve));
    await rm(place.folder, { recursive: true, force: true });
  });
  return place;
}
