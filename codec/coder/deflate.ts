import { deflateSync, inflateSync } from 'fflate';
import { LgiError } from '../errors.js';

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

/** Inflates into `target`: how many bytes of it were filled, or why the stream is unsound. */
function inflateInto(
  bytes: Uint8Array,
  target: Uint8Array<ArrayBuffer>,
): { length: number } | { cause: unknown } {
  // fflate takes an empty stream for one that fills the target.
  if (bytes.length === 0) return { cause: new Error('the stream is empty') };
  try {
    // With `out` given, fflate allocates nothing and drops what does not fit.
    return { length: inflateSync(bytes, { out: target }).length };
  } catch (cause) {
    return { cause };
  }
}

/** Most bytes that DEFLATE makes of one: 258, its longest match, of two bits, the shortest code of length and distance. */
const MOST_INFLATION = 1032;

/**
 * The elements that {@link deflatePlanes} was given.
 *
 * Memory: twice the expected length, whatever the stream claims; nothing where a stream so short cannot give that much.
 *
 * @param byteLength of the elements, a multiple of `width`.
 * @throws LgiError `damaged` when the stream is unsound, or gives other than `byteLength` bytes, or ends before `bytes` do.
 */
export function inflatePlanes(
  bytes: Uint8Array,
  width: number,
  byteLength: number,
  section?: string,
): Uint8Array {
  const damaged = (fact: string, cause?: unknown): LgiError =>
    new LgiError('damaged', `${fact}; fetch the file again`, { section, cause });
  if (byteLength > MOST_INFLATION * bytes.length) {
    throw damaged(
      `the weights' DEFLATE stream of ${bytes.length} bytes cannot give the ${byteLength} that are expected`,
    );
  }
  // One byte of room beyond what is expected shows a stream that gives too much.
  const planes = new Uint8Array(byteLength + 1);
  const result = inflateInto(bytes, planes);
  if ('cause' in result) {
    throw damaged(`the weights' DEFLATE stream of ${bytes.length} bytes cannot be read`, result.cause);
  }
  if (result.length !== byteLength) {
    const seen = result.length > byteLength ? 'more' : `${result.length}`;
    throw damaged(`the weights' DEFLATE stream gives ${seen} bytes, ${byteLength} are expected`);
  }
  const elements = new Uint8Array(byteLength);
  const count = byteLength / width;
  for (let plane = 0; plane < width; plane++) {
    for (let i = 0; i < count; i++) elements[i * width + plane] = planes[plane * count + i];
  }
  // fflate does not say where a stream ends; one that can spare its last byte has something behind it.
  if (!('cause' in inflateInto(bytes.subarray(0, -1), planes))) {
    throw damaged(`the weights' DEFLATE stream is followed by bytes that do not belong to it`);
  }
  return elements;
}
