import { LgiError, type LgiErrorCode } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { CHUNK_HEAD_BYTES } from './chunk.js';
import { damagedChunks } from './damaged-chunks.js';
import { PrefixCache } from './prefix-cache.js';
import { readSpans } from './read-spans.js';
import { openContainer, type Container } from './reader.js';
import { recoverContainer, type Recovered } from './recover.js';
import { checkEachSection } from './sound-sections.js';
import { readSlots, superblockBytesOf, type InvalidSlot } from './superblock.js';

/** Something that is wrong with a file. */
export interface Problem {
  /** As of {@link LgiError}, or `trailing` for bytes after the committed end: an append that did not finish, or others'. */
  readonly code: LgiErrorCode | 'trailing';
  /**
   * `superblock`, `header`, `index`, a metadata section's name, `chunk y,x`, or `end`; `chunks` for bytes of which, without
   * a sound index, nobody knows what they were.
   */
  readonly section: string;
  readonly byteOffset: number;
  readonly message: string;
}

function problemOf(error: LgiError): Problem {
  const { code, section = 'file', byteOffset = 0, message } = error;
  return { code, section, byteOffset, message };
}

/** Says nothing about the file. */
function isOfSource({ code }: LgiError): boolean {
  return code === 'io' || code === 'replaced';
}

/**
 * Checks every checksum of a file and that the index says the same as the chunks; yields what is wrong.
 *
 * One thing that is wrong does not end it, as far as the rest can be looked at: where the index is lost, chunks are found by
 * a scan. Without a sound header nothing can be said about chunks.
 *
 * @throws LgiError `io` where the source fails, `replaced` where the file changes meanwhile; everything else is yielded.
 */
export async function* verifyContainer(source: Source, signal?: AbortSignal): AsyncGenerator<Problem> {
  let container: Container;
  try {
    container = await openContainer(source, { signal, allowTruncated: true });
  } catch (error) {
    if (!(error instanceof LgiError) || isOfSource(error)) throw error;
    yield* verifyUnopened(source, error, signal);
    return;
  }
  yield* verifyOpened(container, signal);
}

function slotProblem({ slot, byteOffset, reason }: InvalidSlot): Problem {
  return {
    code: 'damaged',
    section: 'superblock',
    byteOffset,
    message: `slot ${slot} of the superblock cannot be used: ${reason}; the other one counts`,
  };
}

/** @param fault what opening has met first. */
async function* verifyUnopened(
  source: Source,
  fault: LgiError,
  signal?: AbortSignal,
): AsyncGenerator<Problem> {
  const isGrave = fault.code !== 'damaged' && fault.section !== 'index';
  if (isGrave || fault.section === undefined) {
    yield problemOf(fault);
    return;
  }
  const prefix = await PrefixCache.read(source, signal);
  const { usable, invalidSlots } = readSlots(prefix.prefix);
  // Without any slot the fault names both.
  if (usable.length > 0) yield* invalidSlots.map(slotProblem);
  yield problemOf(fault);
  if (fault.section === 'header' && usable.length > 0) {
    // Chunks cannot be told without the header; whether the index is as it was written can.
    const { index, committedByteLength } = usable[0].superblock;
    try {
      await readSpans(prefix, committedByteLength, [{ ...index, name: 'index' }], signal);
    } catch (error) {
      if (!(error instanceof LgiError) || isOfSource(error)) throw error;
      yield problemOf(error);
    }
    return;
  }
  let recovered: Recovered;
  try {
    recovered = await recoverContainer(source, signal);
  } catch (error) {
    if (!(error instanceof LgiError) || isOfSource(error)) throw error;
    if (error.section !== fault.section) yield problemOf(error);
    return;
  }
  if (recovered.indexFault === undefined) yield* verifyParts(recovered.container, signal);
  else yield* verifyScanned(recovered, signal);
}

/** What a scan for chunks has not found. */
async function* verifyScanned(recovered: Recovered, signal?: AbortSignal): AsyncGenerator<Problem> {
  const { container, indexHint, lost, sectionFaults, isSuperblockLost, scannedEnd } = recovered;
  yield* sectionFaults.map(problemOf);
  if (indexHint === 'none') yield* unknownRegions(recovered);
  else {
    for (const { signal: signalIndex, coordinates, byteOffset = scannedEnd } of lost) {
      const names = coordinates.join(',');
      const section =
        container.header.signals.length > 1 ? `chunk ${signalIndex}:${names}` : `chunk ${names}`;
      const message = `no sound chunk of partition ${names} is in the file; fetch the file again`;
      yield { code: 'damaged', section, byteOffset, message };
    }
  }
  if (!isSuperblockLost) yield* verifyEnd(container, container.superblock.committedByteLength, signal);
}

/** Bytes between what is sound that have room for a chunk. */
function unknownRegions({ container, chunks, scannedEnd }: Recovered): Problem[] {
  const { features, header, index } = container.superblock;
  const places = [
    { begin: 0, end: superblockBytesOf(features) },
    ...[header, index].map(({ byteOffset, byteLength }) => ({
      begin: byteOffset,
      end: byteOffset + byteLength,
    })),
    ...chunks.map(({ byteOffset, payloadLength }) => ({
      begin: byteOffset,
      end: byteOffset + CHUNK_HEAD_BYTES + payloadLength,
    })),
    { begin: scannedEnd, end: Infinity },
  ].sort((a, b) => a.begin - b.begin);
  const problems: Problem[] = [];
  let end = 0;
  for (const place of places) {
    if (place.begin - end > CHUNK_HEAD_BYTES) {
      problems.push({
        code: 'damaged',
        section: 'chunks',
        byteOffset: end,
        message: `bytes ${end} to ${place.begin} are no sound chunk; without an index nobody knows what they were`,
      });
    }
    end = Math.max(end, place.end);
  }
  return problems;
}

/** {@link verifyContainer} for a file that is open, whose header and index are therefore sound. */
export async function* verifyOpened(container: Container, signal?: AbortSignal): AsyncGenerator<Problem> {
  yield* container.slots.invalidSlots.map(slotProblem);
  yield* verifyParts(container, signal);
}

/** Metadata, chunks and the end. */
async function* verifyParts(container: Container, signal?: AbortSignal): AsyncGenerator<Problem> {
  const { superblock, index } = container;
  yield* (await checkEachSection(container, index.sections, signal)).sectionFaults.map(problemOf);
  for (let signalIndex = 0; signalIndex < index.signals.length; signalIndex++) {
    for await (const error of damagedChunks(container, signalIndex, signal)) yield problemOf(error);
  }
  yield* verifyEnd(container, superblock.committedByteLength, signal);
}

/** Whether the file ends where it should. */
async function* verifyEnd(container: Container, end: number, signal?: AbortSignal): AsyncGenerator<Problem> {
  // The last byte that counts, and one more.
  const bytes = await container.readBytes({ byteOffset: end - 1, byteLength: 2 }, signal);
  if (bytes.length === 2) {
    yield {
      code: 'trailing',
      section: 'end',
      byteOffset: end,
      message: `bytes follow the committed end at ${end}; they are ignored`,
    };
  }
  if (bytes.length === 0) {
    yield problemOf(container.truncated('end', end - 1, 0));
  }
}
