import { psnrOfError } from './objective.js';
import type { PartitionErrors } from './partition-errors.js';
import type { SampleFormat } from './signal.js';

/**
 * Part of a target's error at which a partition is left alone: it can then take no more than this part of the error that
 * the whole may have.
 */
const SETTLED_SHARE = 0.5;

/**
 * dB below the target from which on the rates fall in proportion to what is missing. At full rates a step throws weights
 * about, which a lower rate makes good at once: kodim20 came to 33 dB in 224 steps instead of 544, with the same seam. From
 * 2 dB on it took 336 steps, from 8 dB on as many.
 */
const APPROACH_DB = 4;
/** Part of the rates that is left at the target: estimates may be wrong, and what stands still never arrives. */
const LEAST_RATE_FACTOR = 0.1;

/** A PSNR of the whole to stop at, and what becomes of rates and partitions on the way. */
export class PsnrTarget {
  readonly #psnr: number;
  readonly #format: SampleFormat;
  readonly #errors: PartitionErrors;
  /** u8 per partition: 1 where it is as good as the target needs. */
  readonly #settled: Uint8Array;
  #estimate = NaN;
  #lastWhole = NaN;
  /** What a measurement showed the estimates to be too high by, in dB. */
  #excess = 0;

  constructor(psnr: number, format: SampleFormat, partitions: number, errors: PartitionErrors) {
    this.#psnr = psnr;
    this.#format = format;
    this.#errors = errors;
    this.#settled = new Uint8Array(partitions);
  }

  /** Takes in an epoch in which all weights moved. */
  endJointEpoch(): void {
    this.#lastWhole = psnrOfError(this.#errors.lastWhole(), this.#format);
    this.#estimate = this.#lastWhole - this.#excess;
  }

  /** Takes in an epoch of partitions on their own; those that are good enough need no further one. */
  endLocalEpoch(): void {
    const last = psnrOfError(this.#errors.lastWhole(), this.#format);
    // Errors are those before each step, on average half an epoch old, and rates fall: a whole epoch's gain comes on top.
    // Without it, results were 1 dB above what was asked for.
    const gain = Number.isNaN(this.#lastWhole) ? 0 : Math.max(0, last - this.#lastWhole);
    this.#lastWhole = last;
    this.#estimate = last + gain - this.#excess;
    for (const p of this.#settled.keys()) {
      const error = this.#errors.last(p) / SETTLED_SHARE;
      if (psnrOfError(error, this.#format) >= this.#psnr) this.#settled[p] = 1;
    }
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
    const psnr = psnrOfError(measured, this.#format);
    if (psnr >= this.#psnr) return true;
    this.#excess += this.#estimate - psnr;
    this.#estimate = psnr;
    return false;
  }

  /** What the rates of local phases are multiplied by. */
  get rateFactor(): number {
    if (Number.isNaN(this.#estimate)) return 1;
    return Math.max(LEAST_RATE_FACTOR, Math.min(1, (this.#psnr - this.#estimate) / APPROACH_DB));
  }

  /** Whether a partition is as good as the target needs. */
  isSettled(partition: number): boolean {
    return this.#settled[partition] === 1;
  }
}
