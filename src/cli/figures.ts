import { AXES, type SignalKind } from '../../codec/signal.js';
import { decibels } from '../decibels.js';
import type { Quality } from '../measure.js';
import type { Rate } from '../rate.js';
import { perSecond } from '../time-range.js';

/** 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 partition`, `2 partitions`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A span for a progress line: 0:42, 12:03, 1:02:03. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A span as a result: 4.2 ms, 1.23 s, 1:02:03. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return seconds < 120 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : clock(seconds);
}

/** A shape, slowest axis first, as people say it: width x height, with a depth or frames behind. */
export function sizeOf(shape: readonly number[]): string {
  return [...shape].reverse().join('x');
}

/** What says how large a signal is. */
export interface Sized {
  readonly kind: SignalKind;
  readonly shape: readonly number[];
  readonly rate?: Rate;
}

/** A signal's size as people say it: `640x272, 250 frames, 10.0 s`, `7.00 s`, `512x512`. */
export function extentOf({ kind, shape, rate }: Sized): string {
  if (AXES[kind][0] !== 't') return sizeOf(shape);
  const [count, ...plane] = shape;
  const seconds = rate === undefined ? [] : [duration(count / perSecond(rate))];
  if (kind === 'audio') return seconds[0] ?? counted(count, 'sample');
  return [sizeOf(plane), counted(count, 'frame'), ...seconds].join(', ');
}

/** A place on a signal's axes as people say it: `x 32, y 0`. */
export function placeOn(kind: SignalKind, position: readonly number[]): string {
  return AXES[kind]
    .map((axis, i) => `${axis} ${position[i]}`)
    .reverse()
    .join(', ');
}

/** What the axes of a grid are, in their order: ` (rows x columns)`; of sound, which has one, nothing. */
export function axisOrder(kind: SignalKind): string {
  return kind === 'audio' ? '' : ` (${AXES[kind].map((axis) => AXIS_WORDS[axis]).join(' x ')})`;
}

const AXIS_WORDS: Readonly<Record<string, string>> = { t: 'frames', z: 'slices', y: 'rows', x: 'columns' };

/** Quality as far as a kind of signal has it: `PSNR 41.20 dB, SSIM 0.9812`. */
export function qualityLine({ psnr, ssim, iou }: Quality): string {
  return [
    `PSNR ${decibels(psnr)}`,
    ...(ssim === undefined ? [] : [`SSIM ${ssim.toFixed(4)}`]),
    ...(iou === undefined ? [] : [`IoU ${iou.toFixed(4)}`]),
  ].join(', ');
}

export function parameterLine({
  total,
  local,
  global,
}: {
  total: number;
  local: number;
  global: number;
}): string {
  return `${grouped(total)} (${grouped(local)} local, ${grouped(global)} global)`;
}

/** Factors of overviews: `at 1/4, 1/8 per axis`. */
export function overviewLine(factors: readonly number[]): string {
  return `at ${factors.map((factor) => `1/${factor}`).join(', ')} per axis`;
}
