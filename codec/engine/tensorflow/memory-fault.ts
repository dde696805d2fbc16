import { LgiError } from '../../errors.js';

/**
 * Computes with TensorFlow, whose WebAssembly ends without a word where its memory does.
 *
 * @throws LgiError `limit` in that case.
 */
export async function withinMemory<T>(compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (cause) {
    if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
    throw new LgiError(
      'limit',
      `TensorFlow.js in WebAssembly has come to the end of its memory (${cause.message}); use the cpu engine, a smaller medium or narrower networks`,
      { cause },
    );
  }
}
