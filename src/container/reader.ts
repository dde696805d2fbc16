import { LgiError } from '../../codec/errors.js';
import { planFewReads, planReads, type ByteRange, type PlannedRead } from '../io/coalesce.js';
import { readAhead } from '../io/read-ahead.js';
import {
  CONCURRENT_READS,
  GAP_BUDGET_BYTES,
  MAX_READ_BYTES,
  REQUEST_OVERHEAD_BYTES,
} from '../io/read-budgets.js';
import type { Source } from '../io/source.js';
import { checkChunk } from './check-chunk.js';
import { familyIdOf, hexadecimal } from './file-ids.js';
import { decodeHeader } from './decode-header.js';
import type { Header } from './header.js';
import { decodeIndex } from './decode-index.js';
import type { Index, MetadataSection } from './index-table.js';
import { PrefixCache } from './prefix-cache.js';
import { readSpans } from './read-spans.js';
import { asSameFile, isReplaced, type SameFileSource } from './same-file.js';
import { decodeSuperblock, type ReadSuperblock, type Superblock } from './superblock.js';
import { truncated } from './truncation.js';
import { loadCoders } from './load-coders.js';

export interface OpenContainerOptions {
  /** Stops the reads of opening. */
  readonly signal?: AbortSignal;
  /** Opens a file whose end is seen to be missing, as long as header and index are there; default false. */
  readonly allowTruncated?: boolean;
}

export interface ReadChunksOptions {
  /** Stops reading. */
  readonly signal?: AbortSignal;
  /** Called for a chunk that is damaged or lies beyond the file's end, which is then left out; absent, it is thrown. */
  readonly onDamage?: (error: LgiError, chunk: number) => void;
}

/** One partition's bytes. */
export interface ChunkPayload {
  /** Place in the signal's chunk table. */
  readonly chunk: number;
  readonly payload: Uint8Array;
}

/**
 * Opens a file: one read of 64 KiB, and a second only where header and index do not fit.
 *
 * A file that is replaced meanwhile is begun anew, once.
 *
 * @throws LgiError `not-lgi`, `truncated`, `damaged`, `unsupported`, `limit`, or `io` or `replaced` from the source.
 */
export async function openContainer(source: Source, options: OpenContainerOptions = {}): Promise<Container> {
  try {
    return await openOnce(source, options);
  } catch (error) {
    if (!isReplaced(error) || !source.renew) throw error;
    source.renew();
    return openOnce(source, options);
  }
}

async function openOnce(source: Source, options: OpenContainerOptions): Promise<Container> {
  const cache = await PrefixCache.read(source, options.signal);
  const found = await decodeSuperblock(cache.prefix);
  const { superblock } = found;
  const promised = superblock.committedByteLength;
  const length = cache.isWhole ? cache.prefix.length : undefined;
  // Where header or index are cut off too, reading them says so: then nothing helps.
  const isOpenable = [superblock.header, superblock.index].every(
    ({ byteOffset, byteLength }) => byteOffset + byteLength <= (length ?? Infinity),
  );
  if (isOpenable && length !== undefined && length < promised && !options.allowTruncated) {
    throw truncated({ promised, known: length }, 'superblock', 0, length);
  }
  const [headerBytes, indexBytes] = await readSpans(
    cache,
    promised,
    [
      { ...superblock.header, name: 'header' },
      { ...superblock.index, name: 'index' },
    ],
    options.signal,
  );
  const header = decodeHeader(headerBytes, superblock.header.byteOffset);
  await loadCoders(header);
  const index = decodeIndex(indexBytes, header, superblock);
  const familyId = await familyIdOf(headerBytes);
  const same = asSameFile(source, superblock);
  const opened = new PrefixCache(same, cache.prefix);
  return new Container(opened, found, header, index, headerBytes, familyId, same);
}

/**
 * The file as it is now: the container itself where it has not grown, else one of the later generation, for which only
 * superblock and index are read. The old one stays as it was.
 *
 * @throws LgiError `replaced` where another file has taken its place; as {@link openContainer}.
 */
export async function refreshContainer(container: Container, signal?: AbortSignal): Promise<Container> {
  const slots = await container.same.latest(signal);
  const { superblock } = slots;
  if (superblock.generation === container.generation) return container;
  if (superblock.generation < container.generation) {
    throw new LgiError(
      'replaced',
      `the file is of generation ${superblock.generation} now, it was of ${container.generation}; open it again`,
      { section: 'superblock' },
    );
  }
  return container.ofGeneration(slots, signal);
}

/** An open file as its parts: header, index, and the bytes of chunks, which are checked as they are read. */
export class Container {
  readonly superblock: Superblock;
  /** Chunks of all signals. */
  readonly chunkCount: number;
  /** 16 bytes that every file made by a writer has to itself, as 32 hexadecimal digits. */
  readonly fileId: string;
  /** 16 bytes that say which files share a header, as 32 hexadecimal digits. */
  readonly familyId: string;
  /** 1 in a new file, one more with every append. */
  readonly generation: number;

  /** Made by {@link openContainer}. */
  constructor(
    private readonly cache: PrefixCache,
    /** Which slot of the superblock counts, and what is wrong with the other. */
    readonly slots: ReadSuperblock,
    readonly header: Header,
    readonly index: Index,
    /** The header as it stands in the file. */
    readonly headerBytes: Uint8Array,
    /** {@link Container.familyId} as bytes, u8 [16]. */
    readonly familyIdBytes: Uint8Array,
    /** The source as what it was opened as. */
    readonly same: SameFileSource,
  ) {
    this.superblock = slots.superblock;
    this.chunkCount = index.signals.reduce((sum, { chunks }) => sum + chunks.count, 0);
    this.fileId = hexadecimal(this.superblock.fileId);
    this.familyId = hexadecimal(familyIdBytes);
    this.generation = this.superblock.generation;
  }

  /** The same file seen through another index, such as one without what is damaged. */
  withIndex(index: Index): Container {
    return this.#with(this.cache, this.slots, index);
  }

  /** The same file by a later superblock, whose index is read. */
  async ofGeneration(slots: ReadSuperblock, signal?: AbortSignal): Promise<Container> {
    const { superblock } = slots;
    const cache = this.cache.grown(this.superblock.committedByteLength);
    const [indexBytes] = await readSpans(
      cache,
      superblock.committedByteLength,
      [{ ...superblock.index, name: 'index' }],
      signal,
    );
    return this.#with(cache, slots, decodeIndex(indexBytes, this.header, superblock));
  }

  #with(cache: PrefixCache, slots: ReadSuperblock, index: Index): Container {
    const { header, headerBytes, familyIdBytes, same } = this;
    return new Container(cache, slots, header, index, headerBytes, familyIdBytes, same);
  }

  get source(): Source {
    return this.cache.source;
  }

  /** Length of the file, where opening it has met its end or the source knows it. */
  get knownByteLength(): number | undefined {
    return this.cache.knownByteLength;
  }

  /** The error for a read of this file that gave fewer bytes than a section has. */
  truncated(section: string, byteOffset: number, byteLength: number): LgiError {
    const end = { promised: this.superblock.committedByteLength, known: this.knownByteLength };
    return truncated(end, section, byteOffset, byteLength);
  }

  /** How ranges are read: in few reads side by side where each costs a round trip, else one after the other. */
  planReads(ranges: readonly ByteRange[], maxBytes = MAX_READ_BYTES): PlannedRead[] {
    if (this.source.isRemote !== true) return planReads(ranges, GAP_BUDGET_BYTES, maxBytes);
    const held = this.cache.prefix.length;
    const isHeld = ({ byteOffset, byteLength }: ByteRange): boolean => byteOffset + byteLength <= held;
    const [known, unknown]: [number[], number[]] = [[], []];
    ranges.forEach((range, i) => (isHeld(range) ? known : unknown).push(i));
    // What opening has read costs no request, whatever lies between.
    const plans = [
      planReads(
        known.map((i) => ranges[i]),
        Infinity,
        Infinity,
      ),
      planFewReads(
        unknown.map((i) => ranges[i]),
        {
          count: CONCURRENT_READS,
          freeGapBytes: REQUEST_OVERHEAD_BYTES,
          gapBytes: GAP_BUDGET_BYTES,
          maxBytes: Math.min(maxBytes, MAX_READ_BYTES),
        },
      ),
    ];
    return plans.flatMap((plan, which) =>
      plan.map((read) => ({ ...read, members: read.members.map((i) => [known, unknown][which][i]) })),
    );
  }

  /** The bytes of planned reads, in their order. */
  readPlanned(
    reads: readonly PlannedRead[],
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly range: PlannedRead; readonly bytes: Uint8Array }> {
    const depth = this.source.isRemote === true ? CONCURRENT_READS : 1;
    return readAhead(reads, (range, each) => this.readBytes(range, each), depth, signal);
  }

  /** As {@link Source.read}, unchecked; what opening has read is not read again. */
  readBytes(range: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.cache.read(range.byteOffset, range.byteLength, signal);
  }

  /** {@link Container.readBytes} into memory of the caller's; the bytes that were read, fewer than fit only at the end. */
  readInto(byteOffset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    return this.cache.readInto(byteOffset, target, signal);
  }

  /** The chunk of a partition, by its coordinates in axis order, or -1 where it is absent. */
  findChunk(signalIndex: number, coordinates: readonly number[]): number {
    const { grid, chunks } = this.index.signals[signalIndex];
    const ordinal = grid.ordinalOf(coordinates);
    return ordinal < 0 ? -1 : chunks.find(ordinal);
  }

  /** Name of a chunk in errors: `chunk 3,4` by its partition coordinates, in files of several signals `chunk 1:3,4`. */
  chunkName(signalIndex: number, chunk: number): string {
    const { grid, chunks } = this.index.signals[signalIndex];
    const coordinates = grid.coordinatesOf(chunks.ordinals[chunk]).join(',');
    return this.index.signals.length > 1 ? `chunk ${signalIndex}:${coordinates}` : `chunk ${coordinates}`;
  }

  /**
   * The payload of one chunk.
   *
   * @throws LgiError `damaged` or `truncated`, section `chunk y,x`.
   */
  async readChunk(signalIndex: number, chunk: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { chunks } = this.index.signals[signalIndex];
    const range = { byteOffset: chunks.byteOffsets[chunk], byteLength: chunks.byteLength(chunk) };
    return checkChunk(this, signalIndex, chunk, await this.readBytes(range, signal));
  }

  /**
   * The payloads of several chunks, by ascending offset; neighbours come by common reads.
   *
   * @throws LgiError `damaged` or `truncated`, section `chunk y,x`, unless `onDamage` takes it.
   */
  async *readChunks(
    signalIndex: number,
    wanted: readonly number[],
    options: ReadChunksOptions = {},
  ): AsyncGenerator<ChunkPayload> {
    const { chunks } = this.index.signals[signalIndex];
    const ranges = wanted.map((chunk) => ({
      byteOffset: chunks.byteOffsets[chunk],
      byteLength: chunks.byteLength(chunk),
    }));
    for await (const { range, bytes } of this.readPlanned(this.planReads(ranges), options.signal)) {
      for (const member of range.members) {
        const at = ranges[member].byteOffset - range.byteOffset;
        const chunk = wanted[member];
        let payload: Uint8Array;
        try {
          payload = checkChunk(this, signalIndex, chunk, bytes.subarray(at, at + ranges[member].byteLength));
        } catch (error) {
          if (!options.onDamage || !(error instanceof LgiError)) throw error;
          options.onDamage(error, chunk);
          continue;
        }
        yield { chunk, payload };
      }
    }
  }

  /**
   * A metadata section's bytes; null where the file has none of that name.
   *
   * @throws LgiError `damaged` or `truncated`, section by its name.
   */
  async readSection(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    const section = this.index.sections.find((candidate) => candidate.name === name);
    if (!section) return null;
    return (await this.readSections([section], signal))[0];
  }

  /** Several metadata sections, as {@link Container.readSection}. */
  readSections(sections: readonly MetadataSection[], signal?: AbortSignal): Promise<Uint8Array[]> {
    return readSpans(this.cache, this.superblock.committedByteLength, sections, signal);
  }
}
