import { psnrOfError, type Objective } from './objective.js';
import type { PartitionErrors } from './partition-errors.js';
import { checkedPartOf, COUNT, partOf, type SavedState } from './saved-state.js';

/**
 * How PSNR grows with the epochs of local phases: by {@link DOUBLING_DB} with every doubling of epochs and
 * {@link HEAD_START_EPOCHS}, while the rate falls linearly to nothing. After two epochs this foretold 5, 15 and 31 for
 * camera.png to 30, 34 and 38 dB, which took 4, 12 and 32; for kodim05 to 30 and 34 dB 19 and 37, which took 15 and 57, the
 * latter after up to 67 had been foretold. Doublings of 4, 5 and 6 dB took camera.png to 38 dB in 736, 576 and 512 steps with
 * a head start of 4 epochs; 4, 8 and 12 epochs took it to 30 dB in 192, 176 and 128 with doublings of 6 dB.
 */
const DOUBLING_DB = 6;
const HEAD_START_EPOCHS = 12;

/** Part of the rates that is left at the target: estimates may be wrong, and what stands still never arrives. */
const LEAST_RATE_FACTOR = 0.1;

/** Local epochs before which what one has gained says little: the first is still making good what joint epochs left. */
const EPOCHS_BEFORE_FORECAST = 2;

/**
 * A PSNR of the whole to stop at.
 *
 * From what is missing it foretells the epochs that local phases need, and lets their rates fall as a run of that length
 * would have them: stopped at full rates weights are still being thrown about, which shows in seams, and costs steps.
 */
export class PsnrTarget {
  readonly #psnr: number;
  readonly #scale: Pick<Objective, 'format' | 'peak'>;
  readonly #errors: PartitionErrors;
  #localEpochs = 0;
  #estimate = NaN;
  #lastWhole = NaN;
  /** What a measurement showed the estimates to be too high by, in dB. */
  #excess = 0;

  constructor(psnr: number, scale: Pick<Objective, 'format' | 'peak'>, errors: PartitionErrors) {
    this.#psnr = psnr;
    this.#scale = scale;
    this.#errors = errors;
  }

  saveState(): SavedState {
    return {
      targetEpochs: Float64Array.of(this.#localEpochs),
      targetEstimates: Float64Array.of(this.#estimate, this.#lastWhole, this.#excess),
    };
  }

  loadState(state: SavedState): void {
    [this.#localEpochs] = checkedPartOf(state, 'targetEpochs', new Float64Array(1), [COUNT]);
    // Estimates may be no numbers, as before the first epoch; what they say is measured before it counts.
    const estimates = partOf(state, 'targetEstimates', new Float64Array(3));
    [this.#estimate, this.#lastWhole, this.#excess] = estimates;
  }

  /** Takes in an epoch in which all weights moved. */
  endJointEpoch(): void {
    this.#lastWhole = psnrOfError(this.#errors.lastWhole(), this.#scale);
    this.#estimate = this.#lastWhole - this.#excess;
  }

  /** Takes in an epoch of partitions on their own. */
  endLocalEpoch(): void {
    this.#localEpochs++;
    const last = psnrOfError(this.#errors.lastWhole(), this.#scale);
    // Errors are those before each step, on average half an epoch old, and rates fall: a whole epoch's gain comes on top.
    // Without it, results were 1 dB above what was asked for.
    const gain = Number.isNaN(this.#lastWhole) ? 0 : Math.max(0, last - this.#lastWhole);
    this.#lastWhole = last;
    this.#estimate = last + gain - this.#excess;
  }

  /** Whether the target seems to be reached, so that a measurement is worth its time. */
  get seemsReached(): boolean {
    return this.#errors.isComplete && this.#estimate >= this.#psnr;
  }

  /**
   * Takes in the mean squared error of the whole as it was measured.
   *
   * @returns whether the target is reached; if not, later estimates are lowered by what this one was too high
   */
  judge(measured: number): boolean {
    const psnr = psnrOfError(measured, this.#scale);
    if (psnr >= this.#psnr) return true;
    this.#excess += this.#estimate - psnr;
    this.#estimate = psnr;
    return false;
  }

  /** Epochs of local phases that have ended. */
  get localEpochs(): number {
    return this.#localEpochs;
  }

  /** Epochs of local phases that the target takes altogether; undefined before anything can be told. */
  get forecast(): number | undefined {
    return this.#localEpochs < EPOCHS_BEFORE_FORECAST ? undefined : this.#epochsNeeded();
  }

  /** What the rates of local phases are multiplied by: what a linear decay over all epochs needed has left. */
  get rateFactor(): number {
    if (this.#localEpochs === 0 || Number.isNaN(this.#estimate)) return 1;
    return Math.max(LEAST_RATE_FACTOR, 1 - this.#localEpochs / this.#epochsNeeded());
  }

  #epochsNeeded(): number {
    const missing = Math.max(0, this.#psnr - this.#estimate);
    return (this.#localEpochs + HEAD_START_EPOCHS) * 2 ** (missing / DOUBLING_DB) - HEAD_START_EPOCHS;
  }
}
