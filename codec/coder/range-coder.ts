/**
 * A binary range coder: whole numbers alone, so that every machine and every engine agrees to the bit.
 *
 * A bit is coded by the probability that it is 0, in units of 1 / {@link PROBABILITY_ONE}. Coder and decoder narrow a range of 32
 * bits in step (Martin, "Range encoding", 1979; the carry is held back as in LZMA). A stream has no length of its own: behind its
 * last byte there are zeros, and so those that it would end with are left out.
 */

/** Bits of a probability: the least is 1 / 32,768, by which a thousand foreseen zeros cost a 23rd of a bit. */
export const PROBABILITY_BITS = 15;

/** The probability of certainty, which no bit has: probabilities are 1 to `PROBABILITY_ONE - 1`. */
export const PROBABILITY_ONE = 1 << PROBABILITY_BITS;

/** Of a bit that may be either. */
export const EVEN = PROBABILITY_ONE / 2;

/** The range is at least this before a bit, so that its least part is above 0: 2^24 / 2^15 = 512 steps. */
const LEAST_RANGE = 2 ** 24;

/** Codes bits into bytes. */
export class RangeEncoder {
  readonly #bytes: number[] = [];
  /** The range's lower end, of 32 bits; 2^32 and more where a carry is due. */
  #low = 0;
  #range = 2 ** 32 - 1;
  /** The last byte that may still change by a carry, and how many bytes of 255 follow it. */
  #held = 0;
  #heldFull = 0;
  #isFirst = true;

  /** @param zero probability that the bit is 0, 1 to `PROBABILITY_ONE - 1`. */
  encode(bit: number, zero: number): void {
    const bound = (this.#range >>> PROBABILITY_BITS) * zero;
    if (bit === 0) {
      this.#range = bound;
    } else {
      this.#low += bound;
      this.#range -= bound;
    }
    while (this.#range < LEAST_RANGE) {
      this.#range *= 256;
      this.#shift();
    }
  }

  /** Lowest bits of a number, the highest of them first, each as likely 0 as 1. */
  encodeEven(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) this.encode((value >>> bit) & 1, EVEN);
  }

  /** The bytes, the shortest that decode to what was encoded; the encoder is not used afterwards. */
  finish(): Uint8Array {
    // Of the numbers in the range, the one that ends with the most zero bits.
    for (let bits = 32; bits >= 0; bits--) {
      const step = 2 ** bits;
      const value = Math.ceil(this.#low / step) * step;
      if (value < this.#low + this.#range) {
        this.#low = value;
        break;
      }
    }
    for (let i = 0; i < 5; i++) this.#shift();
    let length = this.#bytes.length;
    while (length > 0 && this.#bytes[length - 1] === 0) length--;
    return Uint8Array.from(this.#bytes.slice(0, length));
  }

  /** Moves the highest byte of `low` out, as soon as no carry can reach it. */
  #shift(): void {
    const carry = this.#low >= 2 ** 32 ? 1 : 0;
    const low = this.#low - carry * 2 ** 32;
    if (low < 0xff000000 || carry === 1) {
      // Before the first byte there is nothing, and a carry never reaches so far.
      if (!this.#isFirst) this.#bytes.push((this.#held + carry) & 0xff);
      this.#isFirst = false;
      for (; this.#heldFull > 0; this.#heldFull--) this.#bytes.push((0xff + carry) & 0xff);
      this.#held = low >>> 24;
    } else {
      this.#heldFull++;
    }
    this.#low = (low & 0xffffff) * 256;
  }
}

/** Decodes what {@link RangeEncoder} made; any bytes decode to something. */
export class RangeDecoder {
  #code = 0;
  #range = 2 ** 32 - 1;
  #position = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  /** @param zero as the encoder was given. */
  decode(zero: number): number {
    const bound = (this.#range >>> PROBABILITY_BITS) * zero;
    let bit = 0;
    if (this.#code < bound) {
      this.#range = bound;
    } else {
      this.#code -= bound;
      this.#range -= bound;
      bit = 1;
    }
    while (this.#range < LEAST_RANGE) {
      this.#range *= 256;
      this.#code = ((this.#code << 8) | this.#next()) >>> 0;
    }
    return bit;
  }

  /** What {@link RangeEncoder.encodeEven} was given. */
  decodeEven(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value = (value << 1) | this.decode(EVEN);
    return value;
  }

  /**
   * Whether the stream is one that an encoder ends with: all bytes were read, and the last is not one of the zeros that are left out.
   */
  isAtEnd(): boolean {
    const { length } = this.bytes;
    return this.#position >= length && (length === 0 || this.bytes[length - 1] !== 0);
  }

  #next(): number {
    const byte = this.#position < this.bytes.length ? this.bytes[this.#position] : 0;
    this.#position++;
    return byte;
  }
}
