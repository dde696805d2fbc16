import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_BITS } from '../../dist/codec/quantiser.js';
import * as limits from '../../dist/src/container/limits.js';

const page = readFileSync('spec/attacks.md', 'utf8');
const container = readFileSync('spec/container.md', 'utf8');
const format = ['lgi-format', 'container', 'sine', 'latent', 'editing', 'http']
  .map((name) => readFileSync(`spec/${name}.md`, 'utf8'))
  .join('\n');

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
    const steps = container.slice(container.indexOf('## 10.'), container.indexOf('## Appendix A'));
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
  /** A part of the container's text, from its heading to the next one. */
  function partOf(heading: string): string {
    const from = container.indexOf(`\n${heading}`);
    expect(from, heading).toBeGreaterThan(0);
    const rest = container.slice(from + 1 + heading.length);
    return rest.slice(0, rest.search(/^#{2,3} /m));
  }

  /** `2^26 + 2^20`, `1,024`. */
  function numberOf(text: string): number {
    if (text === 'largest finite f32') return limits.MAX_FLOAT32;
    return text
      .replaceAll(',', '')
      .split(/ (?=[+-] )/)
      .reduce((sum, term) => {
        const [, sign, base, exponent] = /^([+-] )?(\d+)(?:\^(\d+))?$/.exec(term) ?? [];
        const value = exponent === undefined ? Number(base) : Number(base) ** Number(exponent);
        return sign === '- ' ? sum - value : sum + value;
      }, 0);
  }

  it('of several fields together are those of the program, each with its reason', () => {
    const rows = rowsOf(partOf('## 9.')).slice(1);
    const inFormat = new Map(rows.map(([what, most]) => [what, most]));
    for (const [what, value] of [
      ['chunks of all signals together', limits.MAX_CHUNKS],
      ['cells between the cuts of one signal, present or not', limits.MAX_CELLS],
      [
        'samples of a cell of an axis in the latent family: a cut less the one before',
        limits.MAX_LATENT_CELL,
      ],
      ['samples of an axis: last cut less first', limits.MAX_AXIS_SAMPLES],
      ['position of a cut (magnitude)', limits.MAX_POSITION],
      ['partition coordinate (magnitude)', limits.MAX_POSITION],
      ['any offset or length, generation', limits.MAX_FILE_BYTES],
      ['weights of a partition', limits.MAX_LOCAL_PARAMETERS],
      ['global weights', limits.MAX_GLOBAL_PARAMETERS],
      ['signal coordinate at positions 0 and `first_shape` (magnitude)', limits.MAX_COORDINATE],
    ] as const) {
      expect([what, numberOf(inFormat.get(what) ?? '')]).toEqual([what, value]);
    }
    for (const [what, , why] of rows) expect(why?.length, what).toBeGreaterThan(0);
  });

  it('of single fields are those of the program', () => {
    const { MAX_FILE_BYTES, MAX_AXIS_SAMPLES, MAX_POSITION, MAX_OMEGA } = limits;
    const { MAX_MODULATION_EXPONENT, MAX_MODULATION_SHIFT, MAX_COORDINATE, MAX_FLOAT32 } = limits;
    for (const [heading, field, ...values] of [
      ['## 3.', 'generation: 1 in a new file, one more with every append', MAX_FILE_BYTES],
      ['## 3.', 'header: offset', MAX_FILE_BYTES],
      ['## 3.', 'header: length in bytes', limits.MAX_HEADER_BYTES],
      ['## 3.', 'index: offset', MAX_FILE_BYTES],
      ['## 3.', 'index: length in bytes', limits.MAX_INDEX_BYTES],
      ['## 3.', 'committed length: the file as far as it counts', MAX_FILE_BYTES],
      ['### 4.1 ', '`signals`', limits.MAX_SIGNALS],
      ['### 4.1 ', '`writer`', limits.MAX_WRITER_BYTES],
      ['### 4.2 ', '`first_shape`', MAX_AXIS_SAMPLES],
      ['### 4.2 ', '`nominal_cell`', MAX_AXIS_SAMPLES],
      ['### 4.2 ', '`start_seconds`', MAX_FILE_BYTES],
      ['### 4.2 ', '`overview_factor`', limits.MAX_OVERVIEW_FACTOR],
      ['### 4.5 ', '`channels`', limits.MAX_PLANES],
      ['### 4.6 ', '`scale`', MAX_FLOAT32],
      ['### 4.6 ', '`offset`', MAX_FLOAT32],
      ['### 4.8 ', '`scale`', MAX_COORDINATE],
      ['### 4.8 ', '`offset`', MAX_COORDINATE],
      ['### 4.9 ', '`levels`', limits.MAX_LEVELS],
      ['### 4.9 ', '`local_width`', limits.MAX_LOCAL_WIDTH],
      ['### 4.9 ', '`global_width`', limits.MAX_GLOBAL_WIDTH],
      ['### 4.9 ', '`lattice_stride`', limits.MAX_LATTICE_STRIDE],
      ['### 4.10 ', '`omega_first`', MAX_OMEGA],
      ['### 4.10 ', '`omega_hidden`', MAX_OMEGA],
      ['### 4.10 ', '`a`', MAX_MODULATION_EXPONENT],
      ['### 4.10 ', '`b`', MAX_MODULATION_EXPONENT],
      ['### 4.10 ', '`c`', MAX_MODULATION_SHIFT],
      ['### 4.10 ', '`d`', MAX_MODULATION_SHIFT],
      ['### 4.11 ', '`levels`', limits.MAX_LATENT_LEVELS],
      ['### 4.11 ', '`hidden_width`', limits.MAX_HIDDEN_WIDTH],
      ['### 4.12 ', '`bits`', MAX_BITS],
      ['### 5.1 ', '`sections`', limits.MAX_SECTIONS],
      ['### 5.1 ', '`payload_lengths`', limits.MAX_PAYLOAD_BYTES],
      ['### 5.1 ', '`cuts`', MAX_POSITION, MAX_AXIS_SAMPLES],
      ['### 5.1 ', '`first_cell`', MAX_POSITION],
      ['### 5.1 ', '`byte_offset`', MAX_FILE_BYTES],
      ['### 5.3 ', '`name`', limits.MAX_SECTION_NAME_BYTES],
      ['### 5.3 ', '`byte_offset`', MAX_FILE_BYTES],
      ['### 5.3 ', '`byte_length`', limits.MAX_SECTION_BYTES],
    ] as const) {
      // The superblock's table has the field fourth.
      const row = rowsOf(partOf(heading)).find((cells) => cells[1] === field || cells[3] === field) ?? [];
      const allowed = row[row[1] === field ? 3 : 4] ?? '';
      const found = [...allowed.matchAll(/\*\*(?:-\()?(.+?)\)?\*\*/g)].map(([, most]) => numberOf(most));
      expect([heading, field, ...found]).toEqual([heading, field, ...values]);
    }
  });

  it('are all looked at', () => {
    const fields = rowsOf(container.slice(0, container.indexOf('## 9.')));
    const bold = fields.flatMap((cells) => [...cells.join('|').matchAll(/\*\*[^*]+\*\*/g)]);
    expect(bold.length).toBe(39);
  });
});
