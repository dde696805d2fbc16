import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { OptionError } from '../../codec/errors.js';

/** Who may read what a server gives out. */
export interface Access {
  /** Origin whose pages may read files, such as `https://example.org`, or `*` for pages of all origins; default only the server's own. */
  readonly cors?: string;
  /** Names, besides those of the loopback interface, that a server on loopback answers to; default none. */
  readonly hosts?: readonly string[];
}

/** What pages of other origins may read of an answer, besides its body. */
const EXPOSED_HEADERS = 'Accept-Ranges, Content-Length, Content-Range, ETag';

/**
 * Checks who may read.
 *
 * @returns the same, with the origin as browsers write it.
 * @throws OptionError `cors` or `allow-host` for what no browser can send.
 */
export function checkAccess({ cors, hosts = [] }: Access): Access {
  const bad = hosts.find((host) => hostName(host) === undefined || /:\d+$/.test(host.replace(/\[.*\]/, '')));
  if (bad !== undefined) {
    throw new OptionError(
      'allow-host',
      `'${bad}' is not a host name; give one without a port, such as box.local`,
    );
  }
  if (cors === undefined || cors === '*') return { ...(cors && { cors }), hosts };
  const url = URL.canParse(cors) ? new URL(cors) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new OptionError(
      'cors',
      `'${cors}' is not an origin; give scheme, host and port, such as https://example.org, or give --cors last for all origins`,
    );
  }
  return { cors: url.origin, hosts };
}

/** Whether an address of a listening server is reached from its own machine alone. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/.test(address);
}

/** A Host header without its port, in lower case; undefined where it is not one. */
function hostName(host: string): string | undefined {
  const text = `http://${host}`;
  // Anything but host and port would be read as another part of the URL.
  if (/[\s/?#@\\]/.test(host) || !URL.canParse(text)) return undefined;
  return new URL(text).hostname.replace(/\.$/, '');
}

/**
 * Whether a request to a server on loopback names it by a name of loopback or one that was allowed. A page whose own name is made to
 * resolve to 127.0.0.1 (DNS rebinding) is of the same origin as the server, so that nothing but its Host header gives it away.
 */
export function isKnownHost({ headers: { host } }: IncomingMessage, { hosts = [] }: Access): boolean {
  const name = host === undefined ? undefined : hostName(host);
  if (name === undefined) return false;
  // Browsers take localhost and all below it for loopback, whatever a name server says.
  if (/^(.*\.)?localhost$/.test(name)) return true;
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) return isLoopback(address) || hosts.some((each) => hostName(each) === name);
  return hosts.some((each) => hostName(each) === name);
}

/** Lets pages of other origins read an answer as far as they may, and no others. */
export function setAccessHeaders(response: ServerResponse, { cors }: Access): void {
  // Without it browsers embed files of this server in pages of any origin, by `img` and such.
  response.setHeader('Cross-Origin-Resource-Policy', cors === undefined ? 'same-origin' : 'cross-origin');
  if (cors === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', cors);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

/** Answers what browsers ask before requests that carry headers of their own. */
export function setPreflightHeaders(response: ServerResponse, { cors }: Access): void {
  if (cors === undefined) return;
  response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', 'Range, If-None-Match, If-Range');
}
