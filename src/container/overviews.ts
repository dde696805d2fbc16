import type { Box } from '../../codec/grid.js';
import type { Header } from './header.js';

/** An overview among a header's signals. */
export interface OverviewPlace {
  /** Place in the header's list. */
  readonly signalIndex: number;
  /** Samples of the primary signal per sample, on every axis. */
  readonly factor: number;
}

/** The overviews of a signal, finest first: those that follow it before the next primary one. */
export function overviewsOf({ signals }: Header, signalIndex: number): OverviewPlace[] {
  const places: OverviewPlace[] = [];
  if (signals[signalIndex]?.role !== 'primary') return places;
  for (let i = signalIndex + 1; i < signals.length; i++) {
    const factor = signals[i].overviewFactor;
    if (factor === undefined) break;
    places.push({ signalIndex: i, factor });
  }
  return places;
}

/** The overview's samples that show anything of a box of the primary signal. */
export function overviewBox({ begin, end }: Box, factor: number): Box {
  return {
    begin: begin.map((at) => Math.floor(at / factor)),
    end: end.map((at) => Math.ceil(at / factor)),
  };
}

/**
 * The primary signal's samples whose means a box of the overview holds.
 *
 * @param whole everything that the primary signal can have had: means are of the samples that there were.
 */
export function primaryBox({ begin, end }: Box, factor: number, whole: Box): Box {
  return {
    begin: begin.map((at, axis) => Math.max(at * factor, whole.begin[axis])),
    end: end.map((at, axis) => Math.min(at * factor, whole.end[axis])),
  };
}

/** The first encode and what was appended, as far as it is there. */
export function wholeOf(firstShape: readonly number[], extent: Box): Box {
  return {
    begin: extent.begin.map((at) => Math.min(0, at)),
    end: extent.end.map((at, axis) => Math.max(firstShape[axis], at)),
  };
}
