import { OptionError } from '../codec/errors.js';
import { boxShape, type Box } from '../codec/grid.js';
import { AXES, type SignalKind } from '../codec/signal.js';
import type { Rate } from './rate.js';

/** A span of time in seconds, from the begin of a signal's visible window. */
export interface TimeRange {
  readonly begin: number;
  readonly end: number;
}

/** What says how a signal lies in time. */
export interface Timing {
  readonly kind: SignalKind;
  readonly rate?: Rate;
  /** Time of position 0; default 0. */
  readonly startSeconds?: number;
}

/** Samples per second as a number. */
export function perSecond({ numerator, denominator }: Rate): number {
  return numerator / denominator;
}

/** Whether spans of time can be told of a signal. */
export function hasTime({ kind, rate }: Timing): boolean {
  return AXES[kind][0] === 't' && rate !== undefined;
}

/** Seconds at which a signal's visible window begins, on the clock that all signals of a file share. */
export function windowStart({ rate, startSeconds = 0 }: Timing, window: Box): number {
  return rate === undefined ? startSeconds : startSeconds + window.begin[0] / perSecond(rate);
}

/**
 * A region with its first axis, which is time, cut to a span: the samples from the one nearest to its begin to the one
 * nearest to its end.
 *
 * @param region from the visible window's corner; default the whole window.
 * @throws OptionError `time` for signals without time, and spans that are empty or leave the window.
 */
export function regionInTime(timing: Timing, window: Box, { begin, end }: TimeRange, region?: Box): Box {
  const { kind, rate } = timing;
  if (AXES[kind][0] !== 't' || rate === undefined) {
    throw new OptionError('time', `the signal is ${kind} without a rate, which has no time; leave it out`);
  }
  const shape = boxShape(window);
  const scale = perSecond(rate);
  const [first, last] = [Math.round(begin * scale), Math.round(end * scale)];
  if (!(first >= 0 && last <= shape[0])) {
    const seconds = Number((shape[0] / scale).toFixed(6));
    throw new OptionError(
      'time',
      `${begin} to ${end} s reach outside the visible window, which has 0 to ${seconds} s`,
    );
  }
  if (!(first < last)) {
    throw new OptionError('time', `${begin} to ${end} s hold no sample; there are ${scale} a second`);
  }
  const whole = region ?? { begin: shape.map(() => 0), end: shape };
  return { begin: [first, ...whole.begin.slice(1)], end: [last, ...whole.end.slice(1)] };
}

/**
 * The region of a further signal that is seen while another's span of time is: what of it lies there, and at least the sample
 * that is nearest.
 *
 * @param span on the clock that all signals of a file share.
 * @returns null for signals without time, which are seen all the while.
 */
export function regionAlong(timing: Timing, window: Box, span: TimeRange): Box | null {
  const { kind, rate } = timing;
  if (AXES[kind][0] !== 't' || rate === undefined) return null;
  const shape = boxShape(window);
  const start = windowStart(timing, window);
  const position = (seconds: number): number => Math.round((seconds - start) * perSecond(rate));
  const first = Math.min(Math.max(position(span.begin), 0), shape[0] - 1);
  const last = Math.max(Math.min(position(span.end), shape[0]), first + 1);
  return { begin: [first, ...shape.slice(1).map(() => 0)], end: [last, ...shape.slice(1)] };
}
