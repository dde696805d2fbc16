import type { Mesh } from './mesh.js';
import { edgeMates, nextCorner, weldedCorners } from './weld-mesh.js';

/**
 * A patch counts as closed if its area vectors sum to less than this share of its area: 0 when closed, 1 for a flat
 * sheet, 0.2 for a box without a lid. Seams that rounding left open do not count.
 */
const MAX_OPEN_SHARE = 0.05;

/** Triangles that make one body, or what is left of a mesh that is open. */
export interface Patch {
  /** Triangles, by number. */
  readonly triangles: Uint32Array;
  /** Six times the volume, negative where the faces look inwards; 0 for a body without one. */
  readonly volume: number;
  readonly isClosed: boolean;
}

/** The bodies of a mesh. */
export interface Patches {
  readonly patches: readonly Patch[];
  /** 1 for each triangle whose corners must be taken in the other order, so that its patch is of one side. */
  readonly isFlipped: Uint8Array;
}

/** Sets of numbers that are joined one after another. */
class Sets {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = new Int32Array(count).map((_, at) => at);
  }

  find(member: number): number {
    const parents = this.#parents;
    while (parents[member] !== member) {
      parents[member] = parents[parents[member]];
      member = parents[member];
    }
    return member;
  }

  join(a: number, b: number): void {
    this.#parents[this.find(a)] = this.find(b);
  }
}

/**
 * Cuts a mesh into bodies: triangles that share edges, two by an edge; faces of one body that look different ways are
 * turned so that they look as the greater area does. What is not closed by that goes with all open triangles that it
 * shares vertices with, and if it is not closed then either, with all that is open.
 */
export function meshPatches(mesh: Mesh): Patches {
  const corners = weldedCorners(mesh);
  const triangles = corners.length / 3;
  const measure = new Measure(mesh);
  const { patchOf, count, isFlipped } = byEdges(corners, measure);
  const closed: Patch[] = [];
  const groups = grouped(patchOf, count);
  const open: Uint32Array[] = [];
  for (const group of groups) {
    const patch = measure.patch(group, isFlipped);
    if (patch.isClosed) closed.push(patch);
    else open.push(group);
  }
  if (open.length === 0) return { patches: closed, isFlipped };
  const vertices = new Sets(mesh.positions.length / 3);
  for (const group of open) {
    for (const triangle of group) {
      vertices.join(corners[3 * triangle], corners[3 * triangle + 1]);
      vertices.join(corners[3 * triangle], corners[3 * triangle + 2]);
    }
  }
  const rest: Uint32Array[] = [];
  const members = new Int32Array(triangles).fill(-1);
  const numbers = new Map<number, number>();
  for (const group of open) {
    for (const triangle of group) {
      const root = vertices.find(corners[3 * triangle]);
      const number = numbers.get(root) ?? numbers.size;
      numbers.set(root, number);
      members[triangle] = number;
    }
  }
  for (const group of grouped(members, numbers.size)) {
    const patch = measure.patch(group, isFlipped);
    if (patch.isClosed) closed.push(patch);
    else rest.push(group);
  }
  if (rest.length > 0) {
    const all = new Uint32Array(rest.reduce((sum, group) => sum + group.length, 0));
    let at = 0;
    for (const group of rest) {
      all.set(group, at);
      at += group.length;
    }
    closed.push({ ...measure.patch(all, isFlipped), isClosed: false });
  }
  return { patches: closed, isFlipped };
}

/** Triangles by the number of their group; -1 is in no group. */
function grouped(groupOf: Int32Array, count: number): Uint32Array[] {
  const starts = new Uint32Array(count + 1);
  for (const group of groupOf) if (group >= 0) starts[group + 1]++;
  for (let group = 0; group < count; group++) starts[group + 1] += starts[group];
  const places = starts.slice();
  const sorted = new Uint32Array(starts[count]);
  for (let at = 0; at < groupOf.length; at++) if (groupOf[at] >= 0) sorted[places[groupOf[at]]++] = at;
  return Array.from({ length: count }, (_, group) => sorted.subarray(starts[group], starts[group + 1]));
}

/** Whether two corners of a triangle are one: it belongs to no body. */
function hasNoArea(corners: Uint32Array, triangle: number): boolean {
  const [a, b, c] = corners.subarray(3 * triangle, 3 * triangle + 3);
  return a === b || b === c || c === a;
}

/** Walks over edges of two triangles, and finds which triangles of a patch look the other way than most of its area. */
function byEdges(corners: Uint32Array, measure: Measure) {
  const mates = edgeMates(corners);
  const triangles = corners.length / 3;
  const patchOf = new Int32Array(triangles).fill(-1);
  const isFlipped = new Uint8Array(triangles);
  const stack = new Uint32Array(triangles);
  let count = 0;
  for (let seed = 0; seed < triangles; seed++) {
    if (patchOf[seed] >= 0 || hasNoArea(corners, seed)) continue;
    let size = 0;
    let done = 0;
    let isOneSided = false;
    const areas = [0, 0];
    patchOf[seed] = count;
    stack[size++] = seed;
    while (done < size) {
      const triangle = stack[done++];
      areas[isFlipped[triangle]] += measure.area(triangle);
      for (let half = 3 * triangle; half < 3 * triangle + 3; half++) {
        const mate = mates[half];
        if (mate < 0) continue;
        const other = Math.floor(mate / 3);
        // Neighbours that look the same way go along their edge in opposite directions.
        const isSame = corners[half] === corners[nextCorner(mate)];
        const flip = isSame ? isFlipped[triangle] : 1 - isFlipped[triangle];
        if (patchOf[other] < 0) {
          patchOf[other] = count;
          isFlipped[other] = flip;
          stack[size++] = other;
        } else if (isFlipped[other] !== flip) isOneSided = true;
      }
    }
    // A surface of one side, such as a Moebius strip, has no right way: it stays as it is.
    const turnAll = !isOneSided && areas[1] > areas[0];
    if (isOneSided || turnAll) {
      for (let at = 0; at < size; at++) isFlipped[stack[at]] = turnAll ? 1 - isFlipped[stack[at]] : 0;
    }
    count++;
  }
  return { patchOf, count, isFlipped };
}

/** Areas and volumes of a mesh's triangles. */
class Measure {
  readonly #p: Mesh['positions'];
  readonly #indices: Uint32Array;

  constructor({ positions, indices }: Mesh) {
    this.#p = positions;
    this.#indices = indices;
  }

  /** Twice the area. */
  area(triangle: number): number {
    return Math.hypot(...this.#normal(triangle));
  }

  patch(triangles: Uint32Array, isFlipped: Uint8Array): Patch {
    const p = this.#p;
    const origin = 3 * this.#indices[3 * triangles[0]];
    let volume = 0;
    let area = 0;
    const sum = [0, 0, 0];
    for (const triangle of triangles) {
      const sign = isFlipped[triangle] === 1 ? -1 : 1;
      const normal = this.#normal(triangle);
      const a = 3 * this.#indices[3 * triangle];
      area += Math.hypot(...normal);
      for (let axis = 0; axis < 3; axis++) {
        sum[axis] += sign * normal[axis];
        volume += sign * normal[axis] * (p[a + axis] - p[origin + axis]);
      }
    }
    const isClosed = Math.hypot(...sum) <= MAX_OPEN_SHARE * area;
    // Far below any body that a grid shows: two sheets back to back have a volume of rounding alone.
    return { triangles, volume: Math.abs(volume) < 1e-12 * area ** 1.5 ? 0 : volume, isClosed };
  }

  #normal(triangle: number): [number, number, number] {
    const p = this.#p;
    const [a, b, c] = [0, 1, 2].map((k) => 3 * this.#indices[3 * triangle + k]);
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  }
}
