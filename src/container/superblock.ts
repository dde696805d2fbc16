import { LgiError } from '../../codec/errors.js';
import { crc32c } from './crc32c.js';
import { MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_INDEX_BYTES, VERSION } from './limits.js';

/** Bytes of a slot; the smallest block that disks write at once, so that a torn write spoils one slot only. */
export const SLOT_BYTES = 512;

/**
 * Bytes of a slot where {@link FEATURES.shortSlots} says so: what a slot has to say, and then its checksum. Two of 512 would be a
 * tenth of a picture of 10,000 bytes. A block that is torn while one is written has the other's bytes as they were.
 */
export const SHORT_SLOT_BYTES = 112;

/** Most bytes of a superblock: two slots. */
export const MAX_SUPERBLOCK_BYTES = 2 * SLOT_BYTES;

/**
 * The first eight bytes of both slots. As PNG's: a first byte that no text has, CR LF and LF to show a transfer that
 * changed line ends, and a byte that stops a DOS listing.
 */
export const MAGIC: Uint8Array = Uint8Array.of(0x91, 0x4c, 0x47, 0x49, 0x0d, 0x0a, 0x1a, 0x0a);

/** Bytes of a slot's CRC-32C, its last ones, over all bytes of the slot before them. */
const CRC_BYTES = 4;

/** Three sets of 64 feature bits; a writer sets those that its file uses. */
export interface Features {
  /** Who does not know one of these cannot read the file. */
  readonly mustUnderstand: bigint;
  /** Who does not know one of these cannot write a file from this one: crop, append, join. */
  readonly mustUnderstandToWrite: bigint;
  /** Who does not know these loses nothing. */
  readonly mayIgnore: bigint;
}

/** Place and checksum of a section. */
export interface SectionSpan {
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly crc: number;
}

/** What a slot says. */
export interface Superblock {
  readonly version: { readonly major: number; readonly minor: number };
  readonly features: Features;
  /** 1 in a new file, one more with every append. */
  readonly generation: number;
  /** 16 bytes. */
  readonly fileId: Uint8Array;
  readonly header: SectionSpan;
  readonly index: SectionSpan;
  /** Length of the file as far as it counts; what lies beyond is no part of it. */
  readonly committedByteLength: number;
}

/** A superblock as read: the slot that counts, and what is wrong with the others. */
export interface ReadSuperblock {
  readonly superblock: Superblock;
  /** Which slot counts, 0 or 1. */
  readonly slot: number;
  /** Slots that are no valid ones: damage, or a write that did not finish. */
  readonly invalidSlots: readonly InvalidSlot[];
}

/** A slot that is none. */
export interface InvalidSlot {
  readonly slot: number;
  readonly byteOffset: number;
  readonly reason: string;
}

/** Features that must be understood to read a file. */
export const FEATURES = {
  /** A signal's extent leaves that of the first encode: coordinates beyond are folded back. */
  extentBeyondFirst: 1n,
  /** An index leaves out what follows: which cells have chunks, or lengths that are all the same. */
  impliedChunks: 2n,
  /** A signal may have constant partitions: chunks with outputs in place of weights. */
  constantPartitions: 4n,
  /** A signal is of the latent family: chunks with short heads, packed lengths. */
  latentFamily: 8n,
  /** The superblock's slots are of 112 bytes. */
  shortSlots: 16n,
  /** Local integers of a signal are differences from an origin in the header. */
  localOrigin: 32n,
} as const;

/** Feature bits that this program knows. */
const KNOWN_FEATURES: Features = {
  mustUnderstand:
    FEATURES.extentBeyondFirst |
    FEATURES.impliedChunks |
    FEATURES.constantPartitions |
    FEATURES.latentFamily |
    FEATURES.shortSlots |
    FEATURES.localOrigin,
  mustUnderstandToWrite: 0n,
  mayIgnore: 0n,
};

/** Bytes of a slot in a file of these features. */
export function slotBytesOf({ mustUnderstand }: Features): number {
  return (mustUnderstand & FEATURES.shortSlots) === 0n ? SLOT_BYTES : SHORT_SLOT_BYTES;
}

/** Bytes of the superblock in a file of these features: two slots. */
export function superblockBytesOf(features: Features): number {
  return 2 * slotBytesOf(features);
}

/** The bytes of a slot. */
export function encodeSlot(superblock: Superblock): Uint8Array {
  const bytes = new Uint8Array(slotBytesOf(superblock.features));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(8, superblock.version.major, true);
  view.setUint16(10, superblock.version.minor, true);
  view.setBigUint64(16, superblock.features.mustUnderstand, true);
  view.setBigUint64(24, superblock.features.mustUnderstandToWrite, true);
  view.setBigUint64(32, superblock.features.mayIgnore, true);
  view.setBigUint64(40, BigInt(superblock.generation), true);
  bytes.set(superblock.fileId, 48);
  encodeSpan(view, 64, superblock.header);
  encodeSpan(view, 80, superblock.index);
  view.setBigUint64(96, BigInt(superblock.committedByteLength), true);
  const crcAt = bytes.length - CRC_BYTES;
  view.setUint32(crcAt, crc32c(bytes.subarray(0, crcAt)), true);
  return bytes;
}

function encodeSpan(view: DataView, at: number, span: SectionSpan): void {
  view.setBigUint64(at, BigInt(span.byteOffset), true);
  view.setUint32(at + 8, span.byteLength, true);
  view.setUint32(at + 12, span.crc, true);
}

/** Both slots with the same content, as a finished file has them: either one may be lost. */
export function encodeSuperblock(superblock: Superblock): Uint8Array {
  const slot = encodeSlot(superblock);
  const bytes = new Uint8Array(2 * slot.length);
  bytes.set(slot, 0);
  bytes.set(slot, slot.length);
  return bytes;
}

function damaged(message: string, byteOffset = 0): LgiError {
  return new LgiError('damaged', message, { section: 'superblock', byteOffset });
}

/** A whole number of 64 bits; those beyond 2^53 - 1 have no exact value here and no use in a file. */
function readWhole(view: DataView, at: number, name: string, slotOffset: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(MAX_FILE_BYTES)) {
    throw damaged(`the ${name} is ${value}, beyond 2^53 - 1; fetch the file again`, slotOffset + at);
  }
  return Number(value);
}

function decodeSpan(view: DataView, at: number, name: string, slotOffset: number): SectionSpan {
  return {
    byteOffset: readWhole(view, at, `${name}'s offset`, slotOffset),
    byteLength: view.getUint32(at + 8, true),
    crc: view.getUint32(at + 12, true),
  };
}

/** The content of a slot whose magic and CRC are right. */
function decodeSlot(bytes: Uint8Array, slotOffset: number): Superblock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = { major: view.getUint16(8, true), minor: view.getUint16(10, true) };
  if (version.major !== VERSION.major) {
    throw new LgiError(
      'unsupported',
      `the file is of version ${version.major}.${version.minor}, this program reads version ${VERSION.major}; ` +
        'use a program for that version',
      { section: 'superblock', byteOffset: slotOffset + 8 },
    );
  }
  const features: Features = {
    mustUnderstand: view.getBigUint64(16, true),
    mustUnderstandToWrite: view.getBigUint64(24, true),
    mayIgnore: view.getBigUint64(32, true),
  };
  // Before the other numbers, which an unknown feature may have made something else.
  refuseUnknown(features.mustUnderstand, KNOWN_FEATURES.mustUnderstand, 'read');
  return {
    version,
    features,
    generation: readWhole(view, 40, 'generation', slotOffset),
    fileId: bytes.slice(48, 64),
    header: decodeSpan(view, 64, 'header', slotOffset),
    index: decodeSpan(view, 80, 'index', slotOffset),
    committedByteLength: readWhole(view, 96, 'committed length', slotOffset),
  };
}

function refuseUnknown(features: bigint, known: bigint, action: 'read' | 'write'): void {
  const unknown = features & ~known;
  if (unknown === 0n) return;
  throw new LgiError(
    'unsupported',
    `the file uses features that this program does not know (bits 0x${unknown.toString(16)}) and must to ${action} it; ` +
      'use a newer version of this program',
    { section: 'superblock', byteOffset: action === 'read' ? 16 : 24 },
  );
}

/**
 * Checks that a new file may be made from one with these features.
 *
 * @throws LgiError `unsupported` when it uses features that this program does not know and must.
 */
export function checkWritable(features: Features): void {
  refuseUnknown(features.mustUnderstandToWrite, KNOWN_FEATURES.mustUnderstandToWrite, 'write');
}

export function hasMagic(bytes: Uint8Array, at: number): boolean {
  return MAGIC.every((value, i) => bytes[at + i] === value);
}

/** Why a slot is no valid one, or null. */
export function slotFault(bytes: Uint8Array, at: number, slotBytes: number): string | null {
  if (bytes.length < at + slotBytes) return 'the file ends before it';
  if (!hasMagic(bytes, at)) return 'its first eight bytes are wrong';
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, slotBytes);
  const crcAt = slotBytes - CRC_BYTES;
  const isSound = crc32c(bytes.subarray(at, at + crcAt)) === view.getUint32(crcAt, true);
  return isSound && saysShort(bytes, at) === (slotBytes === SHORT_SLOT_BYTES)
    ? null
    : 'its checksum is wrong';
}

/** Whether a slot, sound or not, has the feature bit of short ones. */
function saysShort(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 16] & Number(FEATURES.shortSlots)) !== 0;
}

/** Bytes of a slot: short where either one of that length is valid, or the first, not valid in any length, seems to be. */
export function slotBytesIn(bytes: Uint8Array): number {
  const isShort = [0, SHORT_SLOT_BYTES].some((at) => slotFault(bytes, at, SHORT_SLOT_BYTES) === null);
  const isLong = [0, SLOT_BYTES].some((at) => slotFault(bytes, at, SLOT_BYTES) === null);
  return isShort || (!isLong && hasMagic(bytes, 0) && saysShort(bytes, 0)) ? SHORT_SLOT_BYTES : SLOT_BYTES;
}

/** Checks what the superblock says about places and lengths. */
function checkPlaces({ features, header, index, committedByteLength, generation }: Superblock): void {
  for (const [name, { byteOffset, byteLength }, limit] of [
    ['header', header, MAX_HEADER_BYTES],
    ['index', index, MAX_INDEX_BYTES],
  ] as const) {
    if (byteLength > limit) {
      throw new LgiError('limit', `the ${name} has ${byteLength} bytes, the limit is ${limit}`, {
        section: name,
        byteOffset,
      });
    }
    if (
      byteOffset < superblockBytesOf(features) ||
      byteOffset % 8 !== 0 ||
      byteOffset + byteLength > committedByteLength
    ) {
      throw damaged(
        `the ${name} is said to be at ${byteOffset} with ${byteLength} bytes, which no file of ${committedByteLength} ` +
          'bytes has; fetch the file again',
      );
    }
  }
  if (generation < 1) throw damaged('the generation is 0, the first is 1; fetch the file again', 40);
}

/**
 * Both slots, each by itself, for programs that save what they can; {@link decodeSuperblock} is for all others.
 *
 * @param bytes the file's beginning, shorter only where the file is.
 * @returns the usable ones, the higher generation first, and what is wrong with the others.
 * @throws LgiError `unsupported` for a sound slot of a version or with features that this program does not know.
 */
export function readSlots(bytes: Uint8Array): {
  readonly usable: readonly { readonly slot: number; readonly superblock: Superblock }[];
  readonly invalidSlots: readonly InvalidSlot[];
} {
  const usable: { slot: number; superblock: Superblock }[] = [];
  const invalidSlots: InvalidSlot[] = [];
  const slotBytes = slotBytesIn(bytes);
  for (const slot of [0, 1]) {
    const at = slot * slotBytes;
    const reason = slotFault(bytes, at, slotBytes);
    if (reason !== null) {
      invalidSlots.push({ slot, byteOffset: at, reason });
      continue;
    }
    try {
      const superblock = decodeSlot(bytes.subarray(at, at + slotBytes), at);
      checkPlaces(superblock);
      usable.push({ slot, superblock });
    } catch (error) {
      if (!(error instanceof LgiError) || error.code === 'unsupported') throw error;
      invalidSlots.push({ slot, byteOffset: at, reason: error.message });
    }
  }
  usable.sort((a, b) => b.superblock.generation - a.superblock.generation);
  return { usable, invalidSlots };
}

/**
 * Reads a superblock from the file's first 1,024 bytes; the valid slot of higher generation counts.
 *
 * @param bytes the file's beginning, shorter only where the file is.
 * @throws LgiError `not-lgi`, `truncated`, `damaged`, `unsupported` or `limit`.
 */
export async function decodeSuperblock(bytes: Uint8Array): Promise<ReadSuperblock> {
  const found = findSuperblock(bytes);
  if (found) return found;
  // Most files have one: why this one has none is not loaded before.
  throw (await import('./no-superblock.js')).noSuperblock(bytes);
}

/** {@link decodeSuperblock}, undefined where no slot is valid. */
export function findSuperblock(bytes: Uint8Array): ReadSuperblock | undefined {
  const slots: { slot: number; superblock: Superblock }[] = [];
  const invalidSlots: InvalidSlot[] = [];
  const slotBytes = slotBytesIn(bytes);
  for (const slot of [0, 1]) {
    const at = slot * slotBytes;
    const reason = slotFault(bytes, at, slotBytes);
    if (reason !== null) invalidSlots.push({ slot, byteOffset: at, reason });
    else slots.push({ slot, superblock: decodeSlot(bytes.subarray(at, at + slotBytes), at) });
  }
  if (slots.length === 0) return undefined;
  const [first, second] = slots;
  const later = second && second.superblock.generation > first.superblock.generation ? second : first;
  if (second && second.superblock.generation === first.superblock.generation) {
    const same = bytes.subarray(0, slotBytes).every((value, i) => value === bytes[slotBytes + i]);
    if (!same) {
      throw damaged(
        `both slots of the superblock are of generation ${first.superblock.generation} and say different things; ` +
          'fetch the file again',
      );
    }
  }
  checkPlaces(later.superblock);
  return { superblock: later.superblock, slot: later.slot, invalidSlots };
}
