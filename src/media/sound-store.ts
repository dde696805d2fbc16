import { LgiError } from '../../codec/errors.js';

/** Values of a block: 4 MiB of floats, so that growing never copies and the last block wastes little. */
const BLOCK_VALUES = 2 ** 20;

/** Half the range of 16 bits: a power of two, so that every integer has an exact float. */
const INT16_SCALE = 2 ** 15;

/** Most bytes of a sound in memory: 3 hours of stereo at 48 kHz and 16 bits. */
export const MAX_SOUND_BYTES = 2 ** 31;

/**
 * Samples of a sound, interleaved, that grow at the end and are read as floats anywhere: 16-bit sound is held as integers, in
 * half the memory.
 */
export class SoundStore {
  /** Values appended. */
  length = 0;
  #loudest = 0;
  private readonly blocks: (Int16Array | Float32Array)[] = [];

  constructor(
    private readonly name: string,
    private readonly precision: 'int16' | 'float32',
  ) {}

  /**
   * @param count values to append.
   * @param valueAt the i-th of them: an integer of 16 bits, or a float.
   * @throws LgiError `limit` beyond {@link MAX_SOUND_BYTES}.
   */
  append(count: number, valueAt: (i: number) => number): void {
    const bytesPerValue = this.precision === 'int16' ? 2 : 4;
    const bytes = (this.length + count) * bytesPerValue;
    if (bytes > MAX_SOUND_BYTES) {
      throw new LgiError(
        'limit',
        `${this.name}: the sound is longer than ${MAX_SOUND_BYTES} bytes of ${this.precision} samples, the limit; ` +
          'cut it into parts first, and append them one after the other',
      );
    }
    let i = 0;
    while (i < count) {
      const at = this.length % BLOCK_VALUES;
      if (at === 0) {
        this.blocks.push(
          this.precision === 'int16' ? new Int16Array(BLOCK_VALUES) : new Float32Array(BLOCK_VALUES),
        );
      }
      const block = this.blocks[this.blocks.length - 1];
      const end = Math.min(count, i + BLOCK_VALUES - at);
      this.length += end - i;
      for (let j = at; i < end; i++, j++) {
        const value = valueAt(i);
        block[j] = value;
        if (value > this.#loudest || -value > this.#loudest) this.#loudest = Math.abs(value);
      }
    }
  }

  /** The largest magnitude of all values, as a float. */
  get loudest(): number {
    return this.precision === 'int16' ? this.#loudest / INT16_SCALE : this.#loudest;
  }

  /** Values [begin, end) as floats; integers are divided by 2^15. */
  read(begin: number, end: number): Float32Array {
    const values = new Float32Array(end - begin);
    const scale = this.precision === 'int16' ? 1 / INT16_SCALE : 1;
    for (let i = 0; i < values.length;) {
      const block = this.blocks[Math.floor((begin + i) / BLOCK_VALUES)];
      const at = (begin + i) % BLOCK_VALUES;
      const stop = Math.min(values.length, i + BLOCK_VALUES - at);
      for (let j = at; i < stop; i++, j++) values[i] = block[j] * scale;
    }
    return values;
  }
}
