import { HttpSource, type HttpSourceOptions } from './http-source.js';
import { MeasuredSource } from './measured-source.js';
import type { Source } from './source.js';
import { withCache, type CacheOptions } from './with-cache.js';
import { withCoalescing, type CoalescingOptions } from './with-coalescing.js';

/** How a URL is read and what is kept of it. */
export interface RemoteSourceOptions extends HttpSourceOptions {
  readonly cache?: CacheOptions;
  readonly coalescing?: CoalescingOptions;
}

/** What reading has cost so far, and what it was good for. */
export interface ReadStatistics {
  readonly requests: number;
  /** Bytes that came over the network. */
  readonly bytesFetched: number;
  /** Bytes that readers were given; more than were fetched where the cache had them. */
  readonly bytesUsed: number;
}

/** A URL as `open` reads it: by few requests, and each byte once as long as the cache has room. */
export class RemoteSource implements Source {
  readonly isRemote = true;
  readonly #http: HttpSource;
  readonly #layers: MeasuredSource;

  /** @throws OptionError for another URL than http or https, or options out of range. */
  constructor(url: URL | string, options: RemoteSourceOptions = {}) {
    this.#http = new HttpSource(url, options);
    this.#layers = new MeasuredSource(
      withCache(withCoalescing(this.#http, options.coalescing), options.cache),
    );
  }

  /** The URL without user, query and fragment, as messages have it. */
  get name(): string {
    return this.#http.name;
  }

  get statistics(): ReadStatistics {
    const { requests, bytesFetched } = this.#http;
    return { requests, bytesFetched, bytesUsed: this.#layers.bytes };
  }

  read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#layers.read(byteOffset, byteLength, signal);
  }

  knownByteLength(): number | undefined {
    return this.#http.knownByteLength();
  }

  renew(): void {
    this.#layers.renew?.();
  }

  confirm(byteOffset: number): void {
    this.#layers.confirm?.(byteOffset);
  }

  /** Ends all reads and forgets what was kept. */
  close(): void | Promise<void> {
    return this.#layers.close();
  }
}
