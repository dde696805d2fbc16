import type { StepReport } from '../../dist/codec/engine/engine.js';

/** A report's sums over all partitions. */
export function totals({ squaredErrors, counts }: StepReport): { squaredError: number; count: number } {
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  return { squaredError: sum(squaredErrors), count: sum(counts) };
}
