import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import send from 'send';
import { LgiError } from '../../codec/errors.js';
import {
  checkAccess,
  isKnownHost,
  isLoopback,
  setAccessHeaders,
  setPreflightHeaders,
  type Access,
} from './access.js';
import { listingPage } from './listing-page.js';
import { MediaFolder, type FolderEntry } from './media-folder.js';
import { Thumbnails } from './thumbnails.js';

/** What pages of this server need, and no more: scripts and WebAssembly of its own, pictures that scripts make. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
  "img-src 'self' blob:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Where the server's own pages and scripts are. */
const OWN = '/_lgi/';

/** Pages are isolated, so that decoding has threads. */
function setHeaders(response: ServerResponse, access: Access): void {
  setAccessHeaders(response, access);
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'X-Content-Type-Options': 'nosniff',
    // A file may grow; asking costs a round trip, not the file.
    'Cache-Control': 'no-cache',
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/**
 * A server that gives out a folder as the player reads it: by ranges, with strong ETags; and has pages that list the folder and play
 * what is in it. Pages of other origins read nothing unless `access` lets them, and a server that listens on loopback answers to the
 * names of loopback alone, and to those of `access`.
 *
 * @throws NodeJS.ErrnoException where there is no such folder; OptionError for an origin or a host that is not one.
 */
export async function createFileServer(folderPath: string, options: Access = {}): Promise<Server> {
  const access = checkAccess(options);
  const folder = await MediaFolder.open(folderPath);
  const player = await MediaFolder.open(fileURLToPath(new URL('../../web/', import.meta.url)));
  const thumbnails = new Thumbnails();
  const server = createServer((request, response) => {
    setHeaders(response, access);
    const address = server.address();
    const isOnLoopback = address !== null && typeof address === 'object' && isLoopback(address.address);
    if (isOnLoopback && !isKnownHost(request, access)) {
      endWith(
        response,
        403,
        'this server listens on loopback and does not answer to that host; open it by localhost, or start it with --allow-host',
      );
      return;
    }
    if (request.method === 'OPTIONS') {
      setPreflightHeaders(response, access);
      response.writeHead(204).end();
      return;
    }
    answer(request, response, folder, player, thumbnails).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else endWith(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  folder: MediaFolder,
  player: MediaFolder,
  thumbnails: Thumbnails,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD, OPTIONS');
    endWith(response, 405, 'this server only gives');
    return;
  }
  // What a client sends need be no URL.
  const url = URL.canParse(request.url ?? '', 'http://host')
    ? new URL(request.url ?? '', 'http://host')
    : undefined;
  if (url === undefined) {
    endWith(response, 400, 'that is no path');
    return;
  }
  if (url.pathname === '/favicon.ico') {
    // Browsers ask of themselves.
    response.writeHead(204).end();
    return;
  }
  if (url.pathname === `${OWN}thumbnail`) {
    await answerThumbnail(response, await folder.find(url.searchParams.get('file') ?? ''), thumbnails);
    return;
  }
  const isOwn = url.pathname.startsWith(OWN);
  const found = await (isOwn ? player.find(url.pathname.slice(OWN.length)) : folder.find(url.pathname));
  if (found === undefined) endWith(response, 404, 'there is no such file');
  else if (found.stats.isFile()) sendFile(request, response, found);
  else if (isOwn || !found.stats.isDirectory()) endWith(response, 404, 'there is no such file');
  else if (!url.pathname.endsWith('/')) {
    response.setHeader('Location', `${encodeURI(decodeURI(url.pathname))}/`);
    endWith(response, 301, 'a folder has a slash at its end');
  } else {
    response.setHeader('Content-Security-Policy', PAGE_POLICY);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    const page = await listingPage(found.path, url.pathname);
    response.end(request.method === 'HEAD' ? undefined : page);
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, { path, stats }: FolderEntry): void {
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  // Strong, so that ranges of two versions are never put together; `send` alone gives weak ones.
  response.setHeader('ETag', `"${stats.ino}-${stats.size}-${stats.mtimeMs}"`);
  if (path.endsWith('.lgi')) response.setHeader('Content-Type', 'application/vnd.lgi');
  send(request, path.split(/[\\/]/).map(encodeURIComponent).join('/'), {
    root: '/',
    dotfiles: 'allow',
    lastModified: true,
    cacheControl: false,
    index: false,
  })
    .on('error', (error: Error & { status?: number; headers?: Record<string, string> }) => {
      for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
      endWith(response, error.status ?? 500, error.message);
    })
    .pipe(response);
}

async function answerThumbnail(
  response: ServerResponse,
  found: FolderEntry | undefined,
  thumbnails: Thumbnails,
): Promise<void> {
  if (found?.stats.isFile() !== true) {
    endWith(response, 404, 'there is no such file');
    return;
  }
  try {
    const png = await thumbnails.of(found);
    response.setHeader('Content-Type', 'image/png');
    response.end(png);
  } catch (error) {
    if (!(error instanceof LgiError)) throw error;
    endWith(response, error.code === 'unavailable' ? 503 : 422, error.message);
  }
}

function endWith(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${text}\n`);
}
