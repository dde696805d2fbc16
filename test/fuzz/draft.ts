// A file taken apart, so that mutations change what they mean to, and put together again with checksums that are right.
import { CHUNK_HEAD_BYTES, chunkCrc, encodeChunkHead } from '../../src/container/chunk.js';
import { crc32c } from '../../src/container/crc32c.js';
import { decodeHeader } from '../../src/container/decode-header.js';
import type { Header } from '../../src/container/header.js';
import { decodeIndex } from '../../src/container/decode-index.js';
import type { Index } from '../../src/container/index-table.js';
import { encodeSlot, findSuperblock, type Superblock } from '../../src/container/superblock.js';
import type { Choices } from './choices.js';
import { writeBits } from './interesting.js';

/** Whether the checksums of a part are made right again: what a forger would do, and damage would not. */
export interface Sealing {
  /** `agree`: the structs before payloads say what the index says; `checksum`: only their checksums are right. */
  chunks: 'agree' | 'checksum' | 'none';
  sections: boolean;
  header: boolean;
  index: boolean;
  slots: boolean;
}

/** A file under change. */
export interface Draft {
  /** All of the file; header and index count as they stand here only in {@link Draft.header} and {@link Draft.index}. */
  bytes: Uint8Array;
  header: Uint8Array;
  index: Uint8Array;
  superblock: Superblock;
  /** Fields of the slots by their place, for one slot or both. */
  readonly slotFields: { at: number; size: number; value: bigint; slots: readonly number[] }[];
  readonly sealing: Sealing;
  /** What was done, for people. */
  readonly notes: string[];
}

/** @returns null where the file's superblock is none. */
export function draftOf(bytes: Uint8Array): Draft | null {
  try {
    const superblock = findSuperblock(bytes)?.superblock;
    if (!superblock) return null;
    const part = ({ byteOffset, byteLength }: Superblock['header']) =>
      bytes.slice(byteOffset, byteOffset + byteLength);
    return {
      bytes: bytes.slice(),
      header: part(superblock.header),
      index: part(superblock.index),
      superblock,
      slotFields: [],
      sealing: { chunks: 'agree', sections: true, header: true, index: true, slots: true },
      notes: [],
    };
  } catch {
    return null;
  }
}

/** What a reader makes of the draft's header and index, or null where it refuses them. */
export function readDraft(draft: Draft): { header: Header; index: Index } | null {
  try {
    const header = decodeHeader(draft.header, 0);
    const committedByteLength = Math.max(draft.superblock.committedByteLength, draft.bytes.length);
    return { header, index: decodeIndex(draft.index, header, { ...draft.superblock, committedByteLength }) };
  } catch {
    return null;
  }
}

/** Adds bytes at the end, at a multiple of 16. @returns where they begin. */
export function appendBytes(draft: Draft, added: Uint8Array, before = 0): number {
  const at = Math.ceil((draft.bytes.length + before) / 16) * 16 - before;
  const bytes = new Uint8Array(at + added.length);
  bytes.set(draft.bytes);
  bytes.set(added, at);
  draft.bytes = bytes;
  return at;
}

/** In its old place where it fits there, otherwise at the end, as an append would. */
function placeSection(draft: Draft, name: 'header' | 'index', move: boolean): Superblock['header'] {
  const old = draft.superblock[name];
  const bytes = draft[name];
  const crc = draft.sealing[name] ? crc32c(bytes) : old.crc;
  if (bytes.length <= old.byteLength && !move && old.byteOffset + bytes.length <= draft.bytes.length) {
    draft.bytes.set(bytes, old.byteOffset);
    return { byteOffset: old.byteOffset, byteLength: bytes.length, crc };
  }
  return { byteOffset: appendBytes(draft, bytes), byteLength: bytes.length, crc };
}

/** Puts the file together. */
export function sealDraft(draft: Draft, choices: Choices): Uint8Array {
  const header = placeSection(draft, 'header', choices.chance(0.03));
  const committed = (): number => Math.max(draft.superblock.committedByteLength, draft.bytes.length);
  // Where the index lies matters to its own check for overlaps, so that it is placed before chunks are looked up.
  let index = placeSection(draft, 'index', choices.chance(0.03));
  let seen: { header: Header; index: Index } | null = null;
  try {
    const decoded = decodeHeader(draft.header, 0);
    const superblock = { ...draft.superblock, header, index, committedByteLength: committed() };
    seen = { header: decoded, index: decodeIndex(draft.index, decoded, superblock) };
  } catch {
    // Nobody will read chunks by an index that is refused.
  }
  if (seen !== null) {
    sealChunks(draft, seen.index, header.crc);
    if (draft.sealing.sections) index = { ...index, crc: sealSections(draft, seen.index, index) };
  }
  const superblock = { ...draft.superblock, header, index, committedByteLength: committed() };
  for (const slot of [0, 1]) {
    const bytes = encodeSlot(superblock);
    const view = new DataView(bytes.buffer);
    for (const { at, size, value, slots } of draft.slotFields) {
      if (slots.includes(slot)) writeBits(view, at, size, value);
    }
    const crcAt = bytes.length - 4;
    if (draft.sealing.slots) view.setUint32(crcAt, crc32c(bytes.subarray(0, crcAt)), true);
    if (draft.bytes.length >= (slot + 1) * bytes.length) draft.bytes.set(bytes, slot * bytes.length);
  }
  return draft.bytes;
}

function sealChunks({ bytes, sealing }: Draft, { signals }: Index, headerCrc: number): void {
  if (sealing.chunks === 'none') return;
  signals.forEach(({ grid, chunks }, signal) => {
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      const at = chunks.byteOffsets[chunk];
      const end = chunks.end(chunk);
      if (end > bytes.length) continue;
      const { headBytes } = chunks;
      const payload = bytes.subarray(at + headBytes, end);
      // A short head is what a whole one begins with, whose other fields are always as the index has them.
      if (sealing.chunks === 'agree' || headBytes < CHUNK_HEAD_BYTES) {
        const head = encodeChunkHead(payload, grid.boxOf(chunks.ordinals[chunk]), signal, headerCrc).bytes;
        bytes.set(head.subarray(0, headBytes), at);
      } else {
        new DataView(bytes.buffer, at).setUint32(0, chunkCrc(bytes.subarray(at, end), headerCrc), true);
      }
    }
  });
}

/** Writes the sections' checksums into the index where their old ones stand. @returns the index's checksum. */
function sealSections(draft: Draft, { sections }: Index, span: Superblock['index']): number {
  const index = draft.bytes.subarray(span.byteOffset, span.byteOffset + span.byteLength);
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  for (const { byteOffset, byteLength, crc } of sections) {
    // The struct of offset, length and checksum, found by its content.
    for (let at = 0; at + 16 <= index.length; at += 4) {
      const isHere =
        view.getBigUint64(at, true) === BigInt(byteOffset) &&
        view.getUint32(at + 8, true) === byteLength &&
        view.getUint32(at + 12, true) === crc;
      if (!isHere) continue;
      view.setUint32(at + 12, crc32c(draft.bytes.subarray(byteOffset, byteOffset + byteLength)), true);
      break;
    }
  }
  return draft.sealing.index ? crc32c(index) : span.crc;
}
