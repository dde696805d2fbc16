import { intersect, type Box } from '../../codec/grid.js';
import type { Container } from '../../src/container/reader.js';
import { overviewsOf, primaryBox } from '../../src/container/overviews.js';
import { changedPartitions, type LgiFile } from '../../src/open.js';
import { hasTime, windowStart } from '../../src/time-range.js';
import type { Change, FileDescription, SignalDescription } from './methods.js';

/** What the page is told of a file. */
export function describeFile(file: LgiFile, threads: number): FileDescription {
  const { fileId, familyId, generation } = file;
  const signals = file.signals.flatMap((signal, signalIndex): SignalDescription[] => {
    const { kind, shape, format, cuts, partitions, overviews, header } = signal;
    if (header.role === 'overview') return [];
    return [
      {
        signalIndex,
        kind,
        shape,
        format,
        cuts,
        partitions,
        overviews: overviews.map(({ factor }) => factor),
        ...(header.rate && { rate: header.rate }),
        ...(hasTime(header) && { startSeconds: windowStart(header, signal.window) }),
      },
    ];
  });
  return { fileId, familyId, generation, signals, threads };
}

/** What has changed from one state of a file, or of a family, to another. */
export function changeBetween(before: Container, file: LgiFile, threads: number): Change {
  const after = file.container;
  const description = describeFile(file, threads);
  const windowOf = (signalIndex: number): Box => after.index.signals[signalIndex].window;
  const primaryOf = new Map<number, { signalIndex: number; factor: number }>();
  for (const { signalIndex } of description.signals) {
    primaryOf.set(signalIndex, { signalIndex, factor: 1 });
    for (const overview of overviewsOf(after.header, signalIndex)) {
      primaryOf.set(overview.signalIndex, { signalIndex, factor: overview.factor });
    }
  }
  const changed = changedPartitions(before, after).flatMap(({ signalIndex, coordinates }) => {
    const primary = primaryOf.get(signalIndex);
    if (primary === undefined) return [];
    const { grid } = after.index.signals[signalIndex];
    const own = grid.boxOf(grid.ordinalOf(coordinates));
    const window = windowOf(primary.signalIndex);
    const box = intersect(primary.factor === 1 ? own : primaryBox(own, primary.factor, window), window);
    if (box === null) return [];
    const fromCorner = (at: readonly number[]): number[] =>
      at.map((place, axis) => place - window.begin[axis]);
    return [
      { signalIndex: primary.signalIndex, box: { begin: fromCorner(box.begin), end: fromCorner(box.end) } },
    ];
  });
  const moved = description.signals.map(({ signalIndex }) => {
    const [old, now] = [before.index.signals[signalIndex].window, windowOf(signalIndex)];
    return old.begin.map((begin, axis) => begin - now.begin[axis]);
  });
  return { file: description, changed, moved };
}
