import { LgiError, OptionError } from '../../codec/errors.js';
import { FileVersion } from './file-version.js';
import {
  contentEncoding,
  FailedRequest,
  networkFault,
  parseContentRange,
  statusFault,
  unsatisfiedByteLength,
  versionSigns,
} from './http-answer.js';
import { concatenate, HttpExchange, StalledError } from './http-exchange.js';
import { faultError, HttpRepeats, type HttpFailure } from './http-repeats.js';
import { basicAuthorization, httpName, parseHttpUrl } from './http-url.js';
import { SharedWork } from './shared-work.js';
import type { Source } from './source.js';

/** Headers of requests besides those that reading needs, such as `Authorization`. */
export type HttpHeaders = Readonly<Record<string, string>>;

/** How a URL is read. */
export interface HttpSourceOptions {
  /** Sends the requests; default the platform's `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Headers of every request, or what makes them, called before each; default none. Most need the server's leave under CORS. */
  readonly headers?: HttpHeaders | (() => HttpHeaders | Promise<HttpHeaders>);
  /** How often a failed request is repeated; default 2: a short fault is over by then, a long one is better told. */
  readonly retries?: number;
  /**
   * Decides on a failed request: ms to wait before it is repeated, null to give up, undefined for the default. By default
   * 408, 429, 5xx, failures of the network and wrong lengths are repeated, after 0.25, 0.5, 1, ... s or what `Retry-After` says,
   * and not at all where that is more than 10 s. Never more than `retries` times.
   */
  readonly onFailure?: (failure: HttpFailure) => number | null | undefined;
  /**
   * ms without a byte after which a request has failed; default 20,000. TCP repeats lost packets after 1, 2, 4 and 8 s, so
   * what has been silent for longer than their sum seldom comes back.
   */
  readonly timeoutMs?: number;
  /** Largest file that is fetched whole, where the server ignores ranges; bytes, default 16 MiB, a few seconds of a usual line. */
  readonly maxWholeBytes?: number;
  /** Ends all reads. */
  readonly signal?: AbortSignal;
}

/** Answers that one read is put together from, where a server gives less than asked: 64 MiB, the largest section, by 256 KiB. */
const MAX_PIECES = 256;

/** What one request brought. */
interface Piece {
  readonly bytes: Uint8Array;
  /** Whether the file ends here. */
  readonly isEnd: boolean;
}

/**
 * A file behind an http or https URL, read by range requests; the file's length is never asked for.
 *
 * Answers must be of one version of the file, by ETag or Last-Modified; {@link HttpSource.renew} accepts another. A server
 * that ignores ranges is put up with where the file is small: it is then fetched once and kept.
 */
export class HttpSource implements Source {
  readonly isRemote = true;
  /** The URL without user, query and fragment, as messages have it. */
  readonly name: string;
  readonly #url: string;
  readonly #authorization: string | undefined;
  readonly #options: HttpSourceOptions;
  readonly #repeats: HttpRepeats;
  readonly #timeoutMs: number;
  readonly #maxWholeBytes: number;
  readonly #closed = new AbortController();
  #version = new FileVersion();
  #isRenewed = false;
  #requests = 0;
  #bytesFetched = 0;

  /**
   * Makes no request yet.
   *
   * @param url absolute; a user and password in it are sent as an `Authorization` header.
   * @throws OptionError for another URL, or options out of range.
   */
  constructor(url: URL | string, options: HttpSourceOptions = {}) {
    const parsed = parseHttpUrl(url);
    if (parsed === null)
      throw new OptionError('url', 'is no http or https URL; give one, such as https://...');
    this.#authorization = basicAuthorization(parsed);
    parsed.username = parsed.password = '';
    parsed.hash = '';
    this.#url = parsed.href;
    this.name = httpName(parsed);
    this.#options = options;
    const retries = wholeNumber('retries', options.retries ?? 2);
    this.#repeats = new HttpRepeats(this.name, retries, (failure) => options.onFailure?.(failure));
    this.#timeoutMs = wholeNumber('timeoutMs', options.timeoutMs ?? 20_000, 1, 2 ** 31 - 1);
    this.#maxWholeBytes = wholeNumber('maxWholeBytes', options.maxWholeBytes ?? 1 << 24);
    if (typeof options.headers === 'object') checkHeaders(options.headers);
  }

  /** Requests so far, repeated ones too. */
  get requests(): number {
    return this.#requests;
  }

  /** Bytes of all bodies so far, wanted or not. */
  get bytesFetched(): number {
    return this.#bytesFetched;
  }

  /**
   * Reads a range; see {@link Source.read}.
   *
   * @throws LgiError `io` for answers that are no such range, with what to do; `replaced` when the file is another version
   * than before.
   */
  async read(byteOffset: number, byteLength: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.#throwIfAborted(signal);
    const version = this.#version;
    const end = Math.min(byteOffset + byteLength, Number.MAX_SAFE_INTEGER);
    const pieces: Uint8Array[] = [];
    let at = byteOffset;
    while (at < end) {
      if (pieces.length === MAX_PIECES) {
        throw faultError(this.name, {
          fact: `the server gives ranges in too small parts, ${at - byteOffset} bytes by ${MAX_PIECES} requests`,
          nextStep: 'use a server that gives ranges as they are asked for',
          isTransient: false,
        });
      }
      const { bytes, isEnd } = await this.#repeats.run(
        () => this.#request(version, at, end, signal),
        this.#signals(signal),
      );
      if (bytes.length > 0) pieces.push(bytes);
      at += bytes.length;
      if (!isEnd) continue;
      // So that the end is not asked for again, where CORS hides the length.
      if (pieces.length > 0) version.accepts({ etag: null, lastModified: null, byteLength: at });
      break;
    }
    return concatenate(pieces, at - byteOffset);
  }

  /** By what answers have said; undefined until one has, as where CORS hides it. */
  knownByteLength(): number | undefined {
    return this.#version.byteLength ?? undefined;
  }

  /** Forgets which version of the file was met; browsers' caches are passed by from now on. */
  renew(): void {
    this.#version = new FileVersion();
    this.#isRenewed = true;
  }

  /** Ends all reads and forgets what was kept. */
  close(): void {
    this.#version = new FileVersion();
    this.#closed.abort(new Error(`${this.name} was closed; open it again`));
  }

  #throwIfAborted(signal?: AbortSignal): void {
    for (const one of this.#signals(signal)) one?.throwIfAborted();
  }

  #signals(signal?: AbortSignal): (AbortSignal | undefined)[] {
    return [signal, this.#options.signal, this.#closed.signal];
  }

  #replaced(): LgiError {
    return new LgiError(
      'replaced',
      `${this.name} was replaced while it was read, its ETag, date or length is another; open it again`,
    );
  }

  async #request(version: FileVersion, begin: number, end: number, signal?: AbortSignal): Promise<Piece> {
    if (version.whole) return this.#pieceOfWhole(version.whole, begin, end, signal);
    const headers = await this.#headers(begin, end);
    this.#throwIfAborted(signal);
    const exchange = new HttpExchange(this.#timeoutMs);
    exchange.follow(...this.#signals(signal));
    let isHandedOver = false;
    try {
      this.#requests++;
      const send = this.#options.fetch ?? ((url, init) => globalThis.fetch(url, init));
      const init = { headers, signal: exchange.signal, ...(this.#isRenewed && { cache: 'reload' as const }) };
      const response = await exchange.race(send(this.#url, init));
      exchange.progressed();
      if (response.status === 206) return await this.#readRange(version, response, exchange, begin, end);
      if (response.status === 416) return this.#beyondEnd(version, response, begin);
      if (response.status !== 200) throw new FailedRequest(statusFault(response));
      if (version.whole) exchange.close();
      else {
        version.whole = this.#fetchWhole(version, response, exchange);
        isHandedOver = true;
      }
      return await this.#pieceOfWhole(version.whole, begin, end, signal);
    } catch (thrown) {
      throw this.#understood(thrown, exchange, signal);
    } finally {
      if (!isHandedOver) exchange.close();
    }
  }

  /** Anything that a request throws, as an abort, an error of our own, or a failed request. */
  #understood(thrown: unknown, exchange: HttpExchange, signal?: AbortSignal): unknown {
    this.#throwIfAborted(signal);
    const { reason } = exchange.signal as { reason: unknown };
    if (exchange.signal.aborted && reason instanceof StalledError) {
      return new FailedRequest({
        fact: reason.message,
        nextStep: 'check the connection and try again',
        isTransient: true,
        cause: reason,
      });
    }
    const isOurs =
      thrown instanceof FailedRequest || thrown instanceof LgiError || thrown instanceof OptionError;
    return isOurs ? thrown : new FailedRequest(networkFault(thrown));
  }

  async #headers(begin: number, end: number): Promise<Headers> {
    const { headers } = this.#options;
    const all = checkHeaders((typeof headers === 'function' ? await headers() : headers) ?? {});
    if (this.#authorization !== undefined && !all.has('Authorization')) {
      all.set('Authorization', this.#authorization);
    }
    // No If-Range: browsers would ask the server's leave first, and a server answers it with all of a changed file.
    all.set('Range', `bytes=${begin}-${end - 1}`);
    return all;
  }

  async #readRange(
    version: FileVersion,
    response: Response,
    exchange: HttpExchange,
    begin: number,
    end: number,
  ): Promise<Piece> {
    const encoding = contentEncoding(response);
    if (encoding !== null) {
      throw new FailedRequest({
        fact: `the server gives ranges of a compressed form (Content-Encoding: ${encoding}), whose offsets are not the file's`,
        nextStep: 'serve .lgi files without content encoding',
        isTransient: false,
      });
    }
    // Absent also where CORS hides it; then lengths alone can be checked.
    const text = response.headers.get('Content-Range');
    const range = text === null ? null : parseContentRange(text);
    if (text !== null && (range === null || range.begin !== begin || range.end > end)) {
      throw wrongAnswer(
        `bytes ${begin} to ${end - 1} were asked for, the answer says Content-Range: ${text}`,
      );
    }
    if (!version.accepts(versionSigns(response, range?.byteLength ?? null))) throw this.#replaced();
    const promised = (range?.end ?? end) - begin;
    const { bytes, isLonger } = await this.#readBody(response, exchange, promised);
    if (isLonger) throw wrongAnswer(`the answer has more than the ${promised} bytes that belong to it`);
    if (bytes.length === 0 || (range !== null && bytes.length < promised)) {
      throw wrongAnswer(`the answer has ${bytes.length} of the ${promised} bytes that belong to it`);
    }
    return { bytes, isEnd: begin + bytes.length === version.byteLength };
  }

  async #readBody(response: Response, exchange: HttpExchange, most: number) {
    return exchange.readBody(response, most, (byteLength) => (this.#bytesFetched += byteLength));
  }

  /** 416: the file ends before the first byte that was asked for. */
  #beyondEnd(version: FileVersion, response: Response, begin: number): Piece {
    const byteLength = unsatisfiedByteLength(response.headers.get('Content-Range'));
    const known = version.byteLength;
    if (byteLength !== null && known !== null && byteLength !== known) throw this.#replaced();
    const said = byteLength ?? known;
    if (said !== null && begin < said) {
      throw wrongAnswer(`the server refuses bytes from ${begin} on (status 416) of a file of ${said}`);
    }
    return { bytes: new Uint8Array(0), isEnd: true };
  }

  /** 200: the server ignores ranges. The whole file is fetched once, for all who read, where it is small enough. */
  #fetchWhole(version: FileVersion, response: Response, exchange: HttpExchange): SharedWork<Uint8Array> {
    if (!version.accepts(versionSigns(response, null))) throw this.#replaced();
    const most = this.#maxWholeBytes;
    const declared = response.headers.get('Content-Length');
    if (contentEncoding(response) === null && Number(declared ?? 0) > most) {
      throw this.#ignoresRanges(`all ${declared} bytes`);
    }
    const whole = new SharedWork<Uint8Array>(
      async (signal) => {
        exchange.follow(...this.#signals(signal));
        try {
          const { bytes, isLonger } = await this.#readBody(response, exchange, most);
          if (isLonger) throw this.#ignoresRanges(`more than ${most} bytes`);
          return bytes;
        } catch (thrown) {
          throw this.#understood(thrown, exchange, signal);
        } finally {
          exchange.close();
        }
      },
      () => {
        if (version.whole === whole) version.whole = undefined;
      },
    );
    return whole;
  }

  async #pieceOfWhole(
    whole: SharedWork<Uint8Array>,
    begin: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Piece> {
    const bytes = await whole.join(signal);
    return { bytes: bytes.subarray(begin, end), isEnd: end >= bytes.length };
  }

  #ignoresRanges(answer: string): FailedRequest {
    return new FailedRequest({
      fact: `the server ignores Range and answers with ${answer} (status 200), where at most ${this.#maxWholeBytes} are taken`,
      nextStep: 'download the file first, or use a server that supports range requests',
      isTransient: false,
      status: 200,
    });
  }
}

function wrongAnswer(fact: string): FailedRequest {
  return new FailedRequest({ fact, nextStep: 'tell whoever runs the server', isTransient: true });
}

function wholeNumber(option: string, value: number, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OptionError(option, `${value}; give a whole number from ${least} to ${most}`);
}

function checkHeaders(headers: HttpHeaders): Headers {
  try {
    return new Headers(headers);
  } catch {
    // Values may be secrets: they stay out of the message.
    throw new OptionError('headers', 'has a name or a value that HTTP does not allow; check them');
  }
}
