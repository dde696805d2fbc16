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
  private byteOffset = 0;
  /** Bits that were taken from the bytes and not given out yet, the next one lowest. */
  private window = 0;
  private windowBits = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** @param bits 1 to 16. */
  read(bits: number): number {
    // At most 15 + 8 bits stand in the window, so it stays within an int32.
    while (this.windowBits < bits) {
      this.window |= this.bytes[this.byteOffset++] << this.windowBits;
      this.windowBits += 8;
    }
    const value = this.window & ((1 << bits) - 1);
    this.window >>>= bits;
    this.windowBits -= bits;
    return value;
  }

  /** Whether the bits of the last byte after the last number read are zero. */
  restIsZero(): boolean {
    return this.window === 0;
  }
}
