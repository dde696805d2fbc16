// `npm run screenshots`: makes the README's picture of the player, `.github/player.png`, in Chromium from media of its own.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { encode, memoryMedia, MemorySink, type EncodeOptions, type Media } from '../../src/index.js';
import { createFileServer } from '../../src/server/file-server.js';
import { scene } from '../media/scene.js';

const CHROMIUM = process.env['LGI_CHROMIUM'] ?? '/usr/bin/chromium';
const PICTURE = '.github/player.png';

/** Three players beside each other, as a page of one's own would have them. */
const PAGE = `<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="page.css">
<script type="module" src="/_lgi/lgi-view.js"></script></head>
<body><lgi-player id="picture" src="picture.lgi"></lgi-player><lgi-player id="sound" src="sound.lgi"></lgi-player>
<lgi-player id="shape" src="shape.lgi"></lgi-player></body></html>`;

const STYLE = `body { margin: 0; padding: 12px; height: 576px; display: grid; gap: 12px; background: #fff;
grid-template: 1fr 1fr / 1.5fr 1fr; } lgi-player { border-radius: 8px; overflow: hidden; } #picture { grid-row: span 2; }`;

/** A trefoil knot, a tube that goes around itself, as occupancy. */
function knot(side: number): Media {
  const data = new Uint8Array(side ** 3);
  const points = Array.from({ length: 600 }, (_, i) => {
    const t = (2 * Math.PI * i) / 600;
    return [Math.sin(t) + 2 * Math.sin(2 * t), Math.cos(t) - 2 * Math.cos(2 * t), -Math.sin(3 * t)];
  });
  const [unit, radius] = [side / 8.2, side / 14];
  for (const [x, y, z] of points) {
    const centre = [z, y, x].map((at) => side / 2 + at * unit);
    const begin = centre.map((at) => Math.max(0, Math.floor(at - radius)));
    const end = centre.map((at) => Math.min(side, Math.ceil(at + radius)));
    for (let k = begin[0]; k < end[0]; k++) {
      for (let j = begin[1]; j < end[1]; j++) {
        for (let i = begin[2]; i < end[2]; i++) {
          const away = Math.hypot(k + 0.5 - centre[0], j + 0.5 - centre[1], i + 0.5 - centre[2]);
          if (away < radius) data[(k * side + j) * side + i] = 1;
        }
      }
    }
  }
  return memoryMedia({
    kind: 'shape',
    data,
    shape: [side, side, side],
    mapping: { scale: 0.5, offset: 0.5 },
  });
}

/** Three plucked strings. */
function strings(): Media {
  const rate = 16_000;
  const data = Float32Array.from({ length: 6 * rate }, (_, i) => {
    const t = i / rate;
    return [196, 247, 294].reduce((sum, hertz, note) => {
      const since = t - 0.4 - 1.7 * note;
      return sum + (since < 0 ? 0 : 0.4 * Math.exp(-1.6 * since) * Math.sin(2 * Math.PI * hertz * since));
    }, 0);
  });
  return memoryMedia({
    kind: 'audio',
    data,
    shape: [data.length],
    rate: { numerator: rate, denominator: 1 },
  });
}

async function write(folder: string, name: string, media: Media, options: EncodeOptions): Promise<void> {
  const sink = new MemorySink();
  const { psnr } = await encode(media, sink, options);
  process.stdout.write(`${name}: ${psnr.toFixed(1)} dB\n`);
  await writeFile(join(folder, name), sink.bytes());
}

const folder = await mkdtemp(join(tmpdir(), 'lgi-screenshots-'));
await write(folder, 'picture.lgi', memoryMedia({ ...scene(1200, 900), layout: 'rgb' }), { seconds: 25 });
await write(folder, 'sound.lgi', strings(), { seconds: 5 });
await write(folder, 'shape.lgi', knot(128), { seconds: 15 });
await writeFile(join(folder, 'page.html'), PAGE);
await writeFile(join(folder, 'page.css'), STYLE);
const server = await createFileServer(folder);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  chromiumSandbox: false,
  args: [
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--enable-unsafe-swiftshader',
  ],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 600 } });
await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`);
await page.waitForTimeout(3000);
await page.locator('#shape').getByRole('button', { name: 'Surface' }).click();
await page.locator('#sound').getByRole('slider').fill('350');
await page.locator('#picture').getByRole('button', { name: 'Zoom in' }).click();
await page.locator('#picture').getByRole('button', { name: 'Statistics' }).click();
await page.locator('#picture').getByRole('button', { name: 'Select a part' }).click();
const box = await page.locator('#picture canvas').boundingBox();
if (box === null) throw new Error('the picture has no place on the page');
await page.mouse.move(box.x + 0.42 * box.width, box.y + 0.3 * box.height);
await page.mouse.down();
await page.mouse.move(box.x + 0.78 * box.width, box.y + 0.72 * box.height, { steps: 5 });
await page.mouse.up();
await page.mouse.move(0, 0);
await page.waitForTimeout(4000);
await mkdir('.github', { recursive: true });
await page.screenshot({ path: PICTURE });
await browser.close();
server.closeAllConnections();
server.close();
await rm(folder, { recursive: true });
process.stdout.write(`${PICTURE}\n`);
