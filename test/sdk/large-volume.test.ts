import { expect, it } from 'vitest';
import { crop, encode, memoryMedia, MemorySink, open } from '../../dist/src/index.js';

const SIDE = 256;

/** A ball of waves of 16 bits in empty space. */
function volume(): Uint16Array {
  const data = new Uint16Array(SIDE ** 3);
  for (let i = 0; i < data.length; i++) {
    const [z, y, x] = [i >> 16, (i >> 8) & 255, i & 255];
    const radius = Math.hypot(z - 128, y - 128, x - 128);
    data[i] = radius < 90 ? 30_000 + 12_000 * Math.sin(radius / 9) + 4000 * Math.sin(x / 7) : 2000;
  }
  return data;
}

it('a volume of 256 samples per axis and 16 bits is encoded, cropped and decoded', async () => {
  const data = volume();
  const sink = new MemorySink();
  const media = memoryMedia({ kind: 'volume', data, shape: [SIDE, SIDE, SIDE], channels: 1 });
  const report = await encode(media, sink, { iterations: 150, threads: 2 });
  process.stdout.write(
    `256^3, uint16: ${report.psnr.toFixed(2)} dB after ${report.iterations} steps in ${report.seconds.toFixed(1)} s, ` +
      `${report.bytes} bytes\n`,
  );
  expect(report.psnr).toBeGreaterThan(30);
  const region = { begin: [100, 60, 40], end: [140, 160, 200] };
  const part = new MemorySink();
  await crop(sink.bytes(), part, { region });
  const [whole, cropped] = [await open(sink.bytes()), await open(part.bytes())];
  expect(cropped.signals[0].shape).toEqual([40, 100, 160]);
  const decoded = await cropped.signals[0].decode();
  expect(decoded.data).toBeInstanceOf(Uint16Array);
  expect(decoded.data).toEqual((await whole.signals[0].decode({ region })).data);
  expect(whole.signals[0].partitions.constant).toBeGreaterThan(400);
  // Where nothing is, nothing is lost.
  const corner = await whole.signals[0].decode({ region: { begin: [0, 0, 0], end: [20, 20, 20] } });
  expect(new Set(corner.data)).toEqual(new Set([2000]));
  await whole.dispose();
  await cropped.dispose();
});
