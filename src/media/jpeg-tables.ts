const DHT = 0xc4;
const DQT = 0xdb;
const DRI = 0xdd;

/** Tables that a picture decodes with, by what its headers call them: `q0` quantisation, `d0` and `a0` Huffman codes of DC and AC. */
export type TableNames = ReadonlySet<string>;

/** Quantisation: precision and number in a byte, then 64 values of 8 or 16 bits. */
function quantisationTables(data: Buffer): string[] | undefined {
  const names: string[] = [];
  let at = 0;
  while (at < data.length) {
    names.push(`q${data[at] & 15}`);
    at += 1 + 64 * (data[at] >> 4 === 0 ? 1 : 2);
  }
  return at === data.length ? names : undefined;
}

/** Huffman codes: class and number in a byte, 16 counts of codes by length, then a value for each code. */
function huffmanTables(data: Buffer): string[] | undefined {
  const names: string[] = [];
  let at = 0;
  while (at + 17 <= data.length) {
    names.push(`${data[at] >> 4 === 0 ? 'd' : 'a'}${data[at] & 15}`);
    at += 17 + data.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
  }
  return at === data.length ? names : undefined;
}

/**
 * The names of the tables that a segment defines, none for a segment without tables.
 *
 * @returns undefined where the segment's length is not that of its tables.
 */
export function tablesOf(marker: number, data: Buffer): readonly string[] | undefined {
  if (marker === DQT) return quantisationTables(data);
  if (marker === DHT) return huffmanTables(data);
  return marker !== DRI || data.length === 2 ? [] : undefined;
}
