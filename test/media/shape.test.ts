import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMesh, readShape, voxelise, type Mesh } from '../../dist/src/node.js';

type Point = readonly [number, number, number];

/** A mesh over a grid of two angles in turns; faces look outwards for a surface that goes round like a sphere's. */
function surface(columns: number, rows: number, at: (u: number, v: number) => Point, rowsTaken = rows): Mesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let v = 0; v <= rows; v++) {
    for (let u = 0; u <= columns; u++) positions.push(...at(u / columns, v / rows));
  }
  for (let v = 0; v < rowsTaken; v++) {
    for (let u = 0; u < columns; u++) {
      const a = v * (columns + 1) + u;
      const c = a + columns + 1;
      indices.push(a, c, a + 1, a + 1, c, c + 1);
    }
  }
  return { positions: new Float64Array(positions), indices: new Uint32Array(indices) };
}

/** A sphere of radius 1, or so much of it, from its north pole on. */
function sphere(shareOfRows = 1, rows = 48): Mesh {
  const at = (u: number, v: number): Point => [
    Math.sin(Math.PI * v) * Math.cos(2 * Math.PI * u),
    Math.sin(Math.PI * v) * Math.sin(2 * Math.PI * u),
    Math.cos(Math.PI * v),
  ];
  return surface(2 * rows, rows, at, Math.round(rows * shareOfRows));
}

const torus = surface(96, 48, (u, v) => {
  const fromAxis = 1 - 0.4 * Math.cos(2 * Math.PI * v);
  return [
    fromAxis * Math.cos(2 * Math.PI * u),
    fromAxis * Math.sin(2 * Math.PI * u),
    0.4 * Math.sin(2 * Math.PI * v),
  ];
});

const CORNERS = Array.from({ length: 8 }, (_, k): Point => [k & 1, (k >> 1) & 1, k >> 2]);
// Seen from outside, counter-clockwise.
const SIDES = [
  [0, 2, 3, 1],
  [4, 5, 7, 6],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 4, 6, 2],
  [1, 3, 7, 5],
];
const cube: Mesh = {
  positions: new Float64Array(CORNERS.flat()),
  indices: new Uint32Array(SIDES.flatMap(([a, b, c, d]) => [a, b, c, a, c, d])),
};
const sheet = surface(8, 8, (u, v) => [u, v, 0.1 * Math.sin(3 * u)]);

/** The winding number as the sum over all triangles. */
function plainWinding({ positions, indices }: Mesh, [x, y, z]: Point): number {
  let angle = 0;
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = [3 * indices[at], 3 * indices[at + 1], 3 * indices[at + 2]];
    const [ax, ay, az] = [positions[a] - x, positions[a + 1] - y, positions[a + 2] - z];
    const [bx, by, bz] = [positions[b] - x, positions[b + 1] - y, positions[b + 2] - z];
    const [cx, cy, cz] = [positions[c] - x, positions[c + 1] - y, positions[c + 2] - z];
    const la = Math.sqrt(ax * ax + ay * ay + az * az);
    const lb = Math.sqrt(bx * bx + by * by + bz * bz);
    const lc = Math.sqrt(cx * cx + cy * cy + cz * cz);
    angle +=
      2 *
      Math.atan2(
        ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx),
        la * lb * lc +
          (ax * bx + ay * by + az * bz) * lc +
          (bx * cx + by * cy + bz * cz) * la +
          (cx * ax + cy * ay + cz * az) * lb,
      );
  }
  return angle / (4 * Math.PI);
}

/** Share of voxels on the other side than a test of their centres says; those it does not decide do not count. */
async function disagreement(mesh: Mesh, resolution: number, isInside: (p: Point) => boolean | undefined) {
  const { data, voxelSize, origin } = await voxelise(mesh, { resolution });
  let wrong = 0;
  for (let at = 0; at < data.length; at++) {
    const place = [
      at % resolution,
      Math.floor(at / resolution) % resolution,
      Math.floor(at / resolution ** 2),
    ];
    const [x, y, z] = place.map((index, axis) => origin[axis] + (index + 0.5) * voxelSize);
    const expected = isInside([x, y, z]);
    if (expected !== undefined && (data[at] === 255) !== expected) wrong++;
  }
  return wrong / data.length;
}

/** Inside below 0; undecided within a distance, which the flat faces of a mesh of a round solid need. */
const below = (value: number, undecided: number) => (Math.abs(value) < undecided ? undefined : value < 0);

describe('occupancy of meshes', () => {
  it('is the analytic solid: cube, sphere, torus, and the sphere inside out', async () => {
    expect(await disagreement(cube, 48, (p) => p.every((v) => v > 0 && v < 1))).toBe(0);
    const inBall = (p: Point) => below(Math.hypot(...p) - 1, 0.005);
    expect(await disagreement(sphere(), 48, inBall)).toBe(0);
    const inwards = { ...sphere(), indices: sphere().indices.slice().reverse() };
    expect(await disagreement(inwards, 48, inBall)).toBe(0);
    expect((await voxelise(inwards, { resolution: 16 })).isInverted).toBe(true);
    expect(
      await disagreement(torus, 48, ([x, y, z]) => below(Math.hypot(Math.hypot(x, y) - 1, z) - 0.4, 0.005)),
    ).toBe(0);
  });

  it('is the plain sum over all triangles above a half, also where a hole makes it a matter of degree', async () => {
    const holed = sphere(0.85, 20);
    const undecided = 0.03;
    expect(await disagreement(holed, 32, (p) => below(0.5 - plainWinding(holed, p), undecided))).toBe(0);
    const { openness } = await voxelise(holed, { resolution: 32 });
    expect(openness).toBeGreaterThan(0.02);
    expect(openness).toBeLessThan(0.08);
  });

  it.each([
    ['an open sheet', sheet],
    ['half a sphere', sphere(0.5)],
    ['a box without a lid', { ...cube, indices: cube.indices.slice(6) }],
  ])('refuses %s with how open it is', async (_, mesh) => {
    await expect(voxelise(mesh, { resolution: 32 })).rejects.toMatchObject({
      code: 'media',
      message: expect.stringMatching(/the surface is open: .* 0\.[1-5]\d away .* at most 0\.08 /) as string,
    });
  });

  it('refuses resolutions out of range, and stops when it is told to', async () => {
    for (const resolution of [0, 7, 10.5, 2000, NaN]) {
      await expect(voxelise(cube, { resolution })).rejects.toMatchObject({ option: 'resolution' });
    }
    await expect(voxelise(cube, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });
});

const text = (lines: string[]) => new Uint8Array(Buffer.from(lines.join('\n')));
const triangles = (mesh: Mesh) =>
  Array.from(mesh.indices, (vertex) => [...mesh.positions.subarray(3 * vertex, 3 * vertex + 3)]);

function binaryStl(): Uint8Array {
  const points = triangles(cube);
  const bytes = Buffer.alloc(84 + (50 * points.length) / 3);
  bytes.write('solid, though binary');
  bytes.writeUInt32LE(points.length / 3, 80);
  points.flat().forEach((value, k) => {
    bytes.writeFloatLE(value, 84 + 50 * Math.floor(k / 9) + 12 + 4 * (k % 9));
  });
  return bytes;
}

function ply(format: string, body: Buffer): Uint8Array {
  const header =
    `ply\nformat ${format} 1.0\ncomment by hand\nelement vertex 8\nproperty float x\nproperty float y\n` +
    'property float z\nproperty uchar red\nelement face 6\nproperty list uchar int vertex_indices\nend_header\n';
  return Buffer.concat([Buffer.from(header), body]);
}

function plyBody(isLittle: boolean): Buffer {
  const floats = (values: readonly number[]) =>
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      if (isLittle) bytes.writeFloatLE(value);
      else bytes.writeFloatBE(value);
      return bytes;
    });
  const ints = (values: readonly number[]) =>
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      if (isLittle) bytes.writeInt32LE(value);
      else bytes.writeInt32BE(value);
      return bytes;
    });
  return Buffer.concat([
    ...CORNERS.flatMap((corner) => [...floats(corner), Buffer.from([9])]),
    ...SIDES.flatMap((side) => [Buffer.from([4]), ...ints(side)]),
  ]);
}

const FILES: Record<string, Uint8Array> = {
  'cube.obj': text([
    '# a cube',
    ...CORNERS.map((corner) => `v ${corner.join(' ')}`),
    ...SIDES.map((side, k) =>
      k % 2 ? `f ${side.map((v) => `${v + 1}/1/1`).join(' ')}` : `f ${side.map((v) => v - 8).join(' ')}`,
    ),
  ]),
  'binary.stl': binaryStl(),
  'ascii.stl': text([
    'solid cube',
    ...Array.from({ length: 12 }, (_, k) => [
      'facet normal 0 0 0\n outer loop',
      ...triangles(cube)
        .slice(3 * k, 3 * k + 3)
        .map((point) => `  vertex ${point.join(' ')}`),
      ' endloop\nendfacet',
    ]).flat(),
    'endsolid cube',
  ]),
  'ascii.ply': ply(
    'ascii',
    Buffer.from(
      [
        ...CORNERS.map((corner) => `${corner.join(' ')} 9`),
        ...SIDES.map((side) => `4 ${side.join(' ')}`),
      ].join('\n'),
    ),
  ),
  'little.ply': ply('binary_little_endian', plyBody(true)),
  'big.ply': ply('binary_big_endian', plyBody(false)),
};

describe('mesh files', () => {
  it.each(Object.entries(FILES))('%s gives the triangles it holds', (name, bytes) => {
    expect(triangles(decodeMesh(bytes, name))).toEqual(triangles(cube));
  });

  it.each(Object.entries(FILES))('%s cut anywhere is refused or a part of it', (name, bytes) => {
    const step = Math.ceil(bytes.length / 97);
    for (let length = 0; length < bytes.length; length += step) {
      try {
        expect(decodeMesh(bytes.subarray(0, length), name).indices.length).toBeLessThanOrEqual(36);
      } catch (error) {
        expect(error).toMatchObject({ code: 'media' });
      }
    }
  });

  it.each([
    ['no faces', 'a.obj', 'v 0 0 0\nv 1 0 0\nv 0 1 0', /3 vertices and no faces/],
    ['a vertex that is not there', 'a.obj', 'v 0 0 0\nf 1 2 3', /uses vertex 1, there are 1/],
    ['a vertex of words', 'a.obj', 'v 0 zero 0', /line 1: 'v 0 zero 0' is no vertex/],
    ['a single point', 'a.obj', 'v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3', /0 long on its longest axis/],
    [
      'too many triangles for its bytes',
      'a.stl',
      `${' '.repeat(80)}\xff\xff\xff\x7f`,
      /need 1073741\d+ bytes/,
    ],
    ['an endless element', 'a.ply', 'ply\nformat ascii 1.0\nelement vertex 9e15\nend_header\n', /no faces/],
    ['another kind', 'a.obj', '\0', /no mesh in a known format/],
    [
      'what is read by its path alone',
      'a.glb',
      'glTF',
      /glTF is not read from bytes; give its path to `readMesh`/,
    ],
  ])('refuses %s', (_, name, content, message) => {
    const bytes = new Uint8Array(Buffer.from(content, 'latin1'));
    expect(() => decodeMesh(bytes, name)).toThrow(message);
  });

  it('are read as shapes of 0 and 255', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lgi-shape-'));
    try {
      const path = join(folder, 'cube.obj');
      await writeFile(path, FILES['cube.obj']);
      const media = await readShape(path, { resolution: 16 });
      expect(media).toMatchObject({ kind: 'shape', shape: [16, 16, 16], channels: 1 });
      const samples = await media.read({ begin: [0, 0, 0], end: [16, 16, 16] });
      // 12 voxels on each axis, after a margin of 2.
      expect(samples.filter((value) => value === 255)).toHaveLength(12 ** 3);
      expect(samples.filter((value) => value === 0)).toHaveLength(16 ** 3 - 12 ** 3);
      await expect(readShape(join(folder, 'none.obj'))).rejects.toMatchObject({ code: 'io' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
