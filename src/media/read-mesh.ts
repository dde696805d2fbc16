import { readFile, stat } from 'node:fs/promises';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { mediaFault } from './image-limits.js';
import { checkMesh, type Mesh } from './mesh.js';
import { parseObj } from './obj-file.js';
import { parsePly } from './ply-file.js';
import { isBinaryStl, parseStl } from './stl-file.js';

/** Largest mesh file that is read whole into memory: a binary STL file of ten million triangles. */
const MAX_MESH_BYTES = 2 ** 29;

/** Bytes from the start in which the first vertex of an OBJ file is looked for: comments may come before it. */
const OBJ_START_BYTES = 65_536;

/**
 * The mesh in the bytes of an OBJ, STL or PLY file; which it is, the bytes say, and the name for STL.
 *
 * @param name what error messages call the mesh, such as its path.
 * @throws LgiError `media` for bytes that are no such mesh, incomplete or damaged, and for meshes without faces.
 */
export function decodeMesh(bytes: Uint8Array, name: string): Mesh {
  if (bytes.length === 0) throw mediaFault(name, 'the file is empty', 'fetch or export it again');
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, OBJ_START_BYTES)).toString(
    'latin1',
  );
  let mesh: Mesh;
  if (/^ply\s/.test(start)) mesh = parsePly(bytes, name);
  else if (isBinaryStl(bytes) || /^\s{0,80}solid\b/.test(start) || /\.stl$/i.test(name)) {
    mesh = parseStl(bytes, name);
  } else if (/^[^\S\n]{0,80}v\s/m.test(start) || (/\.obj$/i.test(name) && !start.includes('\0'))) {
    mesh = parseObj(bytes, name);
  } else {
    throw mediaFault(
      name,
      'this is no mesh in a known format; OBJ, STL and PLY are read',
      'convert it to one of them first',
    );
  }
  checkMesh(mesh, name);
  return mesh;
}

/**
 * Reads a mesh file; {@link decodeMesh} says what of.
 *
 * @throws LgiError `io` when the file cannot be read, `limit` beyond 512 MiB, else as {@link decodeMesh}.
 */
export async function readMesh(path: string, signal?: AbortSignal): Promise<Mesh> {
  signal?.throwIfAborted();
  let bytes: Uint8Array;
  try {
    const status = await stat(path);
    if (!status.isFile() && !status.isDirectory()) {
      throw new LgiError('io', `cannot read ${path}: it is no regular file; save the mesh to one first`);
    }
    if (status.size > MAX_MESH_BYTES) {
      throw new LgiError(
        'limit',
        `${path}: the file has ${status.size} bytes, the limit is ${MAX_MESH_BYTES}; simplify the mesh first`,
      );
    }
    bytes = await readFile(path, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw fileError('read', path, cause);
  }
  return decodeMesh(bytes, path);
}
