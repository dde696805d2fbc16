import type { inflateSync } from 'fflate';
import { LgiError } from '../errors.js';

let inflate: typeof inflateSync | undefined;

/** Loads what {@link inflatePlanes} works with; a page that meets no such file need not. To be called before it. */
export async function loadInflate(): Promise<void> {
  inflate = (await import('fflate')).inflateSync;
}

/** Inflates into `target`: how many bytes of it were filled, or why the stream is unsound. */
function inflateInto(
  bytes: Uint8Array,
  target: Uint8Array<ArrayBuffer>,
): { length: number } | { cause: unknown } {
  if (inflate === undefined) throw new Error('loadInflate was not called');
  // fflate takes an empty stream for one that fills the target.
  if (bytes.length === 0) return { cause: new Error('the stream is empty') };
  try {
    // With `out` given, fflate allocates nothing and drops what does not fit.
    return { length: inflate(bytes, { out: target }).length };
  } catch (cause) {
    return { cause };
  }
}

/** Most bytes that DEFLATE makes of one: 258, its longest match, of two bits, the shortest code of length and distance. */
const MOST_INFLATION = 1032;

/**
 * The elements that `deflatePlanes` (deflate.ts) was given.
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
