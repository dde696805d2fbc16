/** The Castagnoli polynomial, bit-reversed. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Table `k` (256 entries from `256 k`) advances a byte over `k` further zero bytes, so that sixteen bytes are done by
 * independent look-ups (slicing, Kounavis and Berry 2005) where the plain method waits for each before the next. 16 KiB
 * of tables stay in the first cache.
 */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256];
    tables[at] = (shorter >>> 8) ^ tables[shorter & 0xff];
  }
  return tables;
}

/** What one look-up in each table does. */
const BLOCK_BYTES = 16;

/**
 * CRC-32C (RFC 3720, B.4) of bytes.
 *
 * @param before the CRC-32C of bytes that go before; the result is that of both together. 0 for none.
 * @returns an unsigned 32-bit number.
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  if (bytes.length < BLOCK_BYTES) return ~plainly(~before, bytes, 0, bytes.length) >>> 0;
  return new Checksums(bytes).crc32c(0, bytes.length, before);
}

/** CRC-32C of many ranges of the same bytes: what it takes to look at them is made once. */
export class Checksums {
  /** The bytes as words, little-endian, as all hosts of JavaScript are; the first begins up to three bytes before them. */
  private readonly words: Int32Array;
  /** Bytes of the first word that go before. */
  private readonly lead: number;

  constructor(private readonly bytes: Uint8Array) {
    this.lead = bytes.byteOffset & 3;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset - this.lead, (this.lead + bytes.length) >>> 2);
  }

  /**
   * As {@link crc32c} of the bytes from `begin` up to but without `end`.
   *
   * @param begin at most `end`, which is at most the number of bytes.
   */
  crc32c(begin: number, end: number, before = 0): number {
    const { bytes, words, lead } = this;
    if (end - begin < BLOCK_BYTES) return ~plainly(~before, bytes, begin, end) >>> 0;
    const tables = TABLES;
    // Words are read at once, where they begin at a multiple of their size.
    const first = (lead + begin + 3) >>> 2;
    let crc = plainly(~before, bytes, begin, 4 * first - lead);
    const last = first + (((lead + end - 4 * first) >>> 4) << 2);
    for (let i = first; i < last; i += 4) {
      const b = words[i + 1];
      const c = words[i + 2];
      const d = words[i + 3];
      // Put together in twos and the one that waits for the round before last, so that little is done one after the other.
      const ofB =
        tables[2816 + (b & 0xff)] ^
        tables[2560 + ((b >>> 8) & 0xff)] ^
        (tables[2304 + ((b >>> 16) & 0xff)] ^ tables[2048 + (b >>> 24)]);
      const ofC =
        tables[1792 + (c & 0xff)] ^
        tables[1536 + ((c >>> 8) & 0xff)] ^
        (tables[1280 + ((c >>> 16) & 0xff)] ^ tables[1024 + (c >>> 24)]);
      const ofD =
        tables[768 + (d & 0xff)] ^
        tables[512 + ((d >>> 8) & 0xff)] ^
        (tables[256 + ((d >>> 16) & 0xff)] ^ tables[d >>> 24]);
      const a = crc ^ words[i];
      const ofA =
        tables[3840 + (a & 0xff)] ^
        tables[3584 + ((a >>> 8) & 0xff)] ^
        (tables[3328 + ((a >>> 16) & 0xff)] ^ tables[3072 + (a >>> 24)]);
      crc = ofB ^ ofC ^ ofD ^ ofA;
    }
    return ~plainly(crc, bytes, 4 * last - lead, end) >>> 0;
  }
}

/** Byte after byte, for what is before and after whole blocks. */
function plainly(crc: number, bytes: Uint8Array, begin: number, end: number): number {
  for (let at = begin; at < end; at++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[at]) & 0xff];
  return crc;
}
