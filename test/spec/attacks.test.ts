import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_BITS } from '../../dist/codec/quantiser.js';
import * as limits from '../../dist/src/container/limits.js';

const page = readFileSync('spec/attacks.md', 'utf8');
const format = readFileSync('spec/lgi-format.md', 'utf8');

/** Rows of a document's tables, without heads and rules. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('|---'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

describe('the page of attacks', () => {
  const attacks = rowsOf(page).filter(([attack]) => attack !== 'attack');

  it('names for each a check and a test that exists', () => {
    expect(attacks.length).toBeGreaterThan(40);
    for (const cells of attacks) {
      expect(cells.length).toBe(3);
      const [attack, check, test] = cells;
      expect(check.length, attack).toBeGreaterThan(0);
      const [, file, title] = /^`(test\/[a-z/-]+\.test\.ts)`: (.+)$/.exec(test) ?? [];
      expect(title, `the test against: ${attack}`).toBeDefined();
      // As a whole string, and not somewhere in a sentence.
      expect(readFileSync(file, 'utf8').includes(`'${title}'`), `${file} has '${title}'`).toBe(true);
    }
  });

  it('refers to sections and steps that the format has', () => {
    const steps = format.slice(format.indexOf('## 10.'), format.indexOf('## 11.'));
    for (const [, check] of attacks) {
      for (const [, section, step] of check.matchAll(/\b(\d{1,2})(?:\.(\d))?\b/g)) {
        if (section === '10' && step !== undefined) expect(steps).toContain(`\n${step}. `);
        else if (step !== undefined) expect(format).toContain(`### ${section}.${step} `);
        else expect(format).toContain(`## ${section}. `);
      }
    }
  });
});

describe("the format's limits", () => {
  const rows = rowsOf(format.slice(format.indexOf('## 9.'), format.indexOf('## 10.'))).slice(1);

  /** `2^26 + 2^20`, `1,024`. */
  function numberOf(text: string): number {
    return text
      .replaceAll(',', '')
      .split(/ (?=[+-] )/)
      .reduce((sum, term) => {
        const [, sign, base, exponent] = /^([+-] )?(\d+)(?:\^(\d+))?$/.exec(term) ?? [];
        const value = exponent === undefined ? Number(base) : Number(base) ** Number(exponent);
        return sign === '- ' ? sum - value : sum + value;
      }, 0);
  }

  it('are those of the program, each with its reason', () => {
    const inFormat = new Map(rows.map(([what, most]) => [what, most]));
    for (const [what, value] of [
      ['header, bytes', limits.MAX_HEADER_BYTES],
      ['index, bytes', limits.MAX_INDEX_BYTES],
      ['payload of a chunk, bytes', limits.MAX_PAYLOAD_BYTES],
      ['metadata section, bytes', limits.MAX_SECTION_BYTES],
      ['metadata sections', limits.MAX_SECTIONS],
      ['name of a metadata section, characters', limits.MAX_SECTION_NAME_BYTES],
      ['signals', limits.MAX_SIGNALS],
      ['chunks of all signals together', limits.MAX_CHUNKS],
      ['cells between the cuts of one signal, present or not', limits.MAX_CELLS],
      ['samples per axis: `first_shape`, `nominal_cell`, last cut less first', limits.MAX_AXIS_SAMPLES],
      ['partition coordinate (magnitude)', limits.MAX_POSITION],
      ['any offset or length, generation', limits.MAX_FILE_BYTES],
      ['levels', limits.MAX_LEVELS],
      ['local width', limits.MAX_LOCAL_WIDTH],
      ['global width', limits.MAX_GLOBAL_WIDTH],
      ['weights of a partition', limits.MAX_LOCAL_PARAMETERS],
      ['global weights', limits.MAX_GLOBAL_PARAMETERS],
      ['lattice stride', limits.MAX_LATTICE_STRIDE],
      ['overview factor', limits.MAX_OVERVIEW_FACTOR],
      ['position of a cut (magnitude)', limits.MAX_POSITION],
      ['omega (magnitude)', limits.MAX_OMEGA],
      ['a, b (magnitude)', limits.MAX_MODULATION_EXPONENT],
      ['c, d (magnitude)', limits.MAX_MODULATION_SHIFT],
      ['signal coordinate at positions 0 and `first_shape` (magnitude)', limits.MAX_COORDINATE],
      ['start in seconds (magnitude)', limits.MAX_FILE_BYTES],
      ['writer, bytes', limits.MAX_WRITER_BYTES],
      ['bits of an integer weight', MAX_BITS],
    ] as const) {
      expect([what, numberOf(inFormat.get(what) ?? '')]).toEqual([what, value]);
    }
    for (const [what, , why] of rows) expect(why?.length, what).toBeGreaterThan(0);
  });
});
