import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/io/memory.js';

/** A row of a table; rows without an offset only go on with the meaning of the one before. */
interface Row {
  readonly offset: number;
  readonly length: number;
  /** As `91 4c`, `00 x 24`, `91 4c .. 1a` or `91 4c ..`. */
  readonly hex: string;
  readonly meaning: string;
}

const [, ...parts] = readFileSync('spec/examples.md', 'utf8').split(/^## /m);

function rowsOf(part: string): Row[] {
  const rows: Row[] = [];
  for (const line of part.split('\n')) {
    const continued = /^\| \| \| \| (.*) \|$/.exec(line);
    if (continued) {
      const row = rows.pop()!;
      rows.push({ ...row, meaning: `${row.meaning} ${continued[1]}` });
    }
    const cells = /^\| (\d+) \| (\d+) \| `([^`]+)` \| (.*) \|$/.exec(line);
    if (cells) {
      const [, offset, length, hex, meaning] = cells;
      rows.push({ offset: Number(offset), length: Number(length), hex, meaning });
    }
  }
  return rows;
}

const shown = parts.map((part) => {
  const name = /`([a-z0-9-]+)\.lgi`/.exec(part)![1];
  const json = JSON.parse(readFileSync(`spec/vectors/${name}.json`, 'utf8')) as {
    signals: { samples: number[] }[];
  };
  const bytes = Uint8Array.from(readFileSync(`spec/vectors/${name}.lgi`));
  const [, from, to, of] = /bytes (\d+) to (\d+) of (\d+)/.exec(part) ?? [];
  const range = from === undefined ? undefined : { begin: Number(from), end: Number(to), of: Number(of) };
  return { name, part, rows: rowsOf(part), bytes, json, range };
});
const examples = shown.filter(({ range }) => range === undefined);

/** Whether bytes are what a row's hexadecimal digits say; shortened ones say beginning and end. */
function shows(hex: string, bytes: Uint8Array): boolean {
  const repeated = /^([0-9a-f]{2}) x (\d+)$/.exec(hex);
  const [begin, end] = repeated
    ? [Array.from({ length: Number(repeated[2]) }, () => repeated[1]), undefined]
    : hex.split('..').map((half) => half.trim().split(' ').filter(Boolean));
  const shown = (list: readonly string[], at: number): boolean =>
    list.every((digits, i) => bytes[at + i] === parseInt(digits, 16));
  if (end === undefined) return begin.length === bytes.length && shown(begin, 0);
  return begin.length + end.length < bytes.length && shown(begin, 0) && shown(end, bytes.length - end.length);
}

describe.each(shown)('the example $name', ({ part, rows, bytes, range }) => {
  it("shows the vector's bytes, all that it says and each once", () => {
    if (range === undefined) expect(part).toContain(`: ${bytes.length} bytes`);
    else expect(range.of).toBe(bytes.length);
    let end = range?.begin ?? 0;
    for (const { offset, length, hex } of rows) {
      // A tensor that ends inside a byte shares it with the next.
      const isShared = end - offset === 1;
      expect(isShared || offset === end, `a row begins at ${offset}, the one before ends at ${end}`).toBe(
        true,
      );
      end = offset + length;
      expect(shows(hex, bytes.subarray(offset, end)), `${hex} at ${offset}`).toBe(true);
    }
    expect(end).toBe(range?.end ?? bytes.length);
  });

  it('leaves out only what the first one shows', () => {
    for (const { offset, length, meaning } of rows) {
      if (!meaning.endsWith('as in the first file')) continue;
      const [first] = examples;
      const end = offset + length;
      expect(bytes.subarray(offset, end)).toEqual(first.bytes.subarray(offset, end));
      const inFirst = first.rows.filter((row) => row.offset >= offset && row.offset < end);
      expect(inFirst.length).toBe(Number(/^(\d+) rows/.exec(meaning)?.[1]));
    }
  });

  it('has a row where an offset leads', () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const begins = new Set([...rows, ...examples[0].rows].map(({ offset }) => offset));
    let offsets = 0;
    for (const { offset, meaning } of rows) {
      const targets = /^u32 to: (.*)$/.exec(meaning)?.[1].matchAll(/ at (\d+)/g) ?? [];
      for (const [i, [, target]] of [...targets].entries()) {
        expect(offset + 4 * i + view.getUint32(offset + 4 * i, true)).toBe(Number(target));
        expect(begins.has(Number(target)), `${meaning}`).toBe(true);
        offsets++;
      }
      const [, table] = /^table .* vtable at (\d+)$/.exec(meaning) ?? [];
      if (table !== undefined) expect(offset - view.getInt32(offset, true)).toBe(Number(table));
    }
    expect(offsets).toBeGreaterThan(8);
  });
});

describe.each(examples)('the example $name', ({ part, json }) => {
  it("comes to the vector's first sample", () => {
    const [, list] = /`floor\(v \+ 1\/2\)` = ([\d, ]+):/.exec(part) ?? [];
    const samples = list.split(', ').map(Number);
    expect(samples).toEqual(json.signals[0].samples.slice(0, samples.length));
  });
});

describe.each(shown.filter(({ range }) => range !== undefined))(
  'the example $name',
  ({ part, bytes, range }) => {
    it('shows the index, and where its chunks are', async () => {
      const { superblock, index } = await openContainer(new MemorySource(bytes));
      const { byteOffset, byteLength } = superblock.index;
      expect(range).toMatchObject({ begin: byteOffset, end: byteOffset + byteLength });
      const [{ grid, chunks }] = index.signals;
      const rows = [...part.matchAll(/^\| (\d+) \| \d+ \| (\d+),(\d+) \| (\d+) \| (\d+) \|$/gm)];
      expect(rows.map(([, ...cells]) => cells.map(Number))).toEqual(
        Array.from(chunks.ordinals, (ordinal, chunk) => [
          chunk,
          ...grid.coordinatesOf(ordinal),
          chunks.payloadLengths[chunk],
          chunks.byteOffsets[chunk],
        ]),
      );
    });
  },
);
