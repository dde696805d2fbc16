import { mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { textLines } from './text-lines.js';

/**
 * The vertices and faces of a Wavefront OBJ file; polygons are cut into fans, all else is passed over.
 *
 * @throws LgiError `media` for a vertex or face that cannot be read.
 */
export function parseObj(bytes: Uint8Array, name: string): Mesh {
  const positions: number[] = [];
  const indices: number[] = [];
  let line = 0;
  let held = '';
  const fault = (fact: string) =>
    mediaFault(name, `line ${line}: ${fact}`, 'the file is damaged, export it again');
  for (const { text } of textLines(bytes)) {
    line++;
    if (text.endsWith('\\')) {
      held += `${text.slice(0, -1)} `;
      continue;
    }
    const whole = held + text;
    held = '';
    if (/^v\s/.test(whole)) {
      const numbers = whole.split(/\s+/).slice(1, 4).map(Number);
      if (numbers.length < 3 || !numbers.every(Number.isFinite)) {
        throw fault(`'${whole.slice(0, 40)}' is no vertex of three numbers`);
      }
      positions.push(numbers[0], numbers[1], numbers[2]);
    } else if (/^f\s/.test(whole)) {
      const count = positions.length / 3;
      const corners = whole.replace(/#.*/, '').trim().split(/\s+/).slice(1);
      const vertices = corners.map((corner) => {
        const given = Number(corner.split('/', 1)[0]);
        // A negative number counts back from the last vertex so far.
        return given < 0 ? count + given : given - 1;
      });
      if (vertices.length < 3) throw fault(`a face has ${vertices.length} vertices, it needs 3`);
      // A face may name vertices that come later: their number is checked with the whole mesh.
      const bad = vertices.findIndex(
        (vertex) => !Number.isInteger(vertex) || vertex < 0 || vertex >= 2 ** 32,
      );
      if (bad >= 0) throw fault(`'${corners[bad].slice(0, 20)}' is no vertex of a face`);
      for (let k = 2; k < vertices.length; k++) indices.push(vertices[0], vertices[k - 1], vertices[k]);
    }
  }
  return { positions: new Float64Array(positions), indices: new Uint32Array(indices) };
}
