/** The Castagnoli polynomial, bit-reversed: bit 31 is the coefficient of 1. */
const POLYNOMIAL = 0x82f63b78;

/** Lengths are split at this: two tables of about 4,096 entries serve all that a chunk may have. */
const LOW_BITS = 12;

/** The largest length that {@link unshiftCrc} takes: more than a chunk's, whose payload has at most 2^24 + 2^16 bytes. */
const MAX_BYTES = (1 << 24) + (1 << 17);

/** Product of two polynomials modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    if (rest < 0) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product;
}

/** A polynomial divided by x^8. */
function divideByByte(polynomial: number): number {
  let value = polynomial;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? ((value ^ POLYNOMIAL) << 1) | 1 : value << 1;
  return value;
}

interface Tables {
  /** x^(-8 k) for k below 2^12. */
  readonly low: Int32Array;
  /** x^(-8 * 2^12 * k). */
  readonly high: Int32Array;
}

let tables: Tables | undefined;

/** Made when first needed: only scans do. */
function makeTables(): Tables {
  const low = new Int32Array(1 << LOW_BITS);
  low[0] = 1 << 31;
  for (let k = 1; k < low.length; k++) low[k] = divideByByte(low[k - 1]);
  const step = divideByByte(low[low.length - 1]);
  const high = new Int32Array((MAX_BYTES >> LOW_BITS) + 1);
  high[0] = low[0];
  for (let k = 1; k < high.length; k++) high[k] = multiply(step, high[k - 1]);
  return { low, high };
}

/**
 * Takes back what `byteLength` bytes of zeros do to a CRC-32C.
 *
 * CRCs are linear: of A and then B it is that of A, shifted by B's length, xor that of B. So from the CRCs of a file up to
 * two places follows that of what lies between, and no byte needs to be hashed twice.
 *
 * @param byteLength at most that of a chunk.
 * @returns an unsigned 32-bit number.
 */
export function unshiftCrc(crc: number, byteLength: number): number {
  tables ??= makeTables();
  const lowPart = multiply(tables.low[byteLength & ((1 << LOW_BITS) - 1)], crc);
  return multiply(tables.high[byteLength >> LOW_BITS], lowPart) >>> 0;
}
