import { createEngine } from '../codec/engine/choose.js';
import type { Engine } from '../codec/engine/engine.js';
import { overviewsOf } from './container/overviews.js';
import { openContainer } from './container/reader.js';
import type { Container } from './container/reader.js';
import { verifyOpened } from './container/verify.js';
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
  /** Stops opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a file: superblock, header and index are read and checked, by one read of 64 KiB as a rule; chunks wait until
 * they are wanted.
 *
 * @throws LgiError `not-lgi`, `truncated`, `damaged`, `unsupported`, `limit`, or `io` from the source.
 */
export async function open(source: Openable, options: OpenOptions = {}): Promise<LgiFile> {
  const bytes = asSource(source);
  const container = await openContainer(
    bytes,
    options.signal === undefined ? {} : { signal: options.signal },
  );
  return new LgiFile(container, bytes, options);
}

/** An open file. */
export class LgiFile {
  /** The signals, in the header's order; overviews, which are signals too, follow the one that they are of. */
  readonly signals: readonly Signal[];
  /** The file as its parts, for those who copy chunks rather than decode them. */
  readonly container: Container;
  readonly #source: Source;
  readonly #ownsEngine: boolean;
  #engine: Engine | undefined;
  #disposed = false;

  /** Made by {@link open}. */
  constructor(container: Container, source: Source, options: OpenOptions) {
    this.container = container;
    this.#source = source;
    this.#engine = options.engine;
    this.#ownsEngine = options.engine === undefined;
    const engine = (): Engine => {
      if (this.#disposed) throw new Error('the file was disposed; open it again');
      this.#engine ??= createEngine('auto', options.threads);
      return this.#engine;
    };
    const signals: Signal[] = [];
    // Overviews stand behind the signals that they are of.
    for (let i = container.header.signals.length - 1; i >= 0; i--) {
      const overviews = overviewsOf(container.header, i).map(({ signalIndex, factor }) => ({
        factor,
        signal: signals[signalIndex],
      }));
      signals[i] = new Signal(container, i, engine, overviews);
    }
    this.signals = signals;
  }

  /** 32 hexadecimal digits that this file has to itself. */
  get fileId(): string {
    return this.container.fileId;
  }

  /** 32 hexadecimal digits shared by the files that have the same header, such as crops of one another. */
  get familyId(): string {
    return this.container.familyId;
  }

  /** 1 in a new file, one more with every append. */
  get generation(): number {
    return this.container.generation;
  }

  /** Bytes of a metadata section such as `icc`; null where there is none. */
  readMetadata(name: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.container.readSection(name, signal);
  }

  /** Reads everything and yields what is wrong. */
  verify(signal?: AbortSignal): AsyncIterable<Problem> {
    return verifyOpened(this.container, signal);
  }

  /** Ends threads and closes the source. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await Promise.all(this.signals.map((signal) => signal.dispose()));
    if (this.#ownsEngine) await this.#engine?.dispose();
    await this.#source.close?.();
  }
}
