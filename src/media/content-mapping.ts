import type { ValueMapping } from '../../codec/signal.js';

/** What takes outputs of -1 to 1 to the values from the lowest to the highest; of one value a narrow range around it. */
export function mappingBetween(low: number, high: number): ValueMapping {
  return low === high
    ? { scale: Math.max(Math.abs(low), 2 ** -126) * 2 ** -30, offset: low }
    : { scale: (high - low) / 2, offset: (high + low) / 2 };
}

/** {@link mappingBetween} the lowest and the highest of these values. */
export function rangeMapping(values: Float32Array): ValueMapping {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return mappingBetween(low, high);
}
