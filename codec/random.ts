import { OptionError } from './errors.js';

/**
 * Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): the
 * words of block `n` of a stream are a function of (seed, stream, n), so streams never overlap and need no order.
 */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the product of two unsigned 32-bit words; a double holds only 53 of the product's 64 bits. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) >>> 0;
}

/** One block of Philox 4x32-10: four counter words and two key words to four random words, in `block`. */
export function philox(block: Uint32Array, keyLow: number, keyHigh: number): void {
  let [x0, x1, x2, x3] = block;
  let k0 = keyLow;
  let k1 = keyHigh;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highWord(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0;
    const high1 = highWord(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  block[0] = x0;
  block[1] = x1;
  block[2] = x2;
  block[3] = x3;
}

/** What a stream is drawn for; one number each, so that no two purposes of one seed share numbers. */
const PURPOSES = {
  'local-weights': 0,
  'global-weights': 1,
  permutation: 2,
  subset: 3,
  harmonizer: 4,
  noise: 5,
} as const;

/** A stream of random numbers, named by seed, purpose and two further numbers below 2^32. */
export class RandomStream {
  private readonly keyLow: number;
  private readonly keyHigh: number;
  private readonly block = new Uint32Array(4);
  private blockNumber = 0;
  private used = 4;

  /**
   * @param seed whole number from 0 to 2^53 - 1.
   * @throws OptionError when the seed is anything else.
   */
  constructor(
    seed: number,
    private readonly purpose: keyof typeof PURPOSES,
    private readonly first = 0,
    private readonly second = 0,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new OptionError('seed', `${seed} is no whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    this.keyLow = seed >>> 0;
    this.keyHigh = Math.floor(seed / 2 ** 32);
  }

  /** The next 32 random bits. */
  word(): number {
    if (this.used === 4) {
      this.block[0] = this.blockNumber++;
      this.block[1] = PURPOSES[this.purpose];
      this.block[2] = this.first;
      this.block[3] = this.second;
      philox(this.block, this.keyLow, this.keyHigh);
      this.used = 0;
    }
    return this.block[this.used++];
  }

  /** Uniform over `[-bound, bound)`, in steps of `bound / 2^31`. */
  symmetric(bound: number): number {
    return bound * (this.word() / 2 ** 31 - 1);
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller 1958). */
  normal(): number {
    // Of (0, 1], which has a logarithm.
    const radius = Math.sqrt(-2 * Math.log((this.word() + 1) / 2 ** 32));
    return radius * Math.cos((2 * Math.PI * this.word()) / 2 ** 32);
  }

  /** Poisson with a mean that is no more than some hundreds (Knuth, The Art of Computer Programming 2, 3.4.1). */
  poisson(mean: number): number {
    const least = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > least; count++) product *= (this.word() + 1) / 2 ** 32;
    return Math.max(0, count);
  }

  /** A whole number below `limit` (1 to 2^32), every one equally likely. */
  below(limit: number): number {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    let word = this.word();
    while (word >= fair) word = this.word();
    return word % limit;
  }
}

/**
 * A random order of `0 ... length - 1` (Fisher-Yates), a function of its arguments alone.
 *
 * @param stream up to two numbers below 2^32 that tell one use from another, such as epoch and partition size.
 */
export function permutation(length: number, seed: number, ...stream: [number?, number?]): Uint32Array {
  const random = new RandomStream(seed, 'permutation', stream[0], stream[1]);
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const j = random.below(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}
