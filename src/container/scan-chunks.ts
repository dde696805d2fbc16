import { localTensors } from '../../codec/architecture.js';
import { largestPayloadByteLength } from '../../codec/coder/payload.js';
import { LgiError } from '../../codec/errors.js';
import type { Box } from '../../codec/grid.js';
import { AXES } from '../../codec/signal.js';
import type { Source } from '../io/source.js';
import {
  CHUNK_HEAD_BYTES,
  chunkLayoutOf,
  hasShortHeads,
  decodeChunkHead,
  nextChunkOffset,
  type ChunkLayout,
} from './chunk.js';
import { crc32c } from './crc32c.js';
import { unshiftCrc } from './crc-shift.js';
import type { Header } from './header.js';
import { constantPayloadByteLength } from './local-weights.js';
import { MAX_CELLS, MAX_PAYLOAD_BYTES, MAX_POSITION } from './limits.js';

/** Bytes that a scan holds at a time: large enough that reads do not show. */
const BLOCK_BYTES = 1 << 20;

/** Bytes of a head that may lie before the end of a block, its last byte in the next one. */
const CARRY_BYTES = CHUNK_HEAD_BYTES - 1;

/** Heads whose chunks have not ended yet. Real chunks do not overlap, so only bytes made for it have more than a few. */
const MAX_PENDING = 1 << 16;

/** Chunks that a scan lists; twice what an index may name, since an append may have replaced every one. */
const MAX_FOUND = 2 * MAX_CELLS;

/** Distance of the checksum's first byte from the chunk's: it covers all but itself. */
const HASHED_AT = 4;

/** A chunk that a scan has found; its checksum is right. */
export interface FoundChunk {
  readonly byteOffset: number;
  readonly payloadLength: number;
  /** Place of the signal in the header. */
  readonly signal: number;
  readonly box: Box;
  /** CRC-32C of the header that it belongs to. */
  readonly headerCrc: number;
}

/** What a scan gives. */
export interface Scan {
  /** By ascending offset; none begins inside another. */
  readonly chunks: readonly FoundChunk[];
  /** Where the scan ended: the range's end or the file's. */
  readonly end: number;
}

/**
 * Finds the chunks of a range of bytes, wherever they begin.
 *
 * Work and memory are bounded whatever the bytes are: they are read once, in blocks of 1 MiB, and each is hashed at most
 * once, since the checksum of any stretch follows from those up to its two ends.
 *
 * @param headerCrcs CRC-32Cs of headers whose chunks are wanted.
 * @param range bytes to scan; it may reach beyond the file's end.
 * @throws LgiError `io`; `limit` for more chunks than a file can have.
 */
export async function scanChunks(
  source: Pick<Source, 'read'>,
  header: Header,
  headerCrcs: ReadonlySet<number>,
  range: { readonly begin: number; readonly end: number },
  signal?: AbortSignal,
): Promise<Scan> {
  const scanner = new Scanner(header, headerCrcs);
  let at = range.begin;
  let carry = new Uint8Array(0);
  while (at < range.end) {
    const wanted = Math.min(BLOCK_BYTES, range.end - at);
    const bytes = await source.read(at, wanted, signal);
    const block = new Uint8Array(carry.length + bytes.length);
    block.set(carry, 0);
    block.set(bytes, carry.length);
    scanner.scan(block, at - carry.length);
    carry = block.subarray(Math.max(0, block.length - CARRY_BYTES));
    at += bytes.length;
    if (bytes.length < wanted) break;
  }
  scanner.finish();
  return { chunks: withoutNested(scanner.found), end: at };
}

/** A chunk's bytes are its own: what looks like one inside is part of its payload. */
function withoutNested(found: readonly FoundChunk[]): FoundChunk[] {
  let end = 0;
  return [...found]
    .sort((a, b) => a.byteOffset - b.byteOffset)
    .filter(({ byteOffset, payloadLength }) => {
      if (byteOffset < end) return false;
      end = byteOffset + CHUNK_HEAD_BYTES + payloadLength;
      return true;
    });
}

/** A head whose chunk has not ended yet. */
interface Pending {
  readonly byteOffset: number;
  readonly end: number;
  /** u8 [36] */
  readonly head: Uint8Array;
  readonly crc: number;
  /** CRC from some place before up to where the chunk's own begins. */
  readonly crcBefore: number;
}

class Scanner {
  readonly found: FoundChunk[] = [];
  private readonly rules: readonly { axes: number; most: number; layout: ChunkLayout }[];
  private readonly pending = new EndHeap();
  private block = new Uint8Array(0);
  private view = new DataView(this.block.buffer);
  private base = 0;
  /** Where {@link Scanner.crc} has come to; it begins anew whenever nothing is pending. */
  private hashed = 0;
  private crc = 0;

  constructor(
    header: Header,
    private readonly headerCrcs: ReadonlySet<number>,
  ) {
    this.rules = header.signals.map((signal) => {
      const layout = chunkLayoutOf(signal);
      // Short heads do not say what they are of: no scan finds them.
      if (signal.latents !== undefined || hasShortHeads(signal)) return { axes: 0, most: 0, layout };
      const { kind, model, quantiser, coder, format, constantPartitions } = signal;
      const tensors = localTensors(model.architecture);
      return {
        axes: AXES[kind].length,
        most: Math.min(
          MAX_PAYLOAD_BYTES,
          Math.max(
            largestPayloadByteLength(tensors, quantiser.local, quantiser.format, coder),
            constantPartitions === true ? constantPayloadByteLength(format.channels) : 0,
          ),
        ),
        layout,
      };
    });
  }

  /** @param base place of the block in the file; all but its first {@link CARRY_BYTES} bytes are new. */
  scan(block: Uint8Array<ArrayBuffer>, base: number): void {
    this.block = block;
    this.view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.base = base;
    const last = block.length - CHUNK_HEAD_BYTES;
    // Kind and the zero field are three zeros on end; a byte that is none rules out the heads that would have it there.
    for (let at = 0; at <= last;) {
      if (block[at + 35] !== 0) at += 3;
      else if (block[at + 34] !== 0) at += 2;
      else {
        // Long stretches of zeros, as of lost blocks of a disk, have no length.
        const hasLength = (block[at + 4] | block[at + 5] | block[at + 6]) !== 0 || block[at + 7] === 1;
        if (block[at + 33] === 0 && hasLength) this.consider(at);
        at++;
      }
    }
    const kept = base + Math.max(0, block.length - CARRY_BYTES);
    this.resolve(kept);
    this.advance(kept);
  }

  /** Decides about chunks that end with the last bytes. */
  finish(): void {
    this.resolve(this.base + this.block.length);
  }

  private consider(at: number): void {
    const rule = this.rules[this.block[at + 32]];
    if (rule === undefined) return;
    const byteOffset = this.base + at;
    const { view } = this;
    const payloadLength = view.getUint32(at + 4, true);
    if (payloadLength === 0 || payloadLength > rule.most) return;
    for (let axis = 0; axis < 3; axis++) {
      const begin = view.getInt32(at + 8 + 4 * axis, true);
      const size = view.getUint32(at + 20 + 4 * axis, true);
      const isPossible =
        axis < rule.axes ? size > 0 && begin + size <= MAX_POSITION : begin === 0 && size === 1;
      if (!isPossible) return;
    }
    if (nextChunkOffset(byteOffset, rule.layout) !== byteOffset) return;
    const start = byteOffset + HASHED_AT;
    this.resolve(start);
    if (this.pending.size === MAX_PENDING) return;
    this.advance(start);
    const end = byteOffset + CHUNK_HEAD_BYTES + payloadLength;
    const head = this.block.slice(at, at + CHUNK_HEAD_BYTES);
    this.pending.push({ byteOffset, end, head, crc: view.getUint32(at, true), crcBefore: this.crc });
  }

  /** Decides about the chunks that end up to a place. */
  private resolve(place: number): void {
    for (let next = this.pending.first; next !== undefined && next.end <= place; next = this.pending.first) {
      this.advance(next.end);
      this.pending.shift();
      const { byteOffset, head, crc, crcBefore, end } = next;
      // The chunk's checksum is that of the header, shifted by the chunk's length, xor that of the chunk's own bytes.
      const shifted = unshiftCrc(crc ^ this.crc, end - byteOffset - HASHED_AT);
      const headerCrc = (crcBefore ^ shifted) >>> 0;
      if (!this.headerCrcs.has(headerCrc)) continue;
      if (this.found.length === MAX_FOUND) {
        throw new LgiError(
          'limit',
          `the file has more than ${MAX_FOUND} chunks, the limit of a scan; repair smaller files`,
          { section: 'chunks', byteOffset },
        );
      }
      const { payloadLength, signal, box } = decodeChunkHead(head, this.rules[head[32]].axes);
      this.found.push({ byteOffset, payloadLength, signal, box, headerCrc });
    }
  }

  private advance(place: number): void {
    if (place <= this.hashed) return;
    if (this.pending.size === 0) this.crc = 0;
    else {
      this.crc = crc32c(this.block.subarray(this.hashed - this.base, place - this.base), this.crc);
    }
    this.hashed = place;
  }
}

/** Pending chunks, the one that ends first in front. */
class EndHeap {
  private readonly items: Pending[] = [];

  get size(): number {
    return this.items.length;
  }

  get first(): Pending | undefined {
    return this.items[0];
  }

  push(item: Pending): void {
    const { items } = this;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent].end <= item.end) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  shift(): void {
    const { items } = this;
    const moved = items.pop();
    if (moved === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1].end < items[child].end) child++;
      if (items[child].end >= moved.end) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = moved;
  }
}
