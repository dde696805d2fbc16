import { OptionError } from '../../codec/errors.js';
import { SharedWork } from './shared-work.js';
import type { Source } from './source.js';
import { forwarded } from './with-coalescing.js';

/** How much {@link withCache} keeps. */
export interface CacheOptions {
  /** Bytes that are kept, 128 more for each block counted in; default 32 MiB, a hundred pictures of 512x512. */
  readonly maxBytes?: number;
}

const DEFAULT_CACHE_BYTES = 1 << 25;

/** What a block takes besides its bytes, about; without it, many small blocks would not be bounded. */
const BLOCK_OVERHEAD_BYTES = 128;

/** Bytes that were read at once, or are being read. */
interface Block {
  readonly begin: number;
  /** Where it ends, shorter once the file's end was met. */
  end: number;
  bytes?: Uint8Array;
  readonly reading?: SharedWork<Uint8Array>;
}

/**
 * A source that keeps what was read, up to a number of bytes; what was used longest ago goes first.
 *
 * Exactly what was asked for is read, so a block is what one read brought. Callers that want the same bytes at once share
 * one read, which is aborted when the last of them has left. Failures are not kept, nor is where the file ends.
 *
 * @throws OptionError for `maxBytes` that is negative or no number.
 */
export function withCache(source: Source, options: CacheOptions = {}): Source {
  const { maxBytes = DEFAULT_CACHE_BYTES } = options;
  if (!(maxBytes >= 0)) throw new OptionError('maxBytes', `${maxBytes}; give a number of bytes, 0 or more`);
  const blocks = new Blocks(source, maxBytes);
  return {
    ...forwarded(source),
    read: (byteOffset, byteLength, signal) => blocks.read(byteOffset, byteLength, signal),
    ...(source.renew && {
      renew: () => {
        blocks.doubt();
        source.renew?.();
      },
      confirm: (byteOffset: number) => {
        blocks.confirm(byteOffset);
        source.confirm?.(byteOffset);
      },
    }),
    close: () => {
      blocks.clear();
      return source.close?.();
    },
  };
}

class Blocks {
  /** By ascending place, none over another. */
  #blocks: Block[] = [];
  /** Blocks that hold bytes, the one used longest ago first. */
  readonly #kept = new Set<Block>();
  #bytes = 0;
  /** What was kept before the file's version was doubted, by ascending place. */
  #doubted: Block[] = [];

  constructor(
    private readonly source: Source,
    private readonly maxBytes: number,
  ) {}

  /** Reads of this moment still give their callers what they bring, but nothing that is kept. */
  clear(): void {
    this.#blocks = [];
    this.#kept.clear();
    this.#bytes = 0;
    this.#doubted = [];
  }

  /** Gives nothing that is kept before it is confirmed; what is confirmed by then, a second doubt does not lose. */
  doubt(): void {
    const doubted = [...this.#doubted, ...this.#kept];
    this.clear();
    this.#doubted = doubted;
  }

  /** Takes back what was doubted, from a byte on, as far as nothing newer is there. */
  confirm(byteOffset: number): void {
    const doubted = this.#doubted;
    this.#doubted = [];
    for (const { begin, end, bytes } of doubted) {
      const from = Math.max(begin, byteOffset);
      if (bytes === undefined || from >= end) continue;
      const place = this.#firstEndingAfter(from);
      const next: Block | undefined = this.#blocks[place];
      if (next !== undefined && next.begin < end) continue;
      const block: Block = { begin: from, end, bytes: bytes.subarray(from - begin) };
      this.#blocks.splice(place, 0, block);
      this.#kept.add(block);
      this.#bytes += end - from + BLOCK_OVERHEAD_BYTES;
    }
    this.#dropOldest();
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const end = byteOffset + byteLength;
    const parts = this.#cover(byteOffset, end);
    // All are joined before any is waited for: a part that nobody has joined yet could not be left.
    const pieces = await Promise.all(
      parts.map(async ({ begin, bytes, reading }) => {
        const whole = bytes ?? (await reading?.join(signal)) ?? new Uint8Array(0);
        return { begin, bytes: whole };
      }),
    );
    return assemble(pieces, byteOffset, end);
  }

  /** Blocks over a range, without holes; those that are missing are being read. */
  #cover(begin: number, end: number): Block[] {
    const parts: Block[] = [];
    let at = begin;
    let place = this.#firstEndingAfter(begin);
    while (at < end) {
      const next: Block | undefined = this.#blocks[place];
      if (next !== undefined && next.begin <= at) {
        if (this.#kept.delete(next)) this.#kept.add(next);
        parts.push(next);
        at = next.end;
      } else {
        const block = this.#start(at, Math.min(end, next?.begin ?? end));
        this.#blocks.splice(place, 0, block);
        parts.push(block);
        at = block.end;
      }
      place++;
    }
    return parts;
  }

  #firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle].end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #start(begin: number, end: number): Block {
    const reading = new SharedWork(
      async (signal) => {
        const bytes = await this.source.read(begin, end - begin, signal);
        this.#keep(block, bytes);
        return bytes;
      },
      () => this.#drop(block),
    );
    const block: Block = { begin, end, reading };
    return block;
  }

  #keep(block: Block, bytes: Uint8Array): void {
    const place = this.#placeOf(block);
    if (place < 0) return;
    if (bytes.length === 0 || bytes.length + BLOCK_OVERHEAD_BYTES > this.maxBytes) {
      this.#blocks.splice(place, 1);
      return;
    }
    // A view would hold all of a read that was made of several.
    block.bytes = bytes.byteLength < bytes.buffer.byteLength ? bytes.slice() : bytes;
    block.end = block.begin + bytes.length;
    this.#kept.add(block);
    this.#bytes += bytes.length + BLOCK_OVERHEAD_BYTES;
    this.#dropOldest();
  }

  #dropOldest(): void {
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(block: Block): void {
    const place = this.#placeOf(block);
    if (place >= 0) this.#blocks.splice(place, 1);
    if (this.#kept.delete(block)) this.#bytes -= block.end - block.begin + BLOCK_OVERHEAD_BYTES;
  }

  /** -1 for a block that is gone, as after {@link Blocks.clear}. */
  #placeOf(block: Block): number {
    const place = this.#firstEndingAfter(block.begin);
    return this.#blocks[place] === block ? place : -1;
  }
}

/** One array of neighbouring pieces; a piece that is short says where the file ends. */
function assemble(
  pieces: readonly { readonly begin: number; readonly bytes: Uint8Array }[],
  begin: number,
  end: number,
): Uint8Array {
  const views: Uint8Array[] = [];
  let at = begin;
  for (const { begin: pieceBegin, bytes } of pieces) {
    if (pieceBegin > at) break;
    const view = bytes.subarray(at - pieceBegin, end - pieceBegin);
    views.push(view);
    at += view.length;
  }
  if (views.length === 1) return views[0];
  const whole = new Uint8Array(at - begin);
  let filled = 0;
  for (const view of views) {
    whole.set(view, filled);
    filled += view.length;
  }
  return whole;
}
