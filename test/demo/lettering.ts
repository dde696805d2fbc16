import type { Canvas, Ink } from './canvas.js';

/**
 * Letters as single strokes: `width: strokes`, strokes parted by `|`, points `x,y` with y downwards, capitals from 0 to
 * 7, small letters from 2, descenders to 9.2. A point after `~` is the control point of a curve to the next one.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '2.2:',
  '.': '0.6:0.3,6.9 0.3,7',
  ',': '0.8:0.5,6.8 0,8.4',
  ':': '0.6:0.3,3 0.3,3.1|0.3,6.8 0.3,6.9',
  ';': '0.8:0.5,3 0.5,3.1|0.5,6.8 0,8.4',
  '-': '2.4:0,4.4 2.4,4.4',
  '+': '4:0,4.4 4,4.4|2,2.4 2,6.4',
  '=': '4:0,3.4 4,3.4|0,5.4 4,5.4',
  '/': '3:0,8 3,-0.6',
  '(': '1.5:1.5,-0.6 ~-0.6,3.7 1.5,8',
  ')': '1.5:0,-0.6 ~2.1,3.7 0,8',
  '0': '4:2,0 ~4,0 4,3.5 ~4,7 2,7 ~0,7 0,3.5 ~0,0 2,0',
  '1': '2:0,1.5 1.8,0 1.8,7',
  '2': '4:0.1,1.8 ~0.2,0 2,0 ~3.8,0 3.8,1.8 ~3.8,3.2 0,7 4,7',
  '3': '4:0.2,0.9 ~0.8,0 2,0 ~3.7,0 3.7,1.7 ~3.7,3.3 1.6,3.3 ~4,3.3 4,5.2 ~4,7 2,7 ~0.6,7 0,5.9',
  '4': '4.2:3.2,7 3.2,0 0,5 4.2,5',
  '5': '4:3.6,0 0.6,0 0.3,3.2 ~1,2.7 2,2.7 ~4,2.7 4,4.8 ~4,7 1.9,7 ~0.6,7 0,6',
  '6': '4:3.3,0.4 ~0,1 0,4.8 ~0,7 2,7 ~4,7 4,4.9 ~4,2.9 2,2.9 ~0,2.9 0,4.8',
  '7': '4:0,0 4,0 1.4,7',
  '8': '4:2,3.3 ~0.3,3.3 0.3,1.6 ~0.3,0 2,0 ~3.7,0 3.7,1.6 ~3.7,3.3 2,3.3 ~0,3.3 0,5.2 ~0,7 2,7 ~4,7 4,5.2 ~4,3.3 2,3.3',
  '9': '4:0.7,6.6 ~4,6 4,2.2 ~4,0 2,0 ~0,0 0,2.1 ~0,4.1 2,4.1 ~4,4.1 4,2.2',
  A: '4.8:0,7 2.4,0 4.8,7|0.8,4.8 4,4.8',
  B: '4.2:0,0 0,7 2.2,7 ~4.2,7 4.2,5.2 ~4.2,3.4 2.2,3.4 0,3.4|2.2,3.4 ~3.8,3.4 3.8,1.7 ~3.8,0 2.2,0 0,0',
  C: '4.6:4.5,1.4 ~3.8,0 2.5,0 ~0,0 0,3.5 ~0,7 2.5,7 ~3.8,7 4.6,5.6',
  D: '4.6:0,0 0,7 1.8,7 ~4.6,7 4.6,3.5 ~4.6,0 1.8,0 0,0',
  E: '3.6:3.6,0 0,0 0,7 3.6,7|0,3.4 3.1,3.4',
  F: '3.5:3.5,0 0,0 0,7|0,3.4 3,3.4',
  G: '4.8:4.5,1.3 ~3.8,0 2.5,0 ~0,0 0,3.5 ~0,7 2.5,7 ~4.8,7 4.8,4 2.8,4',
  H: '4.4:0,0 0,7|4.4,0 4.4,7|0,3.4 4.4,3.4',
  I: '0.4:0.2,0 0.2,7',
  J: '3:2.8,0 2.8,5 ~2.8,7 1.2,7 ~0.2,7 0,6.2',
  K: '4.2:0,0 0,7|4,0 0,4.2|1.4,2.9 4.2,7',
  L: '3.5:0,0 0,7 3.5,7',
  M: '5.4:0,7 0,0 2.7,4.6 5.4,0 5.4,7',
  N: '4.4:0,7 0,0 4.4,7 4.4,0',
  O: '5:2.5,0 ~5,0 5,3.5 ~5,7 2.5,7 ~0,7 0,3.5 ~0,0 2.5,0',
  P: '4:0,7 0,0 2,0 ~4,0 4,2 ~4,4 2,4 0,4',
  Q: '5:2.5,0 ~5,0 5,3.5 ~5,7 2.5,7 ~0,7 0,3.5 ~0,0 2.5,0|3.2,5.4 5,7.6',
  R: '4.2:0,7 0,0 2,0 ~4,0 4,1.9 ~4,3.8 2,3.8 0,3.8|2,3.8 4.2,7',
  S: '4.2:4,1.2 ~3.4,0 2.1,0 ~0.2,0 0.2,1.7 ~0.2,3 2.1,3.4 ~4.2,3.9 4.2,5.2 ~4.2,7 2.1,7 ~0.6,7 0,5.7',
  T: '4.4:0,0 4.4,0|2.2,0 2.2,7',
  U: '4.4:0,0 0,4.6 ~0,7 2.2,7 ~4.4,7 4.4,4.6 4.4,0',
  V: '4.6:0,0 2.3,7 4.6,0',
  W: '6.6:0,0 1.7,7 3.3,0.6 4.9,7 6.6,0',
  X: '4.2:0,0 4.2,7|4.2,0 0,7',
  Y: '4.4:0,0 2.2,3.6 4.4,0|2.2,3.6 2.2,7',
  Z: '4.2:0,0 4.2,0 0,7 4.2,7',
  a: '3.8:3.8,2 3.8,7|3.8,4.5 ~3.8,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3.8,7 3.8,4.5',
  b: '3.8:0,-0.2 0,7|0,4.5 ~0,2 1.9,2 ~3.8,2 3.8,4.5 ~3.8,7 1.9,7 ~0,7 0,4.5',
  c: '3.5:3.5,2.9 ~3,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3,7 3.5,6.1',
  d: '3.8:3.8,-0.2 3.8,7|3.8,4.5 ~3.8,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3.8,7 3.8,4.5',
  e: '3.8:0,4.4 3.8,4.4 ~3.8,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3.1,7 3.6,6',
  f: '2.4:2.4,-0.1 ~0.9,-0.4 0.9,1.4 0.9,7|0,2.2 2.2,2.2',
  g: '3.8:3.8,2 3.8,7.2 ~3.8,9.2 1.9,9.2 ~0.8,9.2 0.3,8.5|3.8,4.5 ~3.8,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3.8,7 3.8,4.5',
  h: '3.6:0,-0.2 0,7|0,4.4 ~0,2 1.9,2 ~3.6,2 3.6,4.2 3.6,7',
  i: '0.4:0.2,2 0.2,7|0.2,0.1 0.2,0.2',
  j: '1:0.8,2 0.8,7.8 ~0.8,9.2 -0.4,9.2|0.8,0.1 0.8,0.2',
  k: '3.4:0,-0.2 0,7|3.2,2 0,5|1.2,3.9 3.4,7',
  l: '0.4:0.2,-0.2 0.2,7',
  m: '5.8:0,2 0,7|0,4.2 ~0,2 1.6,2 ~2.9,2 2.9,4 2.9,7|2.9,4.2 ~2.9,2 4.5,2 ~5.8,2 5.8,4 5.8,7',
  n: '3.6:0,2 0,7|0,4.4 ~0,2 1.9,2 ~3.6,2 3.6,4.2 3.6,7',
  o: '3.8:1.9,2 ~3.8,2 3.8,4.5 ~3.8,7 1.9,7 ~0,7 0,4.5 ~0,2 1.9,2',
  p: '3.8:0,2 0,9.2|0,4.5 ~0,2 1.9,2 ~3.8,2 3.8,4.5 ~3.8,7 1.9,7 ~0,7 0,4.5',
  q: '3.8:3.8,2 3.8,9.2|3.8,4.5 ~3.8,2 1.9,2 ~0,2 0,4.5 ~0,7 1.9,7 ~3.8,7 3.8,4.5',
  r: '2.2:0,2 0,7|0,4.6 ~0,2 2.2,2.1',
  s: '3.4:3.2,2.9 ~2.8,2 1.7,2 ~0.2,2 0.2,3.2 ~0.2,4.2 1.7,4.45 ~3.4,4.7 3.4,5.7 ~3.4,7 1.7,7 ~0.5,7 0,6.1',
  t: '2.4:0.9,0.4 0.9,5.4 ~0.9,7.2 2.4,6.9|0,2.2 2.2,2.2',
  u: '3.6:0,2 0,4.8 ~0,7 1.8,7 ~3.6,7 3.6,4.6|3.6,2 3.6,7',
  v: '3.6:0,2 1.8,7 3.6,2',
  w: '5.4:0,2 1.4,7 2.7,2.6 4,7 5.4,2',
  x: '3.4:0,2 3.4,7|3.4,2 0,7',
  y: '3.6:0,2 1.8,7|3.6,2 1.5,8.1 ~1.1,9.2 0,9.2',
  z: '3.3:0,2 3.3,2 0,7 3.3,7',
};

/** Room between letters, in the glyphs' unit. */
const TRACKING = 1.35;
/** Straight pieces that a curve becomes: at these sizes more cannot be seen. */
const CURVE_PIECES = 6;

type Point = readonly [x: number, y: number];

interface Glyph {
  readonly width: number;
  readonly strokes: readonly (readonly Point[])[];
}

function parse(description: string): Glyph {
  const [width, strokes] = description.split(':');
  return { width: Number(width), strokes: strokes.split('|').filter(Boolean).map(parseStroke) };
}

function parseStroke(stroke: string): Point[] {
  const points: Point[] = [];
  let control: Point | null = null;
  for (const token of stroke.split(' ')) {
    const [x, y] = token.replace('~', '').split(',').map(Number);
    if (token.startsWith('~')) {
      control = [x, y];
    } else if (control === null) {
      points.push([x, y]);
    } else {
      const [[fromX, fromY], [bendX, bendY]] = [points[points.length - 1], control];
      for (let piece = 1; piece <= CURVE_PIECES; piece++) {
        const t = piece / CURVE_PIECES;
        const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t * t];
        points.push([a * fromX + b * bendX + c * x, a * fromY + b * bendY + c * y]);
      }
      control = null;
    }
  }
  return points;
}

const PARSED: ReadonlyMap<string, Glyph> = new Map(
  Object.entries(GLYPHS).map(([letter, description]) => [letter, parse(description)]),
);

function glyphOf(letter: string): Glyph {
  const glyph = PARSED.get(letter);
  if (!glyph) throw new RangeError(`there are no strokes for the letter '${letter}'; add them to GLYPHS`);
  return glyph;
}

/** How letters look. */
export interface Lettering {
  /** Height of capitals in pixels. */
  readonly capPx: number;
  readonly ink: Ink;
  readonly bold?: boolean;
}

/** Writes one line; `y` is where capitals begin. Returns where it ends, in pixels. */
export function writeText(canvas: Canvas, x: number, y: number, text: string, lettering: Lettering): number {
  const { capPx, ink, bold = false } = lettering;
  const unit = capPx / 7;
  let pen = x;
  for (const letter of text) {
    const { width, strokes } = glyphOf(letter);
    for (const stroke of strokes) {
      const points = stroke.map(([px, py]): Point => [pen + px * unit, y + py * unit]);
      canvas.stroke(points, unit * (bold ? 1.15 : 0.78), ink);
    }
    pen += (width + TRACKING) * unit;
  }
  return pen - TRACKING * unit;
}
