import type { Colour } from './colour.js';

/** H.273's code for what nobody has said. */
const UNSPECIFIED = 2;

/** Codes of H.273 that mean the same curve: BT.709, BT.601 and BT.2020 in 10 and 12 bits. */
const SAME_TRANSFER: readonly number[] = [1, 6, 14, 15];

/** Codes of H.273 that mean the same primaries: SMPTE 170M and 240M. */
const SAME_PRIMARIES: readonly number[] = [6, 7];

/** Names of codes that people meet, by H.273. */
const PRIMARIES: Readonly<Record<number, string>> = {
  1: 'BT.709',
  5: 'BT.601 of 625 lines',
  6: 'BT.601 of 525 lines',
  9: 'BT.2020',
  12: 'Display P3',
};
const TRANSFERS: Readonly<Record<number, string>> = {
  1: 'BT.709',
  8: 'linear',
  13: 'sRGB',
  16: 'PQ',
  18: 'HLG',
};

function isSameCode(a: number, b: number, alike: readonly number[]): boolean {
  return a === b || a === UNSPECIFIED || b === UNSPECIFIED || (alike.includes(a) && alike.includes(b));
}

/** Whether the numbers of two media mean the same colours; what is unspecified is taken for the same. */
export function isSameColour(a: Colour, b: Colour): boolean {
  return (
    isSameCode(a.primaries, b.primaries, SAME_PRIMARIES) && isSameCode(a.transfer, b.transfer, SAME_TRANSFER)
  );
}

/** A colour as people know it, with its code points. */
export function colourText({ primaries, transfer }: Colour): string {
  const named = (names: Readonly<Record<number, string>>, code: number): string =>
    names[code] === undefined ? '' : ` (${names[code]})`;
  return `primaries ${primaries}${named(PRIMARIES, primaries)}, transfer ${transfer}${named(TRANSFERS, transfer)} of H.273`;
}
