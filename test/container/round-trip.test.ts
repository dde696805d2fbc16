import { describe, expect, it } from 'vitest';
import { crop } from '../../dist/src/crop.js';
import { MemorySink, MemorySource } from '../../dist/src/io/memory.js';
import { openBytes, payloadsOf, sampleContent, sampleFile } from './sample-container.js';

describe('a file', () => {
  it('gives back header, index and every payload', async () => {
    for (const format of ['integer', 'float32'] as const) {
      const content = sampleContent({ format });
      const container = await openBytes(await sampleFile({ format }));
      expect(container.header).toEqual(content.header);
      const { grid } = content.signals[0];
      expect(container.index.signals[0].grid.axes).toEqual(grid.axes);
      expect(container.index.signals[0].window).toEqual(grid.extent);
      const payloads = await payloadsOf(container);
      expect(payloads.size).toBe(grid.count);
      for (const { coordinates, payload } of content.signals[0].chunks) {
        expect(payloads.get(coordinates.join(','))).toBe(Buffer.from(payload).toString('hex'));
        const chunk = container.findChunk(0, coordinates);
        expect(await container.readChunk(0, chunk)).toEqual(payload);
      }
    }
  });

  it('opens wherever its bytes lie in memory, also as a Buffer of Node or in memory that threads share', async () => {
    const file = await sampleFile({ format: 'float32' });
    const expected = await payloadsOf(await openBytes(file));
    for (let at = 0; at < 8; at++) {
      const shared = new Uint8Array(new SharedArrayBuffer(file.length + at), at);
      const holders = [
        new Uint8Array(file.length + at).subarray(at),
        Buffer.alloc(file.length + at).subarray(at),
        shared,
      ];
      for (const bytes of holders) {
        bytes.set(file);
        expect(await payloadsOf(await openBytes(bytes))).toEqual(expected);
      }
    }
  });

  it('crops', async () => {
    const sink = new MemorySink();
    const report = await crop(new MemorySource(await sampleFile()), sink, {
      region: { begin: [2, 3], end: [6, 6] },
    });
    expect(report.kept).toBe(4);
    expect(report.bytes).toBe(sink.bytes().length);
    const container = await openBytes(sink.bytes());
    expect([...(await payloadsOf(container)).keys()].sort()).toEqual(['0,0', '0,1', '1,0', '1,1']);
  });
});
