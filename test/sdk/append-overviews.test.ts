import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { overviewOfPart } from '../../dist/src/append-overviews.js';
import { encodeBySettings } from '../../dist/src/encode.js';
import { resolveSettings } from '../../dist/src/encode-settings.js';
import {
  append,
  appendAnew,
  compareSamples,
  crop,
  memoryMedia,
  MemorySink,
  MemoryTarget,
  open,
  type AppendAnewOptions,
  type Media,
} from '../../dist/src/index.js';
import { overviewMedia } from '../../dist/src/overview-media.js';
import { scene } from '../../dist/test/media/scene.js';

const HEIGHT = 64;
const WIDTH = 128;
const engine = createCpuEngine(1);
afterAll(() => engine.dispose());
const { data } = scene(WIDTH, HEIGHT, 'grey');

/** Columns of the picture. */
function columns(begin: number, end: number): Media {
  const part = new Uint8Array(HEIGHT * (end - begin));
  for (let y = 0; y < HEIGHT; y++) {
    part.set((data as Uint8Array).subarray(y * WIDTH + begin, y * WIDTH + end), y * (end - begin));
  }
  return memoryMedia({ data: part, shape: [HEIGHT, end - begin] });
}

/** A file of some columns with overviews at 1/4 and 1/8. */
async function encoded(begin: number, end: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  const media = columns(begin, end);
  const settings = resolveSettings(media, { cell: [8, 8], localWidth: 6, globalWidth: 8, iterations: 300 });
  await encodeBySettings([{ media, settings: { ...settings, overviews: [4, 8] } }], sink, { engine });
  return sink.bytes();
}

const right = { side: 'right', iterations: 300, engine } as const;

/** PSNR of the view at a quarter against the picture's means. */
async function viewPsnr(bytes: Uint8Array, media: Media): Promise<{ psnr: number; factor: number }> {
  const [means] = await overviewMedia(media, [4]);
  const file = await open(bytes, { engine });
  for await (const { message } of file.verify()) throw new Error(message);
  const { data: seen, factor, format, missing } = await file.signals[0].view({ size: means.shape });
  expect(missing).toEqual([]);
  const source = await means.read({ begin: [0, 0], end: means.shape });
  await file.dispose();
  return { psnr: compareSamples(source, seen, format).psnr, factor };
}

describe('overviews of a file that grows', () => {
  test('grow with it, in place and into a new file', async () => {
    const bytes = await encoded(0, 64);
    const target = new MemoryTarget(bytes);
    await append(target, columns(64, 128), right);
    const anew = async (options: AppendAnewOptions): Promise<Uint8Array> => {
      const sink = new MemorySink();
      await appendAnew(bytes, columns(64, 128), sink, options);
      return sink.bytes();
    };
    for (const grown of [target.bytes(), await anew(right), await anew({ ...right, finetune: true })]) {
      const { psnr, factor } = await viewPsnr(grown, columns(0, 128));
      expect(factor).toBe(4);
      expect(psnr).toBeGreaterThan(28);
      const file = await open(grown);
      expect(file.signals.map(({ shape }) => shape)).toEqual([
        [64, 128],
        [16, 32],
        [8, 16],
      ]);
      expect(file.signals.map(({ partitions }) => partitions.absent)).toEqual([0, 0, 0]);
    }
  });

  test('are left out where they would show what is no more, and the picture itself is seen there', async () => {
    // The crop ends inside cells of both overviews.
    const cropped = new MemorySink();
    await crop(await open(await encoded(0, 128)), cropped, { region: { begin: [0, 0], end: [64, 40] } });
    const target = new MemoryTarget(cropped.bytes());
    const other = memoryMedia({ data: new Uint8Array(64 * 24).fill(200), shape: [64, 24] });
    await append(target, other, right);
    const file = await open(target.bytes(), { engine });
    expect(file.signals[1].partitions.absent).toBeGreaterThan(0);
    const { data: seen } = await file.signals[0].view({
      region: { begin: [0, 44], end: [64, 64] },
      size: [16, 5],
    });
    const mean = Array.from(seen).reduce((sum, value) => sum + value, 0) / seen.length;
    expect(Math.abs(mean - 200)).toBeLessThan(4);
    await file.dispose();
  });

  test('have means of aligned squares, wherever a part begins', async () => {
    const media = memoryMedia({
      data: Uint8Array.from({ length: 13 * 17 }, (_, i) => (i * 37) % 256),
      shape: [13, 17],
    });
    const file = await open(await encoded(0, 64));
    const { header } = file.signals[1];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), async (y, x) => {
        const begin = [Math.floor(y / 4), Math.floor(x / 4)];
        const end = [Math.ceil((y + 13) / 4), Math.ceil((x + 17) / 4)];
        const means = await overviewOfPart(media, [y, x], { begin, end }, 4, header);
        const shape = end.map((at, axis) => at - begin[axis]);
        const actual = await means.read({ begin: [0, 0], end: shape });
        for (let row = 0; row < shape[0]; row++) {
          for (let column = 0; column < shape[1]; column++) {
            const from = [Math.max((begin[0] + row) * 4 - y, 0), Math.max((begin[1] + column) * 4 - x, 0)];
            const to = [
              Math.min((begin[0] + row + 1) * 4 - y, 13),
              Math.min((begin[1] + column + 1) * 4 - x, 17),
            ];
            const square = await media.read({ begin: from, end: to });
            const mean = Array.from(square).reduce((sum, value) => sum + value, 0) / square.length;
            expect(actual[row * shape[1] + column]).toBe(Math.floor(mean + 0.5));
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});
