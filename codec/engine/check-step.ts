import type { Step } from './engine.js';

/**
 * Checks what engines would otherwise go wrong on in silence.
 *
 * @throws RangeError for several steps with a global rate, and for rate factors that are not one per partition.
 */
export function checkStep({ localRates, globalRate, rateFactors }: Step, partitions: number): void {
  if (localRates.length === 0) throw new RangeError('localRates is empty; give a rate for each step');
  if (localRates.length > 1 && globalRate > 0) {
    throw new RangeError(
      `${localRates.length} steps in a call need frozen global weights, and globalRate is ${globalRate}`,
    );
  }
  if (rateFactors !== undefined && rateFactors.length !== partitions) {
    throw new RangeError(
      `rateFactors has ${rateFactors.length} entries, the session ${partitions} partitions`,
    );
  }
}
