// What people see in a terminal of 80 columns: a real one, made by `script` of util-linux.
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrap } from '../../dist/src/cli/wrap.js';
import { writeImage } from '../../dist/src/node.js';
import { scene } from '../../dist/test/media/scene.js';
import { MAIN, Workplace } from './run-lgi.js';

const hasTerminals = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');
const FOLDER =
  'a folder with a long name, and spaces/which has another in it that makes the path longer than a line';

const workplace = await Workplace.create();
await writeImage(workplace.path('scene.png'), scene(40, 24));
await workplace.json('encode', 'scene.png', '-o', 'a.lgi', '--cell', '16x16', '--iterations', '2');
await mkdir(workplace.path(FOLDER), { recursive: true });
const whole = await readFile(workplace.path('a.lgi'));
await writeFile(workplace.path(`${FOLDER}/cut.lgi`), whole.subarray(0, whole.length - 2000));

const COMMANDS = [
  ['info', 'a.lgi'],
  ['info', `${FOLDER}/cut.lgi`],
  ['verify', `${FOLDER}/cut.lgi`],
  ['decode', `${FOLDER}/cut.lgi`, '-o', `${FOLDER}/x.png`],
  ['repair', `${FOLDER}/cut.lgi`, '-o', `${FOLDER}/r.lgi`],
  ['crop', 'a.lgi', '-o', `${FOLDER}/c.lgi`, '--region', '3,3,20,20'],
  ['crop', 'a.lgi', '-o', `${FOLDER}/none/c.lgi`],
  ['crop', 'a.lgi', '-o', 'c.lgi', '--region', '3,3,5,5', '--inner'],
  ['append', 'a.lgi', 'scene.png', '--side', 'right', '--at', '1,1', '--bogus'],
  ['compare', 'scene.png', `${FOLDER}/nothing.png`],
];

async function inTerminal(argv: readonly string[]): Promise<string[]> {
  const quoted = [process.execPath, MAIN, ...argv].map((word) => `'${word}'`).join(' ');
  const { stdout } = await promisify(execFile)('script', ['-qc', `stty cols 80; ${quoted}`, '/dev/null'], {
    cwd: workplace.folder,
    env: { ...process.env, TERM: 'xterm' },
  });
  return stdout.replace(/\u001b\[[0-9;]*[a-zA-Z]/g, '').split(/\r*\n/);
}

describe.skipIf(!hasTerminals)('in a terminal of 80 columns', () => {
  it.each(COMMANDS)(
    'what `lgi %s` says is shorter, and no path is broken',
    { timeout: 20_000 },
    async (...argv) => {
      const lines = await inTerminal(argv);
      expect(lines.join('').length).toBeGreaterThan(40);
      for (const line of lines) {
        if (line.length < 80) expect(line).not.toMatch(/a folder with a long name/);
        else
          expect(line.trim()).toMatch(
            /^(lgi: )?a folder with a long name, .*than a line(\/none)?(\/\w+\.\w+)?[:;]?$/,
          );
      }
    },
  );
});

describe('wrapping', () => {
  const text = fc.array(fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'abc,/') }), {
    minLength: 1,
  });

  it('changes nothing but spaces, keeps to the columns where words allow, and what is to be whole whole', () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 10, max: 40 }), fc.nat(8), (words, path, columns, indent) => {
        const whole = path.join(' ');
        const message = [...words, whole, ...words].join(' ');
        const lines = wrap(message, columns, indent, [whole]);
        expect(lines.join(' ')).toBe(message);
        expect(lines.some((line) => line.includes(whole))).toBe(true);
        lines.forEach((line, i) => {
          const fits = line.length + (i === 0 ? 0 : indent) < columns;
          const isOne = !line.includes(' ') || line === whole;
          expect(fits || isOne || line.includes(whole)).toBe(true);
        });
        expect(wrap(message, Infinity, indent)).toEqual([message]);
      }),
    );
  });
});
