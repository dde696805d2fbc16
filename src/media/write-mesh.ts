import { extname } from 'node:path';
import { OptionError } from '../../codec/errors.js';
import { FileSink } from '../io/file-sink-node.js';
import type { Mesh } from './mesh.js';

/** What is put together before it is written. */
const BLOCK_BYTES = 2 ** 20;

type Encoder = (mesh: Mesh) => Generator<Uint8Array>;

const ENCODERS: Readonly<Record<string, Encoder>> = {
  '.obj': objBlocks,
  '.stl': stlBlocks,
  '.ply': plyBlocks,
};

/** Whether meshes are written to a path of this name. */
export function isMeshName(path: string): boolean {
  return Object.hasOwn(ENCODERS, extname(path).toLowerCase());
}

/**
 * Writes a mesh, whole or not at all: OBJ as text, STL and PLY as little-endian binary, with coordinates as binary32 in those.
 *
 * @returns the bytes written.
 * @throws OptionError `output` for another extension; LgiError `io` when the place cannot be written.
 */
export async function writeMesh(path: string, mesh: Mesh, signal?: AbortSignal): Promise<number> {
  signal?.throwIfAborted();
  if (!isMeshName(path)) {
    throw new OptionError(
      'output',
      `${path} is no place for a mesh; end it in ${Object.keys(ENCODERS).join(', ')}`,
    );
  }
  const sink = await FileSink.open(path);
  try {
    let at = 0;
    for (const block of ENCODERS[extname(path).toLowerCase()](mesh)) {
      signal?.throwIfAborted();
      await sink.write(at, block);
      at += block.length;
    }
    await sink.close();
    return at;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

function* objBlocks({ positions, indices }: Mesh): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for (let i = 0; i < positions.length; i += 3) {
    // The shortest text that is the same binary32, as other formats have it.
    const [x, y, z] = [0, 1, 2].map((axis) => Number(Math.fround(positions[i + axis]).toPrecision(9)));
    text += `v ${x} ${y} ${z}\n`;
    if (text.length >= BLOCK_BYTES) {
      yield encoder.encode(text);
      text = '';
    }
  }
  for (let i = 0; i < indices.length; i += 3) {
    text += `f ${indices[i] + 1} ${indices[i + 1] + 1} ${indices[i + 2] + 1}\n`;
    if (text.length >= BLOCK_BYTES) {
      yield encoder.encode(text);
      text = '';
    }
  }
  yield encoder.encode(text);
}

/** Records of one size, a block of them at a time. */
function* records(
  count: number,
  byteLength: number,
  fill: (view: DataView, at: number, record: number) => void,
): Generator<Uint8Array> {
  const most = Math.floor(BLOCK_BYTES / byteLength);
  for (let first = 0; first < count; first += most) {
    const bytes = new Uint8Array(Math.min(most, count - first) * byteLength);
    const view = new DataView(bytes.buffer);
    for (let at = 0, record = first; at < bytes.length; at += byteLength, record++) fill(view, at, record);
    yield bytes;
  }
}

const STL_HEADER_BYTES = 80;
const STL_FACE_BYTES = 50;

function* stlBlocks({ positions, indices }: Mesh): Generator<Uint8Array> {
  const head = new Uint8Array(STL_HEADER_BYTES + 4);
  new DataView(head.buffer).setUint32(STL_HEADER_BYTES, indices.length / 3, true);
  yield head;
  yield* records(indices.length / 3, STL_FACE_BYTES, (view, at, face) => {
    const corners = [0, 1, 2].map((corner) => {
      const vertex = 3 * indices[3 * face + corner];
      return [positions[vertex], positions[vertex + 1], positions[vertex + 2]];
    });
    [normalOf(corners), ...corners].forEach((vector, i) =>
      vector.forEach((value, axis) => view.setFloat32(at + 12 * i + 4 * axis, value, true)),
    );
  });
}

function normalOf([a, b, c]: readonly (readonly number[])[]): number[] {
  const [u, v] = [b, c].map((corner) => corner.map((value, axis) => value - a[axis]));
  const cross = [0, 1, 2].map((axis) => {
    const [i, j] = [(axis + 1) % 3, (axis + 2) % 3];
    return u[i] * v[j] - u[j] * v[i];
  });
  const length = Math.hypot(...cross);
  return length === 0 ? [0, 0, 0] : cross.map((value) => value / length);
}

const PLY_VERTEX_BYTES = 12;
const PLY_FACE_BYTES = 13;

function* plyBlocks({ positions, indices }: Mesh): Generator<Uint8Array> {
  const [vertices, faces] = [positions.length / 3, indices.length / 3];
  yield new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      `element vertex ${vertices}`,
      ...['x', 'y', 'z'].map((axis) => `property float ${axis}`),
      `element face ${faces}`,
      'property list uchar int vertex_indices',
      'end_header\n',
    ].join('\n'),
  );
  yield* records(vertices, PLY_VERTEX_BYTES, (view, at, vertex) => {
    for (let axis = 0; axis < 3; axis++) view.setFloat32(at + 4 * axis, positions[3 * vertex + axis], true);
  });
  yield* records(faces, PLY_FACE_BYTES, (view, at, face) => {
    view.setUint8(at, 3);
    for (let corner = 0; corner < 3; corner++)
      view.setUint32(at + 1 + 4 * corner, indices[3 * face + corner], true);
  });
}
