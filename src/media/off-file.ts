import { damagedFault, mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { MeshBuilder } from './mesh-builder.js';
import { textLines, type TextLine } from './text-lines.js';

/** The first word of an OFF file: texture, colour and normals are passed over, `4` gives a weight, `n` a dimension. */
const HEADER = /^(?:ST)?C?N?(4?)(n?)OFF(?![A-Za-z0-9_])/;

/** Whether a text begins as an OFF file does, after comments and blank lines. */
export function isOff(start: string): boolean {
  return HEADER.test(start.replace(/^(?:\s|#[^\n\r]*[\n\r])+/, ''));
}

/**
 * The vertices and faces of an OFF file as text (COFF, NOFF, STOFF and 4OFF, too); polygons are cut into fans. The
 * counts may stand on the line of the header.
 *
 * @throws LgiError `media` for one that is incomplete, binary or cannot be read.
 */
export function parseOff(bytes: Uint8Array, name: string): Mesh {
  let line = 0;
  const fault = (fact: string, nextStep = 'the file is damaged, export it again') =>
    mediaFault(name, `line ${line}: ${fact}`, nextStep);
  const rows = (function* (lines: Generator<TextLine>) {
    for (const { text } of lines) {
      line++;
      const row = text.replace(/#.*/, '').trim();
      if (row !== '') yield row;
    }
  })(textLines(bytes));
  const nextRow = (what: string): string => {
    const next = rows.next();
    if (!next.done) return next.value;
    throw damagedFault(name, `the OFF file ends after ${line} lines, before ${what}`);
  };
  const first = nextRow('its header');
  const header = HEADER.exec(first);
  if (header === null) throw fault(`'${first.slice(0, 40)}' is no header of an OFF file`);
  let counts = first.slice(header[0].length).trim();
  if (/^BINARY\b/.test(counts)) throw fault('the OFF file is binary', 'export it as text, or as PLY');
  if (header[2] !== '') {
    const dimension = counts === '' ? nextRow('its dimension') : counts;
    if (Number(dimension) !== 3)
      throw fault(`the vertices have ${dimension.slice(0, 20)} dimensions`, 'give 3');
    counts = '';
  }
  if (counts === '') counts = nextRow('its counts');
  const [vertices, faces] = counts.split(/\s+/).map(Number);
  if (![vertices, faces].every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw fault(`'${counts.slice(0, 40)}' gives no numbers of vertices and faces`);
  }
  const builder = new MeshBuilder();
  const hasWeight = header[1] !== '';
  for (let k = 0; k < vertices; k++) {
    const row = nextRow(`vertex ${k} of ${vertices}`);
    const numbers = row
      .split(/\s+/)
      .slice(0, hasWeight ? 4 : 3)
      .map(Number);
    const weight = hasWeight ? numbers[3] : 1;
    if (numbers.length < (hasWeight ? 4 : 3) || !numbers.every(Number.isFinite) || weight === 0) {
      throw fault(
        `'${row.slice(0, 40)}' is no vertex of ${hasWeight ? 'four numbers, the last not 0' : 'three numbers'}`,
      );
    }
    builder.vertex(numbers[0] / weight, numbers[1] / weight, numbers[2] / weight);
  }
  for (let k = 0; k < faces; k++) {
    const row = nextRow(`face ${k} of ${faces}`);
    const numbers = row.split(/\s+/).map(Number);
    const corners = numbers.slice(1, 1 + numbers[0]);
    if (
      corners.length !== numbers[0] ||
      !corners.every((corner) => Number.isInteger(corner) && corner >= 0)
    ) {
      throw fault(`'${row.slice(0, 40)}' is no face`);
    }
    const bad = corners.find((corner) => corner >= vertices);
    if (bad !== undefined) throw fault(`face ${k} uses vertex ${bad}, there are ${vertices}`);
    builder.polygon(corners);
  }
  return builder.mesh(name);
}
