import type { Mesh } from './mesh.js';

/** Triangles of a leaf: few, because a solid angle costs ten times a dipole and small leaves are far soon. */
const LEAF_TRIANGLES = 2;

/**
 * A node counts as one dipole from this many of its radii on. The error of a dipole falls with the square of it; at
 * 2.5 no voxel that was looked at lay on another side of 0.5 than the plain sum puts it, but those within 0.03 of it.
 */
const FAR_RADII = 2.5;

/**
 * Over a block, a dipole counts as a linear function from this many radii of the block on: what is left out is less than
 * 4 % of it there, and falls with the square.
 */
const LINEAR_RADII = 12;

/** Bits per axis of a triangle's place in the order; with 2^26 triangles the key still is a whole number of float64. */
const PLACE_BITS = 9;

/** Most triangles of one tree, for the key that sorts them. */
export const MAX_TRIANGLES = 2 ** 26;

function spread(place: number): number {
  let code = 0;
  for (let bit = 0; bit < PLACE_BITS; bit++) code |= ((place >> bit) & 1) << (3 * bit);
  return code;
}

/**
 * Generalised winding numbers of a mesh by a tree over its triangles: nodes that are far count as one dipole.
 *
 * Source: Barill, Dickson, Schmidt, Levin, Jacobson, "Fast Winding Numbers for Soups and Clouds", 2018; the solid
 * angle of a triangle: van Oosterom and Strackee, 1983.
 */
export class WindingTree {
  /** Corners of the triangles in the order of the tree, `[triangle, 9]`. */
  readonly #corners: Float64Array;
  /** `[node, 8]`: centre x y z, area normal x y z, the square of the distance from which it is far, unused. */
  readonly #nodes: Float64Array;
  /** `[node, 3]`: the node after its subtree, first triangle, triangles (0 unless a leaf). */
  readonly #links: Int32Array;

  constructor(mesh: Mesh) {
    const { positions, indices } = mesh;
    const count = indices.length / 3;
    const keys = new Float64Array(count);
    const low = [Infinity, Infinity, Infinity];
    let longest = 0;
    for (let axis = 0; axis < 3; axis++) {
      let high = -Infinity;
      for (const vertex of indices) {
        const value = positions[3 * vertex + axis];
        if (value < low[axis]) low[axis] = value;
        if (value > high) high = value;
      }
      longest = Math.max(longest, high - low[axis]);
    }
    const places = 2 ** PLACE_BITS;
    for (let triangle = 0; triangle < count; triangle++) {
      let code = 0;
      for (let axis = 0; axis < 3; axis++) {
        let middle = 0;
        for (let k = 0; k < 3; k++) middle += positions[3 * indices[3 * triangle + k] + axis] / 3;
        const place = Math.min(places - 1, Math.floor(((middle - low[axis]) / longest) * places));
        code |= spread(Math.max(0, place)) << axis;
      }
      keys[triangle] = code * MAX_TRIANGLES + triangle;
    }
    keys.sort();
    this.#corners = new Float64Array(9 * count);
    for (let at = 0; at < count; at++) {
      const triangle = keys[at] % MAX_TRIANGLES;
      for (let k = 0; k < 9; k++) {
        this.#corners[9 * at + k] = positions[3 * indices[3 * triangle + Math.floor(k / 3)] + (k % 3)];
      }
    }
    const mostNodes = 4 * Math.ceil(count / LEAF_TRIANGLES) + 1;
    this.#nodes = new Float64Array(8 * mostNodes);
    this.#links = new Int32Array(3 * mostNodes);
    this.#build(0, 0, count);
  }

  /** Makes the node over triangles [begin, end) and those below it; returns the node after them. */
  #build(node: number, begin: number, end: number): number {
    const corners = this.#corners;
    const sums = [0, 0, 0];
    const normal = [0, 0, 0];
    let areas = 0;
    for (let at = 9 * begin; at < 9 * end; at += 9) {
      const [ux, uy, uz] = [0, 1, 2].map((axis) => corners[at + 3 + axis] - corners[at + axis]);
      const [vx, vy, vz] = [0, 1, 2].map((axis) => corners[at + 6 + axis] - corners[at + axis]);
      const cross = [(uy * vz - uz * vy) / 2, (uz * vx - ux * vz) / 2, (ux * vy - uy * vx) / 2];
      // A little more than the area, so that nodes of triangles without one have a centre, too.
      const area = Math.hypot(cross[0], cross[1], cross[2]) + 1e-30;
      areas += area;
      for (let axis = 0; axis < 3; axis++) {
        normal[axis] += cross[axis];
        sums[axis] += (area * (corners[at + axis] + corners[at + 3 + axis] + corners[at + 6 + axis])) / 3;
      }
    }
    const centre = sums.map((sum) => sum / areas);
    let radiusSquared = 0;
    for (let at = 9 * begin; at < 9 * end; at += 3) {
      const distance =
        (corners[at] - centre[0]) ** 2 +
        (corners[at + 1] - centre[1]) ** 2 +
        (corners[at + 2] - centre[2]) ** 2;
      if (distance > radiusSquared) radiusSquared = distance;
    }
    this.#nodes.set([...centre, ...normal, FAR_RADII ** 2 * radiusSquared], 8 * node);
    const isLeaf = end - begin <= LEAF_TRIANGLES;
    let after = node + 1;
    if (!isLeaf) {
      const middle = (begin + end) >> 1;
      after = this.#build(this.#build(after, begin, middle), middle, end);
    }
    this.#links.set([after, begin, isLeaf ? end - begin : 0], 3 * node);
    return after;
  }

  /** The winding number at a point: 1 inside a closed mesh whose faces look outwards, 0 outside. */
  at(x: number, y: number, z: number): number {
    const nodes = this.#nodes;
    const links = this.#links;
    const stop = links[0];
    let angle = 0;
    for (let node = 0; node < stop;) {
      const from = 8 * node;
      const dx = nodes[from] - x;
      const dy = nodes[from + 1] - y;
      const dz = nodes[from + 2] - z;
      const squared = dx * dx + dy * dy + dz * dz;
      if (squared > nodes[from + 6]) {
        angle +=
          (dx * nodes[from + 3] + dy * nodes[from + 4] + dz * nodes[from + 5]) /
          (squared * Math.sqrt(squared));
        node = links[3 * node];
      } else if (links[3 * node + 2] > 0) {
        const end = links[3 * node + 1] + links[3 * node + 2];
        for (let triangle = links[3 * node + 1]; triangle < end; triangle++) {
          angle += this.#solidAngle(9 * triangle, x, y, z);
        }
        node = links[3 * node];
      } else node++;
    }
    return angle / (4 * Math.PI);
  }

  /**
   * The winding numbers at the centres of a block's voxels of edge 1, row-major `[z, y, x]` into `target`.
   *
   * The tree is gone through once for all of them.
   *
   * @param begin first voxel, x y z.
   * @param lengths voxels, x y z.
   */
  overBlock(begin: readonly number[], lengths: readonly number[], target: Float64Array): void {
    const nodes = this.#nodes;
    const links = this.#links;
    const [nx, ny, nz] = lengths;
    const [mx, my, mz] = begin.map((value, axis) => value + lengths[axis] / 2);
    const radius = Math.sqrt((nx - 1) ** 2 + (ny - 1) ** 2 + (nz - 1) ** 2) / 2;
    const linearFrom = (LINEAR_RADII * radius) ** 2;
    const dipoles: number[] = [];
    const leaves: number[] = [];
    let level = 0;
    let slopeX = 0;
    let slopeY = 0;
    let slopeZ = 0;
    for (let node = 0; node < links[0];) {
      const from = 8 * node;
      const dx = nodes[from] - mx;
      const dy = nodes[from + 1] - my;
      const dz = nodes[from + 2] - mz;
      const squared = dx * dx + dy * dy + dz * dz;
      const distance = Math.sqrt(squared);
      const isFar = distance > radius && (distance - radius) ** 2 > nodes[from + 6];
      if (isFar && squared > linearFrom) {
        const weight = 1 / (squared * distance);
        const along = dx * nodes[from + 3] + dy * nodes[from + 4] + dz * nodes[from + 5];
        const pull = (3 * along * weight) / squared;
        level += along * weight;
        slopeX += pull * dx - weight * nodes[from + 3];
        slopeY += pull * dy - weight * nodes[from + 4];
        slopeZ += pull * dz - weight * nodes[from + 5];
      } else if (isFar) dipoles.push(from);
      else if (links[3 * node + 2] > 0) leaves.push(node);
      else {
        node++;
        continue;
      }
      node = links[3 * node];
    }
    for (let at = 0; at < nx * ny * nz; at++) {
      const x = begin[0] + (at % nx) + 0.5;
      const y = begin[1] + (Math.floor(at / nx) % ny) + 0.5;
      const z = begin[2] + Math.floor(at / (nx * ny)) + 0.5;
      let angle = level + slopeX * (x - mx) + slopeY * (y - my) + slopeZ * (z - mz);
      for (const from of dipoles) {
        const dx = nodes[from] - x;
        const dy = nodes[from + 1] - y;
        const dz = nodes[from + 2] - z;
        const squared = dx * dx + dy * dy + dz * dz;
        angle +=
          (dx * nodes[from + 3] + dy * nodes[from + 4] + dz * nodes[from + 5]) /
          (squared * Math.sqrt(squared));
      }
      for (const node of leaves) {
        const from = 8 * node;
        const dx = nodes[from] - x;
        const dy = nodes[from + 1] - y;
        const dz = nodes[from + 2] - z;
        const squared = dx * dx + dy * dy + dz * dz;
        if (squared > nodes[from + 6]) {
          angle +=
            (dx * nodes[from + 3] + dy * nodes[from + 4] + dz * nodes[from + 5]) /
            (squared * Math.sqrt(squared));
          continue;
        }
        const end = links[3 * node + 1] + links[3 * node + 2];
        for (let triangle = links[3 * node + 1]; triangle < end; triangle++) {
          angle += this.#solidAngle(9 * triangle, x, y, z);
        }
      }
      target[at] = angle / (4 * Math.PI);
    }
  }

  #solidAngle(at: number, x: number, y: number, z: number): number {
    const c = this.#corners;
    const ax = c[at] - x;
    const ay = c[at + 1] - y;
    const az = c[at + 2] - z;
    const bx = c[at + 3] - x;
    const by = c[at + 4] - y;
    const bz = c[at + 5] - z;
    const cx = c[at + 6] - x;
    const cy = c[at + 7] - y;
    const cz = c[at + 8] - z;
    const a = Math.sqrt(ax * ax + ay * ay + az * az);
    const b = Math.sqrt(bx * bx + by * by + bz * bz);
    const d = Math.sqrt(cx * cx + cy * cy + cz * cz);
    const determinant = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
    const divisor =
      a * b * d +
      (ax * bx + ay * by + az * bz) * d +
      (bx * cx + by * cy + bz * cz) * a +
      (cx * ax + cy * ay + cz * az) * b;
    return 2 * Math.atan2(determinant, divisor);
  }
}
