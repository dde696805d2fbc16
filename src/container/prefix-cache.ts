import type { Source } from '../io/source.js';
import { FIRST_READ_BYTES } from './limits.js';

/** A source whose first 64 KiB are read once and kept, so that one request opens a small file altogether. */
export class PrefixCache {
  constructor(
    readonly source: Source,
    /** The file's beginning. */
    readonly prefix: Uint8Array,
    /** Whether that is the whole file. */
    readonly isWhole: boolean = prefix.length < FIRST_READ_BYTES,
  ) {}

  static async read(source: Source, signal?: AbortSignal): Promise<PrefixCache> {
    return new PrefixCache(source, await source.read(0, FIRST_READ_BYTES, signal));
  }

  /**
   * The same beginning of a file that may have grown since.
   *
   * @param committedByteLength before it grew: what was behind that may have been written over.
   */
  grown(committedByteLength: number): PrefixCache {
    return new PrefixCache(this.source, this.prefix.subarray(0, committedByteLength), false);
  }

  /** Length of the file, where the first read has met its end or the source knows it. */
  get knownByteLength(): number | undefined {
    return this.isWhole ? this.prefix.length : this.source.knownByteLength?.();
  }

  /** As {@link Source.read}; what the first read brought is not read again, unless from near. */
  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const end = byteOffset + byteLength;
    const held = this.prefix.length;
    if (end <= held || this.isWhole) return this.prefix.subarray(byteOffset, end);
    // From a near source reading a few bytes twice costs less than putting all together.
    const isNear = this.source.readInto !== undefined;
    if (byteOffset >= held || isNear) return this.source.read(byteOffset, byteLength, signal);
    const rest = await this.source.read(held, end - held, signal);
    const bytes = new Uint8Array(held - byteOffset + rest.length);
    bytes.set(this.prefix.subarray(byteOffset), 0);
    bytes.set(rest, held - byteOffset);
    return bytes;
  }

  /** {@link PrefixCache.read} into memory of the caller's; the bytes that were read, fewer than fit only at the end. */
  async readInto(byteOffset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const { source } = this;
    if (source.readInto && byteOffset >= this.prefix.length && !this.isWhole) {
      return source.readInto(byteOffset, target, signal);
    }
    const bytes = await this.read(byteOffset, target.length, signal);
    target.set(bytes);
    return bytes.length;
  }
}
