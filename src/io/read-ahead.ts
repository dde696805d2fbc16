import type { ByteRange } from './coalesce.js';

/**
 * Reads one range after the other, with some of the next under way already; those end when nobody takes them any more.
 *
 * @param depth reads under way at a time; 1 reads only what is asked for.
 */
export async function* readAhead<R extends ByteRange>(
  ranges: readonly R[],
  read: (range: R, signal?: AbortSignal) => Promise<Uint8Array>,
  depth: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly range: R; readonly bytes: Uint8Array }> {
  if (depth <= 1) {
    for (const range of ranges) yield { range, bytes: await read(range, signal) };
    return;
  }
  const rest = new AbortController();
  const abort = (): void => rest.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  const underWay: Promise<Uint8Array>[] = [];
  try {
    for (let i = 0; i < ranges.length; i++) {
      while (underWay.length < depth && i + underWay.length < ranges.length) {
        const bytes = read(ranges[i + underWay.length], rest.signal);
        // A failure is met when its turn comes, or never.
        bytes.catch(() => undefined);
        underWay.push(bytes);
      }
      const [bytes] = underWay.splice(0, 1);
      yield { range: ranges[i], bytes: await bytes };
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    rest.abort(new Error('nobody reads on'));
  }
}
