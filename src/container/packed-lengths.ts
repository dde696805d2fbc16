import type { IndexChecks } from './index-checks.js';

/** Bits of a number in each byte; the eighth says that more follow. */
const BITS = 7;
const MORE = 1 << BITS;

/** Most bytes of a number: five have the 32 bits that a length may have. */
const MOST_BYTES = 5;

/** Lengths as LEB128: seven bits a byte, the lowest first. */
export function packLengths(lengths: Uint32Array): Uint8Array {
  const bytes: number[] = [];
  for (const length of lengths) {
    let rest = length;
    for (; rest >= MORE; rest = Math.floor(rest / MORE)) bytes.push((rest % MORE) | MORE);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

/**
 * The lengths in these bytes: u32.
 *
 * @throws LgiError `damaged`, section `index`: a number of more than 32 bits, of more bytes than it needs, or cut off.
 */
export function unpackLengths(bytes: Uint8Array, name: string, checks: IndexChecks): Uint32Array {
  const fault = `${name} has a packed length that is none`;
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length;) {
    let [length, count, byte] = [0, 0, MORE];
    while (byte >= MORE) {
      checks.must(at < bytes.length && count < MOST_BYTES, fault);
      byte = bytes[at++];
      length += (byte % MORE) * 2 ** (BITS * count++);
    }
    checks.must(length < 2 ** 32 && (byte > 0 || count === 1), fault);
    lengths.push(length);
  }
  return Uint32Array.from(lengths);
}
