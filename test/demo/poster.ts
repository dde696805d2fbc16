import type { Box, LgiFile } from '../../src/index.js';
import type { RenderedPicture } from '../media/patterns.js';
import { Canvas, type Area, type Ink } from './canvas.js';
import { writeText, type Lettering } from './lettering.js';

const GROUND: Ink = [251, 249, 245];
const INK: Ink = [34, 37, 43];
const MUTED: Ink = [112, 117, 127];
const SUPERBLOCK: Ink = [52, 56, 66];
const HEADER: Ink = [45, 98, 152];
const INDEX: Ink = [232, 176, 62];
const KEPT: Ink = [222, 84, 44];
const DROPPED: Ink = [203, 207, 213];
const WHITE: Ink = [255, 255, 255];

const WIDTH = 1200;
const HEIGHT = 826;
const MARGIN = 48;
/** Three panels with two gaps of 24 between the margins. */
const PANEL = 352;
const GAP = 24;
const PANELS_TOP = 48;
const BAR_HEIGHT = 52;
/** Outputs per sample of the zoom, and its samples: two pictures of them fill a panel with a gap of 16. */
const ZOOM = 4;
const ZOOM_SHAPE = [42, 88] as const;

const HEADLINE: Lettering = { capPx: 14, ink: INK, bold: true };
const CAPTION: Lettering = { capPx: 12, ink: MUTED };

/** What the picture of the README is made of: two open files, and the picture that they come from. */
export interface PosterSubject {
  readonly source: RenderedPicture;
  readonly whole: LgiFile;
  readonly cropped: LgiFile;
  /** What was cropped, in samples of the whole. */
  readonly cropBox: Box;
  /** Middle of the zoom in samples, `[y, x]`. */
  readonly focus: readonly number[];
}

/** Composes the picture of the README from a demo's results: everything in it is decoded from, or read off, the files. */
export async function composePoster(subject: PosterSubject): Promise<RenderedPicture> {
  const canvas = new Canvas(WIDTH, HEIGHT, GROUND);
  await drawWhole(canvas, subject, MARGIN);
  await drawCrop(canvas, subject, MARGIN + PANEL + GAP);
  await drawZoom(canvas, subject, MARGIN + 2 * (PANEL + GAP));
  drawBytes(canvas, subject, PANELS_TOP + PANEL + 118);
  return { data: canvas.data, shape: [HEIGHT, WIDTH], channels: 3, layout: 'rgb', sampleType: 'uint8' };
}

function caption(canvas: Canvas, left: number, headline: string, lines: readonly string[]): void {
  const top = PANELS_TOP + PANEL + 18;
  writeText(canvas, left, top, headline, HEADLINE);
  lines.forEach((line, i) => writeText(canvas, left, top + 27 + 22 * i, line, CAPTION));
}

async function drawWhole(canvas: Canvas, { whole, cropBox }: PosterSubject, left: number): Promise<void> {
  const [signal] = whole.signals;
  canvas.image(left, PANELS_TOP, await signal.decode({ size: [PANEL, PANEL] }));
  const { grid } = whole.container.index.signals[0];
  const [perRow, perColumn] = signal.shape.map((length) => PANEL / length);
  const crop: Area = {
    left: left + cropBox.begin[1] * perColumn,
    top: PANELS_TOP + cropBox.begin[0] * perRow,
    width: (cropBox.end[1] - cropBox.begin[1]) * perColumn,
    height: (cropBox.end[0] - cropBox.begin[0]) * perRow,
  };
  dimAround(canvas, { left, top: PANELS_TOP, width: PANEL, height: PANEL }, crop);
  for (const cut of grid.axes[0].cuts.slice(1, -1)) {
    canvas.rectangle({ left, top: PANELS_TOP + cut * perRow - 0.5, width: PANEL, height: 1 }, WHITE, 0.26);
  }
  for (const cut of grid.axes[1].cuts.slice(1, -1)) {
    canvas.rectangle(
      { left: left + cut * perColumn - 0.5, top: PANELS_TOP, width: 1, height: PANEL },
      WHITE,
      0.26,
    );
  }
  canvas.frame(crop, 3, KEPT);
  caption(canvas, left, 'scene.lgi', [
    `${grid.shape.join('x')} partitions, a small network each`,
    'and one network that they share',
  ]);
}

/** Darkens what lies in an area and outside another. */
function dimAround(canvas: Canvas, area: Area, kept: Area): void {
  const inside = (x: number, y: number): boolean =>
    x > kept.left && x < kept.left + kept.width && y > kept.top && y < kept.top + kept.height;
  canvas.paint(area, [20, 22, 30], (x, y) => (inside(x, y) ? 0 : 1), 0.42);
}

async function drawCrop(canvas: Canvas, { cropped }: PosterSubject, left: number): Promise<void> {
  const [signal] = cropped.signals;
  canvas.image(left, PANELS_TOP, await signal.decode({ size: [PANEL, PANEL] }));
  canvas.frame({ left, top: PANELS_TOP, width: PANEL, height: PANEL }, 3, KEPT);
  const { present } = signal.partitions;
  caption(canvas, left, 'crop.lgi', [
    `${present} of them, copied bit for bit:`,
    'no decoding, no retraining',
  ]);
}

async function drawZoom(
  canvas: Canvas,
  { source, whole, focus }: PosterSubject,
  left: number,
): Promise<void> {
  const begin = focus.map((at, axis) => Math.round(at - ZOOM_SHAPE[axis] / 2));
  const region = { begin, end: begin.map((at, axis) => at + ZOOM_SHAPE[axis]) };
  const [rows, columns] = ZOOM_SHAPE;
  const pixels = new Uint8Array(rows * columns * 3);
  for (let row = 0; row < rows; row++) {
    const from = ((begin[0] + row) * source.shape[1] + begin[1]) * 3;
    pixels.set((source.data as Uint8Array).subarray(from, from + columns * 3), row * columns * 3);
  }
  canvas.image(left, PANELS_TOP, { data: pixels, shape: ZOOM_SHAPE, channels: 3 }, ZOOM);
  const lower = PANELS_TOP + PANEL - rows * ZOOM;
  canvas.image(left, lower, await whole.signals[0].decode({ region, scale: ZOOM }));
  caption(canvas, left, 'any resolution', [
    `above: ${columns}x${rows} pixels of the source`,
    `below: the same place decoded with --scale ${ZOOM}`,
  ]);
}

/** Where a section lies in its file. */
interface Span {
  readonly byteOffset: number;
  readonly byteLength: number;
}

function drawBytes(canvas: Canvas, { whole, cropped }: PosterSubject, top: number): void {
  const [from, to] = [whole.container, cropped.container];
  const total = from.superblock.committedByteLength;
  const perByte = (WIDTH - 2 * MARGIN) / total;
  const lower = top + 30 + BAR_HEIGHT + 66;
  const place = ({ byteOffset, byteLength }: Span): { left: number; width: number } => ({
    left: MARGIN + byteOffset * perByte,
    width: byteLength * perByte,
  });
  const chunksOf = ({ index }: typeof from): Map<string, Span> => {
    const { grid, chunks } = index.signals[0];
    return new Map(
      Array.from(chunks.ordinals, (ordinal, chunk) => [
        grid.coordinatesOf(ordinal).join(','),
        { byteOffset: chunks.byteOffsets[chunk], byteLength: chunks.byteLength(chunk) },
      ]),
    );
  };
  const [source, kept] = [chunksOf(from), chunksOf(to)];
  title(canvas, top, 'scene.lgi, byte by byte:', total);
  title(canvas, lower + BAR_HEIGHT + 14, 'crop.lgi, byte by byte:', to.superblock.committedByteLength);

  const flow = (a: Span, b: Span, ink: Ink): void =>
    canvas.ribbon({ ...place(a), y: top + 30 + BAR_HEIGHT }, { ...place(b), y: lower }, ink, 0.3);
  flow(from.superblock.header, to.superblock.header, HEADER);
  kept.forEach((span, name) => flow(source.get(name) as Span, span, KEPT));

  [from, to].forEach((container, i) => {
    const bar = { top: i === 0 ? top + 30 : lower, height: BAR_HEIGHT };
    const { header, index } = container.superblock;
    canvas.rectangle({ ...bar, ...place({ byteOffset: 0, byteLength: header.byteOffset }) }, SUPERBLOCK);
    canvas.rectangle({ ...bar, ...place(header) }, HEADER);
    canvas.rectangle({ ...bar, ...place(index) }, INDEX);
    chunksOf(container).forEach((span, name) => {
      const { left, width } = place(span);
      // A hair of ground between chunks, so that each is seen.
      canvas.rectangle({ ...bar, left, width: width - 0.7 }, kept.has(name) ? KEPT : DROPPED);
    });
  });
  legend(canvas, lower + BAR_HEIGHT + 60, [
    [SUPERBLOCK, 'superblock'],
    [HEADER, 'header: the shared network'],
    [INDEX, 'index'],
    [KEPT, 'chunk: one partition, kept'],
    [DROPPED, 'chunk, left out'],
  ]);
}

function title(canvas: Canvas, y: number, text: string, byteLength: number): void {
  const end = writeText(canvas, MARGIN, y, text, HEADLINE);
  writeText(canvas, end + 16, y + 2, `${byteLength.toLocaleString('en-US')} bytes`, CAPTION);
}

function legend(canvas: Canvas, y: number, entries: readonly (readonly [ink: Ink, text: string])[]): void {
  let x = MARGIN;
  for (const [ink, text] of entries) {
    canvas.rectangle({ left: x, top: y - 1, width: 14, height: 14 }, ink);
    x = writeText(canvas, x + 23, y, text, CAPTION) + 30;
  }
}
