/**
 * Whole numbers of few bits, one after the other: the first number's lowest bit is bit 0 (value 1) of byte 0, and
 * bits fill each byte upwards before the next. After the last number, the rest of its byte is zero.
 */
export class BitWriter {
  private readonly bytes: Uint8Array;
  private position = 0;

  constructor(bitLength: number) {
    this.bytes = new Uint8Array(Math.ceil(bitLength / 8));
  }

  /** @param value below 2^bits; @param bits 1 to 16. */
  write(value: number, bits: number): void {
    // At most 7 + 16 bits, so the shifted value stays within an int32.
    let rest = value << (this.position & 7);
    for (let byte = this.position >>> 3; rest !== 0; byte++, rest >>>= 8) this.bytes[byte] |= rest & 0xff;
    this.position += bits;
  }

  finish(): Uint8Array {
    return this.bytes;
  }
}

/** Reads what {@link BitWriter} wrote; the caller has checked that there are bytes enough. */
export class BitReader {
  /** With two bytes behind, so that three can always be read. */
  private readonly bytes: Uint8Array;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes.length + 2);
    this.bytes.set(bytes);
  }

  /**
   * Fills a list with the next numbers, all of as many bits. Every partition of every decode comes through here.
   *
   * @param bits 1 to 16.
   */
  readInto(target: Uint16Array, bits: number): void {
    const { bytes } = this;
    const mask = (1 << bits) - 1;
    let { position } = this;
    for (let i = 0; i < target.length; i++) {
      const at = position >>> 3;
      // At most 7 + 16 bits are wanted of these 24.
      const three = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
      target[i] = (three >>> (position & 7)) & mask;
      position += bits;
    }
    this.position = position;
  }

  /** Whether the bits of the last byte after the last number read are zero. */
  restIsZero(): boolean {
    return this.bytes[this.position >>> 3] >>> (this.position & 7) === 0;
  }
}
