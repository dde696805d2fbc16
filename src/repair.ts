import { LgiError } from '../codec/errors.js';
import { copyPartitions, type Selection } from './container/copy-partitions.js';
import type { MetadataSection } from './container/index-table.js';
import type { Container } from './container/reader.js';
import { recoverContainer, type IndexHint, type Recovered } from './container/recover.js';
import { checkEachSection } from './container/sound-sections.js';
import type { WriteReport } from './container/writer.js';
import { asSource, type Openable } from './io/as-source.js';
import type { Sink } from './io/sink.js';

/** What {@link repair} takes besides source and sink. */
export interface RepairOptions {
  /** Stops reading and copying. */
  readonly signal?: AbortSignal;
}

/** A partition that a repair could not save. */
export interface UnsavedPartition {
  /** Place of its signal in the file. */
  readonly signalIndex: number;
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
  /** The damage, or `not-found` where a scan found no sound chunk: it was damaged, cut off, or never there. */
  readonly reason: 'not-found' | LgiError;
}

/** A metadata section that a repair could not save. */
export interface UnsavedSection {
  readonly name: string;
  readonly reason: LgiError;
}

/** What a repair has saved, and what it has not. */
export interface RepairReport extends WriteReport {
  /** Partitions in the new file, all signals together. */
  readonly kept: number;
  /**
   * Partitions that are lost, all signals together: those that the index has, or the one that a new one was made after, and
   * those that must have been beyond its ends between others that are kept. Where no index says which partitions there were,
   * all holes between those that are kept.
   */
  readonly lost: readonly UnsavedPartition[];
  /** Holes that the file had before, as after a crop. */
  readonly absent: number;
  readonly metadata: {
    /** Names of the sections in the new file. */
    readonly kept: readonly string[];
    readonly lost: readonly UnsavedSection[];
  };
  /** Whether the index could not be used and was made anew by a scan for chunks. */
  readonly indexRebuilt: boolean;
  /**
   * What a new index was made after, besides the chunks: `unchecked`, the file's own, of which only the checksum is wrong or
   * lost; `earlier`, one that an append has left in the file: what was added later at the rim or in a hole, and of which no
   * chunk is left, nothing tells of; `none`, the chunks alone. Absent where the index could be used.
   */
  readonly indexHint?: IndexHint;
  /** What else there is to know, a sentence each. */
  readonly notices: readonly string[];
}

/**
 * Makes a new file of everything in a damaged one that is sound: chunks and header byte for byte, superblock and index new.
 *
 * Where the index is sound, chunks and metadata whose checksums are wrong are left out. Where it is not, or nothing says
 * where it is, the file is scanned for chunks and the index made anew. What is lost is a hole, in a file of unchanged window.
 * A file without damage comes out the same as by {@link crop} without options. Memory: blocks of a few MiB, and the index.
 *
 * The sink is closed on success and aborted on failure. A source that the caller opened stays open.
 *
 * @throws LgiError `damaged` or `truncated` where nothing can be saved, as without a sound header; `not-lgi`; `unsupported`
 *   for a version or features that this program does not know; `limit`; `io`.
 */
export async function repair(source: Openable, to: Sink, options: RepairOptions = {}): Promise<RepairReport> {
  const { signal } = options;
  let recovered: Recovered;
  let sound: Sound;
  let notices: string[];
  try {
    recovered = await recoverContainer(asSource(source), signal);
    sound = await soundParts(recovered, signal);
    notices = [...noticesOf(recovered), ...(await noticesOfEnd(recovered, signal))];
  } catch (error) {
    await to.abort(error);
    throw error;
  }
  const { container, selections, lost, sections, sectionFaults } = sound;
  const report = await copyPartitions(container, to, selections, signal);
  return {
    ...report,
    kept: selections.reduce((sum, { chunks }) => sum + chunks.length, 0),
    lost,
    absent: recovered.absent,
    metadata: {
      kept: sections.map(({ name }) => name),
      lost: sectionFaults.map((reason) => ({ name: reason.section ?? '', reason })),
    },
    indexRebuilt: recovered.indexFault !== undefined,
    ...(recovered.indexHint && { indexHint: recovered.indexHint }),
    notices,
  };
}

/** What goes into the new file. */
interface Sound {
  readonly container: Container;
  readonly selections: readonly Selection[];
  readonly lost: readonly UnsavedPartition[];
  readonly sections: readonly MetadataSection[];
  readonly sectionFaults: readonly LgiError[];
}

async function soundParts(recovered: Recovered, signal?: AbortSignal): Promise<Sound> {
  const { container, indexFault } = recovered;
  if (indexFault !== undefined) {
    // A rebuilt index has nothing in it but what is sound.
    const selections = container.index.signals.map(({ grid, window, chunks }) => ({
      grid,
      window,
      chunks: Uint32Array.from({ length: chunks.count }, (_, chunk) => chunk),
    }));
    const lost = recovered.lost.map(({ signal: signalIndex, coordinates }) => ({
      signalIndex,
      coordinates,
      reason: 'not-found' as const,
    }));
    const { sections } = container.index;
    return { container, selections, lost, sections, sectionFaults: recovered.sectionFaults };
  }
  const { sections, sectionFaults } = await checkEachSection(container, container.index.sections, signal);
  const lost: UnsavedPartition[] = [];
  const selections: Selection[] = [];
  for (let signalIndex = 0; signalIndex < container.index.signals.length; signalIndex++) {
    const { grid, window, chunks } = container.index.signals[signalIndex];
    const onDamage = (reason: LgiError, chunk: number): void => {
      lost.push({ signalIndex, coordinates: grid.coordinatesOf(chunks.ordinals[chunk]), reason });
    };
    const all = Array.from({ length: chunks.count }, (_, chunk) => chunk);
    const kept: number[] = [];
    for await (const { chunk } of container.readChunks(signalIndex, all, {
      onDamage,
      ...(signal && { signal }),
    })) {
      kept.push(chunk);
    }
    selections.push({ grid, window, chunks: Uint32Array.from(kept) });
  }
  if (lost.length > 0 && selections.every(({ chunks }) => chunks.length === 0)) {
    throw new LgiError('damaged', 'no partition is left whose chunk is sound; nothing can be saved', {
      section: 'chunks',
      cause: lost[0].reason,
    });
  }
  const without = container.withIndex({ ...container.index, sections });
  return { container: without, selections, lost, sections, sectionFaults };
}

const HINT_NOTICES: Readonly<Record<IndexHint, string>> = {
  unchecked:
    'grid, window and metadata are those of an index that fits the chunks, but whose checksum is wrong or lost',
  earlier:
    'grid, window and metadata are those of an earlier index, with what the chunks say of later parts; of partitions that were ' +
    'added later at the rim or in a hole, and of which no chunk is left, nothing tells',
  none: 'no index says which partitions there were: the window is the box of those that were found',
};

function noticesOf(recovered: Recovered): string[] {
  const { container, isSuperblockLost, indexFault, indexHint, sectionFaults, conflicting } = recovered;
  const notices: string[] = [];
  if (isSuperblockLost) {
    notices.push(
      'both slots of the superblock were lost; the header was found by its letters and its chunks',
    );
  } else {
    for (const { slot, reason } of container.slots.invalidSlots) {
      notices.push(`slot ${slot} of the superblock could not be used: ${reason}`);
    }
  }
  if (indexFault === undefined) return notices;
  if (!isSuperblockLost) notices.push(`the index could not be used: ${indexFault.message}`);
  if (indexHint !== undefined)
    notices.push(`the index was made anew by a scan for chunks; ${HINT_NOTICES[indexHint]}`);
  if (indexHint === 'none' && container.index.sections.length + sectionFaults.length === 0) {
    notices.push('metadata is lost, if there was any: only an index says where it is');
  }
  if (conflicting > 0) {
    notices.push(
      `${conflicting} sound chunks were left out, since no grid has their boxes beside the others`,
    );
  }
  return notices;
}

/** Whether the file ends where it should. */
async function noticesOfEnd(
  { container, isSuperblockLost }: Recovered,
  signal?: AbortSignal,
): Promise<string[]> {
  if (isSuperblockLost) return [];
  const end = container.superblock.committedByteLength;
  const bytes = await container.readBytes({ byteOffset: end - 1, byteLength: 2 }, signal);
  if (bytes.length === 2) {
    return [`bytes after the committed end at ${end} were left out, as of an append that did not finish`];
  }
  return bytes.length === 0 ? [container.truncated('end', end - 1, 0).message] : [];
}
