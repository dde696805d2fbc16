import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { MAIN } from './run-lgi.js';

// Windows has no such mode, and starts commands by a script that npm makes.
it.skipIf(process.platform === 'win32')(
  'the command that the build makes starts by itself, as npx starts it',
  async () => {
    const { stdout } = await promisify(execFile)(MAIN, ['--help']);
    expect(stdout).toMatch(/^Usage: lgi/);
  },
);
