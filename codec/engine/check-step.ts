import { alphaChannel } from '../signal.js';
import type { Step, TrainingSetup } from './engine.js';

/**
 * Checks what engines would otherwise go wrong on in silence.
 *
 * @throws RangeError as a session's `step`.
 */
export function checkStep(
  { localRates, globalRate, rateFactors, batches }: Step,
  { boxes, format, outputLoss }: Pick<TrainingSetup, 'boxes' | 'format' | 'outputLoss'>,
): void {
  if (localRates.length === 0) throw new RangeError('localRates is empty; give a rate for each step');
  if (localRates.length > 1 && globalRate > 0) {
    throw new RangeError(
      `${localRates.length} steps in a call need frozen global weights, and globalRate is ${globalRate}`,
    );
  }
  if (rateFactors !== undefined && rateFactors.length !== boxes.length) {
    throw new RangeError(
      `rateFactors has ${rateFactors.length} entries, the session ${boxes.length} partitions`,
    );
  }
  if (outputLoss === undefined) return;
  if (batches !== 1 || globalRate === 0 || rateFactors?.includes(0) === true) {
    throw new RangeError('a loss of all outputs needs full batches in which all weights move');
  }
  if (format.sampleType !== 'float32' || alphaChannel(format) >= 0) {
    throw new RangeError(
      `a loss of all outputs needs float32 samples without alpha, the setup has ${format.sampleType} ${format.layout}`,
    );
  }
}
