import { createEngine } from '../codec/engine/choose.js';
import type { Engine } from '../codec/engine/engine.js';
import { overviewsOf } from './container/overviews.js';
import { openContainer, refreshContainer } from './container/reader.js';
import type { Container } from './container/reader.js';
import type { Problem } from './container/verify.js';
import { asSource } from './io/as-source.js';
import type { Openable } from './io/as-source.js';
import type { Source } from './io/source.js';
import { Signal } from './signal.js';

/** What {@link open} takes besides the source. */
export interface OpenOptions {
  /** Engine to decode with; the caller disposes it. Default: one of the file's own, made at the first decode. */
  readonly engine?: Engine;
  /** Threads of the file's own engine; default what the machine runs at once. */
  readonly threads?: number;
  /** Opens a file whose end is missing, as long as header and index are there; what is cut off is missing. Default false. */
  readonly allowTruncated?: boolean;
  /** Stops opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a file: superblock, header and index are read and checked, by one read of 64 KiB as a rule; chunks wait until
 * they are wanted.
 *
 * @throws LgiError `not-lgi`, `truncated`, `damaged`, `unsupported`, `limit`, or `io` or `replaced` from the source.
 */
export async function open(source: Openable, options: OpenOptions = {}): Promise<LgiFile> {
  const bytes = asSource(source);
  const { signal, allowTruncated = false } = options;
  const container = await openContainer(bytes, { allowTruncated, ...(signal && { signal }) });
  return new LgiFile(container, bytes, options);
}

/** A partition that a later generation of a file brought, or trained anew. */
export interface ChangedPartition {
  /** Place of the signal in the header. */
  readonly signalIndex: number;
  /** Partition coordinates, axis order. */
  readonly coordinates: readonly number[];
}

/** An open file. */
export class LgiFile {
  #container: Container;
  #signals: readonly Signal[];
  /** Those of earlier generations, which their users may still decode. */
  readonly #earlierSignals: Signal[] = [];
  readonly #source: Source;
  readonly #makeSignals: (container: Container) => Signal[];
  readonly #ownsEngine: boolean;
  #engine: Engine | undefined;
  #disposed = false;

  /** Made by {@link open}. */
  constructor(container: Container, source: Source, options: OpenOptions) {
    this.#container = container;
    this.#source = source;
    this.#engine = options.engine;
    this.#ownsEngine = options.engine === undefined;
    const engine = (): Engine => {
      if (this.#disposed) throw new Error('the file was disposed; open it again');
      this.#engine ??= createEngine('auto', options.threads);
      return this.#engine;
    };
    this.#makeSignals = (of) => {
      const signals: Signal[] = [];
      // Overviews stand behind the signals that they are of.
      for (let i = of.header.signals.length - 1; i >= 0; i--) {
        const overviews = overviewsOf(of.header, i).map(({ signalIndex, factor }) => ({
          factor,
          signal: signals[signalIndex],
        }));
        signals[i] = new Signal(of, i, engine, overviews);
      }
      return signals;
    };
    this.#signals = this.#makeSignals(container);
  }

  /** The signals, in the header's order; overviews, which are signals too, follow the one that they are of. */
  get signals(): readonly Signal[] {
    return this.#signals;
  }

  /** The file as its parts, for those who copy chunks rather than decode them. */
  get container(): Container {
    return this.#container;
  }

  /** 32 hexadecimal digits that this file has to itself. */
  get fileId(): string {
    return this.#container.fileId;
  }

  /** 32 hexadecimal digits shared by the files that have the same header, such as crops of one another. */
  get familyId(): string {
    return this.#container.familyId;
  }

  /** 1 in a new file, one more with every append. */
  get generation(): number {
    return this.#container.generation;
  }

  /**
   * Takes in what has been appended since: reads the superblock, and, where the file has grown, its new index. `signals` are
   * then new ones; those from before go on showing what they did.
   *
   * @returns partitions that are new or trained anew; empty where the file is as it was.
   * @throws LgiError `replaced` where another file has taken its place; as {@link open}.
   */
  async refresh(signal?: AbortSignal): Promise<readonly ChangedPartition[]> {
    const before = this.#container;
    const container = await refreshContainer(before, signal);
    // Another refresh may have been faster.
    if (container === before || container.generation <= this.#container.generation) return [];
    this.#container = container;
    this.#earlierSignals.push(...this.#signals);
    this.#signals = this.#makeSignals(container);
    return changedPartitions(before, container);
  }

  /** Bytes of a metadata section such as `icc`; null where there is none. */
  readMetadata(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#container.readSection(name, signal);
  }

  /** Reads everything and yields what is wrong. */
  async *verify(signal?: AbortSignal): AsyncGenerator<Problem> {
    // Who shows files does without: a page need not load it.
    const { verifyOpened } = await import('./container/verify.js');
    yield* verifyOpened(this.#container, signal);
  }

  /** Ends threads and closes the source. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await Promise.all([...this.#signals, ...this.#earlierSignals].map((signal) => signal.dispose()));
    if (this.#ownsEngine) await this.#engine?.dispose();
    await this.#source.close?.();
  }
}

/** Chunks of the later index that stand at other places than the earlier one's. */
export function changedPartitions(before: Container, after: Container): ChangedPartition[] {
  return after.index.signals.flatMap(({ grid, chunks }, signalIndex) => {
    const earlier = before.index.signals[signalIndex].chunks;
    return Array.from(chunks.ordinals, (ordinal) => grid.coordinatesOf(ordinal))
      .filter((coordinates, chunk) => {
        const known = before.findChunk(signalIndex, coordinates);
        return known < 0 || earlier.byteOffsets[known] !== chunks.byteOffsets[chunk];
      })
      .map((coordinates) => ({ signalIndex, coordinates }));
  });
}
