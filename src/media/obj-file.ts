import { mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { MeshBuilder } from './mesh-builder.js';
import { textLines } from './text-lines.js';

/**
 * The vertices and faces of a Wavefront OBJ file; polygons are cut into fans, all else is passed over. Faces of fewer
 * than 3 different vertices are left out, with a notice.
 *
 * @throws LgiError `media` for a vertex or face that cannot be read.
 */
export function parseObj(bytes: Uint8Array, name: string): Mesh {
  const builder = new MeshBuilder();
  let line = 0;
  let held = '';
  const fault = (fact: string) =>
    mediaFault(name, `line ${line}: ${fact}`, 'the file is damaged, export it again');
  for (const { text, isLast } of textLines(bytes)) {
    line++;
    if (text.endsWith('\\') && !isLast) {
      held += `${text.slice(0, -1)} `;
      continue;
    }
    const whole = held + text;
    held = '';
    if (/^v\s/.test(whole)) {
      const numbers = whole.split(/\s+/, 4).slice(1).map(Number);
      if (numbers.length < 3 || !numbers.every(Number.isFinite)) {
        throw fault(`'${whole.slice(0, 40)}' is no vertex of three numbers`);
      }
      builder.vertex(numbers[0], numbers[1], numbers[2]);
    } else if (/^f(\s|$)/.test(whole)) {
      const corners = whole.replace(/#.*/, '').trim().split(/\s+/).slice(1);
      const vertices = corners.map((corner) => {
        const given = Number(corner.split('/', 1)[0]);
        // A negative number counts back from the last vertex so far.
        return given < 0 ? builder.vertices + given : given - 1;
      });
      // A face may name vertices that come later: their number is checked with the whole mesh.
      const bad = vertices.findIndex(
        (vertex) => !Number.isInteger(vertex) || vertex < 0 || vertex >= 2 ** 32,
      );
      if (bad >= 0) throw fault(`'${corners[bad].slice(0, 20)}' is no vertex of a face`);
      // Within a file such a face is an exporter's slip; at its very end, without a line end, the file was cut.
      if (isLast && vertices.length < 3) {
        throw fault(`the file ends in a face of ${vertices.length} vertices, it needs 3`);
      }
      builder.polygon(vertices);
    }
  }
  if (held !== '') throw fault('the file ends in a line that goes on');
  return builder.mesh(name);
}
