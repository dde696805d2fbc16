import type { Mesh } from './mesh.js';

/** Multipliers of a hash, odd and without pattern: those of MurmurHash3. */
const [MIX_A, MIX_B] = [0xcc9e2d51, 0x1b873593];

/** An open hash table of whole numbers from 0; a key lies where the caller's numbers for it say. */
class Places {
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param entries most entries; at most half of the slots are in use, so that searches stay short. */
  constructor(entries: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * entries + 2));
    this.#slots = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
  }

  /** The entry that equals a key, or the new one, which is put in. */
  findOrAdd(hash: number, equals: (entry: number) => boolean, added: number): number {
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot];
      if (entry < 0) {
        this.#slots[slot] = added;
        return added;
      }
      if (equals(entry)) return entry;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/**
 * One vertex for each place: files such as STL have vertices of their own for each triangle. Places are the same if
 * their numbers are equal, -0 and 0 too.
 *
 * @returns for each corner `[triangle, 3]` the first vertex at its place.
 */
export function weldedCorners({ positions, indices }: Mesh): Uint32Array {
  const places = new Places(Math.min(indices.length, positions.length / 3));
  const first = new Int32Array(positions.length / 3).fill(-1);
  const values = new Float64Array(3);
  const words = new Uint32Array(values.buffer);
  return indices.map((vertex) => {
    if (first[vertex] >= 0) return first[vertex];
    let hash = 0;
    // Adding 0 makes 0 of -0.
    for (let axis = 0; axis < 3; axis++) values[axis] = positions[3 * vertex + axis] + 0;
    for (const word of words) {
      hash = Math.imul(hash ^ Math.imul(word, MIX_A), MIX_B);
      hash ^= hash >>> 13;
    }
    const equals = (other: number) =>
      positions[3 * other] === values[0] &&
      positions[3 * other + 1] === values[1] &&
      positions[3 * other + 2] === values[2];
    first[vertex] = places.findOrAdd(hash, equals, vertex);
    return first[vertex];
  });
}

/** An edge that no other triangle has. */
export const OPEN_EDGE = -1;

/** An edge that more than two triangles have. */
export const SHARED_EDGE = -2;

/**
 * For each half-edge, from corner k to the next corner of its triangle: the half-edge of the other triangle there.
 *
 * @param corners `[triangle, 3]`, welded; triangles with two equal corners have no edges.
 * @returns `[triangle, 3]`, {@link OPEN_EDGE} or {@link SHARED_EDGE} where there is not just one other.
 */
export function edgeMates(corners: Uint32Array): Int32Array {
  const mates = new Int32Array(corners.length).fill(OPEN_EDGE);
  const places = new Places(corners.length);
  for (let half = 0; half < corners.length; half++) {
    const triangle = half - (half % 3);
    const [a, b, c] = [corners[triangle], corners[triangle + 1], corners[triangle + 2]];
    if (a === b || b === c || c === a) continue;
    const [from, to] = [corners[half], corners[nextCorner(half)]];
    const [low, high] = from < to ? [from, to] : [to, from];
    const hash = Math.imul(Math.imul(low + 1, MIX_A) ^ (high + 1), MIX_B);
    const equals = (other: number) => {
      const [start, stop] = [corners[other], corners[nextCorner(other)]];
      return (start === low && stop === high) || (start === high && stop === low);
    };
    const first = places.findOrAdd(hash, equals, half);
    if (first === half) continue;
    if (mates[first] === OPEN_EDGE) {
      mates[first] = half;
      mates[half] = first;
    } else {
      if (mates[first] >= 0) mates[mates[first]] = SHARED_EDGE;
      mates[first] = mates[half] = SHARED_EDGE;
    }
  }
  return mates;
}

/** The corner after one in its triangle. */
export function nextCorner(corner: number): number {
  return corner % 3 === 2 ? corner - 2 : corner + 1;
}
