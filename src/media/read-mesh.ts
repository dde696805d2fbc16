import { readFile, stat } from 'node:fs/promises';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { readFileBeside } from './file-beside-node.js';
import { isGlb } from './glb-chunks.js';
import { isGltf } from './gltf-file.js';
import { mediaFault } from './image-limits.js';
import { checkMesh, type Mesh } from './mesh.js';
import { parseObj } from './obj-file.js';
import { isOff, parseOff } from './off-file.js';
import { parsePly } from './ply-file.js';
import { isBinaryStl, isTextStl, parseStl } from './stl-file.js';
import { byteOrderMarkBytes } from './text-lines.js';

/** Largest mesh file that is read whole into memory: a binary STL file of ten million triangles. */
const MAX_MESH_BYTES = 2 ** 29;

/** Bytes from the start in which the first vertex of an OBJ file is looked for: comments may come before it. */
const START_BYTES = 65_536;

/**
 * The mesh in the bytes of an OBJ, STL, PLY or OFF file; which it is, the bytes say.
 *
 * @param name what error messages call the mesh, such as its path.
 * @throws LgiError `media` for bytes that are no such mesh, incomplete or damaged, and for meshes without faces.
 */
export function decodeMesh(bytes: Uint8Array, name: string): Mesh {
  if (bytes.length === 0) throw mediaFault(name, 'the file is empty', 'fetch or export it again');
  const from = byteOrderMarkBytes(bytes);
  const start = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + from,
    Math.min(bytes.length - from, START_BYTES),
  ).toString('latin1');
  const lazy = lazyKind(bytes);
  if (lazy !== undefined) {
    throw mediaFault(name, `${lazy} is not read from bytes`, 'give its path to `readMesh`');
  }
  // Names lie, so content comes first: a name decides only for what is damaged at its start.
  const isText = !start.includes('\0');
  let mesh: Mesh;
  if (/^\s*ply\s/i.test(start)) mesh = parsePly(bytes, name);
  else if (isBinaryStl(bytes) || isTextStl(bytes)) mesh = parseStl(bytes, name);
  else if (isText && isOff(start)) mesh = parseOff(bytes, name);
  else if (isText && (/^[^\S\r\n]{0,80}v\s/m.test(start) || /\.obj$/i.test(name)))
    mesh = parseObj(bytes, name);
  else if (/\.stl$/i.test(name)) mesh = parseStl(bytes, name);
  else {
    throw mediaFault(
      name,
      'this is no mesh in a known format; OBJ, STL, PLY, OFF, glTF, GLB and 3MF are read',
      'convert it to one of them first',
    );
  }
  checkMesh(mesh, name);
  return mesh;
}

/**
 * Reads a mesh file: what {@link decodeMesh} reads, glTF 2.0 and GLB with the files beside it, and 3MF in millimetres.
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
  const lazy = await lazyMesh(bytes, path, signal);
  if (lazy === undefined) return decodeMesh(bytes, path);
  checkMesh(lazy, path);
  return lazy;
}

/** The mesh of a kind whose reader is loaded for it; undefined for the others. */
async function lazyMesh(bytes: Uint8Array, path: string, signal?: AbortSignal): Promise<Mesh | undefined> {
  switch (lazyKind(bytes)) {
    case 'glTF': {
      const { parseGltf } = await import('./gltf-file.js');
      return parseGltf(withoutMark(bytes), path, (uri) => readFileBeside(path, uri, MAX_MESH_BYTES, signal));
    }
    case '3MF': {
      const { parse3mf } = await import('./three-mf-file.js');
      return parse3mf(bytes, path);
    }
    case undefined:
      return undefined;
  }
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(byteOrderMarkBytes(bytes));
}

/** Which kind bytes are whose reader is loaded when it is needed. */
function lazyKind(bytes: Uint8Array): 'glTF' | '3MF' | undefined {
  const start = Buffer.from(withoutMark(bytes).subarray(0, START_BYTES)).toString('latin1');
  if (isGlb(bytes) || isGltf(start)) return 'glTF';
  return /^PK[\x03\x05]/.test(start) ? '3MF' : undefined;
}
