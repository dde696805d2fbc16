import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import { crop } from '../../src/crop.js';
import { encode } from '../../src/encode.js';
import { FileSink } from '../../src/io/file-sink-node.js';
import { FileSource } from '../../src/io/file-source-node.js';
import { MemorySink } from '../../src/io/memory.js';
import type { Media } from '../../src/media/media.js';
import { open } from '../../src/open.js';
import { leastMsAsync } from './measure.js';
import type { Measurement } from './measure.js';

/** Weights need not be good to be decoded. */
const ITERATIONS = 2;

/** ms per 512x512 decode, from bytes in memory to samples, on one and two threads. */
export async function measureDecode(media: Media): Promise<Measurement[]> {
  const lines: Measurement[] = [];
  for (const preset of ['paper', 'fast'] as const) {
    const sink = new MemorySink();
    await encode(media, sink, { preset, iterations: ITERATIONS });
    let oneMs = 0;
    for (const threads of [1, 2]) {
      const engine = createCpuEngine(threads);
      const file = await open(sink.bytes(), { engine });
      const decode = (): Promise<unknown> => file.signals[0].decode();
      await decode();
      const ms = await leastMsAsync(5, decode);
      if (threads === 1) oneMs = ms;
      lines.push({
        name: `decode ${media.shape.join('x')}, ${preset} network, ${threads === 1 ? 'one thread' : 'two threads'}`,
        value: ms,
        unit: 'ms',
        ...(threads > 1 && { ratio: oneMs / ms, ratioOf: 'speed of one thread' }),
      });
      await file.dispose();
      await engine.dispose();
    }
  }
  return lines;
}

/** Reads bytes of one file and writes them to another, flushed, as crop must. */
async function plainCopy(from: string, to: string, byteLength: number, bufferBytes: number): Promise<void> {
  const [source, target] = [await openFile(from, 'r'), await openFile(to, 'w')];
  const buffer = Buffer.alloc(bufferBytes);
  for (let at = 0; at < byteLength;) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, byteLength - at), at);
    await target.write(buffer, 0, bytesRead, at);
    at += bytesRead;
  }
  await target.sync();
  await target.close();
  await source.close();
}

/** Crop time of a file against a plain copy of as many bytes, both flushed to the disk. */
export async function measureCrop(media: Media): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lgi-bench-'));
  try {
    const path = join(folder, 'a.lgi');
    // Many small partitions and wide local networks: about 20 MB that were trained for a moment.
    await encode(media, await FileSink.open(path), {
      iterations: 1,
      cell: [16, 16],
      localWidth: 40,
      globalWidth: 16,
      weights: 'float32',
    });
    const [height, width] = media.shape;
    const region = { begin: [0, 0], end: [height, Math.floor(width / 2)] };
    let bytes = 0;
    const cropMs = await leastMsAsync(7, async () => {
      const source = await FileSource.open(path);
      bytes = (await crop(source, await FileSink.open(join(folder, 'b.lgi')), { region })).bytes;
      await source.close();
    });
    const copyMs = await leastMsAsync(7, () => plainCopy(path, join(folder, 'c.lgi'), bytes, 1 << 22));
    return [
      { name: `plain copy of ${(bytes / 1e6).toFixed(1)} MB`, value: copyMs, unit: 'ms' },
      {
        name: 'crop that keeps as much',
        value: cropMs,
        unit: 'ms',
        ratio: cropMs / copyMs,
        ratioOf: "the copy's time",
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
