import type { ParameterCount } from '../codec/architecture.js';
import { countSignalParameters } from './count-parameters.js';
import { LgiError, OptionError } from '../codec/errors.js';
import type { Box } from '../codec/grid.js';
import { asContainer, type Copyable } from './as-container.js';
import { differingChunks, isSound, type ChunkDifference } from './container/compare-chunks.js';
import { hiddenSamplesOf } from './container/hidden-samples.js';
import { hilbertOrder } from './container/hilbert.js';
import { joinGrids } from './container/join-grids.js';
import {
  payloadLengthsOf,
  copyJoined,
  type JoinedContent,
  type JoinedSignal,
} from './container/join-partitions.js';
import type { Container } from './container/reader.js';
import { checkWritable } from './container/superblock.js';
import { finishSink, type WriteReport } from './container/writer.js';
import type { Sink } from './io/sink.js';

/** Files that are joined at once: what systems let a program have open as a rule. */
export const MAX_JOINED_FILES = 1024;

/** How files are joined. */
export interface JoinOptions {
  /**
   * Which of several files counts where they have different bytes for one partition or metadata section. Default: for
   * partitions neither, the join is refused; for metadata the first.
   */
  readonly prefer?: 'first' | 'last';
  /** What errors and notices call the files; default `file 1`, `file 2` and so on. */
  readonly names?: readonly string[];
  /** Stops reading and copying. */
  readonly signal?: AbortSignal;
}

/** What a join has done. */
export interface JoinReport extends WriteReport {
  /** Partitions in the new file, all signals together. */
  readonly kept: number;
  /** Chunks that were left out, since another file has the same partition. */
  readonly duplicates: number;
  /** Partitions between the new file's cuts that none of the files has. */
  readonly absent: number;
  /** Samples in partitions of the new file that lie outside the visible window, and can be recovered from the file. */
  readonly hiddenSamples: number;
  /** Of all signals together. */
  readonly parameters: ParameterCount;
  /** The new file's visible windows, signal by signal, in positions of the first encode's axes. */
  readonly windows: readonly Box[];
  /** What was decided where files differ, a sentence each. */
  readonly notices: readonly string[];
}

/**
 * Makes one file of several of one family, such as crops of one file: the inverse of crop. Chunks are copied byte for byte; no
 * network runs.
 *
 * The window becomes the box of all windows, and partitions that no file has are holes; samples that a crop has hidden
 * are seen where they lie in that box. A partition that several files have is taken once; where one of them is damaged, the
 * sound one. Metadata sections are those of all files. Chunks stand in the order of a new file, so that the crops of a file,
 * joined, are that file again. The sink is closed on success and aborted on failure; files stay open.
 *
 * @param files 1 to 1,024; they stay as they are.
 * @throws OptionError for no file or too many.
 * @throws LgiError `conflict` for files of different families or cuts, and for different bytes of one partition unless
 *   `prefer` says which count; `limit` for more cells than a file may have; as {@link crop} otherwise.
 */
export async function join(
  files: readonly Copyable[],
  to: Sink,
  options: JoinOptions = {},
): Promise<JoinReport> {
  return finishSink(to, async () => {
    if (files.length === 0 || files.length > MAX_JOINED_FILES) {
      throw new OptionError('files', `${files.length} given; give 1 to ${MAX_JOINED_FILES}`);
    }
    const { prefer, signal } = options;
    if (prefer !== undefined && prefer !== 'first' && prefer !== 'last') {
      throw new OptionError('prefer', `'${String(prefer)}' is neither 'first' nor 'last'`);
    }
    const containers: Container[] = [];
    for (const file of files) containers.push(await asContainer(file, signal));
    const names = files.map((_, i) => options.names?.[i] ?? `file ${i + 1}`);
    const [first] = containers;
    containers.forEach((container, i) => {
      checkWritable(container.superblock.features);
      if (container.familyId === first.familyId) return;
      throw new LgiError(
        'conflict',
        `${names[i]} is of family ${container.familyId}, ${names[0]} of ${first.familyId}; only parts of one encoded ` +
          'file, which have the same header, can be joined',
        { section: 'header' },
      );
    });
    const notices: string[] = [];
    const signals: JoinedSignal[] = [];
    let duplicates = 0;
    for (let i = 0; i < first.header.signals.length; i++) {
      const joiner = new SignalJoiner(containers, i, names, options);
      signals.push(await joiner.join());
      duplicates += joiner.duplicates;
      notices.push(...joiner.notices);
    }
    const sections = joinSections(containers, names, prefer ?? 'first', notices);
    const report = await copyJoined(containers, to, { signals, sections, names }, signal);
    return { ...report, ...summary(containers, signals), duplicates, notices };
  });
}

function summary(
  containers: readonly Container[],
  signals: readonly JoinedSignal[],
): Pick<JoinReport, 'kept' | 'absent' | 'hiddenSamples' | 'parameters' | 'windows'> {
  let [kept, absent, hiddenSamples] = [0, 0, 0];
  const parameters = { total: 0, local: 0, global: 0 };
  const [{ header }] = containers;
  signals.forEach((joined, i) => {
    const { grid, window, ordinals } = joined;
    kept += ordinals.length;
    absent += grid.count - ordinals.length;
    hiddenSamples += hiddenSamplesOf(grid, ordinals, window);
    const { total, local, global } = countSignalParameters(header.signals[i], {
      grid,
      chunks: {
        ordinals: Int32Array.from(ordinals),
        payloadLengths: payloadLengthsOf(containers, joined, i),
      },
    });
    parameters.total += total;
    parameters.local += local;
    parameters.global += global;
  });
  return { kept, absent, hiddenSamples, parameters, windows: signals.map(({ window }) => window) };
}

/** Decides which file every partition of one signal is taken from. */
class SignalJoiner {
  duplicates = 0;
  readonly notices: string[] = [];
  private mended = 0;
  private overruled = 0;

  constructor(
    private readonly containers: readonly Container[],
    private readonly signalIndex: number,
    private readonly names: readonly string[],
    private readonly options: JoinOptions,
  ) {}

  async join(): Promise<JoinedSignal> {
    const { containers, signalIndex, names } = this;
    const indexes = containers.map(({ index }) => index.signals[signalIndex]);
    const header = containers[0].header.signals[signalIndex];
    const grids = indexes.map(({ grid }) => grid);
    const grid = joinGrids(header, grids, names);
    // By cell: which file has its chunk, and where in that file's table.
    const files = new Int32Array(grid.count).fill(-1);
    const chunks = new Int32Array(grid.count);
    for (let file = 0; file < indexes.length; file++) {
      const pairs = new Map<number, ChunkDifference[]>();
      indexes[file].chunks.ordinals.forEach((ordinal, chunk) => {
        const cell = grid.ordinalOf(grids[file].coordinatesOf(ordinal));
        const holder = files[cell];
        if (holder < 0) {
          files[cell] = file;
          chunks[cell] = chunk;
          return;
        }
        this.duplicates++;
        const list = pairs.get(holder) ?? [];
        pairs.set(holder, list);
        list.push({ first: { file: holder, chunk: chunks[cell] }, second: { file, chunk } });
      });
      for (const list of pairs.values()) {
        for await (const pair of differingChunks(containers, signalIndex, list, this.options.signal)) {
          if (!(await this.takesSecond(pair))) continue;
          const { chunk } = pair.second;
          const cell = grid.ordinalOf(grids[file].coordinatesOf(indexes[file].chunks.ordinals[chunk]));
          files[cell] = file;
          chunks[cell] = chunk;
        }
      }
    }
    this.tell();
    const present: number[] = [];
    files.forEach((file, cell) => {
      if (file >= 0) present.push(cell);
    });
    const order = Int32Array.from(hilbertOrder(grid, present), (i) => present[i]);
    const windows = indexes.map(({ window }) => window);
    return {
      grid,
      window: windows.reduce((a, b) => ({
        begin: a.begin.map((begin, axis) => Math.min(begin, b.begin[axis])),
        end: a.end.map((end, axis) => Math.max(end, b.end[axis])),
      })),
      ordinals: order,
      files: Int32Array.from(order, (cell) => files[cell]),
      chunks: Int32Array.from(order, (cell) => chunks[cell]),
    };
  }

  /** Of two chunks of one partition that differ. */
  private async takesSecond({ first, second }: ChunkDifference): Promise<boolean> {
    const { containers, signalIndex, names } = this;
    const { prefer, signal } = this.options;
    const isFirstSound = await isSound(containers[first.file], signalIndex, first.chunk, signal);
    const isSecondSound = await isSound(containers[second.file], signalIndex, second.chunk, signal);
    if (isFirstSound !== isSecondSound) {
      this.mended++;
      return isSecondSound;
    }
    if (isFirstSound && prefer === undefined) {
      const section = containers[first.file].chunkName(signalIndex, first.chunk);
      throw new LgiError(
        'conflict',
        `${section} is not the same in ${names[first.file]} and ${names[second.file]}; ` +
          "`prefer` 'first' or 'last' says which file counts",
        { section },
      );
    }
    if (isFirstSound) this.overruled++;
    return prefer === 'last';
  }

  private tell(): void {
    const partitions = (count: number): string => `${count} partition${count === 1 ? '' : 's'}`;
    if (this.mended > 0) {
      this.notices.push(
        `${partitions(this.mended)} damaged in one file and sound in another: the sound one was taken`,
      );
    }
    if (this.overruled > 0) {
      this.notices.push(
        `${partitions(this.overruled)} not the same in all files: the ${this.options.prefer} one was taken`,
      );
    }
  }
}

function joinSections(
  containers: readonly Container[],
  names: readonly string[],
  prefer: 'first' | 'last',
  notices: string[],
): JoinedContent['sections'] {
  const sections = new Map<string, JoinedContent['sections'][number]>();
  const differing = new Map<string, number>();
  containers.forEach(({ index }, file) => {
    for (const section of index.sections) {
      const known = sections.get(section.name);
      if (known === undefined) {
        sections.set(section.name, { file, section });
        continue;
      }
      const isSame = known.section.crc === section.crc && known.section.byteLength === section.byteLength;
      if (isSame) continue;
      if (prefer === 'last') sections.set(section.name, { file, section });
      differing.set(section.name, prefer === 'last' ? file : known.file);
    }
  });
  for (const [name, file] of differing) {
    notices.push(`metadata ${name} is not the same in all files: that of ${names[file]} was taken`);
  }
  return [...sections.values()];
}
