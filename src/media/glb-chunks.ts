import { damagedFault, mediaFault } from './image-limits.js';

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const JSON_CHUNK = 0x4e4f534a;
const BIN_CHUNK = 0x004e4942;

/** The two parts of a GLB file. */
export interface GlbChunks {
  /** glTF's JSON as UTF-8. */
  readonly json: Uint8Array;
  /** The first buffer; absent where there is no such chunk. */
  readonly bin?: Uint8Array;
}

/** Whether bytes are a GLB file, by their first four. */
export function isGlb(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'glTF';
}

/**
 * Cuts a GLB file into its chunks.
 *
 * @throws LgiError `media` for one of another version, or incomplete.
 */
export function glbChunks(bytes: Uint8Array, name: string): GlbChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER_BYTES) {
    throw damagedFault(name, `the GLB file has ${bytes.length} bytes, its header alone has ${HEADER_BYTES}`);
  }
  const version = view.getUint32(4, true);
  if (version !== 2) {
    throw mediaFault(
      name,
      `the GLB file is of version ${version}, version 2 is read`,
      'export it as glTF 2.0',
    );
  }
  const length = view.getUint32(8, true);
  if (length > bytes.length) {
    throw damagedFault(name, `the GLB file is ${length} bytes long by its header, it has ${bytes.length}`);
  }
  let json: Uint8Array | undefined;
  let bin: Uint8Array | undefined;
  for (let at = HEADER_BYTES; at + CHUNK_HEADER_BYTES <= length;) {
    const chunkBytes = view.getUint32(at, true);
    const type = view.getUint32(at + 4, true);
    const begin = at + CHUNK_HEADER_BYTES;
    if (begin + chunkBytes > length) {
      throw damagedFault(
        name,
        `a GLB chunk of ${chunkBytes} bytes begins at ${begin}, the file ends at ${length}`,
      );
    }
    const chunk = bytes.subarray(begin, begin + chunkBytes);
    if (type === JSON_CHUNK) json ??= chunk;
    else if (type === BIN_CHUNK) bin ??= chunk;
    at = begin + chunkBytes;
  }
  if (json === undefined) throw damagedFault(name, 'the GLB file has no JSON chunk');
  return { json, ...(bin && { bin }) };
}
