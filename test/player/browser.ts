import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
// The element's type in pages.
import type {} from '../../dist/player/index.js';
import { createFileServer } from '../../dist/src/server/file-server.js';

/** Debian's package, or what the environment names. */
const CHROMIUM = process.env['LGI_CHROMIUM'] ?? '/usr/bin/chromium';

/** Whether there is a browser; tests that need one say so where they are skipped. */
export const hasBrowser = existsSync(CHROMIUM);

if (!hasBrowser) {
  process.stderr.write(
    `no ${CHROMIUM}: tests in a browser are skipped; install chromium, or set LGI_CHROMIUM\n`,
  );
}

/** A request for an LGI file that the server got. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  /** The client has left before the answer was out. */
  isAborted: boolean;
  bytes: number;
}

/** Answers a request in the server's place; false: the server does. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** A browser and a served folder of a test file. */
export class BrowserPlace {
  browser!: Browser;
  /** Files put here are served. */
  folder!: string;
  server!: Server;
  /** Of LGI files, since the last test began. */
  readonly requests: SeenRequest[] = [];
  fault: Fault | undefined;
  readonly #contexts: BrowserContext[] = [];

  async start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'lgi-player-'));
    // Pages of other origins play its files, too.
    this.server = await createFileServer(this.folder, { cors: '*' });
    this.#watch();
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.browser = await chromium.launch({
      executablePath: CHROMIUM,
      chromiumSandbox: false,
      args: [
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--autoplay-policy=no-user-gesture-required',
        // Where there is no graphics card.
        '--enable-unsafe-swiftshader',
      ],
    });
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The server's, with a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A page of a context of its own. */
  async page(width = 800, height = 600): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width, height }, acceptDownloads: true });
    this.#contexts.push(context);
    return context.newPage();
  }

  /** The server's page that plays a file, once it is on the screen as sharp as it gets. */
  async play(name: string, width = 800, height = 600): Promise<Page> {
    const page = await this.page(width, height);
    await page.addInitScript(recordEvents);
    await page.goto(`${this.url}_lgi/view.html?file=/${name}`);
    return page;
  }

  async endTest(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    this.requests.length = 0;
    this.fault = undefined;
  }

  #watch(): void {
    const [answer] = this.server.listeners('request') as ((
      request: IncomingMessage,
      response: ServerResponse,
    ) => void)[];
    this.server.removeAllListeners('request');
    this.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const path = new URL(request.url ?? '/', 'http://host').pathname;
      const isFile = path.endsWith('.lgi');
      if (isFile) {
        const seen: SeenRequest = { path, range: request.headers.range, isAborted: false, bytes: 0 };
        this.requests.push(seen);
        response.on('finish', () => (seen.bytes = Number(response.getHeader('Content-Length') ?? 0)));
        response.on('close', () => (seen.isAborted = !response.writableFinished));
      }
      void Promise.resolve(isFile && this.fault?.(request, response)).then((isAnswered) => {
        if (isAnswered !== true) answer(request, response);
      });
    });
  }
}

/** What pages of the tests know: the player's events so far, and how to wait for one. */
declare global {
  interface Window {
    playerEvents: { name: string; detail: unknown }[];
    waitForEvent(name: string, condition?: (detail: never) => boolean): Promise<unknown>;
  }
}

/** Runs in the page before its scripts. */
function recordEvents(): void {
  window.playerEvents = [];
  const waiting: { name: string; condition: (detail: never) => boolean; resolve(detail: unknown): void }[] =
    [];
  const names = ['open', 'firstpicture', 'progress', 'viewchange', 'change', 'playing', 'frame', 'error'];
  document.addEventListener('DOMContentLoaded', () => {
    for (const player of document.querySelectorAll('lgi-player')) {
      for (const name of names) {
        player.addEventListener(name, ((event: CustomEvent) => {
          const detail = event.detail as never;
          window.playerEvents.push({ name, detail });
          for (const one of waiting.splice(0)) {
            if (one.name === name && one.condition(detail)) one.resolve(detail);
            else waiting.push(one);
          }
        }) as EventListener);
      }
    }
  });
  window.waitForEvent = (name, condition = () => true) => {
    const known = window.playerEvents.find(
      (event) => event.name === name && condition(event.detail as never),
    );
    if (known !== undefined) return Promise.resolve(known.detail);
    return new Promise((resolve) => waiting.push({ name, condition, resolve }));
  };
}

/** Starts a browser before the file's tests and ends it afterwards. */
export function useBrowser(): BrowserPlace {
  const place = new BrowserPlace();
  beforeAll(() => place.start());
  afterEach(() => place.endTest());
  afterAll(() => place.stop());
  return place;
}
