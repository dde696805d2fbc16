import { mediaFault } from './image-limits.js';

/** A surface of triangles; counter-clockwise seen from outside. */
export interface Mesh {
  /** Vertices, `[vertex, 3]` with x, y, z; in any unit. */
  readonly positions: Float64Array | Float32Array;
  /** Vertices of each triangle, `[triangle, 3]`, counted from 0. */
  readonly indices: Uint32Array;
  /** What a reader left out or changed, a sentence each. */
  readonly notices?: readonly string[];
}

/** The box around all triangles of a mesh; vertices that no triangle uses do not count. */
export interface MeshBounds {
  /** x, y, z. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/**
 * Checks that a mesh has triangles, of vertices that exist and are finite, that span more than a point.
 *
 * @param name what error messages call the mesh, such as its path.
 * @returns its bounds.
 * @throws LgiError `media` for any other.
 */
export function checkMesh(mesh: Mesh, name: string): MeshBounds {
  const { positions, indices } = mesh;
  const vertices = Math.floor(positions.length / 3);
  if (positions.length % 3 !== 0 || indices.length % 3 !== 0) {
    throw mediaFault(
      name,
      `${positions.length} coordinates and ${indices.length} indices are no multiples of 3`,
      'give three for each vertex and three for each triangle',
    );
  }
  if (indices.length === 0) {
    throw mediaFault(
      name,
      `the mesh has ${vertices} vertices and no faces`,
      'export it with faces; point clouds have no inside',
    );
  }
  const begin = [Infinity, Infinity, Infinity];
  const end = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < indices.length; at++) {
    const vertex = indices[at];
    if (vertex >= vertices) {
      throw mediaFault(
        name,
        `triangle ${Math.floor(at / 3)} uses vertex ${vertex}, there are ${vertices}`,
        'the mesh is damaged, export it again',
      );
    }
    for (let axis = 0; axis < 3; axis++) {
      const value = positions[3 * vertex + axis];
      if (!Number.isFinite(value)) {
        throw mediaFault(
          name,
          `vertex ${vertex} has the coordinate ${value}`,
          'the mesh is damaged, export it again',
        );
      }
      if (value < begin[axis]) begin[axis] = value;
      if (value > end[axis]) end[axis] = value;
    }
  }
  const longest = Math.max(...end.map((value, axis) => value - begin[axis]));
  // Beyond these, areas and volumes of triangles are no numbers any more.
  if (!(longest > 1e-90 && longest < 1e90)) {
    throw mediaFault(
      name,
      `the mesh is ${longest} long on its longest axis`,
      'scale it to a size between 1e-90 and 1e90',
    );
  }
  return { begin, end };
}
