#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// Set rather than exit at once: what is still being written to a pipe arrives.
process.exitCode = await runCommandLine(process.argv.slice(2));
