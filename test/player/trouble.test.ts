import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { encode, memoryMedia, MemorySink, MemorySource, open } from '../../dist/src/index.js';
import { hasBrowser, useBrowser } from './browser.js';

/** What the page tells the person, once it does. */
async function alert(page: Page): Promise<string> {
  const message = page.getByRole('alert');
  await message.waitFor({ state: 'visible' });
  return message.innerText();
}

async function retryUntilSharp(page: Page): Promise<void> {
  await page.evaluate(() => (window.playerEvents.length = 0));
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.evaluate(() => window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp));
  await page.getByRole('alert').waitFor({ state: 'hidden' });
}

describe.skipIf(!hasBrowser)('a player whose server', () => {
  const place = useBrowser();
  let bytes: Uint8Array;
  let chunkAt: number;

  beforeAll(async () => {
    const [height, width] = [400, 600];
    const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => 128 + 100 * Math.sin(i / 777));
    const sink = new MemorySink();
    await encode(memoryMedia({ data, shape: [height, width] }), sink, { weights: 'int11', iterations: 30 });
    bytes = sink.bytes().slice();
    const { chunks } = (await open(new MemorySource(bytes))).container.index.signals[0];
    chunkAt = chunks.byteOffsets[chunks.count - 1];
    await writeFile(place.path('picture.lgi'), bytes);
  });

  it('has no such file says so, and shows it once it is there', async () => {
    const page = await place.play('later.lgi');
    expect(await alert(page)).toMatch(/could not be loaded[^]*404[^]*no such file[^]*Try again/);
    await writeFile(place.path('later.lgi'), bytes);
    await retryUntilSharp(page);
  });

  it('refuses ranges (416) or answers with all (200) is understood or told', async () => {
    place.fault = (_, response) => {
      response.writeHead(416, { 'Content-Range': 'bytes */7' }).end();
      return true;
    };
    const page = await place.play('picture.lgi');
    // What ends after 7 bytes is no file of ours.
    expect(await alert(page)).toMatch(/LGI|complete|loaded/);
    // Small as it is, a file that comes whole is taken.
    place.fault = (_, response) => {
      response.writeHead(200, { 'Content-Length': String(bytes.length) }).end(bytes);
      return true;
    };
    await retryUntilSharp(page);
  });

  it('is slow shows that it loads, then the picture', async () => {
    place.fault = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    };
    const page = await place.play('picture.lgi');
    await page.locator('lgi-player [aria-busy=true]').waitFor();
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('is lost keeps what it has and goes on when it is back', async () => {
    const page = await place.play('picture.lgi', 300, 300);
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    const filled = (): Promise<number> =>
      page.evaluate(() => {
        const canvas = document.querySelector('lgi-player')?.shadowRoot?.querySelector('canvas');
        const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let count = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] === 255) count++;
        return count;
      });
    const before = await filled();
    await page.context().setOffline(true);
    place.fault = (request) => {
      request.socket.destroy();
      return true;
    };
    await page.evaluate(() => void document.querySelector('lgi-player')?.player?.retry());
    expect(await alert(page)).toMatch(/could not be loaded/);
    expect(await filled()).toBe(before);
    await page.context().setOffline(false);
    place.fault = undefined;
    await retryUntilSharp(page);
  });

  it('gives a damaged chunk says which, shows the rest, and is whole after another try', async () => {
    const damaged = bytes.slice();
    damaged[chunkAt + 60] ^= 0xff;
    await writeFile(place.path('damaged.lgi'), damaged);
    const page = await place.play('damaged.lgi');
    expect(await alert(page)).toMatch(/damaged[^]*chunk \d+,\d+/i);
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    await writeFile(place.path('damaged.lgi'), bytes);
    await retryUntilSharp(page);
  });

  it('hangs is left for another file without a word', async () => {
    // One that another stage shows, which has to be loaded first.
    await copyFile('spec/vectors/audio-float32.lgi', place.path('other.lgi'));
    let held = 0;
    place.fault = (request) => {
      const begin = Number(/\d+/.exec(request.headers.range ?? '')?.[0]);
      const isHeld = request.url === '/picture.lgi' && begin > 0;
      if (isHeld) held++;
      return isHeld;
    };
    const page = await place.play('picture.lgi');
    await expect.poll(() => held).toBeGreaterThan(0);
    await page.evaluate(() => document.querySelector('lgi-player')?.player?.open('/other.lgi'));
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    const names = await page.evaluate(() => window.playerEvents.map(({ name }) => name));
    expect(names).not.toContain('error');
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    // What was asked of the first is not waited for.
    await expect.poll(() => place.requests.filter(({ isAborted }) => isAborted).length).toBe(held);
  });

  it('gives something else says that it is none', async () => {
    await writeFile(
      place.path('text.lgi'),
      'This is no LGI file, only a text that is called one.'.repeat(40),
    );
    const page = await place.play('text.lgi');
    expect(await alert(page)).toMatch(/no LGI file/);
  });
});

/** A page of another server, which is not isolated, with a policy of its own. */
async function otherServer(html: string, headers: Record<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/favicon.ico') response.writeHead(204).end();
    else response.writeHead(200, { 'Content-Type': 'text/html', ...headers }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe.skipIf(!hasBrowser)('a player in a page', () => {
  const place = useBrowser();

  beforeAll(async () => {
    const data = Uint8Array.from({ length: 100 * 150 }, (_, i) => 128 + 100 * Math.sin(i / 777));
    const sink = new MemorySink();
    await encode(memoryMedia({ data, shape: [100, 150] }), sink, { iterations: 30 });
    await writeFile(place.path('small.lgi'), sink.bytes());
  });

  it.each([
    ['that is isolated decodes with several threads', { isolated: true }],
    ['that is not isolated decodes with one', { isolated: false }],
  ])('%s', async (_, { isolated }) => {
    const html = `<!doctype html><script type="module" src="${place.url}_lgi/lgi-player.js"></script>
      <lgi-player src="${place.url}small.lgi" style="height: 300px"></lgi-player>`;
    const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${place.url} 'wasm-unsafe-eval'; worker-src blob: ${place.url}; connect-src ${place.url}`;
    const server = await otherServer(html, {
      'Content-Security-Policy': policy,
      ...(isolated && {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      }),
    });
    const page = await place.page();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect
      .poll(() => page.evaluate(() => document.querySelector('lgi-player')?.player?.file?.threads), {
        timeout: 20_000,
      })
      .toBe(isolated ? await page.evaluate(() => navigator.hardwareConcurrency) : 1);
    await expect
      .poll(() =>
        page.evaluate(
          async () => (await document.querySelector('lgi-player')?.player?.statistics())?.partitionsDecoded,
        ),
      )
      .toBe(20);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
    expect(errors).toEqual([]);
    server.closeAllConnections();
    server.close();
  });

  it('gives its worker back when it is taken off', async () => {
    const page = await place.play('small.lgi');
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    expect(page.workers().length).toBeGreaterThan(0);
    await page.evaluate(() => document.querySelector('lgi-player')?.remove());
    await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBe(0);
  });

  it('encodes a picture that is dropped and shows it, and then a file of another family', async () => {
    const page = await place.play('small.lgi');
    await page.evaluate(() => window.waitForEvent('open'));
    const drop = (type: string, base64: string): Promise<readonly number[] | undefined> =>
      page.evaluate(
        async ([kind, text]) => {
          const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
          const player = document.querySelector('lgi-player')?.player;
          await player?.drop(new Blob([bytes], { type: kind }));
          return player?.file?.signals[0].shape;
        },
        [type, base64] as const,
      );
    const image = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(96, 64);
      const context = canvas.getContext('2d');
      if (context === null) throw new Error('no canvas');
      context.fillStyle = '#c33';
      context.fillRect(0, 0, 96, 64);
      context.fillStyle = '#3c6';
      context.fillRect(20, 20, 40, 30);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      return btoa(String.fromCharCode(...bytes));
    });
    expect(await drop('image/png', image)).toEqual([64, 96]);
    const pixel = (): Promise<number[]> =>
      page.evaluate(() => {
        const canvas = document.querySelector('lgi-player')?.shadowRoot?.querySelector('canvas');
        const context = canvas?.getContext('2d');
        return [...(context?.getImageData(canvas?.width ? canvas.width / 2 : 0, 520, 1, 1).data ?? [])];
      });
    await expect.poll(async () => (await pixel())[3]).toBe(255);
    const [red, green] = await pixel();
    expect(red - green).toBeGreaterThan(80);
    const other = (await readFile(place.path('small.lgi'))).toString('base64');
    expect(await drop('', other)).toEqual([100, 150]);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('opens a file that is chosen, and shows it', async () => {
    const page = await place.page();
    await page.goto(`${place.url}_lgi/view.html`);
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open a file' }).click();
    await (await choosing).setFiles(place.path('small.lgi'));
    await expect
      .poll(() => page.evaluate(() => document.querySelector('lgi-player')?.player?.file?.signals[0].shape))
      .toEqual([100, 150]);
  });

  it('can be used by keys, and says what its parts are', async () => {
    const page = await place.play('small.lgi');
    await page.evaluate(() =>
      window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp),
    );
    expect(await page.getByRole('img', { name: /Picture of 150 by 100/ }).isVisible()).toBe(true);
    expect(await page.getByRole('toolbar').getByRole('button').count()).toBeGreaterThanOrEqual(7);
    const scale = (): Promise<number | undefined> =>
      page.evaluate(() => document.querySelector('lgi-player')?.player?.view?.scale);
    const fit = await scale();
    await page.getByRole('img').focus();
    await page.keyboard.press('+');
    expect(await scale()).toBeCloseTo(2 * (fit ?? 0), 6);
    await page.keyboard.press('1');
    expect(await scale()).toBe(1);
    await page.keyboard.press('0');
    expect(await scale()).toBe(fit);
    await page.mouse.move(400, 250);
    await page.mouse.wheel(0, -240);
    await expect.poll(scale).toBeCloseTo(2 * (fit ?? 0), 6);
  });
});
