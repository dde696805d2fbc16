import { LgiError } from '../../codec/errors.js';
import { SharedWork } from '../io/shared-work.js';
import type { Source } from '../io/source.js';
import { forwarded } from '../io/with-coalescing.js';
import {
  decodeSuperblock,
  MAX_SUPERBLOCK_BYTES,
  superblockBytesOf,
  type ReadSuperblock,
  type SectionSpan,
  type Superblock,
} from './superblock.js';

/** Times that one read is begun anew: a file may grow while it is read, but not for ever. */
const MAX_RENEWALS = 3;

/** Whether an error says that a source met another version of the file. */
export function isReplaced(error: unknown): error is LgiError {
  return error instanceof LgiError && error.code === 'replaced';
}

/** An open file's source, which knows what file that is. */
export interface SameFileSource extends Source {
  /**
   * The superblock as it is now, read anew.
   *
   * @throws LgiError `replaced` where it is another file's; as {@link Source.read}.
   */
  latest(signal?: AbortSignal): Promise<ReadSuperblock>;
}

/**
 * An open file's source. Where it meets another version of the file, the superblock decides: a file that has grown keeps
 * all that was there, so reading goes on; any other is refused, for good.
 *
 * @param opened what the file said when it was opened.
 */
export function asSameFile(source: Source, opened: Superblock): SameFileSource {
  const same = new SameFile(source, opened);
  return {
    ...forwarded(source),
    read: (byteOffset, byteLength, signal) =>
      // Where versions cannot be told apart, there is nothing to check between two reads.
      source.renew ? same.read(byteOffset, byteLength, signal) : source.read(byteOffset, byteLength, signal),
    ...(source.renew === undefined &&
      source.readInto && {
        readInto: (byteOffset: number, target: Uint8Array, signal?: AbortSignal) =>
          source.readInto!(byteOffset, target, signal),
      }),
    latest: (signal) => same.latest(signal),
  };
}

class SameFile {
  /** Set while nobody knows whether the source's version is this file. */
  #isInDoubt = false;
  #check: SharedWork<void> | undefined;
  #checks = 0;
  #refusal: LgiError | undefined;
  #latest: ReadSuperblock | undefined;

  constructor(
    private readonly source: Source,
    private readonly opened: Superblock,
  ) {}

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    for (let renewals = 0; ; renewals++) {
      if (this.#isInDoubt) await this.#settle(signal);
      if (this.#refusal) throw this.#refusal;
      const checks = this.#checks;
      try {
        const bytes = await this.source.read(byteOffset, byteLength, signal);
        // They may be of the version in doubt.
        if (this.#isInDoubt) await this.#settle(signal);
        if (this.#refusal) throw this.#refusal;
        return bytes;
      } catch (error) {
        if (!isReplaced(error) || error === this.#refusal || renewals === MAX_RENEWALS) throw error;
        // Unless another read has met the same and it is settled.
        if (checks === this.#checks) this.#isInDoubt = true;
      }
    }
  }

  async latest(signal?: AbortSignal): Promise<ReadSuperblock> {
    this.#latest = undefined;
    this.#isInDoubt = true;
    while (this.#latest === undefined && this.#refusal === undefined) await this.#settle(signal);
    if (this.#refusal) throw this.#refusal;
    if (this.#latest === undefined) throw new Error('the check has no result');
    return this.#latest;
  }

  #settle(signal?: AbortSignal): Promise<void> {
    this.#check ??= new SharedWork(
      async (checkSignal) => {
        await this.#compare(checkSignal);
        this.#checks++;
        this.#isInDoubt = false;
        this.#check = undefined;
      },
      () => (this.#check = undefined),
    );
    return this.#check.join(signal);
  }

  async #compare(signal: AbortSignal): Promise<void> {
    this.source.renew?.();
    const bytes = await this.source.read(0, MAX_SUPERBLOCK_BYTES, signal);
    let found: ReadSuperblock | undefined;
    let cause: unknown;
    try {
      found = await decodeSuperblock(bytes);
    } catch (error) {
      cause = error;
    }
    if (found !== undefined && hasGrown(this.opened, found.superblock)) {
      this.#latest = found;
      // Growth changes nothing behind the superblock that was there.
      this.source.confirm?.(superblockBytesOf(found.superblock.features));
      return;
    }
    const { generation } = this.opened;
    const fact =
      found === undefined
        ? 'what is there now is no such file'
        : `what is there now has another file id or header, or an older generation than ${generation}`;
    this.#refusal = new LgiError(
      'replaced',
      `the file was replaced after it was opened: ${fact}; open it again`,
      { section: 'superblock', cause },
    );
  }
}

/** Whether a later superblock is of the same file, with everything that the earlier one speaks of still in its place. */
function hasGrown(before: Superblock, after: Superblock): boolean {
  const isSameFile = before.fileId.every((value, i) => value === after.fileId[i]);
  if (!isSameFile || !isSameSpan(before.header, after.header)) return false;
  if (after.generation === before.generation) return isSameSpan(before.index, after.index);
  return after.generation > before.generation;
}

function isSameSpan(a: SectionSpan, b: SectionSpan): boolean {
  return a.byteOffset === b.byteOffset && a.byteLength === b.byteLength && a.crc === b.crc;
}
