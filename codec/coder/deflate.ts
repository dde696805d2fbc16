import { deflateSync } from 'fflate';

/** A stored DEFLATE block holds at most this many bytes (RFC 1951, section 3.2.4). */
const LARGEST_STORED_BLOCK = 0xffff;

/** Bytes of a stored block's header where it begins at a byte: type, length, and the length's complement. */
const STORED_HEADER_BYTES = 5;

/** Not-final stored blocks of `bytes`, followed by `rest`, a DEFLATE stream of its own. */
function storedThen(bytes: Uint8Array, rest: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / LARGEST_STORED_BLOCK);
  const result = new Uint8Array(bytes.length + blocks * STORED_HEADER_BYTES + rest.length);
  let at = 0;
  for (let begin = 0; begin < bytes.length; begin += LARGEST_STORED_BLOCK) {
    const block = bytes.subarray(begin, begin + LARGEST_STORED_BLOCK);
    const complement = ~block.length;
    result.set([0, block.length, block.length >>> 8, complement, complement >>> 8], at);
    result.set(block, at + STORED_HEADER_BYTES);
    at += STORED_HEADER_BYTES + block.length;
  }
  result.set(rest, at);
  return result;
}

/**
 * Raw DEFLATE (RFC 1951) of byte planes: element bytes of equal significance together, the least significant plane first.
 *
 * Low planes of weights are noise, and noise in the same block spoils the high planes' Huffman code; so the writer
 * stores as many low planes as makes the whole shortest. Readers see an ordinary DEFLATE stream.
 *
 * @param elements little-endian, `width` bytes each.
 */
export function deflatePlanes(elements: Uint8Array, width: number): Uint8Array {
  const count = elements.length / width;
  const planes = new Uint8Array(elements.length);
  for (let plane = 0; plane < width; plane++) {
    for (let i = 0; i < count; i++) planes[plane * count + i] = elements[i * width + plane];
  }
  let best: Uint8Array = deflateSync(planes, { level: 9 });
  for (let stored = 1; stored < width; stored++) {
    const split = stored * count;
    const candidate = storedThen(
      planes.subarray(0, split),
      deflateSync(planes.subarray(split), { level: 9 }),
    );
    if (candidate.length < best.length) best = candidate;
  }
  return best;
}
