import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const hasPython = spawnSync('python3', ['--version']).status === 0;

// A vector that every wrong reader passes shows nothing: each rule of the reader in Python is broken in turn (reader_mutations.py).
it.skipIf(!hasPython)(
  'every rule of a reader has a vector that fails without it',
  () => {
    const { status, stdout, stderr } = spawnSync(
      'python3',
      ['test/spec/reader_mutations.py', 'spec/vectors'],
      {
        encoding: 'utf8',
      },
    );
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.startsWith('FAULT')).join('\n'), stderr).toBe('');
    const [, reached = 0] = /^(\d+) refusals are reached/m.exec(stdout) ?? [];
    expect(Number(reached)).toBeGreaterThan(120);
    expect(status).toBe(0);
  },
  120_000,
);
