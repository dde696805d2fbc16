import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  append,
  crop,
  encode,
  memoryMedia,
  MemorySink,
  MemorySource,
  open,
  type LgiFile,
  type Media,
} from '../../dist/src/index.js';
import { FileTarget } from '../../dist/src/node.js';
import { hasBrowser, useBrowser } from './browser.js';

/** Rings and stripes: something everywhere, other at every place. */
function picture(height: number, width: number, channels = 3): Media {
  const data = new Uint8Array(height * width * channels);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, i++) {
        data[i] = 128 + 90 * Math.sin(Math.hypot(y - 400, x - 700) / (9 + 4 * c)) * Math.cos((x + y) / 150);
      }
    }
  }
  return memoryMedia({ data, shape: [height, width] });
}

async function encoded(media: Media, iterations: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  await encode(media, sink, { iterations });
  return sink.bytes().slice();
}

/** RGBA of the canvas, u8 [height][width][4] in base64 for the way. */
async function canvasPixels(page: Page): Promise<{ height: number; width: number; data: Buffer }> {
  const { height, width, text } = await page.evaluate(() => {
    const canvas = document.querySelector('lgi-player')?.shadowRoot?.querySelector('canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context) throw new Error('no canvas');
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let binary = '';
    for (let i = 0; i < data.length; i += 8192) binary += String.fromCharCode(...data.subarray(i, i + 8192));
    return { height: canvas.height, width: canvas.width, text: btoa(binary) };
  });
  return { height, width, data: Buffer.from(text, 'base64') };
}

/** Looks at a place and waits until it is sharp. */
async function look(page: Page, scale: number, centre: [number, number]): Promise<void> {
  await page.evaluate(
    async ([to, at]) => {
      const player = document.querySelector('lgi-player')?.player;
      window.playerEvents.length = 0;
      player?.look({ scale: to, centre: at });
      await window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp);
    },
    [scale, centre] as const,
  );
}

const sharp = (page: Page): Promise<unknown> =>
  page.evaluate(() => window.waitForEvent('progress', ({ isSharp }: { isSharp: boolean }) => isSharp));

describe.skipIf(!hasBrowser)('a picture in the player', () => {
  const place = useBrowser();
  let large: Uint8Array;
  let small: Uint8Array;
  let largeFile: LgiFile;

  beforeAll(async () => {
    large = await encoded(picture(1356, 2040), 24);
    small = await encoded(picture(120, 200), 120);
    largeFile = await open(new MemorySource(large));
    await writeFile(place.path('large.lgi'), large);
    await writeFile(place.path('small.lgi'), small);
  }, 120_000);

  it('is there after two requests, which read little of it', async () => {
    const page = await place.play('large.lgi');
    const first = (await page.evaluate(() => window.waitForEvent('firstpicture'))) as {
      requests: number;
      bytesFetched: number;
    };
    expect(first.requests).toBeLessThanOrEqual(2);
    expect(first.bytesFetched).toBeLessThan(0.1 * large.length);
  });

  it('is what the SDK decodes, at native size, half of it and twice, within one level', async () => {
    const page = await place.play('large.lgi');
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    const { signals } = largeFile;
    for (const scale of [1, 0.5, 2]) {
      await look(page, scale, [700, 900]);
      const { height, width, data } = await canvasPixels(page);
      const begin = [Math.round(height / 2 - 700 * scale), Math.round(width / 2 - 900 * scale)];
      const box = { begin: begin.map((at) => Math.max(0, -at)), end: [height - begin[0], width - begin[1]] };
      const expected = await signals[0].decode({ scale, outputs: box });
      let [worst, seen] = [0, 0];
      for (let y = 0; y < expected.shape[0]; y++) {
        for (let x = 0; x < expected.shape[1]; x++) {
          const at = 4 * ((y + Math.max(0, begin[0])) * width + x + Math.max(0, begin[1]));
          for (let c = 0; c < 3; c++, seen++) {
            const value = expected.data[3 * (y * expected.shape[1] + x) + c];
            worst = Math.max(worst, Math.abs(value - data[at + c]));
          }
          expect(data[at + 3]).toBe(255);
        }
      }
      expect(seen).toBeGreaterThan(1_000_000);
      expect(worst, `scale ${scale}`).toBeLessThanOrEqual(1);
    }
  });

  it('read in a corner reads the partitions of the corner and no others', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // What all of the picture would need at the screen's resolution is held back, and left for the corner.
    place.fault = async () => {
      if (place.requests.length > 2) await released;
      return false;
    };
    const page = await place.play('large.lgi', 420, 400);
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    await expect.poll(() => place.requests.length).toBeGreaterThan(2);
    place.requests.length = 0;
    place.fault = undefined;
    await look(page, 1, [0, 2040]);
    release();
    await page.waitForTimeout(300);
    const bytes = place.requests.reduce((sum, request) => sum + request.bytes, 0);
    // The corner shows 12 x 14 of the 43 x 64 partitions; tiles end at every fourth.
    const { chunks } = largeFile.container.index.signals[0];
    const chunkBytes = chunks.byteLength(0);
    expect(bytes).toBeGreaterThan(10 * 10 * chunkBytes);
    expect(bytes).toBeLessThan(1.2 * 16 * 16 * chunkBytes);
    expect(place.requests.length).toBeLessThanOrEqual(16);
  });

  it('that is left takes its requests along', async () => {
    const page = await place.play('large.lgi', 420, 400);
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    place.fault = async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return false;
    };
    place.requests.length = 0;
    await page.evaluate(() => {
      const player = document.querySelector('lgi-player')?.player;
      player?.look({ scale: 1, centre: [200, 1800] });
      setTimeout(() => player?.look({ scale: 1, centre: [1200, 200] }), 150);
    });
    await expect.poll(() => place.requests.filter(({ isAborted }) => isAborted).length).toBeGreaterThan(0);
    place.fault = undefined;
    await sharp(page);
  });

  it('that is replaced on the server is shown as it is now', async () => {
    await writeFile(place.path('changing.lgi'), large);
    const page = await place.play('changing.lgi', 420, 400);
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    const other = await encoded(picture(1356, 2040, 1), 8);
    await writeFile(place.path('other'), other);
    await rename(place.path('other'), place.path('changing.lgi'));
    await page.evaluate(() => (window.playerEvents.length = 0));
    await page.evaluate(() => {
      const player = document.querySelector('lgi-player')?.player;
      player?.look({ scale: 2, centre: [700, 1000] });
    });
    const opened = (await page.evaluate(() => window.waitForEvent('open'))) as { fileId: string };
    expect(opened.fileId).toBe((await open(new MemorySource(other))).fileId);
    await sharp(page);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('cropped in the page is the file that `crop` makes, byte for byte', async () => {
    const page = await place.play('large.lgi');
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    await look(page, 1, [700, 900]);
    await page.getByRole('button', { name: 'Select a part' }).click();
    await page.mouse.move(100, 120);
    await page.mouse.down();
    await page.mouse.move(420, 360, { steps: 4 });
    await page.mouse.up();
    const region = await page.evaluate(() => {
      const player = document.querySelector('lgi-player')?.player;
      return player?.stage?.selection?.region;
    });
    expect(region).toBeDefined();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the selected part as LGI' }).click();
    const cut = await readFile(await (await downloading).path());
    const sink = new MemorySink();
    await crop(new MemorySource(large), sink, { ...(region && { region }) });
    expect(cut.equals(sink.bytes())).toBe(true);
    expect(cut.length).toBeLessThan(0.2 * large.length);
  });

  it('that grows on the server shows its new half, for which only new bytes are read', async () => {
    await writeFile(place.path('growing.lgi'), small);
    const page = await place.play('growing.lgi');
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    place.requests.length = 0;
    const target = await FileTarget.open(place.path('growing.lgi'));
    await append(target, picture(120, 160), { side: 'right', iterations: 40 });
    await target.close();
    const change = (await page.evaluate(() => window.waitForEvent('change'))) as {
      file: { signals: { shape: number[] }[] };
    };
    expect(change.file.signals[0].shape).toEqual([120, 360]);
    await page.evaluate(() => (window.playerEvents.length = 0));
    await sharp(page);
    const old = place.requests.filter(({ range }) => {
      const [begin, end] = (/(\d+)-(\d+)/.exec(range ?? '') ?? []).slice(1).map(Number);
      // The superblock says whether there is anything new.
      return begin < small.length && !(begin === 0 && end < 1024);
    });
    expect(old).toEqual([]);
  });

  it('joins the partitions of a file that is dropped', async () => {
    const halves = await Promise.all(
      [
        { begin: [0, 0], end: [120, 96] },
        { begin: [0, 96], end: [120, 200] },
      ].map(async (region) => {
        const sink = new MemorySink();
        await crop(new MemorySource(small), sink, { region });
        return sink.bytes().slice();
      }),
    );
    await writeFile(place.path('left.lgi'), halves[0]);
    const page = await place.play('left.lgi');
    await page.evaluate(() => window.waitForEvent('firstpicture'));
    await page.evaluate(async (text) => {
      const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      const player = document.querySelector('lgi-player')?.player;
      await player?.drop(new Blob([bytes]));
    }, Buffer.from(halves[1]).toString('base64'));
    const shape = await page.evaluate(() => {
      const player = document.querySelector('lgi-player')?.player;
      return player?.file?.signals[0].shape;
    });
    expect(shape).toEqual([120, 200]);
    await sharp(page);
  });
});

describe.skipIf(!hasBrowser)('a canvas', () => {
  const place = useBrowser();

  const sizeOf = (page: Page): Promise<number[]> =>
    page.evaluate(() => {
      const canvas = document.querySelector('lgi-player')?.shadowRoot?.querySelector('canvas');
      return canvas ? [canvas.height, canvas.width, canvas.clientHeight, canvas.clientWidth] : [];
    });

  beforeAll(async () => {
    const bytes = await encoded(picture(128, 192), 40);
    await writeFile(place.path('whole.lgi'), bytes);
    const sink = new MemorySink();
    await crop(new MemorySource(bytes), sink, { drop: [[1, 2]] });
    await writeFile(place.path('hole.lgi'), sink.bytes());
  });

  it('is transparent where the file has no partition, and opaque elsewhere', async () => {
    const page = await place.play('hole.lgi');
    await sharp(page);
    await look(page, 2, [64, 96]);
    const { height, width, data } = await canvasPixels(page);
    const alphaAt = (y: number, x: number): number => {
      const row = Math.round(height / 2 - 64 * 2) + 2 * y;
      const column = Math.round(width / 2 - 96 * 2) + 2 * x;
      return data[4 * (row * width + column) + 3];
    };
    expect([alphaAt(33, 65), alphaAt(48, 80), alphaAt(62, 94)]).toEqual([0, 0, 0]);
    expect([alphaAt(30, 65), alphaAt(33, 62), alphaAt(65, 80), alphaAt(48, 98)]).toEqual([
      255, 255, 255, 255,
    ]);
  });

  it('has the pixels of the screen, however fine, and follows its size', async () => {
    const context = await place.browser.newContext({
      viewport: { width: 500, height: 400 },
      deviceScaleFactor: 2,
    });
    const page = await context.newPage();
    await page.goto(`${place.url}_lgi/view.html?file=/whole.lgi`);
    await expect.poll(async () => (await sizeOf(page))[1]).toBe(1000);
    const [height, , clientHeight] = await sizeOf(page);
    expect(height).toBe(2 * clientHeight);
    const fit = (): Promise<number | undefined> =>
      page.evaluate(() => document.querySelector('lgi-player')?.player?.view?.scale);
    await expect.poll(fit).toBeCloseTo(Math.min(1000 / 192, height / 128), 6);
    await page.setViewportSize({ width: 300, height: 400 });
    await expect.poll(fit).toBeCloseTo(600 / 192, 6);
    await context.close();
  });

  it('is zoomed by two fingers about the place between them', async () => {
    const page = await place.play('whole.lgi');
    await sharp(page);
    const scales = await page.evaluate(() => {
      const host = document.querySelector('lgi-player');
      const canvas = host?.shadowRoot?.querySelector('canvas');
      if (!host || !canvas) throw new Error('no canvas');
      canvas.setPointerCapture = () => undefined;
      const touch = (type: string, pointerId: number, clientX: number): boolean =>
        canvas.dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY: 250, button: 0 }));
      const before = host.player?.view?.scale ?? 0;
      touch('pointerdown', 1, 350);
      touch('pointerdown', 2, 450);
      touch('pointermove', 1, 300);
      touch('pointermove', 2, 500);
      touch('pointerup', 1, 300);
      touch('pointerup', 2, 500);
      return [before, host.player?.view?.scale ?? 0];
    });
    expect(scales[1] / scales[0]).toBeCloseTo(2, 3);
  });
});
