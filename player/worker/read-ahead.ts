import { boxShape, type Box } from '../../codec/grid.js';
import type { Container } from '../../src/container/reader.js';

/** Reads the chunks of all partitions that a region touches, so that the source has them; damage is for who decodes them. */
export async function readAhead(
  container: Container,
  signalIndex: number,
  { begin, end }: Box,
  signal: AbortSignal,
): Promise<void> {
  const { grid, chunks, window } = container.index.signals[signalIndex];
  const first = begin.map((at, axis) => grid.cellAt(axis, at + window.begin[axis]));
  const last = end.map((at, axis) => grid.cellAt(axis, at - 1 + window.begin[axis]));
  const shape = boxShape({ begin: first, end: last.map((cell) => cell + 1) });
  const count = shape.reduce((product, cells) => product * cells, 1);
  const ranges = Array.from({ length: count }, (_, i) => {
    let rest = i;
    let [ordinal, stride] = [0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      ordinal += (first[axis] + (rest % shape[axis])) * stride;
      rest = Math.floor(rest / shape[axis]);
      stride *= grid.shape[axis];
    }
    return chunks.find(ordinal);
  })
    .filter((chunk) => chunk >= 0)
    .map((chunk) => ({ byteOffset: chunks.byteOffsets[chunk], byteLength: chunks.byteLength(chunk) }))
    .sort((a, b) => a.byteOffset - b.byteOffset);
  for await (const read of container.readPlanned(container.planReads(ranges), signal)) void read;
}
