import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const vectors = readdirSync('spec/vectors').flatMap((name) =>
  name.endsWith('.lgi') ? [name.slice(0, -4)] : [],
);

// In another language by somebody who had only spec/: what it needs and has not is missing in the text.
it.skipIf(!hasPython)('a reader in Python, written from the text alone, conforms to every vector', () => {
  const { status, stdout, stderr } = spawnSync('python3', ['test/spec/lgi_reader.py', 'spec/vectors'], {
    encoding: 'utf8',
  });
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
  const passed = lines.flatMap((line) => /^pass (\S+)/.exec(line)?.[1] ?? []);
  expect([...passed].sort(), stderr).toEqual([...vectors].sort());
  expect(status).toBe(0);
});
