// A server of one file with strict ranges, and with a switch for everything that servers of others get wrong.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

export interface Switches {
  /** Ranges are ignored: 200 and the whole file. */
  isPlain?: boolean;
  /** Statuses of the next answers, before anything else; with them what `Retry-After` says. */
  statuses?: number[];
  retryAfter?: string;
  /** Bytes that a body has more (or fewer, with an end that looks regular) than its Content-Range says. */
  excessBytes?: number;
  /** Answers of this many bytes at most, with a Content-Range that says so. */
  mostBytes?: number;
  /** Content-Range counts from another place. */
  shift?: number;
  /** Bodies stop after this many bytes and never end. */
  stallAfter?: number;
  /** The connection breaks after this many bytes of the body; for so many answers. */
  resetAfter?: number;
  resets?: number;
  etag?: string | null;
  lastModified?: string;
  encoding?: 'gzip';
  /** Redirects once, to another path; or for ever. */
  redirect?: 'once' | 'circle';
  /** Called before each answer, as to change the file between two. */
  onRequest?: (requests: number) => void;
}

export class RangeServer {
  readonly methods: string[] = [];
  /** Ranges as asked for, end-exclusive, of all GETs that were answered by a range or by 416. */
  readonly ranges: [begin: number, end: number][] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  switches: Switches = {};
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  private constructor(public bytes: Uint8Array) {}

  static async start(bytes: Uint8Array): Promise<RangeServer> {
    const server = new RangeServer(bytes);
    await new Promise<void>((fulfil) => server.#server.listen(0, '127.0.0.1', fulfil));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/folder/a.lgi`;
  }

  get requests(): number {
    return this.methods.length;
  }

  /** Forgets requests and switches. */
  reset(bytes: Uint8Array, switches: Switches = {}): void {
    this.bytes = bytes;
    this.switches = switches;
    for (const list of [this.methods, this.ranges, this.headers]) list.length = 0;
  }

  stop(): Promise<void> {
    return new Promise((fulfil) => {
      this.#server.close(() => fulfil());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.methods.push(request.method ?? '');
    this.headers.push(request.headers);
    this.switches.onRequest?.(this.requests);
    const { bytes, switches } = this;
    const { etag = '"v1"' } = switches;
    const status = switches.statuses?.shift();
    if (status !== undefined) {
      const retryAfter = switches.retryAfter;
      response.writeHead(status, retryAfter === undefined ? {} : { 'Retry-After': retryAfter });
      return void response.end('<h1>an error page, longer than nothing</h1>');
    }
    if (request.method !== 'GET') return void response.writeHead(405).end();
    if (
      switches.redirect === 'circle' ||
      (switches.redirect === 'once' && request.url?.startsWith('/moved') !== true)
    ) {
      return void response.writeHead(302, { Location: '/moved?secret=2' }).end();
    }
    const version = {
      ...(etag !== null && { ETag: etag }),
      ...(switches.lastModified !== undefined && { 'Last-Modified': switches.lastModified }),
    };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null || switches.isPlain) {
      response.writeHead(200, { ...version, 'Content-Length': bytes.length });
      return this.#send(response, bytes);
    }
    const begin = Number(range[1]);
    this.ranges.push([begin, Number(range[2]) + 1]);
    if (begin >= bytes.length) {
      return void response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
    }
    const most = switches.mostBytes ?? Infinity;
    const end = Math.min(Number(range[2]) + 1, bytes.length, begin + most);
    const shift = switches.shift ?? 0;
    const body = new Uint8Array(end - begin + (switches.excessBytes ?? 0));
    body.set(bytes.subarray(begin, Math.min(end, begin + body.length)));
    const encoded = switches.encoding === 'gzip' ? gzipSync(body) : body;
    response.writeHead(206, {
      ...version,
      'Content-Range': `bytes ${begin + shift}-${end - 1 + shift}/${bytes.length + shift}`,
      'Content-Length': encoded.length,
      ...(switches.encoding && { 'Content-Encoding': switches.encoding }),
    });
    return this.#send(response, encoded);
  }

  async #send(response: ServerResponse, body: Uint8Array): Promise<void> {
    const { stallAfter, resetAfter } = this.switches;
    if (stallAfter !== undefined) {
      response.write(body.subarray(0, stallAfter));
      return;
    }
    if (resetAfter !== undefined && (this.switches.resets ?? 0) > 0) {
      this.switches.resets = (this.switches.resets ?? 0) - 1;
      response.write(body.subarray(0, resetAfter));
      await pause(20);
      response.destroy();
      return;
    }
    response.end(body);
  }
}

/** A fetch whose answers show only the headers that CORS shows without the server's leave. */
export async function fetchAcrossOrigins(url: string, init: RequestInit): Promise<Response> {
  const { status, headers, body } = await fetch(url, init);
  const shown = ['Content-Length', 'Content-Type', 'Last-Modified'].flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return new Response(body, { status, headers: shown });
}
