// The range coder's way back (codec/coder/range-coder.ts): the same whole numbers, bit for bit.

// @ts-ignore: decorator
@inline const PROBABILITY_BITS: u32 = 15, EVEN: u32 = 1 << 14, LEAST_RANGE: u32 = 1 << 24;

let code: u32 = 0, range: u32 = 0, at: usize = 0, end: usize = 0, last: u32 = 0;
let begin: usize = 0;

export function startDecoding(bytes: usize, length: i32): void {
  begin = bytes;
  at = bytes;
  end = bytes + <usize>length;
  last = length > 0 ? load<u8>(end - 1) : 1;
  range = 0xffffffff;
  code = 0;
  for (let i = 0; i < 4; i++) code = (code << 8) | next();
}

// Behind the bytes there are zeros.
// @ts-ignore: decorator
@inline
function next(): u32 {
  const byte: u32 = at < end ? load<u8>(at) : 0;
  at++;
  return byte;
}

/** The next bit, by the probability that it is 0. */
// @ts-ignore: decorator
@inline
export function decodeBit(zero: u32): u32 {
  const bound = (range >> PROBABILITY_BITS) * zero;
  let bit: u32 = 0;
  if (code < bound) {
    range = bound;
  } else {
    code -= bound;
    range -= bound;
    bit = 1;
  }
  while (range < LEAST_RANGE) {
    range <<= 8;
    code = (code << 8) | next();
  }
  return bit;
}

export function decodeEven(bits: i32): u32 {
  let value: u32 = 0;
  for (let i = 0; i < bits; i++) value = (value << 1) | decodeBit(EVEN);
  return value;
}

/** Whether all bytes were read, and the last is none of the zeros that a coder leaves out. */
export function isAtEnd(): bool { return at >= end && last != 0; }
