import { damagedFault, mediaFault } from './image-limits.js';
import type { Mesh } from './mesh.js';
import { byteOrderMarkBytes, textLines } from './text-lines.js';

const HEADER_BYTES = 84;
const TRIANGLE_BYTES = 50;

/** Whether bytes are a binary STL file by their length, which their header promises. */
export function isBinaryStl(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && bytes.length === HEADER_BYTES + TRIANGLE_BYTES * promised(bytes);
}

/** Bytes from the start that tell text from binary: header, count and first triangle of a binary file. */
const START_BYTES = 512;

/**
 * Whether bytes are an ASCII STL file: binary files may begin with `solid`, too, so that their length decides, and 0
 * bytes, which a count of triangles below 2^24 has.
 */
export function isTextStl(bytes: Uint8Array): boolean {
  if (isBinaryStl(bytes)) return false;
  const from = byteOrderMarkBytes(bytes);
  const start = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + from,
    Math.min(bytes.length - from, START_BYTES),
  );
  return !start.includes(0) && /^\s*(solid|facet\s)/i.test(start.toString('latin1'));
}

function promised(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(80, true);
}

function countUp(length: number): Uint32Array {
  return new Uint32Array(length).map((_, at) => at);
}

/**
 * The triangles of an STL file, binary or ASCII; the normals in it are passed over, the order of vertices counts.
 *
 * @throws LgiError `media` for one that is incomplete or cannot be read.
 */
export function parseStl(bytes: Uint8Array, name: string): Mesh {
  return isTextStl(bytes) ? parseText(bytes, name) : parseBinary(bytes, name);
}

function parseBinary(bytes: Uint8Array, name: string): Mesh {
  if (bytes.length < HEADER_BYTES) {
    throw damagedFault(name, `the STL file has ${bytes.length} bytes, its header alone has ${HEADER_BYTES}`);
  }
  const count = promised(bytes);
  const needed = HEADER_BYTES + TRIANGLE_BYTES * count;
  if (bytes.length < needed) {
    throw damagedFault(name, `${count} triangles need ${needed} bytes, the file has ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const positions = new Float32Array(9 * count);
  for (let triangle = 0; triangle < count; triangle++) {
    const from = HEADER_BYTES + TRIANGLE_BYTES * triangle + 12;
    for (let k = 0; k < 9; k++) positions[9 * triangle + k] = view.getFloat32(from + 4 * k, true);
  }
  return { positions, indices: countUp(3 * count) };
}

function parseText(bytes: Uint8Array, name: string): Mesh {
  const positions: number[] = [];
  let line = 0;
  let inFacet = 0;
  let isOpen = false;
  for (const { text } of textLines(bytes)) {
    line++;
    const words = text.split(/\s+/, 4);
    const keyword = words[0].toLowerCase();
    const fault = (fact: string) =>
      mediaFault(name, `line ${line}: ${fact}`, 'the file is damaged, export it again');
    if (keyword === 'solid' || keyword === 'facet') isOpen = true;
    else if (keyword === 'endsolid') isOpen = false;
    else if (keyword === 'vertex') {
      const numbers = words.slice(1).map(Number);
      if (numbers.length < 3 || !numbers.every(Number.isFinite)) {
        throw fault(`'${text.slice(0, 40)}' is no vertex of three numbers`);
      }
      positions.push(numbers[0], numbers[1], numbers[2]);
      inFacet++;
    } else if (keyword === 'endfacet') {
      if (inFacet !== 3) throw fault(`a facet has ${inFacet} vertices, it needs 3`);
      inFacet = 0;
    }
  }
  if (isOpen || inFacet > 0) {
    throw damagedFault(name, `the STL file ends after ${line} lines without 'endsolid'`);
  }
  return { positions: new Float64Array(positions), indices: countUp(positions.length / 3) };
}
