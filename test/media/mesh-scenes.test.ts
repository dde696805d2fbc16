import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync, type Zippable } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMesh, type Mesh } from '../../dist/src/node.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-scenes-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, bytes: Uint8Array | string): Promise<Mesh> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return readMesh(path);
}

const points = (mesh: Mesh) =>
  Array.from(mesh.indices, (vertex) => [...mesh.positions.subarray(3 * vertex, 3 * vertex + 3)]);

const CORNERS = Array.from({ length: 8 }, (_, k) => [k & 1, (k >> 1) & 1, k >> 2]);
const FAN = [
  [0, 2, 3, 1],
  [4, 5, 7, 6],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 4, 6, 2],
  [1, 3, 7, 5],
].flatMap(([a, b, c, d]) => [a, b, c, a, c, d]);
const cube = FAN.map((vertex) => CORNERS[vertex]);

/** Bytes of numbers by glTF's component type. */
function numbers(type: number, values: readonly number[]): Buffer {
  const arrays: Record<number, ArrayBufferView> = {
    5120: new Int8Array(values),
    5121: new Uint8Array(values),
    5122: new Int16Array(values),
    5123: new Uint16Array(values),
    5125: new Uint32Array(values),
    5126: new Float32Array(values),
  };
  const { buffer, byteLength } = arrays[type];
  return Buffer.concat([Buffer.from(buffer as ArrayBuffer), Buffer.alloc((4 - (byteLength % 4)) % 4)]);
}

type Json = Record<string, unknown>;

/** The cube as glTF's JSON and its buffer. */
function gltf(indexType: number | null, positionType = 5126, stride = 0): { json: Json; bin: Buffer } {
  const vertices = indexType === null ? cube : CORNERS;
  const width = positionType === 5126 ? 4 : positionType < 5122 ? 1 : 2;
  const gap = stride === 0 ? 0 : (stride - 3 * width) / width;
  const positions = numbers(
    positionType,
    vertices.flatMap((v) => [...v, ...Array<number>(gap).fill(9)]),
  );
  const indices = indexType === null ? Buffer.alloc(0) : numbers(indexType, FAN);
  const bin = Buffer.concat([positions, indices]);
  return {
    bin,
    json: {
      asset: { version: '2.0' },
      scene: 0,
      scenes: [{ nodes: [0] }],
      nodes: [{ mesh: 0 }],
      meshes: [{ primitives: [{ attributes: { POSITION: 0 }, ...(indexType !== null && { indices: 1 }) }] }],
      accessors: [
        { bufferView: 0, componentType: positionType, count: vertices.length, type: 'VEC3' },
        ...(indexType === null
          ? []
          : [{ bufferView: 1, componentType: indexType, count: FAN.length, type: 'SCALAR' }]),
      ],
      bufferViews: [
        { buffer: 0, byteLength: positions.length, ...(stride > 0 && { byteStride: stride }) },
        { buffer: 0, byteOffset: positions.length, byteLength: indices.length },
      ].slice(0, indexType === null ? 1 : 2),
      buffers: [{ byteLength: bin.length }],
    },
  };
}

function glb({ json, bin }: { json: Json; bin: Buffer }): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  const padded = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4, ' ')]);
  const head = Buffer.alloc(20);
  head.write('glTF');
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(28 + padded.length + bin.length, 8);
  head.writeUInt32LE(padded.length, 12);
  head.write('JSON', 16);
  const binHead = Buffer.alloc(8);
  binHead.writeUInt32LE(bin.length);
  binHead.write('BIN\0', 4);
  return Buffer.concat([head, padded, binHead, bin]);
}

const withBuffer = ({ json }: { json: Json }, uri: string, byteLength: number) =>
  JSON.stringify({ ...json, buffers: [{ uri, byteLength }] });

describe('glTF', () => {
  it.each([5121, 5123, 5125, null])('GLB with indices of type %s is the cube it holds', async (type) => {
    expect(points(await read('a.glb', glb(gltf(type))))).toEqual(cube);
    expect(points(await read('named.obj', glb(gltf(type, 5126, 16))))).toEqual(cube);
  });

  it.each([5120, 5121, 5122, 5123])('quantised positions of type %s are read', async (type) => {
    const file = gltf(5121, type, type < 5122 ? 4 : 8);
    file.json['extensionsRequired'] = ['KHR_mesh_quantization'];
    expect(points(await read('a.glb', glb(file)))).toEqual(cube);
  });

  it('JSON has its buffer in itself or beside it, and nowhere else', async () => {
    const file = gltf(5123);
    const { length } = file.bin;
    const uri = `data:application/octet-stream;base64,${file.bin.toString('base64')}`;
    expect(points(await read('a.gltf', withBuffer(file, uri, length)))).toEqual(cube);
    await mkdir(join(folder, 'scene'));
    await writeFile(join(folder, 'scene', 'the data.bin'), file.bin);
    await writeFile(join(folder, 'outside.bin'), file.bin);
    await symlink(join(folder, 'outside.bin'), join(folder, 'scene', 'link.bin'));
    expect(points(await read('b.gltf', `\ufeff${withBuffer(file, 'scene/the%20data.bin', length)}`))).toEqual(
      cube,
    );
    for (const place of [
      '../outside.bin',
      '%2e%2e/outside.bin',
      'link.bin',
      `${folder}/outside.bin`,
      'http://a/b.bin',
    ]) {
      await expect(read('scene/a.gltf', withBuffer(file, place, length))).rejects.toMatchObject({
        code: 'media',
        message: expect.stringContaining('not in its folder') as string,
      });
    }
    await expect(read('c.gltf', withBuffer(file, 'none.bin', length))).rejects.toMatchObject({ code: 'io' });
    await expect(read('d.gltf', withBuffer(file, 'outside.bin', length + 1))).rejects.toThrow(
      `buffer 0 has ${length} bytes, it needs ${length + 1}`,
    );
  });

  it('has pictures in other buffers and views, which are not read', async () => {
    const file = gltf(5121);
    const views = file.json['bufferViews'] as Json[];
    views.push({ buffer: 0, byteOffset: 9e9, byteLength: 4 }, { buffer: 1, byteOffset: 4, byteLength: 4 });
    file.json['buffers'] = [...(file.json['buffers'] as Json[]), { byteLength: 8, uri: 'none.bin' }];
    file.json['images'] = [{ uri: 'none.png' }, { bufferView: 3, mimeType: 'image/png' }];
    file.json['extensionsUsed'] = ['EXT_meshopt_compression'];
    expect(points(await read('a.glb', glb(file)))).toEqual(cube);
  });

  it('nodes place their meshes, and mirrored ones look outwards', async () => {
    const file = gltf(5121);
    file.json['scenes'] = [{ nodes: [0] }];
    file.json['nodes'] = [
      { translation: [10, 0, 0], children: [1, 2] },
      { mesh: 0, scale: [-2, 1, 1] },
      // A quarter turn about z, as a matrix by columns, and as a quaternion.
      { matrix: [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 1], children: [3] },
      { mesh: 0, rotation: [0, 0, Math.SQRT1_2, Math.SQRT1_2] },
      { mesh: 0, translation: [99, 99, 99] },
    ];
    const mesh = await read('a.glb', glb(file));
    const expected = [
      ...Array.from({ length: 12 }, (_, k) => cube.slice(3 * k, 3 * k + 3).reverse())
        .flat()
        .map(([x, y, z]) => [10 - 2 * x, y, z]),
      ...cube.map(([x, y, z]) => [10 - x, -y, 5 + z]),
    ];
    points(mesh).forEach((point, k) => {
      point.forEach((value, axis) => {
        expect(value).toBeCloseTo(expected[k][axis], 6);
      });
    });
    expect(mesh.indices).toHaveLength(72);
  });

  it('strips, fans and sparse positions are read, points and lines passed over', async () => {
    const file = gltf(5121);
    const index = numbers(5121, [2, 3]);
    const moved = numbers(5126, [0, 1, 5, 1, 1, 5]);
    const order = numbers(5121, [0, 1, 2, 3, 3]);
    const bin = Buffer.concat([file.bin, index, moved, order]);
    const views = file.json['bufferViews'] as Json[];
    let at = file.bin.length;
    for (const part of [index, moved, order]) {
      views.push({ buffer: 0, byteOffset: at, byteLength: part.length });
      at += part.length;
    }
    const accessors = file.json['accessors'] as Json[];
    accessors[0]['sparse'] = {
      count: 2,
      indices: { bufferView: 2, componentType: 5121 },
      values: { bufferView: 3 },
    };
    accessors.push({ bufferView: 4, componentType: 5121, count: 5, type: 'SCALAR' });
    const primitive = (mode: number) => ({ attributes: { POSITION: 0 }, indices: 2, mode });
    file.json['meshes'] = [{ primitives: [0, 1, 3, 5, 6].map(primitive) }];
    file.json['buffers'] = [{ byteLength: bin.length }];
    const [a, b, c, d] = [CORNERS[0], CORNERS[1], [0, 1, 5], [1, 1, 5]];
    expect(points(await read('a.glb', glb({ json: file.json, bin })))).toEqual([
      a,
      b,
      c,
      c,
      b,
      d,
      a,
      b,
      c,
      a,
      c,
      d,
    ]);
  });

  it.each([
    [
      'needs Draco',
      { extensionsRequired: ['KHR_draco_mesh_compression'] },
      /'KHR_draco_mesh_compression', which is not read/,
    ],
    [
      'needs meshopt',
      { extensionsRequired: ['EXT_meshopt_compression'] },
      /'EXT_meshopt_compression', which is not/,
    ],
    ['is old', { asset: { version: '1.0' } }, /version 1.0, version 2 is read/],
    ['has no meshes', { meshes: [], nodes: [], scenes: [] }, /0 vertices and no faces/],
    ['goes round', { nodes: [{ children: [1] }, { children: [0] }] }, /.+/],
    [
      'has accessors without an end',
      {
        accessors: [
          { componentType: 5126, count: 1e12, type: 'VEC3' },
          { bufferView: 1, componentType: 5121, count: 36, type: 'SCALAR' },
        ],
      },
      /1000000000000 items and no bytes/,
    ],
    [
      'has accessors beyond their view',
      {
        accessors: [
          { bufferView: 0, componentType: 5126, count: 9, type: 'VEC3' },
          { bufferView: 1, componentType: 5121, count: 36, type: 'SCALAR' },
        ],
      },
      /accessor 0 needs 108 bytes of view 0, which has 96/,
    ],
  ])('a file that %s is refused', async (_, changes, message) => {
    const file = gltf(5121);
    await expect(
      read('a.glb', glb({ bin: file.bin, json: { ...file.json, ...changes } })),
    ).rejects.toMatchObject({
      code: 'media',
      message: expect.stringMatching(message) as string,
    });
  });

  it('cut or changed at any byte gives a mesh or a typed error', async () => {
    const whole = glb(gltf(5123));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.option(fc.integer({ min: 1, max: 255 })),
        async (at, flip) => {
          const bytes = flip === null ? whole.subarray(0, at) : Buffer.from(whole);
          if (flip !== null) bytes[at] ^= flip;
          const result = await read('cut.glb', bytes).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toMatchObject({ code: 'media' });
          else expect(flip).not.toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });
});

const RELS =
  '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
  '<Relationship Id="r" Target="/3D/main.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>';

const MESH =
  `<mesh><vertices>${CORNERS.map(([x, y, z]) => `<vertex x="${x}" y="${y}" z="${z}e0"/>`).join('')}</vertices><triangles>` +
  `${Array.from({ length: 12 }, (_, k) => `<triangle v1="${FAN[3 * k]}" v2="${FAN[3 * k + 1]}" v3="${FAN[3 * k + 2]}" pid="1"/>`).join('')}` +
  '</triangles></mesh>';

const model = (inner: string, attributes = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<model xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" ${attributes}>${inner}</model>`;

const threeMf = (parts: Record<string, string>) =>
  zipSync({
    '[Content_Types].xml': Buffer.from('<Types/>'),
    '_rels/.rels': Buffer.from(RELS),
    ...Object.fromEntries(Object.entries(parts).map(([part, text]) => [part, Buffer.from(text)])),
  } as Zippable);

describe('3MF', () => {
  it.each([
    ['', 1],
    ['unit="millimeter"', 1],
    ['unit="inch"', 25.4],
    ['unit="micron"', 0.001],
    ['unit="meter"', 1000],
  ])('%j is in millimetres', async (unit, scale) => {
    const text = model(
      `<resources><object id="1">${MESH}</object></resources><build><item objectid="1"/></build>`,
      unit,
    );
    const mesh = await read('a.3mf', threeMf({ '3D/main.model': text }));
    expect(points(mesh)).toEqual(cube.map((point) => point.map((value) => value * scale)));
  });

  it('items and components are placed, those of other parts too, and what is not built is not there', async () => {
    const main = model(
      `<resources><object id="1">${MESH}</object><object id="7">${MESH}</object>` +
        '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 5"/>' +
        '<component p:path="/3D/Objects/part.model" objectid="1" transform="0 1 0 -1 0 0 0 0 1 0 0 0"/></components></object></resources>' +
        '<build><item objectid="2" transform="-2 0 0 0 1 0 0 0 1 10 0 0"/></build>',
      'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06" requiredextensions="p"',
    );
    const part = model(
      `<resources><object id="1">${MESH.replaceAll('z="1e0"', 'z="3"')}</object></resources><build/>`,
    );
    const mesh = await read('a.3mf', threeMf({ '3D/main.model': main, '3D/Objects/part.model': part }));
    // The item mirrors x, and each triangle is turned for it.
    const turned = Array.from({ length: 12 }, (_, k) => cube.slice(3 * k, 3 * k + 3).reverse()).flat();
    expect(points(mesh)).toEqual([
      ...turned.map(([x, y, z]) => [10 - 2 * x, y, z + 5]),
      ...turned.map(([x, y, z]) => [10 + 2 * y, x, 3 * z]),
    ]);
  });

  const built = `<resources><object id="1">${MESH}</object></resources><build><item objectid="1"/></build>`;
  it.each([
    ['no items', '', '', /builds no objects/],
    [
      'a missing object',
      '<build><item objectid="4"/></build>',
      '',
      /the object 4 of '3d\/main.model' is missing/,
    ],
    [
      'objects in themselves',
      '<resources><object id="1"><components><component objectid="1"/></components></object></resources><build><item objectid="1"/></build>',
      '',
      /within one another 32 deep/,
    ],
    ['a vertex that is not there', built.replace('v3="3"', 'v3="8"'), '', /uses vertex 8, there are 8/],
    ['a word for a number', built.replace('x="1"', 'x="1,0"'), '', /x="1,0", no number/],
    ['an unknown unit', built, 'unit="yard"', /unit 'yard' is unknown/],
    [
      'lattices',
      built,
      'xmlns:b="http://schemas.microsoft.com/3dmanufacturing/beamlattice/2017/02" requiredextensions="b"',
      /beamlattice\/2017\/02', which is not read/,
    ],
    ['an open element', `${built}<a>`, '', /XML cannot be read/],
  ])('with %s is refused', async (_, inner, attributes, message) => {
    await expect(read('a.3mf', threeMf({ '3D/main.model': model(inner, attributes) }))).rejects.toMatchObject(
      {
        code: 'media',
        message: expect.stringMatching(message) as string,
      },
    );
  });

  it('that is another ZIP file, a bomb or damaged is refused', async () => {
    await expect(read('a.3mf', zipSync({ 'a.txt': Buffer.from('a') }))).rejects.toThrow(/without a 3D model/);
    const whole = Buffer.from(threeMf({ '3D/main.model': model(built) }));
    const directory = whole.lastIndexOf('3D/main.model', undefined, 'latin1') - 46;
    const bomb = Buffer.from(whole);
    bomb.writeUInt32LE(0x7fffffff, directory + 24);
    await expect(read('a.3mf', bomb)).rejects.toThrow(/said to unpack from \d+ to 2147483647 bytes/);
    const broken = Buffer.from(whole);
    broken.writeUInt32LE(1, directory + 16);
    await expect(read('a.3mf', broken)).rejects.toThrow(/does not have its checksum/);
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      const cut = whole.subarray(0, Math.floor(share * whole.length));
      await expect(read('a.3mf', cut)).rejects.toMatchObject({ code: 'media' });
    }
  });
});
