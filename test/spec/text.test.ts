import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lgi-spec-'));
  cpSync('spec', join(root, 'spec'), { recursive: true });
  for (const folder of ['schema', 'codec']) mkdirSync(join(root, folder));
  cpSync('schema/lgi.fbs', join(root, 'schema/lgi.fbs'));
  for (const file of ['README.md', 'CONTRIBUTING.md', 'codec/cites.ts']) writeFileSync(join(root, file), '');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function check(): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-spec.mjs', '--root', root], {
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

describe("the check of the format's text", () => {
  it('passes it as it is', () => {
    expect(check()).toMatchObject({ status: 0 });
  });

  it.each([
    [
      'spec/http.md',
      '(container.md#52-chunk)',
      '(container.md#52-chunks)',
      /links to #52-chunks, which spec\/container\.md does/,
    ],
    ['spec/README.md', '(http.md)', '(https.md)', /links to https\.md, which does not exist/],
    ['spec/editing.md', '[section 10](', '[section 10.9](', /cites section 10\.9/],
    [
      'codec/cites.ts',
      '',
      '// spec/sine.md, section 5.1',
      /cites section 5\.1, which spec\/sine\.md does not have/,
    ],
    [
      'spec/lgi-format.md',
      '6.2, elements | `invalid-code`',
      '6.2, elements | `invalid-codes`',
      /names the vector invalid-codes[^]*which rule invalid-code tests/,
    ],
    [
      'spec/lgi-format.md',
      'sine decoder | `invalid-code`, ',
      'sine decoder | ',
      /which decoder invalid-code binds/,
    ],
    ['spec/lgi-format.md', '| 10.6, metadata |', '| 10.9, metadata |', /section 12\.1 cites section 10\.9/],
    ['spec/sine.md', 'MUST give exactly', 'must give exactly', /"must" is not in capitals/],
    [
      'spec/container.md',
      '| 1 | `local_width` | u16',
      '| 1 | `local_width` | u32',
      /no table or struct of the schema: levels/,
    ],
    [
      'spec/container.md',
      '| 2 | `global_width` |',
      '| 3 | `global_width` |',
      /SineFamily\.global_width is number 2/,
    ],
    [
      'schema/lgi.fbs',
      '  writer: string;',
      '  writer: string;\n  newer: ubyte;',
      /no table of fields for Header/,
    ],
    ['spec/latent.md', '    N9C5ZRaA', '    N9C5ZRaB', /appendix B has other bytes than rgb-1\.bin/],
    ['spec/latent.md', '0x2C3B0265', '0x2C3B0266', /appendix B says of grey-1\.bin/],
    ['spec/vectors/invalid-length.json', '"limit"', '"damaged"', /no vector ends in limit/],
  ])('fails where %s has %j as %j', (file, before, after, fault) => {
    const path = join(root, file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(before);
    writeFileSync(path, text.replace(before, after));
    // What others end in the same code is taken away with it.
    const vectors = join(root, 'spec/vectors');
    const others = readdirSync(vectors)
      .filter((name) => file.endsWith('invalid-length.json') && name.endsWith('.json'))
      .map((name) => [join(vectors, name), readFileSync(join(vectors, name), 'utf8')] as const)
      .filter(([, said]) => said.includes('"limit"'));
    for (const [other, said] of others) writeFileSync(other, said.replace('"limit"', '"damaged"'));
    try {
      const { status, said } = check();
      expect(said).toMatch(fault);
      expect(status).toBe(1);
    } finally {
      for (const [other, said] of others) writeFileSync(other, said);
      writeFileSync(path, text);
    }
  });
});
