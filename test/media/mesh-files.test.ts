import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMesh, type Mesh } from '../../dist/src/node.js';

const CORNERS = Array.from({ length: 8 }, (_, k) => [k & 1, (k >> 1) & 1, k >> 2]);
const SIDES = [
  [0, 2, 3, 1],
  [4, 5, 7, 6],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 4, 6, 2],
  [1, 3, 7, 5],
];
const FAN = SIDES.flatMap(([a, b, c, d]) => [a, b, c, a, c, d]);

const points = (mesh: Mesh) =>
  Array.from(mesh.indices, (vertex) => [...mesh.positions.subarray(3 * vertex, 3 * vertex + 3)]);
const cube = FAN.map((vertex) => CORNERS[vertex]);

const OBJ = [
  '# a cube',
  'mtllib none.mtl',
  ...CORNERS.map((corner, k) => `v ${corner.join(' ')}${k % 2 ? ' 0.5 0.25 1' : ' 1.0'}`),
  'vn 0 0 1',
  'usemtl red',
  'p 1',
  'l 1 2 3',
  ...SIDES.map((side, k) =>
    k % 2
      ? `f ${side.map((v) => `${v + 1}//1`).join(' ')} # side`
      : `f ${side
          .slice(0, 2)
          .map((v) => v - 8)
          .join(' ')} \\\n  ${side
          .slice(2)
          .map((v) => `${v + 1}/`)
          .join(' ')}`,
  ),
].join('\n');

const STL = [
  'solid cube of vertex 1 2 3',
  ...Array.from({ length: 12 }, (_, k) => [
    ...(k === 6 ? ['endsolid', '', 'solid'] : []),
    '  facet normal 0 0 1',
    '    outer loop',
    ...cube
      .slice(3 * k, 3 * k + 3)
      .map((point) => `      vertex ${point.map((v) => v.toExponential()).join(' ')}`),
    '    endloop',
    '  endfacet',
  ]).flat(),
  'endsolid',
].join('\n');

const plyHead = (format: string, faces: string) =>
  `ply\nformat ${format} 1.0\ncomment made by hand\nobj_info none\nelement vertex 8\nproperty double x\n` +
  `property uchar red\nproperty float y\nproperty int8 z\nelement edge 1\nproperty list uchar float weights\n${faces}end_header\n`;

const QUADS = 'element face 6\nproperty list uint8 int texture\nproperty list ushort int vertex_index\n';
const PLY =
  plyHead('ascii', QUADS) +
  CORNERS.map(([x, y, z]) => `${x} 7 ${y} ${z}`).join('\n') +
  '\n2 0.5 1.5\n' +
  SIDES.map((side) => `1 9 4 ${side.join(' ')}`).join('\n');

const OFF = (header: string, vertexTail = '') =>
  [
    '# before',
    header,
    '# between',
    ...CORNERS.map((corner) => `${corner.join(' ')}${vertexTail}`),
    '',
    ...SIDES.map((side, k) => `4 ${side.join(' ')}${k % 2 ? ' 255 0 0 # red' : ''}`),
  ].join('\n');

const TEXTS: Record<string, string> = {
  obj: OBJ,
  stl: STL,
  'stl in capitals': STL.toUpperCase(),
  'stl in mixed case': STL.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  ply: PLY,
  off: OFF('OFF\n8 6 12'),
  'off with counts in its header': OFF('OFF 8 6 0'),
  coff: OFF('COFF\n8 6 0', ' 255 0 0 255'),
  noff: OFF('NOFF\n8 6', ' 0 0 1'),
  stoff: OFF('STOFF\n8 6 0', ' 0.5 0.5'),
  '4off': OFF('4OFF\n8 6 0', ' 1'),
  noff3: OFF('nOFF\n3\n8 6 0'),
};

describe('mesh files as text', () => {
  it.each(Object.entries(TEXTS))('%s is read with any line end, mark, name and blanks', (_, text) => {
    const ends = fc.constantFrom('\n', '\r\n', '\r');
    const names = fc.constantFrom('a.obj', 'a.stl', 'a.ply', 'a.off', 'a');
    fc.assert(
      fc.property(
        ends,
        names,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (end, name, marked, blank, ended) => {
          const all = `${blank ? '\n \n' : ''}${text}${ended ? '\n' : ''}`.replaceAll('\n', end);
          const bytes = Buffer.concat([
            Buffer.from(marked ? [0xef, 0xbb, 0xbf] : []),
            Buffer.from(all, 'latin1'),
          ]);
          const mesh = decodeMesh(bytes, name);
          expect(points(mesh)).toEqual(cube);
          expect(mesh.notices).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(Object.entries(TEXTS))(
    '%s cut at any byte of its last tenth is refused or a part of it',
    (_, text) => {
      for (let length = Math.floor(text.length * 0.9); length < text.length; length++) {
        try {
          expect(points(decodeMesh(Buffer.from(text.slice(0, length)), 'a')).length).toBeLessThanOrEqual(36);
        } catch (error) {
          expect(error).toMatchObject({ code: 'media' });
        }
      }
    },
  );

  it.each([
    ['obj', `${OBJ}\nf 1 2\nf 3\nf\nf 1 1 2\n`, 4],
    ['off', OFF('OFF\n8 6 12').replace('8 6 12', '8 8 0') + '\n2 0 1\n0\n', 2],
    ['ply', PLY.replace('face 6', 'face 9') + '\n0 2 0 1\n0 0\n0 3 1 1 2\n', 3],
  ])('of %s leave out faces of fewer than 3 vertices, and say so', (_, text, count) => {
    const mesh = decodeMesh(Buffer.from(text), 'name');
    expect(points(mesh)).toEqual(cube);
    expect(mesh.notices).toEqual([`name: left out ${count} faces of fewer than 3 different vertices`]);
  });

  it.each([
    ['a.obj', 'v 0 0 0\nv 1,5 0 0', /line 2: 'v 1,5 0 0' is no vertex of three numbers/],
    ['a.obj', 'v 0 0 0\r\nv nan 0 0', /line 2: 'v nan 0 0' is no vertex/],
    ['a.obj', 'v 0 0 0\rv 0 1', /line 2: 'v 0 1' is no vertex/],
    ['a.obj', 'v 0 0 0\nf 0 1 1', /line 2: '0' is no vertex of a face/],
    ['a.obj', 'v 0 0 0\nf -2 1 1\n', /line 2: '-2' is no vertex of a face/],
    ['a.obj', 'v 0 0 0\nf 1 2', /line 2: the file ends in a face of 2 vertices/],
    ['a.stl', 'SOLID\nFACET\nVERTEX 0 0 inf', /line 3: 'VERTEX 0 0 inf' is no vertex/],
    ['a.stl', STL.replace(/endsolid$/, ''), /without 'endsolid'/],
    ['a.off', 'OFF BINARY\n1 1 1', /line 1: the OFF file is binary; export it as text/],
    ['a.off', 'OFF\n3 1 0\n0 0 0\n1 0 0', /ends after 4 lines, before vertex 2 of 3/],
    ['a.off', 'OFF\n9e15 1 0\n0 0 0\n', /before vertex 1 of 9000000000000000/],
    ['a.off', 'OFF\n1 1 0\n0 0 0\n3 0 0 1\n', /face 0 uses vertex 1, there are 1/],
    ['a.off', 'nOFF\n4\n1 1 0\n', /the vertices have 4 dimensions/],
    ['a.ply', PLY.replace('1 9 4 0', '1 9 4 -1'), /'face' 0 has the vertex -1/],
  ])('%s: %j is refused with what is wrong', (name, text, message) => {
    expect(() => decodeMesh(Buffer.from(text, 'latin1'), name)).toThrow(message);
  });
});

describe('binary mesh files', () => {
  const stl = (header: string, tail = 0) => {
    const bytes = Buffer.alloc(84 + 50 * 12 + tail);
    bytes.write(header, 'latin1');
    bytes.writeUInt32LE(12, 80);
    cube.flat().forEach((value, k) => bytes.writeFloatLE(value, 96 + 50 * Math.floor(k / 9) + 4 * (k % 9)));
    return bytes;
  };

  it.each(['solid', 'SOLID by hand', 'v 1 2 3', 'OFF', '\xef\xbb\xbfsolid', ''])(
    'STL with the header %j is read, with bytes after it, too; cut it is refused',
    (header) => {
      expect(points(decodeMesh(stl(header), 'a.stl'))).toEqual(cube);
      expect(points(decodeMesh(stl(header, 2), 'a.stl'))).toEqual(cube);
      expect(() => decodeMesh(stl(header).subarray(0, 600), 'a.stl')).toThrow(/12 triangles need 684 bytes/);
    },
  );

  const number = (format: string, type: string, value: number) => {
    const bytes = Buffer.alloc(8);
    const suffix = format.includes('little') ? 'LE' : 'BE';
    if (type === 'double')
      return bytes.subarray(0, suffix === 'LE' ? bytes.writeDoubleLE(value) : bytes.writeDoubleBE(value));
    if (type === 'float')
      return bytes.subarray(0, suffix === 'LE' ? bytes.writeFloatLE(value) : bytes.writeFloatBE(value));
    if (type === 'int')
      return bytes.subarray(0, suffix === 'LE' ? bytes.writeInt32LE(value) : bytes.writeInt32BE(value));
    if (type === 'ushort')
      return bytes.subarray(0, suffix === 'LE' ? bytes.writeUInt16LE(value) : bytes.writeUInt16BE(value));
    return bytes.subarray(0, bytes.writeInt8(value));
  };

  it.each(['binary_little_endian', 'binary_big_endian'])('PLY %s is read with any line end', (format) => {
    const of = (type: string, ...values: number[]) =>
      Buffer.concat(values.map((value) => number(format, type, value)));
    // 10 as the first byte of the body is no line end.
    const first = Buffer.from([10]);
    const header = plyHead(format, QUADS).replace(
      'element vertex',
      'element mark 1\nproperty uchar a\nelement vertex',
    );
    const body = [
      first,
      ...CORNERS.flatMap(([x, y, z]) => [of('double', x), of('char', 7), of('float', y), of('char', z)]),
      of('char', 2),
      of('float', 0.5, 1.5),
      ...SIDES.flatMap((side) => [of('char', 1), of('int', 9), of('ushort', 4), of('int', ...side)]),
    ];
    for (const end of ['\n', '\r\n', '\r']) {
      const bytes = Buffer.concat([Buffer.from(header.replaceAll('\n', end)), ...body]);
      expect(points(decodeMesh(bytes, 'a.ply'))).toEqual(cube);
      expect(() => decodeMesh(bytes.subarray(0, -1), 'a.ply')).toThrow(/ends in 'face' 5 of 6/);
    }
  });

  it('PLY strips are triangles in turns, and -1 begins another', () => {
    const strips = 'element tristrips 1\nproperty list int int vertex_indices\n';
    const text =
      plyHead('ascii', strips) +
      CORNERS.map(([x, y, z]) => `${x} 7 ${y} ${z}`).join('\n') +
      '\n0\n16 0 1 2 3 6 7 -1 5 4 7 6 6 -1 -1 0 1 -1';
    const mesh = decodeMesh(Buffer.from(text), 'a.ply');
    expect([...mesh.indices]).toEqual([...[0, 1, 2, 2, 1, 3, 2, 3, 6, 6, 3, 7], ...[5, 4, 7, 7, 4, 6]]);
    expect(mesh.notices).toEqual(['a.ply: left out 1 face of fewer than 3 different vertices']);
  });
});
