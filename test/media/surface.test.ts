import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { readMesh, surfaceOf, voxelise, writeMesh, type Mesh } from '../../dist/src/node.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-surface-'));
});
afterAll(() => rm(folder, { recursive: true }));

const format = { mapping: fullRangeMapping('uint8') };

/** Levels around a centre, 127.5 on the surface of a ball. */
function ball(
  side: number,
  radius: number,
  centre = side / 2,
): { data: Uint8Array; shape: number[]; channels: number; format: typeof format } {
  const data = Uint8Array.from({ length: side ** 3 }, (_, i) => {
    const at = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    const distance = Math.hypot(...at.map((position) => position + 0.5 - centre));
    return Math.max(0, Math.min(255, 127.5 + 60 * (radius - distance)));
  });
  return { data, shape: [side, side, side], channels: 1, format };
}

/** Edges that have not as many faces one way as the other: none in a closed surface. */
function openEdges({ indices }: Mesh): number {
  const ways = new Map<string, number>();
  for (let i = 0; i < indices.length; i += 3) {
    for (let corner = 0; corner < 3; corner++) {
      const [a, b] = [indices[i + corner], indices[i + ((corner + 1) % 3)]];
      const key = a < b ? `${a} ${b}` : `${b} ${a}`;
      ways.set(key, (ways.get(key) ?? 0) + (a < b ? 1 : -1));
    }
  }
  return [...ways.values()].filter((balance) => balance !== 0).length;
}

function volumeOf({ positions, indices }: Mesh): number {
  let volume = 0;
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => positions.subarray(3 * indices[i + k], 3 * indices[i + k] + 3));
    volume +=
      (a[0] * (b[1] * c[2] - b[2] * c[1]) -
        a[1] * (b[0] * c[2] - b[2] * c[0]) +
        a[2] * (b[0] * c[1] - b[1] * c[0])) /
      6;
  }
  return volume;
}

describe('the surface of a shape', () => {
  it('lies where the shape does, closed, faces outwards', () => {
    const mesh = surfaceOf(ball(32, 10), { origin: [-3, -2, -1], spacing: [0.5, 0.5, 0.5] });
    expect(openEdges(mesh)).toBe(0);
    expect(volumeOf(mesh) / ((4 / 3) * Math.PI * 5 ** 3)).toBeCloseTo(1, 1);
    for (let i = 0; i < mesh.positions.length; i += 3) {
      const [x, y, z] = mesh.positions.subarray(i, i + 3);
      expect(Math.hypot(x + 1 - 8, y + 2 - 8, z + 3 - 8)).toBeCloseTo(5, 0);
    }
  });

  it('is closed whatever is inside, also where the samples end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 60, maxLength: 60 }), (data) => {
        fc.pre(data.some((value) => value > 127));
        const mesh = surfaceOf({ data, shape: [3, 4, 5], channels: 1, format });
        expect(openEdges(mesh)).toBe(0);
        expect(volumeOf(mesh)).toBeGreaterThan(0);
      }),
    );
  });

  it('of nothing is refused', () => {
    expect(() => surfaceOf({ data: new Uint8Array(8), shape: [2, 2, 2], channels: 1, format })).toThrow(
      /nothing inside/,
    );
    expect(() => surfaceOf({ data: new Uint8Array(8), shape: [2, 4], channels: 1, format })).toThrow(
      /one channel/,
    );
  });
});

describe('a mesh file', () => {
  it.each(['ball.obj', 'ball.stl', 'ball.ply'])('%s is read back, and is the same solid', async (name) => {
    const shape = ball(24, 7.3);
    const mesh = surfaceOf(shape);
    await writeMesh(join(folder, name), mesh);
    const read = await readMesh(join(folder, name));
    expect(read.indices.length).toBe(mesh.indices.length);
    const corners = (each: Mesh): number[] =>
      Array.from(each.indices, (vertex) =>
        [0, 1, 2].map((axis) => Math.fround(each.positions[3 * vertex + axis])),
      ).flat();
    expect(corners(read)).toEqual(corners(mesh));
    const { data } = await voxelise(read, { resolution: 24 });
    expect(data.filter((value) => value === 255).length).toBeGreaterThan(3000);
  });

  it('is refused for another extension, and leaves nothing', async () => {
    await expect(writeMesh(join(folder, 'ball.glb'), surfaceOf(ball(8, 3)))).rejects.toThrow(
      /end it in .obj/,
    );
    expect((await readdir(folder)).filter((name) => name.includes('glb'))).toEqual([]);
  });
});
