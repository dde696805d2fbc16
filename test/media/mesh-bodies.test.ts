import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { voxelise, type Mesh } from '../../dist/src/node.js';

type Point = readonly [number, number, number];

/** A closed surface with its analytic solid. */
interface Body {
  readonly triangles: readonly (readonly [Point, Point, Point])[];
  readonly looksInwards: boolean;
  readonly contains: (point: Point) => boolean;
  /** Bodies within this one, one inside the other. */
  readonly within: readonly Body[];
}

const SIDES = [
  [0, 2, 3, 1],
  [4, 5, 7, 6],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 4, 6, 2],
  [1, 3, 7, 5],
];

function box(centre: Point, half: number): Pick<Body, 'triangles' | 'contains'> {
  const corner = (k: number): Point => [
    centre[0] + (k & 1 ? half : -half),
    centre[1] + (k & 2 ? half : -half),
    centre[2] + (k & 4 ? half : -half),
  ];
  return {
    triangles: SIDES.flatMap((side) => {
      const [a, b, c, d] = side.map(corner);
      return [[a, b, c] as const, [a, c, d] as const];
    }),
    contains: (point) => point.every((value, axis) => Math.abs(value - centre[axis]) < half),
  };
}

/** An octahedron: its solid is exact, where that of a sphere of triangles is not. */
function octahedron(centre: Point, half: number): Pick<Body, 'triangles' | 'contains'> {
  const tip = (axis: number, sign: number): Point => {
    const moved = [...centre];
    moved[axis] += sign * half;
    return [moved[0], moved[1], moved[2]];
  };
  const triangles: [Point, Point, Point][] = [];
  for (const sx of [-1, 1]) {
    for (const sy of [-1, 1]) {
      for (const sz of [-1, 1]) {
        const [a, b, c] = [tip(0, sx), tip(1, sy), tip(2, sz)];
        triangles.push(sx * sy * sz > 0 ? [a, b, c] : [a, c, b]);
      }
    }
  }
  const contains = (point: Point) =>
    point.reduce((sum, value, axis) => sum + Math.abs(value - centre[axis]), 0) < half;
  return { triangles, contains };
}

/** Half the extent of the box in which a body has its place; one inside it has a third of that. */
const HALF = 9;

const bodyAt = (centre: Point, half: number, depth: number): fc.Arbitrary<Body> =>
  fc
    .record({
      isBox: fc.boolean(),
      looksInwards: fc.boolean(),
      within: depth > 1 ? fc.array(bodyAt(centre, half / 3.3, depth - 1), { maxLength: 1 }) : fc.constant([]),
    })
    .map(({ isBox, ...rest }) => ({ ...(isBox ? box : octahedron)(centre, half), ...rest }));

/** Bodies on a lattice, so that they lie apart, each nested to a depth of 3. */
const bodies = fc
  .uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 4 })
  .chain((places) =>
    fc.tuple(
      ...places.map((place) =>
        fc
          .tuple(fc.double({ min: 0.6, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }))
          .chain(([scale, shift]) =>
            bodyAt(
              [21 * (place & 1) + shift, 21 * ((place >> 1) & 1) - shift, 21 * (place >> 2)],
              HALF * scale,
              3,
            ),
          ),
      ),
    ),
  );

/** A mesh with vertices of its own for each triangle, as in an STL file. */
function meshOf(triangles: readonly (readonly Point[])[]): Mesh {
  const positions = new Float64Array(triangles.flat(2));
  return { positions, indices: new Uint32Array(positions.length / 3).map((_, at) => at) };
}

function allTriangles(body: Body): (readonly Point[])[] {
  const own = body.triangles.map(([a, b, c]) => (body.looksInwards ? [a, c, b] : [a, b, c]));
  return [...own, ...body.within.flatMap(allTriangles)];
}

/** Whether a point is solid, by the rules: shells in turn from the outside. */
function isSolid(body: Body, point: Point, layers = 0, isTurned = false): boolean {
  const isHole = layers > 0 && (isTurned || body.looksInwards);
  const nowTurned = isTurned || (body.looksInwards && !isHole);
  if (!body.contains(point)) return layers > 0;
  const inner = layers + (isHole ? -1 : 1);
  return body.within.length > 0 ? isSolid(body.within[0], point, inner, nowTurned) : inner > 0;
}

/** Bodies of which the shell is taken the other way round. */
function turned(body: Body, layers = 0, isTurned = false): number {
  const isHole = layers > 0 && (isTurned || body.looksInwards);
  const nowTurned = isTurned || (body.looksInwards && !isHole);
  const own = isHole === body.looksInwards ? 0 : 1;
  return (
    own + body.within.reduce((sum, part) => sum + turned(part, layers + (isHole ? -1 : 1), nowTurned), 0)
  );
}

const count = (body: Body): number => 1 + body.within.reduce((sum, part) => sum + count(part), 0);

describe('bodies of a mesh', () => {
  it('are solid whichever way they look, and holes where they look inwards inside another', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async (scene) => {
        const n = 40;
        const { data, voxelSize, origin, notices } = await voxelise(meshOf(scene.flatMap(allTriangles)), {
          resolution: n,
        });
        let wrong = 0;
        for (let at = 0; at < data.length; at++) {
          const place = [at % n, Math.floor(at / n) % n, Math.floor(at / n ** 2)];
          const [x, y, z] = place.map((index, axis) => origin[axis] + (index + 0.5) * voxelSize);
          if ((data[at] === 255) !== scene.some((body) => isSolid(body, [x, y, z]))) wrong++;
        }
        expect(wrong).toBe(0);
        const total = scene.reduce((sum, body) => sum + count(body), 0);
        const expected = scene.reduce((sum, body) => sum + turned(body), 0);
        const notice =
          expected === total
            ? 'mesh: its faces look inwards, it was taken inside out'
            : `mesh: ${expected} of ${total} bodies looked inwards, they were turned`;
        expect(notices).toEqual(expected === 0 ? [] : [notice]);
      }),
      { numRuns: 60 },
    );
  });

  it('are one solid where they cross, whichever way each looks', async () => {
    for (const inwards of [0, 1, 2, 3]) {
      const parts = [box([0, 0, 0], 1), box([1.5, 0.1, 0], 1)];
      const triangles = parts.flatMap((part, k) =>
        part.triangles.map(([a, b, c]) => (inwards & (1 << k) ? [a, c, b] : [a, b, c])),
      );
      const { data, voxelSize, origin } = await voxelise(meshOf(triangles), { resolution: 32 });
      let wrong = 0;
      for (let at = 0; at < data.length; at++) {
        const place = [at % 32, Math.floor(at / 32) % 32, Math.floor(at / 1024)];
        const [x, y, z] = place.map((index, axis) => origin[axis] + (index + 0.5) * voxelSize);
        if ((data[at] === 255) !== parts.some((part) => part.contains([x, y, z]))) wrong++;
      }
      expect(wrong).toBe(0);
    }
  });

  it('that touch along an edge count each by its own', async () => {
    const parts = [box([0, 0, 0], 1), box([2, 2, 0], 1)];
    const triangles = parts.flatMap((part, k) =>
      part.triangles.map(([a, b, c]) => (k === 1 ? [a, c, b] : [a, b, c])),
    );
    const { data, notices } = await voxelise(meshOf(triangles), { resolution: 36 });
    // 16 voxels per body and axis, 8 of them in the margin of z and 2 on the others.
    expect(data.filter((value) => value === 255)).toHaveLength(2 * 16 ** 3);
    expect(notices).toEqual(['mesh: 1 of 2 bodies looked inwards, they were turned']);
  });

  it('get faces that look as their neighbours do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 11 }),
        async (wrongWay) => {
          const { triangles } = box([0, 0, 0], 1);
          const flipped = triangles.map(([a, b, c], k) => (wrongWay.includes(k) ? [a, c, b] : [a, b, c]));
          const { data, notices } = await voxelise(meshOf(flipped), { resolution: 12 });
          expect(data.filter((value) => value === 255)).toHaveLength(8 ** 3);
          const turnedFaces = Math.min(wrongWay.length, 12 - wrongWay.length);
          if (turnedFaces > 0) {
            expect(notices[0]).toBe(
              `mesh: ${turnedFaces} faces looked the other way than their neighbours, they were turned`,
            );
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
