import { LgiError, type LgiErrorCode } from '../../codec/errors.js';
import type { Source } from '../io/source.js';
import { openContainer, type Container } from './reader.js';
import { SLOT_BYTES } from './superblock.js';

/** Something that is wrong with a file. */
export interface Problem {
  /** As of {@link LgiError}, or `trailing` for bytes after the committed end: an append that did not finish, or others'. */
  readonly code: LgiErrorCode | 'trailing';
  /** `superblock`, `header`, `index`, a metadata section's name, `chunk y,x`, or `end`. */
  readonly section: string;
  readonly byteOffset: number;
  readonly message: string;
}

function problemOf(error: LgiError): Problem {
  const { code, section = 'file', byteOffset = 0, message } = error;
  return { code, section, byteOffset, message };
}

/**
 * Checks every checksum of a file and that the index says the same as the chunks; yields what is wrong, in file order.
 *
 * @throws LgiError `io` where the source fails; everything else is yielded.
 */
export async function* verifyContainer(source: Source, signal?: AbortSignal): AsyncGenerator<Problem> {
  let container: Container;
  try {
    container = await openContainer(source, { signal, allowTruncated: true });
  } catch (error) {
    if (!(error instanceof LgiError) || error.code === 'io') throw error;
    yield problemOf(error);
    return;
  }
  yield* verifyOpened(container, signal);
}

/** {@link verifyContainer} for a file that is open, whose header and index are therefore sound. */
export async function* verifyOpened(container: Container, signal?: AbortSignal): AsyncGenerator<Problem> {
  const { slots, superblock, index } = container;
  for (const { slot, reason } of slots.invalidSlots) {
    yield {
      code: 'damaged',
      section: 'superblock',
      byteOffset: slot * SLOT_BYTES,
      message: `slot ${slot} of the superblock cannot be used: ${reason}; the other one counts`,
    };
  }
  for (const section of index.sections) {
    try {
      await container.readSections([section], signal);
    } catch (error) {
      if (!(error instanceof LgiError) || error.code === 'io') throw error;
      yield problemOf(error);
    }
  }
  for (let signalIndex = 0; signalIndex < index.signals.length; signalIndex++) {
    for await (const error of container.damagedChunks(signalIndex, signal)) yield problemOf(error);
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
    yield {
      code: 'truncated',
      section: 'end',
      byteOffset: container.knownByteLength ?? end - 1,
      message: `the file is shorter than the ${end} bytes that its superblock says; fetch it again`,
    };
  }
}
