import type { Rate } from './rate.js';
import { perSecond } from './time-range.js';

/**
 * Part by which two rates may differ and still be one: 29.97 stands for 30000/1001, which is 1.000001 of it. An hour of frames
 * strays by 7 ms; rates in whole Hz stay apart up to 500,000.
 */
const RATE_TOLERANCE = 2e-6;

/** Whether two rates are one, however they are written. */
export function isSameRate(a: Rate, b: Rate): boolean {
  return Math.abs(perSecond(a) / perSecond(b) - 1) <= RATE_TOLERANCE;
}

/** A rate as people write it: `25`, `12.5`, `30000/1001`. */
export function rateText({ numerator, denominator }: Rate): string {
  const value = numerator / denominator;
  return Number.isInteger(value * 1000) ? `${value}` : `${numerator}/${denominator}`;
}
