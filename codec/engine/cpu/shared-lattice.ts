import type { AxisRun, Claim } from './evaluation-tasks.js';

/**
 * A lattice is the product of its axes' points, needed or not; past this multiple of what its claims need, as where they
 * lie far apart, they get another one.
 */
const MOST_UNUSED = 4;

/** Distinct lattice indices around positions, ascending as they are. */
function indicesAround(lower: Int32Array): number[] {
  const indices: number[] = [];
  let last = NaN;
  for (const index of lower) {
    if (index + 1 === last) continue;
    if (index !== last) indices.push(index);
    last = index + 1;
    indices.push(last);
  }
  return indices;
}

/** The lattice points around the positions of several claims; those on common borders are there once. */
export class SharedLattice {
  /** Per axis the lattice indices that some claim needs. */
  readonly #axes: Set<number>[];
  /** Per claim and axis. */
  readonly #claims: number[][][] = [];
  readonly #known = new Map<AxisRun, number[]>();
  /** Points that the claims need, counted for each by itself. */
  #needed = 0;

  constructor(inputs: number) {
    this.#axes = Array.from({ length: inputs }, () => new Set<number>());
  }

  #indices(run: AxisRun, axis: number, { from, to }: Claim): number[] {
    if (axis === 0 && to - from < run.lower.length) return indicesAround(run.lower.subarray(from, to));
    let indices = this.#known.get(run);
    if (indices === undefined) this.#known.set(run, (indices = indicesAround(run.lower)));
    return indices;
  }

  /**
   * Takes a claim's points in; the first claim's always.
   *
   * @param mostPoints that the lattice may have
   * @returns false where it would become too large, and was left as it is
   */
  add(claim: Claim, runs: readonly AxisRun[], mostPoints: number): boolean {
    const own = runs.map((run, axis) => this.#indices(run, axis, claim));
    const needed = this.#needed + own.reduce((product, indices) => product * indices.length, 1);
    const added = own.map((indices, axis) => indices.filter((index) => !this.#axes[axis].has(index)));
    const points = this.#axes.reduce((product, { size }, axis) => product * (size + added[axis].length), 1);
    if (this.#claims.length > 0 && (points > mostPoints || points > MOST_UNUSED * needed)) return false;
    this.#needed = needed;
    added.forEach((indices, axis) => indices.forEach((index) => this.#axes[axis].add(index)));
    this.#claims.push(own);
    return true;
  }

  /** Points of the whole lattice, needed or not. */
  get points(): number {
    return this.#axes.reduce((product, { size }) => product * size, 1);
  }

  /** Points on one axis. */
  axisLength(axis: number): number {
    return this.#axes[axis].size;
  }

  /** Lattice indices of an axis, ascending: the index at each place. */
  axisIndices(axis: number): Int32Array {
    return Int32Array.from(this.#axes[axis]).sort();
  }

  /** Where each lattice index of an axis stands among them. */
  places(axis: number): Map<number, number> {
    const places = new Map<number, number>();
    this.axisIndices(axis).forEach((index, place) => places.set(index, place));
    return places;
  }

  /** Places of the points that are needed, row-major over the axes' places, ascending. */
  neededPoints(): Int32Array {
    const axisPlaces = this.#axes.map((_, axis) => this.places(axis));
    const lengths = this.#axes.map(({ size }) => size);
    const last = lengths.length - 1;
    const isNeeded = new Uint8Array(this.points);
    // Claims of a row or column of partitions have the same list of indices.
    const known = new Map<readonly number[], Int32Array>();
    const placesOf = (indices: readonly number[], axis: number): Int32Array => {
      let own = known.get(indices);
      if (own === undefined) {
        own = Int32Array.from(indices, (index) => axisPlaces[axis].get(index) ?? 0);
        known.set(indices, own);
      }
      return own;
    };
    for (const axes of this.#claims) {
      const own = axes.map(placesOf);
      // Axis by axis from the first: where the product of the places so far begins.
      let starts = Int32Array.of(0);
      for (let axis = 0; axis < last; axis++) {
        const next = new Int32Array(starts.length * own[axis].length);
        let count = 0;
        for (const start of starts)
          for (const place of own[axis]) next[count++] = start * lengths[axis] + place;
        starts = next;
      }
      const places = own[last];
      for (let i = 0; i < starts.length; i++) {
        const row = starts[i] * lengths[last];
        for (let k = 0; k < places.length; k++) isNeeded[row + places[k]] = 1;
      }
    }
    const needed = new Int32Array(isNeeded.length);
    let count = 0;
    for (let point = 0; point < isNeeded.length; point++) {
      if (isNeeded[point] === 1) needed[count++] = point;
    }
    return needed.subarray(0, count);
  }
}
