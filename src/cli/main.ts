#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

for (const stream of [process.stdout, process.stderr]) {
  // The reader of a pipe, such as `head`, may leave before the end; that is no failure of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Set rather than exit at once: what is still being written to a pipe arrives.
process.exitCode = await runCommandLine(process.argv.slice(2));
