import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/index.js';
import { readImage, writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { Workplace } from './run-lgi.js';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(50, 40));
await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '30');

async function decoded(lgi: string, ...argv: string[]) {
  await workplace.json('decode', lgi, '-o', 'out.png', ...argv);
  const picture = await readImage(workplace.path('out.png'));
  return { shape: picture.shape, data: await picture.read({ begin: [0, 0], end: picture.shape }) };
}

/** Header, and chunks by their partitions, as they stand in the file. */
async function bytesOf(name: string) {
  const bytes = await readFile(workplace.path(name));
  const { headerBytes, index } = await openContainer(new MemorySource(bytes));
  const { grid, chunks } = index.signals[0];
  const byPartition = new Map(
    Array.from({ length: chunks.count }, (_, chunk) => [
      grid.coordinatesOf(chunks.ordinals[chunk]).join(),
      bytes.toString('hex', chunks.byteOffsets[chunk], chunks.end(chunk)),
    ]),
  );
  return { header: Buffer.from(headerBytes).toString('hex'), chunks: byPartition, bytes };
}

describe('lgi crop', () => {
  it.each([
    ['0,0,32,32', 4, 0],
    ['10,20,30,15', 6, 6 * 256 - 8 * 48 - 450],
    ['48,32,2,8', 1, 0],
    ['0,0,50,40', 12, 0],
  ])('to %s keeps %i partitions byte for byte, %i samples hidden', async (region, kept, hidden) => {
    const report = await workplace.json('crop', 'a.lgi', '-o', 'b.lgi', '--region', region);
    const [before, after] = [await bytesOf('a.lgi'), await bytesOf('b.lgi')];
    expect(after.header).toBe(before.header);
    expect(after.chunks.size).toBe(kept);
    for (const [partition, chunk] of after.chunks) expect(chunk).toBe(before.chunks.get(partition));
    expect(report).toMatchObject({
      kept,
      dropped: 12 - kept,
      hiddenSamples: hidden,
      bytes: after.bytes.length,
      parameters: { total: kept * 813 + 3984, local: kept * 813, global: 3984 },
    });
    const info = await workplace.json('info', 'b.lgi');
    const { superblock, header, index, chunks, total } = info.bytes;
    expect(total).toBe(after.bytes.length);
    // Nothing else is in the file but padding.
    expect(total - (superblock + header + index + chunks)).toBeLessThan(16 * (kept + 2));
    expect((await workplace.json('verify', 'b.lgi')).ok).toBe(true);

    expect(await decoded('b.lgi')).toEqual(await decoded('a.lgi', '--region', region));
  });

  it('of a crop counts from the window that is seen, and info says where that is', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'b.lgi', '--region', '10,20,30,15');
    await workplace.json('crop', 'b.lgi', '-o', 'c.lgi', '--region', '5,3,10,10');
    expect((await workplace.json('info', 'c.lgi')).signals[0]).toMatchObject({
      shape: [10, 10],
      window: { begin: [23, 15], end: [33, 25] },
    });
    expect(await decoded('c.lgi')).toEqual(await decoded('a.lgi', '--region', '15,23,10,10'));
  });

  it('drops partitions, and with --inner everything that is not wholly seen', async () => {
    const dropped = await workplace.json('crop', 'a.lgi', '-o', 'b.lgi', '--drop', '0,3 1,3');
    expect(dropped).toMatchObject({ kept: 10, dropped: 2, hiddenSamples: 0 });
    expect([...(await bytesOf('b.lgi')).chunks.keys()]).not.toContain('1,3');

    const inner = await workplace.json('crop', 'a.lgi', '-o', 'b.lgi', '--region', '10,10,38,30', '--inner');
    expect(inner).toMatchObject({ kept: 4, hiddenSamples: 0 });
    expect([...(await bytesOf('b.lgi')).chunks.keys()].sort()).toEqual(['1,1', '1,2', '2,1', '2,2']);
  });

  it('warns people of what stays recoverable, and names the way out', async () => {
    const hidden = await workplace.lgi(['crop', 'a.lgi', '-o', 'b.lgi', '--region', '0,0,17,16']);
    expect(hidden).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/240 samples .*recoverable.*--inner/),
    });
    const aligned = await workplace.lgi(['crop', 'a.lgi', '-o', 'b.lgi', '--region', '0,0,16,16']);
    expect(aligned).toMatchObject({ code: 0, stderr: '' });
  });

  it('replaces the file itself in one step where asked to', async () => {
    await workplace.json('crop', 'a.lgi', '-o', 'self.lgi');
    await workplace.json('crop', 'a.lgi', '-o', 'expected.lgi', '--region', '16,16,16,16');
    await workplace.json('crop', 'self.lgi', '-o', 'self.lgi', '--region', '16,16,16,16');
    expect((await bytesOf('self.lgi')).bytes.equals((await bytesOf('expected.lgi')).bytes)).toBe(true);
  });

  it('evaluates no network: it works in a process where no engine can be loaded', async () => {
    // Every module that could train or evaluate is refused as it is resolved, by static and dynamic imports alike.
    const hook =
      'export async function resolve(specifier, context, next) { const found = await next(specifier, context);' +
      ' if (/codec\\/(engine|decode|train|initialise)/.test(found.url)) throw new Error("an engine is loaded");' +
      ' return found; }';
    const asModule = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(asModule(hook))});`;
    const nodeArguments = ['--import', asModule(register)];
    const run = (...argv: string[]) => workplace.lgi(argv, { nodeArguments });

    expect(await run('crop', 'a.lgi', '-o', 'b.lgi', '--region', '0,0,20,20')).toMatchObject({ code: 0 });
    expect(await run('info', 'b.lgi')).toMatchObject({ code: 0 });
    expect(await run('verify', 'b.lgi')).toMatchObject({ code: 0 });
    // The trap does catch: what decodes cannot run in it.
    expect(await run('decode', 'b.lgi', '-o', 'x.png')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('an engine is loaded'),
    });
  });
});
