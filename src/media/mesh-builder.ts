import type { Mesh } from './mesh.js';

/** Collects the vertices and faces of a file; faces without an area by their vertices' numbers are left out and counted. */
export class MeshBuilder {
  readonly #positions: number[] = [];
  readonly #indices: number[] = [];
  #dropped = 0;

  /** Vertices so far. */
  get vertices(): number {
    return this.#positions.length / 3;
  }

  vertex(x: number, y: number, z: number): void {
    this.#positions.push(x, y, z);
  }

  /**
   * Adds a polygon as a fan from its first vertex. Concave ones count right, too: triangles of a flat fan that overlap
   * cancel in the winding number.
   */
  polygon(vertices: readonly number[]): void {
    let isKept = false;
    for (let k = 2; k < vertices.length; k++) {
      if (this.#triangle(vertices[0], vertices[k - 1], vertices[k])) isKept = true;
    }
    if (!isKept) this.#dropped++;
  }

  /** Adds a strip: each vertex from the third on makes a triangle with the two before it, every second one reversed. */
  strip(vertices: readonly number[]): void {
    if (vertices.length < 3) this.#dropped++;
    for (let k = 2; k < vertices.length; k++) {
      // Strips repeat vertices to turn corners: such triangles are meant to have no area.
      if (k % 2 === 0) this.#triangle(vertices[k - 2], vertices[k - 1], vertices[k]);
      else this.#triangle(vertices[k - 1], vertices[k - 2], vertices[k]);
    }
  }

  /** @param name what the notices call the mesh. */
  mesh(name: string): Mesh {
    const faces = this.#dropped === 1 ? '1 face' : `${this.#dropped} faces`;
    const notice = `${name}: left out ${faces} of fewer than 3 different vertices`;
    return {
      positions: new Float64Array(this.#positions),
      indices: new Uint32Array(this.#indices),
      ...(this.#dropped > 0 && { notices: [notice] }),
    };
  }

  #triangle(a: number, b: number, c: number): boolean {
    if (a === b || b === c || c === a) return false;
    this.#indices.push(a, b, c);
    return true;
  }
}
