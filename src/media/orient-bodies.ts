import { setImmediate as nextTurn } from 'node:timers/promises';
import { LgiError } from '../../codec/errors.js';
import type { Mesh } from './mesh.js';
import { meshPatches, type Patch } from './mesh-patches.js';
import { WindingTree } from './winding-tree.js';

/** Places on a body that are asked whether they lie inside another one; most of them decide, should the two cross. */
const PROBES = 9;

/** Bodies between two looks at whether the work was given up. */
const BODIES_PER_TURN = 256;

/** Most pairs of bodies of which it is asked whether one lies in the other: some seconds. */
const MAX_PAIRS = 2 ** 20;

/** Cells per axis in which bodies are looked up by place: a million small ones are 30 to a cell. */
const CELLS = 32;

/** A mesh whose bodies look the right way. */
export interface OrientedMesh {
  readonly mesh: Mesh;
  /** Closed bodies, and one more if anything is open. */
  readonly bodies: number;
  /** Bodies that were turned as a whole. */
  readonly turned: number;
  /** Faces that were turned because their neighbours look the other way. */
  readonly turnedFaces: number;
}

/** A body with its place among the others. */
interface Body extends Patch {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** 1 or -1: whether its faces are taken to look outwards. */
  sign: number;
  /** Whether this one or one around it was turned: what lies in it then counts by how often it is nested. */
  isTurned: boolean;
}

/**
 * Turns the bodies of a mesh that look inwards and are no holes.
 *
 * A body that looks inwards is a hole where it lies in solid matter; elsewhere it is turned, since a hole in nothing
 * would vanish. In a body that was turned, and so cannot be trusted, every second shell is a hole, whichever way it looks.
 * Bodies that look outwards stay, wherever they lie: in solid matter they add nothing. Open surfaces are one body, turned
 * if its volume is negative.
 *
 * @param name what error messages call the mesh.
 * @throws LgiError `limit` where too many bodies lie within or across one another.
 */
export async function orientBodies(mesh: Mesh, name: string, signal?: AbortSignal): Promise<OrientedMesh> {
  const { patches, isFlipped } = meshPatches(mesh);
  const turnedFaces = isFlipped.reduce((sum, flip) => sum + flip, 0);
  let turned = 0;
  if (patches.some(({ volume }) => volume < 0)) {
    for (const body of await signedBodies(mesh, isFlipped, patches, name, signal)) {
      if (Math.sign(body.volume) * body.sign >= 0) continue;
      turned++;
      for (const triangle of body.triangles) isFlipped[triangle] = 1 - isFlipped[triangle];
    }
  }
  const bodies = patches.filter(({ volume }) => volume !== 0).length;
  return { mesh: flippedMesh(mesh, isFlipped), bodies, turned, turnedFaces };
}

function flippedMesh(mesh: Mesh, isFlipped: Uint8Array): Mesh {
  const indices = mesh.indices.slice();
  for (let triangle = 0; triangle < isFlipped.length; triangle++) {
    if (isFlipped[triangle] === 0) continue;
    indices[3 * triangle + 1] = mesh.indices[3 * triangle + 2];
    indices[3 * triangle + 2] = mesh.indices[3 * triangle + 1];
  }
  return { positions: mesh.positions, indices };
}

/** Bodies with their signs, the largest first, as those around another are larger. */
async function signedBodies(
  mesh: Mesh,
  isFlipped: Uint8Array,
  patches: readonly Patch[],
  name: string,
  signal?: AbortSignal,
): Promise<readonly Body[]> {
  const bodies: Body[] = patches
    .map((patch) => ({ ...patch, ...bounds(mesh, patch.triangles), sign: 1, isTurned: false }))
    .sort((a, b) => Math.abs(b.volume) - Math.abs(a.volume));
  const closed = new BodyGrid(bodies);
  let pairs = 0;
  const trees = new Map<Body, WindingTree>();
  for (const [number, body] of bodies.entries()) {
    if (number % BODIES_PER_TURN === BODIES_PER_TURN - 1) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    if (!body.isClosed || body.volume === 0) continue;
    const around = closed.around(body);
    pairs += around.length;
    if (pairs > MAX_PAIRS) {
      throw new LgiError(
        'limit',
        `${name}: some of ${bodies.length} bodies look inwards, and more than ${MAX_PAIRS} pairs lie within or across ` +
          'one another; make all faces look outwards, or join the bodies first',
      );
    }
    const within = around.filter((other) => {
      const tree = trees.get(other) ?? new WindingTree(partOf(mesh, other.triangles, isFlipped));
      trees.set(other, tree);
      return isInside(mesh, body, tree);
    });
    closed.add(body);
    const isSolid = within.reduce((sum, other) => sum + other.sign, 0) > 0;
    const innermost = within.at(-1);
    if (innermost?.isTurned) {
      body.isTurned = true;
      body.sign = isSolid ? -1 : 1;
    } else if (body.volume < 0 && isSolid) body.sign = -1;
    else body.isTurned = body.volume < 0;
  }
  return bodies;
}

function bounds({ positions, indices }: Mesh, triangles: Uint32Array): Pick<Body, 'begin' | 'end'> {
  const begin = [Infinity, Infinity, Infinity];
  const end = [-Infinity, -Infinity, -Infinity];
  for (const triangle of triangles) {
    for (let at = 3 * triangle; at < 3 * triangle + 3; at++) {
      for (let axis = 0; axis < 3; axis++) {
        const value = positions[3 * indices[at] + axis];
        if (value < begin[axis]) begin[axis] = value;
        if (value > end[axis]) end[axis] = value;
      }
    }
  }
  return { begin, end };
}

/** Finds the bodies whose box holds the middle of another's: only in them it can lie for the most part. */
class BodyGrid {
  readonly #cells = new Map<number, Body[]>();
  readonly #begin: readonly number[];
  readonly #size: readonly number[];

  constructor(bodies: readonly Body[]) {
    const axes = [0, 1, 2];
    this.#begin = axes.map((axis) => bodies.reduce((low, { begin }) => Math.min(low, begin[axis]), Infinity));
    const end = axes.map((axis) => bodies.reduce((high, body) => Math.max(high, body.end[axis]), -Infinity));
    this.#size = axes.map((axis) => (end[axis] - this.#begin[axis]) / CELLS || 1);
  }

  add(body: Body): void {
    const [x0, y0, z0] = this.#cell(body.begin);
    const [x1, y1, z1] = this.#cell(body.end);
    for (let z = z0; z <= z1; z++) {
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          const key = (z * CELLS + y) * CELLS + x;
          const cell = this.#cells.get(key);
          if (cell) cell.push(body);
          else this.#cells.set(key, [body]);
        }
      }
    }
  }

  /** In the order in which they were added. */
  around({ begin, end }: Body): Body[] {
    const middle = begin.map((value, axis) => (value + end[axis]) / 2);
    const [x, y, z] = this.#cell(middle);
    return (this.#cells.get((z * CELLS + y) * CELLS + x) ?? []).filter((other) =>
      middle.every((value, axis) => value >= other.begin[axis] && value <= other.end[axis]),
    );
  }

  #cell(place: readonly number[]): number[] {
    return place.map((value, axis) =>
      Math.max(0, Math.min(CELLS - 1, Math.floor((value - this.#begin[axis]) / this.#size[axis]))),
    );
  }
}

function partOf({ positions, indices }: Mesh, triangles: Uint32Array, isFlipped: Uint8Array): Mesh {
  const part = new Uint32Array(3 * triangles.length);
  triangles.forEach((triangle, at) => {
    const flip = isFlipped[triangle];
    part[3 * at] = indices[3 * triangle];
    part[3 * at + 1] = indices[3 * triangle + 1 + flip];
    part[3 * at + 2] = indices[3 * triangle + 2 - flip];
  });
  return { positions, indices: part };
}

/** Whether most of some places spread over a body lie inside another, whichever way that one looks. */
function isInside({ positions, indices }: Mesh, { triangles }: Body, tree: WindingTree): boolean {
  const probes = Math.min(PROBES, triangles.length);
  let inside = 0;
  for (let probe = 0; probe < probes; probe++) {
    const triangle = triangles[Math.floor(((probe + 0.5) / probes) * triangles.length)];
    const [x, y, z] = [0, 1, 2].map(
      (axis) =>
        (positions[3 * indices[3 * triangle] + axis] +
          positions[3 * indices[3 * triangle + 1] + axis] +
          positions[3 * indices[3 * triangle + 2] + axis]) /
        3,
    );
    if (Math.abs(tree.at(x, y, z)) > 0.5) inside++;
  }
  return 2 * inside > probes;
}
