import { createCpuEngine } from '../../codec/engine/cpu/cpu-engine.js';
import { encode } from '../../src/encode.js';
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
