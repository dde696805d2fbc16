import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { LgiError, OptionError } from '../../codec/errors.js';
import { createFileServer } from '../server/file-server.js';
import type { AddCommand, CommandContext } from './command.js';
import { decimal } from './option-values.js';

interface Flags {
  readonly port: number;
  readonly host: string;
  /** True without an origin. */
  readonly cors?: string | true;
  readonly allowHost?: string[];
}

const DEFAULT_PORT = 8080;

/** `lgi serve`. */
export const addServe: AddCommand = (program, context) => {
  program
    .command('serve')
    .summary('show a folder in the browser')
    .description(
      'Serves a folder with a page that lists it and plays its LGI files. Files are given by ranges; hidden ones are not. Pages of other origins read nothing without --cors. Ends by Ctrl-C.',
    )
    .argument('[folder]', 'the folder', '.')
    .option('--port <n>', '0 takes a free one', decimal('port'), DEFAULT_PORT)
    .option('--host <name>', 'address to listen on; 0.0.0.0 lets other machines in', '127.0.0.1')
    .option(
      '--cors [origin]',
      'let pages of an origin read files, such as https://example.org; without one, all pages',
    )
    .option(
      '--allow-host <name>',
      'answer to a further name, as behind a proxy; on loopback it is localhost alone (can be given again)',
      (name: string, names: string[] = []) => [...names, name],
    )
    .action((folder: string, flags: Flags) => serveFolder(folder, flags, context));
};

async function serveFolder(
  folder: string,
  { port, host, cors, allowHost }: Flags,
  { output, signal }: CommandContext,
): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new OptionError('port', `${port} is no whole number from 0 to 65535`);
  }
  const server = await createFileServer(folder, {
    ...(cors !== undefined && { cors: cors === true ? '*' : cors }),
    ...(allowHost && { hosts: allowHost }),
  }).catch((cause: unknown) => {
    if (cause instanceof OptionError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such folder' : message;
    throw new LgiError('io', `cannot serve ${folder}: ${reason}; give a folder`, { cause });
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new LgiError(
      'io',
      `cannot listen on ${host}:${port}: ${isTaken ? 'another program does; give another --port' : (cause as Error).message}`,
      { cause },
    );
  }
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `http://${name}:${address.port}/`;
  output.result({ url, folder }, `${folder} is at ${url}`, [['end', 'Ctrl-C']]);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  server.close();
  server.closeAllConnections();
}
