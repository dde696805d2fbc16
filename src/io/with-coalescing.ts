import { planReads, type ByteRange } from './coalesce.js';
import { MAX_READ_BYTES, REQUEST_OVERHEAD_BYTES } from './read-budgets.js';
import { SharedWork } from './shared-work.js';
import type { Source } from './source.js';

/** What {@link withCoalescing} puts together. */
export interface CoalescingOptions {
  /** Largest unused stretch between two reads that is read along; default 512 bytes, about what a request's own head has. */
  readonly gapBytes?: number;
  /** Largest read made of several; default 1 MiB, so that the first of them need not wait for long. */
  readonly maxBytes?: number;
}

/** A read that waits for the end of its turn. */
interface WaitingRead extends ByteRange {
  readonly signal: AbortSignal | undefined;
  readonly fulfil: (bytes: Promise<Uint8Array>) => void;
}

/**
 * A source that puts reads into common ones, where they are asked for in the same turn of the program and lie near each
 * other. A caller that aborts leaves alone; the common read is aborted when the last of its callers has left.
 */
export function withCoalescing(source: Source, options: CoalescingOptions = {}): Source {
  const { gapBytes = REQUEST_OVERHEAD_BYTES, maxBytes = MAX_READ_BYTES } = options;
  let waiting: WaitingRead[] = [];

  function readAll(): void {
    const asked = waiting.filter(({ signal, fulfil }) => {
      if (signal?.aborted) fulfil(Promise.reject(signal.reason as Error));
      return signal?.aborted !== true;
    });
    waiting = [];
    for (const { byteOffset, byteLength, members } of planReads(asked, gapBytes, maxBytes)) {
      const common = new SharedWork((signal) => source.read(byteOffset, byteLength, signal));
      for (const member of members) {
        const { byteOffset: begin, byteLength: wanted, signal, fulfil } = asked[member];
        const at = begin - byteOffset;
        fulfil(common.join(signal).then((bytes) => bytes.subarray(at, at + wanted)));
      }
    }
  }

  return {
    ...forwarded(source),
    read(byteOffset, byteLength, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      if (byteLength === 0) return Promise.resolve(new Uint8Array(0));
      return new Promise((fulfil) => {
        if (waiting.length === 0) queueMicrotask(readAll);
        waiting.push({ byteOffset, byteLength, signal, fulfil });
      });
    },
  };
}

/** What a layer passes on as it is. */
export function forwarded(source: Source): Omit<Source, 'read'> {
  return {
    ...(source.isRemote !== undefined && { isRemote: source.isRemote }),
    ...(source.renew && { renew: () => source.renew?.() }),
    ...(source.confirm && { confirm: (byteOffset: number) => source.confirm?.(byteOffset) }),
    ...(source.knownByteLength && { knownByteLength: () => source.knownByteLength?.() }),
    close: () => source.close?.(),
  };
}
