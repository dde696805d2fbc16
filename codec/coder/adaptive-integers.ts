import { PROBABILITY_BITS, type RangeDecoder, type RangeEncoder } from './range-coder.js';

/** Bits seen by an adaptive model before it halves what it has counted, so that it follows slow changes. */
const MOST_COUNTED = 255;

/** Length of a magnitude, in bits, that has a model of its own; a 32-bit number has no longer one. */
export const MOST_LENGTH = 32;

/** Estimates the probability of a bit from those before it (Krichevsky and Trofimov 1981), in whole numbers. */
class AdaptiveBit {
  constructor(
    private zeros = 0,
    private ones = 0,
  ) {}

  /** Probability of a 0, in units of the range coder. */
  get zero(): number {
    const [zeros, all] = [2 * this.zeros + 1, 2 * (this.zeros + this.ones) + 2];
    return Math.floor((zeros << PROBABILITY_BITS) / all);
  }

  count(bit: number): void {
    if (bit === 0) this.zeros++;
    else this.ones++;
    if (this.zeros + this.ones <= MOST_COUNTED) return;
    this.zeros >>= 1;
    this.ones >>= 1;
  }
}

/**
 * A model of whole numbers that mostly are small, learned while they are coded: how many bits a magnitude has is told in unary by
 * adaptive bits, then comes the sign, then what is below the highest bit, as it is.
 */
export class IntegerModel {
  readonly #lengths: readonly AdaptiveBit[];

  /**
   * @param zeros what was seen before: for every length how many magnitudes, of those of at least that many bits, have no more;
   *   default nothing, for those behind its end as well.
   * @param all how many of each those are.
   */
  constructor(zeros: ArrayLike<number> = [], all = 0) {
    this.#lengths = Array.from({ length: MOST_LENGTH }, (_, length) =>
      length < zeros.length ? new AdaptiveBit(zeros[length], all - zeros[length]) : new AdaptiveBit(),
    );
  }

  /** @param value magnitude below 2^31. */
  encode(encoder: RangeEncoder, value: number): void {
    const magnitude = Math.abs(value);
    const length = 32 - Math.clz32(magnitude);
    for (let i = 0; i < length; i++) this.#encodeBit(encoder, i, 1);
    this.#encodeBit(encoder, length, 0);
    if (length === 0) return;
    encoder.encodeEven(value < 0 ? 1 : 0, 1);
    encoder.encodeEven(magnitude, length - 1);
  }

  /** What {@link encode} was given; of any bytes a number of magnitude below 2^31. */
  decode(decoder: RangeDecoder): number {
    let length = 0;
    while (length < MOST_LENGTH - 1 && this.#decodeBit(decoder, length) === 1) length++;
    if (length === 0) return 0;
    const isNegative = decoder.decodeEven(1) === 1;
    const magnitude = 2 ** (length - 1) + decoder.decodeEven(length - 1);
    return isNegative ? -magnitude : magnitude;
  }

  #encodeBit(encoder: RangeEncoder, at: number, bit: number): void {
    // The longest has nothing longer beside it.
    if (at === MOST_LENGTH - 1) return;
    encoder.encode(bit, this.#lengths[at].zero);
    this.#lengths[at].count(bit);
  }

  #decodeBit(decoder: RangeDecoder, at: number): number {
    const bit = decoder.decode(this.#lengths[at].zero);
    this.#lengths[at].count(bit);
    return bit;
  }
}
