import { LgiError } from '../../codec/errors.js';
import type { MeshBuilder } from './mesh-builder.js';

/** Most triangles after all copies of a part are placed: files that repeat parts can ask for any number of them. */
const MAX_PLACED_TRIANGLES = 2 ** 24;

/** An affine map of points as its columns: x, y and z axis and origin, 3 numbers each. */
export type Transform = readonly number[];

export const IDENTITY: Transform = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/** A part of a scene, before it is placed. */
export interface Part {
  /** Gives x, y and z of a vertex. */
  readonly vertex: (index: number) => readonly number[];
  readonly vertices: number;
  /** `[triangle, 3]`. */
  readonly triangles: ArrayLike<number>;
}

function apply(transform: Transform, [x, y, z]: readonly number[], weight: number): number[] {
  return [0, 1, 2].map(
    (axis) =>
      transform[axis] * x + transform[3 + axis] * y + transform[6 + axis] * z + transform[9 + axis] * weight,
  );
}

/** The map that applies `inner` first, then `outer`. */
export function combined(outer: Transform, inner: Transform): Transform {
  return [0, 3, 6, 9].flatMap((at) => apply(outer, inner.slice(at, at + 3), at === 9 ? 1 : 0));
}

/** Puts copies of parts into one mesh. */
export class Placement {
  readonly #builder: MeshBuilder;
  readonly #name: string;
  #triangles = 0;

  /** @param name what error messages call the mesh. */
  constructor(builder: MeshBuilder, name: string) {
    this.#builder = builder;
    this.#name = name;
  }

  /**
   * Adds a copy; one that a transform mirrors has its triangles turned, so that they look outwards still.
   *
   * @throws LgiError `limit` beyond 2^24 triangles in all.
   */
  add({ vertex, vertices, triangles }: Part, transform: Transform): void {
    this.#triangles += triangles.length / 3;
    if (this.#triangles > MAX_PLACED_TRIANGLES) {
      throw new LgiError(
        'limit',
        `${this.#name}: the parts have more than ${MAX_PLACED_TRIANGLES} triangles with all copies; simplify it first`,
      );
    }
    const first = this.#builder.vertices;
    for (let at = 0; at < vertices; at++) {
      const [x, y, z] = apply(transform, vertex(at), 1);
      this.#builder.vertex(x, y, z);
    }
    const [a, b, c, d, e, f, g, h, i] = transform;
    const isMirrored = a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e) < 0;
    for (let at = 0; at + 2 < triangles.length; at += 3) {
      const corners = [first + triangles[at], first + triangles[at + 1], first + triangles[at + 2]];
      this.#builder.polygon(isMirrored ? corners.reverse() : corners);
    }
  }
}
