import type { Source } from './source.js';
import { forwarded } from './with-coalescing.js';

/** A source that counts its reads, what they give, and how long they take. */
export class MeasuredSource implements Source {
  readonly isRemote?: boolean;
  readonly renew?: () => void;
  readonly confirm?: (byteOffset: number) => void;
  readonly knownByteLength?: () => number | undefined;
  readonly close: () => void | Promise<void>;
  /** Reads that were asked for. */
  reads = 0;
  /** Bytes that reads gave. */
  bytes = 0;
  readonly #source: Source;
  #seconds = 0;
  #underWay = 0;
  #sinceMs = 0;

  constructor(source: Source) {
    this.#source = source;
    const { isRemote, renew, confirm, knownByteLength, close } = forwarded(source);
    if (isRemote !== undefined) this.isRemote = isRemote;
    if (renew) this.renew = renew;
    if (confirm) this.confirm = confirm;
    if (knownByteLength) this.knownByteLength = knownByteLength;
    this.close = () => close?.();
  }

  /** Seconds in which at least one read was waited for. */
  get seconds(): number {
    return this.#seconds + (this.#underWay > 0 ? (performance.now() - this.#sinceMs) / 1000 : 0);
  }

  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.reads++;
    if (this.#underWay++ === 0) this.#sinceMs = performance.now();
    try {
      const bytes = await this.#source.read(byteOffset, byteLength, signal);
      this.bytes += bytes.length;
      return bytes;
    } finally {
      if (--this.#underWay === 0) this.#seconds += (performance.now() - this.#sinceMs) / 1000;
    }
  }
}
