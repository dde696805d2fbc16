import type { Document, GLTF, Node as SceneNode, Primitive } from '@gltf-transform/core';
import { LgiError } from '../../codec/errors.js';
import { glbChunks, isGlb } from './glb-chunks.js';
import { checkAccessors, geometryOf, usedBuffers, type Geometry } from './gltf-json.js';
import { damagedFault, mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { MeshBuilder } from './mesh-builder.js';
import { combined, IDENTITY, Placement, type Part, type Transform } from './mesh-instances.js';

const [TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN] = [4, 5, 6];

/** Deepest nodes within nodes; a recursion deeper than this is no scene of a person's. */
const MAX_DEPTH = 256;

/**
 * Reads a file beside the glTF file.
 *
 * @param uri relative, as the file has it, percent-encoded.
 */
export type ReadBeside = (uri: string) => Promise<Uint8Array>;

/** Whether a text is the JSON of a glTF file. */
export function isGltf(start: string): boolean {
  return /^\s*\{/.test(start) && /"(asset|accessors|bufferViews)"\s*:/.test(start);
}

/**
 * The triangles of a glTF 2.0 or GLB file's scene, with the transforms of its nodes; materials, skins and animations are
 * passed over, points and lines too.
 *
 * @throws LgiError `media` for one that is incomplete, damaged or needs an extension for its geometry; `limit` for too
 * many triangles; and as `readBeside`.
 */
export async function parseGltf(bytes: Uint8Array, name: string, readBeside: ReadBeside): Promise<Mesh> {
  const { json, bin } = isGlb(bytes) ? glbChunks(bytes, name) : { json: bytes };
  try {
    const geometry = geometryOf(json, name);
    const { document, resources } = await load(geometry, bin, name, readBeside);
    checkAccessors(geometry, resources, name);
    return meshOf(await document(), geometry, name);
  } catch (cause) {
    if (cause instanceof LgiError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw damagedFault(name, `the glTF file cannot be read (${why.slice(0, 200)})`, cause);
  }
}

async function load(geometry: Geometry, bin: Uint8Array | undefined, name: string, readBeside: ReadBeside) {
  const needed = usedBuffers(geometry);
  const resources: Record<string, Uint8Array<ArrayBuffer>> = {};
  const sizes: number[] = [];
  for (const [at, { uri, byteLength }] of geometry.buffers.entries()) {
    if (!needed.has(at)) continue;
    const content = uri === undefined ? (at === 0 ? bin : undefined) : await bufferOf(uri, name, readBeside);
    if (content === undefined) continue;
    if (!(content.length >= byteLength)) {
      throw damagedFault(name, `buffer ${at} has ${content.length} bytes, it needs ${String(byteLength)}`);
    }
    // A copy begins at a multiple of 8, as arrays of numbers need it.
    resources[`buffer-${at}`] = new Uint8Array(content);
    sizes[at] = content.length;
  }
  const document = async (): Promise<Document> => {
    const { Logger, WebIO } = await import('@gltf-transform/core');
    const buffers = geometry.buffers.map((buffer, at) => ({
      byteLength: buffer.byteLength,
      uri: `buffer-${at}`,
    }));
    geometry.buffers.forEach((_, at) => (resources[`buffer-${at}`] ??= new Uint8Array()));
    const json: GLTF.IGLTF = { ...geometry, buffers };
    return new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).readJSON({ json, resources });
  };
  return { document, resources: sizes };
}

async function bufferOf(uri: string, name: string, readBeside: ReadBeside): Promise<Uint8Array> {
  const data = /^data:[^,]*?(;base64)?,/i.exec(uri);
  if (data === null) return readBeside(uri);
  const content = uri.slice(data[0].length);
  if (data[1]) return Buffer.from(content, 'base64');
  try {
    return Buffer.from(decodeURIComponent(content), 'latin1');
  } catch (cause) {
    throw damagedFault(name, 'a data: URI cannot be decoded', cause);
  }
}

function meshOf(document: Document, geometry: Geometry, name: string): Mesh {
  const root = document.getRoot();
  const builder = new MeshBuilder();
  const placement = new Placement(builder, name);
  const parts = new Map<Primitive, Part>();
  const visited = new Set<SceneNode>();
  const placeMesh = (primitives: readonly Primitive[], transform: Transform) => {
    for (const primitive of primitives) {
      const part = parts.get(primitive) ?? partOf(primitive, name);
      parts.set(primitive, part);
      placement.add(part, transform);
    }
  };
  const place = (node: SceneNode, outer: Transform, depth: number): void => {
    if (visited.has(node) || depth > MAX_DEPTH) {
      throw mediaFault(
        name,
        `a node is within itself, or ${MAX_DEPTH} deep`,
        'the file is damaged, export it again',
      );
    }
    visited.add(node);
    const m = node.getMatrix();
    const transform = combined(outer, [
      ...m.slice(0, 3),
      ...m.slice(4, 7),
      ...m.slice(8, 11),
      ...m.slice(12, 15),
    ]);
    const mesh = node.getMesh();
    if (mesh) placeMesh(mesh.listPrimitives(), transform);
    for (const child of node.listChildren()) place(child, transform, depth + 1);
  };
  const scene = root.listScenes()[geometry.scene ?? 0];
  const nodes = root.listNodes();
  // Without a scene a file is a library: all of it counts.
  if (scene !== undefined) for (const node of scene.listChildren()) place(node, IDENTITY, 1);
  else if (nodes.length > 0) {
    for (const node of nodes) if (node.getParentNode() === null) place(node, IDENTITY, 1);
  } else for (const mesh of root.listMeshes()) placeMesh(mesh.listPrimitives(), IDENTITY);
  return builder.mesh(name);
}

function partOf(primitive: Primitive, name: string): Part {
  const positions = primitive.getAttribute('POSITION');
  const indices = primitive.getIndices();
  const count = positions?.getCount() ?? 0;
  const corners: ArrayLike<number> =
    indices?.getArray() ?? Uint32Array.from({ length: count }, (_, at) => at);
  const beyond = Array.prototype.find.call(corners, (corner: number) => corner >= count) as
    number | undefined;
  if (beyond !== undefined) throw damagedFault(name, `a primitive uses vertex ${beyond}, there are ${count}`);
  const element = [0, 0, 0];
  return {
    vertex: (index) => positions?.getElement(index, element) ?? element,
    vertices: count,
    triangles: trianglesOf(primitive.getMode(), corners),
  };
}

function trianglesOf(mode: number, corners: ArrayLike<number>): ArrayLike<number> {
  if (mode === TRIANGLES) return Array.from(corners).slice(0, corners.length - (corners.length % 3));
  if (mode !== TRIANGLE_STRIP && mode !== TRIANGLE_FAN) return [];
  const triangles: number[] = [];
  for (let k = 2; k < corners.length; k++) {
    const [a, b, c] = [mode === TRIANGLE_FAN ? corners[0] : corners[k - 2], corners[k - 1], corners[k]];
    // Strips repeat vertices to turn corners: such triangles are meant to have no area.
    if (a === b || b === c || c === a) continue;
    if (mode === TRIANGLE_STRIP && k % 2 === 1) triangles.push(b, a, c);
    else triangles.push(a, b, c);
  }
  return triangles;
}
