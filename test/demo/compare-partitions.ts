import type { LgiFile } from '../../src/index.js';

type Container = LgiFile['container'];

/**
 * Compares header and chunks of a crop with its source's, byte for byte.
 *
 * @returns how many chunks there are, and the bytes of header and chunks together.
 * @throws Error naming the first that differs.
 */
export async function comparePartitions(
  source: Container,
  cropped: Container,
): Promise<{ chunks: number; byteLength: number }> {
  if (Buffer.compare(source.headerBytes, cropped.headerBytes) !== 0) throw new Error('the header differs');
  let byteLength = cropped.headerBytes.length;
  const { grid, chunks } = cropped.index.signals[0];
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const coordinates = grid.coordinatesOf(chunks.ordinals[chunk]);
    const [before, after] = await Promise.all(
      [source, cropped].map((container) => {
        const table = container.index.signals[0].chunks;
        const at = container.findChunk(0, coordinates);
        return container.readBytes({ byteOffset: table.byteOffsets[at], byteLength: table.byteLength(at) });
      }),
    );
    if (Buffer.compare(before, after) !== 0) throw new Error(`chunk ${coordinates.join(',')} differs`);
    byteLength += after.length;
  }
  return { chunks: chunks.count, byteLength };
}
