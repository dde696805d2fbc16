import type { Engine } from '../codec/engine/engine.js';
import { boxShape, type Box, type Grid } from '../codec/grid.js';
import type { SampleArray } from '../codec/signal.js';
import type { LatentSignal } from './container/header.js';
import { openContainer } from './container/reader.js';
import { writeContainer } from './container/writer.js';
import { MemorySink, MemorySource } from './io/memory.js';
import { compareByParts, type Quality } from './measure.js';
import { Signal } from './signal.js';

/** Latents as they go into a file, of every partition of a grid. */
export type EncodedLatents = LatentSignal & {
  readonly grid: Grid;
  /** By the ordinal of their partition. */
  readonly payloads: readonly Uint8Array[];
};

/**
 * Compares what a reader will see of a grid's partitions with their source: of a file of these alone, so that it is read as any other.
 *
 * @param read gives the source's samples of a box, row-major `[...box, channels]`.
 * @throws the signal's reason on abort.
 */
export async function measureLatents(
  engine: Engine,
  { grid, payloads, ...header }: EncodedLatents,
  read: (box: Box) => Promise<SampleArray>,
  signal?: AbortSignal,
): Promise<Quality> {
  const sink = new MemorySink();
  await writeContainer(sink, {
    header: { signals: [{ ...header, role: 'primary', overviewFactor: undefined } as LatentSignal] },
    signals: [
      {
        grid,
        chunks: payloads.map((payload, ordinal) => ({ coordinates: grid.coordinatesOf(ordinal), payload })),
      },
    ],
  });
  const decoded = new Signal(await openContainer(new MemorySource(sink.bytes())), 0, () => engine);
  try {
    const { begin } = grid.extent;
    const { psnr, ssim } = await compareByParts({
      kind: header.kind,
      format: header.format,
      extent: grid.extent,
      original: read,
      decoded: async (box) => {
        const region = {
          begin: box.begin.map((at, axis) => at - begin[axis]),
          end: box.end.map((at, axis) => at - begin[axis]),
        };
        const { data, shape } = await decoded.decode({ region, ...(signal && { signal }) });
        if (shape.some((length, axis) => length !== boxShape(box)[axis])) throw new Error('another shape');
        return data;
      },
    });
    return { psnr, ...(ssim !== undefined && { ssim }) };
  } finally {
    await decoded.dispose();
  }
}
