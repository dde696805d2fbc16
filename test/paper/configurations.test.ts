import { describe, expect, test } from 'vitest';
import { TABLE_6, TABLE_7 } from '../../dist/test/paper/configurations.js';
import { parametersOf } from '../../dist/test/paper/parameters.js';

/** A count as the paper prints it, in the unit and to the digits of its own figure. */
function asPrinted(count: number, printed: string): string {
  const [, digits, unit] = /^[\d]+(?:\.(\d+))?([kM])$/.exec(printed) ?? [];
  const value = count / (unit === 'M' ? 1e6 : 1e3);
  // Zeros behind the point are left out there.
  return `${Number(value.toFixed((digits ?? '').length))}${unit}`;
}

const COLUMNS = ['total', 'local', 'global'] as const;

describe.each([
  ['table 6', TABLE_6],
  ['table 7', TABLE_7],
])("the parameters of the paper's %s", (_, rows) => {
  test.each(
    rows.map(
      (row) => [`${row.experiment}, ${row.method}, ${row.partitions?.join('x') ?? 'whole'}`, row] as const,
    ),
  )('%s follow from its equations', (__, row) => {
    const counted = parametersOf(row);
    COLUMNS.forEach((column, i) => {
      const printed = row.printed[i];
      if (printed === null) expect(counted[column]).toBe(0);
      else if (row.exceptions?.[column] === undefined) {
        expect([column, asPrinted(counted[column], printed)]).toEqual([column, printed]);
      }
      // An exception that is none any more is to be struck out.
      else expect(asPrinted(counted[column], printed)).not.toBe(printed);
    });
  });
});
