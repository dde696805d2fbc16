import { LgiError } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { CHUNK_HEAD_BYTES } from './chunk.js';
import { familyIdOf } from './file-ids.js';
import { findHeader } from './find-header.js';
import { findMarks, readFlatBufferAt } from './find-flatbuffer.js';
import { decodeHeader } from './decode-header.js';
import type { Header } from './header.js';
import { decodeIndex } from './decode-index.js';
import type { Index } from './index-table.js';
import { MAX_FILE_BYTES } from './limits.js';
import { loadCoders } from './load-coders.js';
import { PLAIN_FORMAT } from './content-features.js';
import { PrefixCache } from './prefix-cache.js';
import { readSpans } from './read-spans.js';
import { Container } from './reader.js';
import { rebuildIndex, type LostPartition } from './rebuild-index.js';
import { asSameFile } from './same-file.js';
import { scanChunks, type FoundChunk, type Scan } from './scan-chunks.js';
import { checkEachSection } from './sound-sections.js';
import {
  decodeSuperblock,
  MAX_SUPERBLOCK_BYTES,
  readSlots,
  superblockBytesOf,
  type ReadSuperblock,
  type Superblock,
  FEATURES,
} from './superblock.js';

/**
 * What a new index was made after: `unchecked`, the file's own of which only the checksum is wrong or lost; `earlier`, one that an
 * append has left in the file, with what chunks say of later parts; `none`, the chunks alone.
 */
export type IndexHint = 'unchecked' | 'earlier' | 'none';

/** A file of which more or less may have been lost, opened all the same. */
export interface Recovered {
  /** Its index is the file's own, or one made anew from the chunks that are sound. */
  readonly container: Container;
  /** Whether no slot of the superblock could be used. */
  readonly isSuperblockLost: boolean;
  /** What is wrong with the index, where it had to be made anew. */
  readonly indexFault?: LgiError;
  /** Of an index made anew: what says which partitions there were besides the chunks that are left. */
  readonly indexHint?: IndexHint;
  /** Of an index made anew: partitions without a sound chunk. */
  readonly lost: readonly LostPartition[];
  /** Cells that the file's index, or the one that a new one was made after, has no partition for. */
  readonly absent: number;
  /** Of an index made anew: what is wrong with metadata sections that were left out. */
  readonly sectionFaults: readonly LgiError[];
  /** Of an index made anew: sound chunks that were left out, since no grid has them together with the others. */
  readonly conflicting: number;
  /** Of an index made anew: all sound chunks, those too that later ones replace, by ascending offset. */
  readonly chunks: readonly FoundChunk[];
  /** Of an index made anew: how far the file was scanned, which is to its end or the committed one. */
  readonly scannedEnd: number;
}

/** A header and what says that it is the file's. */
interface Located {
  readonly slots: ReadSuperblock;
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  /** Of the whole file, where finding the header has brought them. */
  readonly scan?: Scan;
}

/**
 * Opens a file that may be damaged in any way.
 *
 * Where superblock and index are sound, chunks are not looked at. Otherwise the file is read from front to back in blocks,
 * once or a few times, and the index made anew from the chunks whose checksums are right; of two chunks of one box the later
 * one counts. Only the header must be sound: it has the weights that all partitions share.
 *
 * @throws LgiError `damaged` or `truncated` where nothing can be saved; `not-lgi`, `unsupported`, `limit`; `io`.
 */
export async function recoverContainer(source: Source, signal?: AbortSignal): Promise<Recovered> {
  const cache = await PrefixCache.read(source, signal);
  const { usable, invalidSlots } = readSlots(cache.prefix);
  const isSuperblockLost = usable.length === 0;
  const located = isSuperblockLost
    ? await withoutSuperblock(cache, invalidSlots, signal)
    : await bySlots(cache, usable, invalidSlots, signal);
  const { slots, header, headerBytes } = located;
  const { superblock } = slots;
  await loadCoders(header);
  const familyId = await familyIdOf(headerBytes);
  const same = asSameFile(source, superblock);
  const withIndex = (index: Index): Container =>
    new Container(cache, slots, header, index, headerBytes, familyId, same);

  let indexFault: LgiError;
  if (isSuperblockLost) {
    indexFault = new LgiError('damaged', 'the superblock, which says where the index is, is lost', {
      section: 'superblock',
      byteOffset: 0,
    });
  } else {
    try {
      const spans = [{ ...superblock.index, name: 'index' }];
      const [bytes] = await readSpans(cache, superblock.committedByteLength, spans, signal);
      const container = withIndex(decodeIndex(bytes, header, superblock));
      return {
        container,
        isSuperblockLost,
        lost: [],
        absent: container.index.signals.reduce((sum, { grid, chunks }) => sum + grid.count - chunks.count, 0),
        sectionFaults: [],
        conflicting: 0,
        chunks: [],
        scannedEnd: 0,
      };
    } catch (error) {
      if (!(error instanceof LgiError) || error.code === 'io') throw error;
      indexFault = error;
    }
  }

  const scan = located.scan ?? (await scanAll(cache, located, signal));
  const chunks = scan.chunks.filter((chunk) => !isInside(chunk, superblock.header));
  if (chunks.length === 0) {
    throw new LgiError('damaged', 'no partition is left whose chunk is sound; nothing can be saved', {
      section: 'chunks',
    });
  }
  const hint = await findIndex(cache, header, superblock, isSuperblockLost, signal);
  const rebuilt = rebuildIndex(header, chunks, hint?.index);
  // Metadata has checksums of its own, so that it can be believed where the index cannot.
  const { sections, sectionFaults } = await checkEachSection(
    withIndex(rebuilt.index),
    hint?.index.sections ?? [],
    signal,
  );
  return {
    container: withIndex({ ...rebuilt.index, sections }),
    isSuperblockLost,
    indexFault,
    indexHint: hint !== undefined && rebuilt.hintFits ? hint.kind : 'none',
    lost: rebuilt.lost,
    absent: rebuilt.absent,
    sectionFaults,
    conflicting: rebuilt.conflicting,
    chunks,
    scannedEnd: scan.end,
  };
}

function isInside(
  { byteOffset, payloadLength }: FoundChunk,
  header: { readonly byteOffset: number; readonly byteLength: number },
): boolean {
  const end = byteOffset + CHUNK_HEAD_BYTES + payloadLength;
  return byteOffset < header.byteOffset + header.byteLength && end > header.byteOffset;
}

/** By the slot of higher generation whose header is sound. */
async function bySlots(
  cache: PrefixCache,
  usable: readonly { readonly slot: number; readonly superblock: Superblock }[],
  invalidSlots: ReadSuperblock['invalidSlots'],
  signal?: AbortSignal,
): Promise<Located> {
  let fault: LgiError | undefined;
  for (const { slot, superblock } of usable) {
    const { header: span, committedByteLength } = superblock;
    try {
      const spans = [{ ...span, name: 'header' }];
      const [headerBytes] = await readSpans(cache, committedByteLength, spans, signal);
      const header = decodeHeader(headerBytes, span.byteOffset);
      return { slots: { superblock, slot, invalidSlots }, header, headerBytes };
    } catch (error) {
      if (!(error instanceof LgiError) || error.code === 'io') throw error;
      fault ??= error;
    }
  }
  if (fault === undefined) throw new Error('there is no slot');
  if (fault.code !== 'damaged' && fault.code !== 'truncated') throw fault;
  const { code, byteOffset } = fault;
  const fact = code === 'damaged' ? 'the header is damaged' : 'the file ends before the end of its header';
  throw new LgiError(
    code,
    `${fact}, which has the weights that all partitions share; nothing can be saved, fetch the file again`,
    { section: 'header', cause: fault, ...(byteOffset !== undefined && { byteOffset }) },
  );
}

/** By the letters of the header, and the chunks that vouch for it. */
async function withoutSuperblock(
  cache: PrefixCache,
  invalidSlots: ReadSuperblock['invalidSlots'],
  signal?: AbortSignal,
): Promise<Located> {
  const marks = await findMarks(cache, { begin: 0, end: MAX_FILE_BYTES }, signal);
  const found = await findHeader(cache, marks.headers, signal);
  if (found === undefined) {
    // What is no LGI file at all is called so.
    if (marks.headers.length === 0) await decodeSuperblock(cache.prefix);
    throw new LgiError(
      'damaged',
      'the superblock is lost, and no sound header with a sound chunk is in the file; nothing can be saved',
      { section: 'header' },
    );
  }
  const { header, byteOffset, bytes, crc, scan } = found;
  const superblock: Superblock = {
    ...PLAIN_FORMAT,
    generation: 1,
    fileId: new Uint8Array(16),
    header: { byteOffset, byteLength: bytes.length, crc },
    index: { byteOffset: MAX_SUPERBLOCK_BYTES, byteLength: 0, crc: 0 },
    committedByteLength: scan.end,
  };
  return { slots: { superblock, slot: 0, invalidSlots }, header, headerBytes: bytes, scan };
}

async function scanAll(cache: PrefixCache, { slots, header }: Located, signal?: AbortSignal): Promise<Scan> {
  const { superblock } = slots;
  // What lies beyond the committed length never became part of the file.
  const range = { begin: superblockBytesOf(superblock.features), end: superblock.committedByteLength };
  return scanChunks(cache, header, new Set([superblock.header.crc]), range, signal);
}

/** An index without a checksum that is right: the damaged one, or an earlier one that an append has left in the file. */
async function findIndex(
  cache: PrefixCache,
  header: Header,
  superblock: Superblock,
  isSuperblockLost: boolean,
  signal?: AbortSignal,
): Promise<{ readonly index: Index; readonly kind: IndexHint } | undefined> {
  const range = { begin: superblockBytesOf(superblock.features), end: superblock.committedByteLength };
  const { indexes } = await findMarks(cache, range, signal);
  // Without a superblock nobody knows how long the file was; an index may speak of what is missing at its end.
  const committedByteLength = isSuperblockLost ? MAX_FILE_BYTES : superblock.committedByteLength;
  // Nor what its index has to be understood by.
  const features = isSuperblockLost
    ? {
        ...superblock.features,
        mustUnderstand: FEATURES.extentBeyondFirst | FEATURES.impliedChunks | FEATURES.constantPartitions,
      }
    : superblock.features;
  const places = new Set(isSuperblockLost ? [] : [superblock.index.byteOffset]);
  for (const place of [...indexes].reverse()) places.add(place);
  for (const byteOffset of places) {
    const buffer = await readFlatBufferAt(cache, byteOffset, 'index', signal);
    if (buffer === undefined) continue;
    const { bytes, leastByteLength } = buffer;
    const span = { byteOffset, byteLength: leastByteLength, crc: 0 };
    try {
      const promised = { ...superblock, features, index: span, committedByteLength };
      const index = decodeIndex(bytes.subarray(0, leastByteLength), header, promised);
      // Without a superblock the last one that there is may be the newest.
      const isNewest = isSuperblockLost || byteOffset === superblock.index.byteOffset;
      return { index, kind: isNewest ? 'unchecked' : 'earlier' };
    } catch (error) {
      if (!(error instanceof LgiError)) throw error;
    }
  }
  return undefined;
}
