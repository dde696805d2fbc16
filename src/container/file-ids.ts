import { sha256 } from './sha256.js';

/** First 16 bytes of the SHA-256 of the header: files that share it hold chunks of one network. */
export async function familyIdOf(headerBytes: Uint8Array): Promise<Uint8Array> {
  return (await sha256([headerBytes])).slice(0, 16);
}

/** A file id that the content alone determines: of family id, index, and every chunk's checksum in the order of the file. */
export async function fileIdOf(
  familyId: Uint8Array,
  indexBytes: Uint8Array,
  chunkCrcs: readonly Uint32Array[],
): Promise<Uint8Array> {
  // Little-endian, as all hosts of JavaScript are.
  const crcBytes = chunkCrcs.map((crcs) => new Uint8Array(crcs.buffer, crcs.byteOffset, crcs.byteLength));
  return (await sha256([familyId, indexBytes, ...crcBytes])).slice(0, 16);
}

export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
