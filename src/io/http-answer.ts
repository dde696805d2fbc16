import type { VersionSigns } from './file-version.js';

/** Why a request brought no bytes. */
export interface HttpFault {
  /** What happened, without the URL. */
  readonly fact: string;
  readonly nextStep: string;
  /** Whether the same request may do better a little later. */
  readonly isTransient: boolean;
  /** The answer's status, where there was an answer. */
  readonly status?: number;
  /** What the server asks to wait, in ms. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Thrown by a request that failed; whoever repeats requests makes an LgiError of it. */
export class FailedRequest extends Error {
  constructor(readonly fault: HttpFault) {
    super(fault.fact);
  }
}

const STATUSES: Readonly<Record<number, readonly [fact: string, nextStep: string]>> = {
  400: ['the server does not understand the request', 'check the URL'],
  401: [
    'the server asks who you are',
    'put user:password@ before the host in the URL, or log in another way',
  ],
  403: ['the server forbids it', 'check your permission, or whether a signed URL has expired'],
  404: ['there is no such file', 'check the URL'],
  405: ['the server allows no GET of this URL', 'check the URL'],
  406: ['the server has it in no form that was asked for', 'check the URL'],
  407: ['a proxy asks who you are', 'log in to the proxy'],
  408: ['the server waited too long for the request', 'try again later'],
  410: ['the file is there no more', 'ask whoever gave you the URL for a new one'],
  429: ['the server was asked too often', 'try again later'],
  451: ['the server may not give it for legal reasons', 'ask whoever gave you the URL'],
};

/** What an answer's status says, where it is neither 200, 206 nor 416. */
export function statusFault(response: Response): HttpFault {
  const { status } = response;
  const isTransient = status === 408 || status === 429 || status >= 500;
  const [fact, nextStep] =
    STATUSES[status] ??
    (status >= 500
      ? ['the server has a fault of its own', 'try again later']
      : ['that is no answer to a request for bytes', 'check the URL and the server']);
  const retryAfterMs = parseRetryAfter(response.headers.get('Retry-After'));
  return {
    fact: `status ${status}, ${fact}`,
    nextStep,
    isTransient,
    status,
    ...(isTransient && retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Seconds or a date, as ms from now. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

const TRUST = 'check the URL, or have Node trust it by NODE_EXTRA_CA_CERTS';
const NO_HTTPS = [
  'what answers there does not speak https',
  'check the port, or write http: in the URL',
] as const;

/** Causes that Node names, in words. */
const CAUSES: Readonly<Record<string, readonly [fact: string, nextStep: string]>> = {
  ENOTFOUND: ['no host of this name is known', 'check the URL and the connection'],
  EAI_AGAIN: ['the host name cannot be looked up now', 'check the connection'],
  ECONNREFUSED: ['nothing answers there', 'check host and port, and whether the server runs'],
  ECONNRESET: ['the connection broke', 'try again'],
  UND_ERR_SOCKET: ['the connection broke', 'try again'],
  UND_ERR_CONNECT_TIMEOUT: ['the server does not answer', 'check host and port'],
  ETIMEDOUT: ['the server does not answer', 'check host and port'],
  EHOSTUNREACH: ['the host cannot be reached', 'check the connection'],
  ENETUNREACH: ['the network cannot be reached', 'check the connection'],
};

/** The same for what does not change by itself. */
const LASTING_CAUSES: Readonly<Record<string, readonly [fact: string, nextStep: string]>> = {
  CERT_HAS_EXPIRED: ["the server's certificate has expired", 'tell whoever runs it'],
  CERT_NOT_YET_VALID: ["the server's certificate is not valid yet", 'check the clock of this machine'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["the server's certificate is signed by itself", TRUST],
  SELF_SIGNED_CERT_IN_CHAIN: ["the server's certificate is signed by somebody unknown", TRUST],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["the server's certificate is signed by somebody unknown", TRUST],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["the server's certificate is signed by somebody unknown", TRUST],
  ERR_TLS_CERT_ALTNAME_INVALID: ["the server's certificate is of another host", 'check the host in the URL'],
  ERR_SSL_WRONG_VERSION_NUMBER: NO_HTTPS,
  EPROTO: NO_HTTPS,
};

/** A request without an answer, or an answer that broke off. Causes are named by what is known of them: texts may hold URLs. */
export function networkFault(cause: unknown): HttpFault {
  let code = '';
  for (let error = cause; error instanceof Error; error = error.cause) {
    if ('code' in error) code = String(error.code);
    const known = CAUSES[code] ?? LASTING_CAUSES[code];
    if (known) return { fact: known[0], nextStep: known[1], isTransient: code in CAUSES, cause };
    if (code.startsWith('HPE_')) {
      const nextStep = 'check the port, or write https: in the URL';
      return { fact: 'what answers there does not speak HTTP', nextStep, isTransient: false, cause };
    }
    if (error.message.includes('redirect count')) {
      return { fact: 'it redirects in a circle', nextStep: 'check the URL', isTransient: false, cause };
    }
    if (error.message === 'bad port') {
      const fact = 'fetch makes no requests to this port, which other protocols have';
      return { fact, nextStep: 'serve the file at another port', isTransient: false, cause };
    }
  }
  // Browsers give no reasons, so that pages learn nothing of others' servers.
  const isBrowser = 'document' in globalThis || 'importScripts' in globalThis;
  return {
    fact: `the network failed${/^\w+$/.test(code) ? ` (${code})` : ''}`,
    nextStep: `check the connection${isBrowser ? ', and that the server allows this page to read it (CORS)' : ''}`,
    isTransient: true,
    cause,
  };
}

/** `Content-Range` of a 206: the bytes that the body has, end-exclusive. */
export interface AnsweredRange {
  readonly begin: number;
  readonly end: number;
  /** Null where the server does not say it. */
  readonly byteLength: number | null;
}

/** Null where it is no range. */
export function parseContentRange(value: string): AnsweredRange | null {
  const match = /^\s*bytes\s+(\d+)-(\d+)\/(\d+|\*)\s*$/i.exec(value);
  if (!match) return null;
  const [begin, last] = [Number(match[1]), Number(match[2])];
  const byteLength = match[3] === '*' ? null : Number(match[3]);
  if (last < begin || (byteLength !== null && last >= byteLength)) return null;
  return { begin, end: last + 1, byteLength };
}

/** The file's length by a 416's `Content-Range`; null where it is not said. */
export function unsatisfiedByteLength(value: string | null): number | null {
  const match = /^\s*bytes\s+\*\/(\d+)\s*$/i.exec(value ?? '');
  return match ? Number(match[1]) : null;
}

/** What an answer says of the file's version. */
export function versionSigns({ headers }: Response, byteLength: number | null): VersionSigns {
  return { etag: headers.get('ETag'), lastModified: headers.get('Last-Modified'), byteLength };
}

/** A content encoding by which offsets count other bytes than the file's. */
export function contentEncoding({ headers }: Response): string | null {
  const value = headers.get('Content-Encoding');
  return value === null || /^\s*(identity)?\s*$/i.test(value) ? null : value;
}
