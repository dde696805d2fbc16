import { LgiError } from '../../codec/errors.js';
import { planReads } from '../io/coalesce.js';
import { GAP_BUDGET_BYTES } from '../io/read-budgets.js';
import { crc32c } from './crc32c.js';
import type { PrefixCache } from './prefix-cache.js';
import type { SectionSpan } from './superblock.js';
import { truncated } from './truncation.js';

/**
 * Reads sections whose checksums are known; those that lie together come by one read.
 *
 * @param promised the committed length, for errors.
 * @throws LgiError `damaged` or `truncated`, section by its name; `io`.
 */
export async function readSpans(
  cache: PrefixCache,
  promised: number,
  spans: readonly (SectionSpan & { readonly name: string })[],
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const results = new Array<Uint8Array>(spans.length);
  for (const read of planReads(spans, GAP_BUDGET_BYTES, Infinity)) {
    const bytes = await cache.read(read.byteOffset, read.byteLength, signal);
    for (const member of read.members) {
      const { byteOffset, byteLength, crc, name } = spans[member];
      const at = byteOffset - read.byteOffset;
      const section = bytes.subarray(at, at + byteLength);
      if (section.length < byteLength) {
        throw truncated({ promised, known: cache.knownByteLength }, name, read.byteOffset, bytes.length);
      }
      if (crc32c(section) !== crc) {
        throw new LgiError('damaged', `the checksum of the ${name} is wrong; fetch the file again`, {
          section: name,
          byteOffset,
        });
      }
      results[member] = section;
    }
  }
  return results;
}
