declare module 'isosurface' {
  /** Vertices and triangles of the surface where a function of lattice points, from 0 to `dims`, is 0; negative is inside. */
  export function surfaceNets(
    dims: readonly [number, number, number],
    potential: (x: number, y: number, z: number) => number,
  ): { positions: [number, number, number][]; cells: [number, number, number][] };
}
