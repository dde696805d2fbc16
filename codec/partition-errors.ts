import type { StepReport } from './engine/engine.js';
import { checkedPartOf, POSITIVE, type SavedState } from './saved-state.js';

/**
 * Mean squared error of every partition, from the batches of the last epochs.
 *
 * Errors are seen before each step, so that the weights are a little better than this says.
 */
export class PartitionErrors {
  /** Of the present epoch, as far as it has come. */
  readonly #errors: Float64Array;
  readonly #counts: Float64Array;
  /** Of each partition's last whole epoch. */
  readonly #lastErrors: Float64Array;
  readonly #lastCounts: Float64Array;

  constructor(partitions: number) {
    this.#errors = new Float64Array(partitions);
    this.#counts = new Float64Array(partitions);
    this.#lastErrors = new Float64Array(partitions);
    this.#lastCounts = new Float64Array(partitions);
  }

  /**
   * What is left of an epoch that is over; what the present one has seen is not in it.
   *
   * @param name what its parts are called.
   */
  saveState(name = 'last'): SavedState {
    return { [`${name}Errors`]: this.#lastErrors.slice(), [`${name}Counts`]: this.#lastCounts.slice() };
  }

  loadState(state: SavedState, name = 'last'): void {
    this.#lastErrors.set(checkedPartOf(state, `${name}Errors`, this.#lastErrors, [POSITIVE]));
    this.#lastCounts.set(checkedPartOf(state, `${name}Counts`, this.#lastCounts, [POSITIVE]));
  }

  /** @param scales per partition, what its errors are multiplied by; absent: 1. */
  add({ squaredErrors, counts }: StepReport, scales?: Float64Array): void {
    for (let p = 0; p < counts.length; p++) {
      this.#errors[p] += squaredErrors[p] * (scales?.[p] ?? 1);
      this.#counts[p] += counts[p];
    }
  }

  /** Mean over the present epoch so far; NaN for a partition that took no part. */
  present(partition: number): number {
    return this.#errors[partition] / this.#counts[partition];
  }

  /** Mean over the present epoch and all partitions that took part; NaN for none. */
  presentWhole(): number {
    return sum(this.#errors) / sum(this.#counts);
  }

  /** The present epoch is over; partitions that took no part keep what they have. */
  endEpoch(): void {
    for (let p = 0; p < this.#counts.length; p++) {
      if (this.#counts[p] === 0) continue;
      this.#lastErrors[p] = this.#errors[p];
      this.#lastCounts[p] = this.#counts[p];
      this.forget(p);
    }
  }

  /** Drops the present epoch's errors of a partition whose weights were taken back. */
  forget(partition: number): void {
    this.#errors[partition] = 0;
    this.#counts[partition] = 0;
  }

  /** Whether nothing of the present epoch has been seen. */
  get isEmpty(): boolean {
    return this.#counts.every((count) => count === 0);
  }

  /** Whether a partition took part in the present epoch. */
  tookPart(partition: number): boolean {
    return this.#counts[partition] > 0;
  }

  /** Mean over the last whole epoch and all partitions that have one; NaN for none. */
  lastWhole(): number {
    return sum(this.#lastErrors) / sum(this.#lastCounts);
  }

  /** Mean over a partition's last whole epoch; NaN before there is one. */
  last(partition: number): number {
    return this.#lastErrors[partition] / this.#lastCounts[partition];
  }

  /** Mean over the whole signal: of the present epoch as far as it has come, and of the one before for the rest. */
  whole(): number {
    let errors = 0;
    let weights = 0;
    for (let p = 0; p < this.#counts.length; p++) {
      const [error, count, lastError, lastCount] = [
        this.#errors[p],
        this.#counts[p],
        this.#lastErrors[p],
        this.#lastCounts[p],
      ];
      if (lastCount === 0) {
        errors += error;
        weights += count;
        continue;
      }
      errors += error + lastError * Math.max(0, 1 - count / lastCount);
      weights += Math.max(count, lastCount);
    }
    return errors / weights;
  }

  /** Whether every partition has been through a whole epoch. */
  get isComplete(): boolean {
    return this.#lastCounts.every((count) => count > 0);
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
