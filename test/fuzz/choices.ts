import { RandomStream } from '../../codec/random.js';

/** Tells the fuzzer's stream from others of the same seed. */
const STREAM = 0xf022;

/** The choices of one case: a function of seed and case number alone, so that any case can be run again by itself. */
export class Choices {
  readonly #random: RandomStream;

  constructor(seed: number, caseNumber: number) {
    this.#random = new RandomStream(seed, 'permutation', caseNumber, STREAM);
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.#random.word() < probability * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** Uniform over [-bound, bound). */
  symmetric(bound: number): number {
    return this.#random.symmetric(bound);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.word());
  }
}
