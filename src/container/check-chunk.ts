import { LgiError } from '../../codec/errors.js';
import {
  CHUNK_HEAD_BYTES,
  chunkCrc,
  decodeChunkHead,
  encodeChunkHead,
  SHORT_HEAD_BYTES,
  WEIGHTS_KIND,
} from './chunk.js';
import type { Container } from './reader.js';

/**
 * The payload in a chunk's bytes, once all that is said about it agrees.
 *
 * @throws LgiError `damaged` or `truncated`, section `chunk y,x`.
 */
export function checkChunk(
  container: Container,
  signalIndex: number,
  chunk: number,
  bytes: Uint8Array,
): Uint8Array {
  const fault = chunkFault(container, signalIndex, chunk, bytes);
  if (fault !== null) throw fault;
  return bytes.subarray(container.index.signals[signalIndex].chunks.headBytes);
}

/** What is wrong with a chunk's bytes, or null. */
export function chunkFault(
  container: Container,
  signalIndex: number,
  chunk: number,
  bytes: Uint8Array,
): LgiError | null {
  const { superblock, index } = container;
  const { grid, chunks } = index.signals[signalIndex];
  const byteOffset = chunks.byteOffsets[chunk];
  if (bytes.length < chunks.byteLength(chunk)) {
    return container.truncated(container.chunkName(signalIndex, chunk), byteOffset, bytes.length);
  }
  const damaged = (fact: string): LgiError => {
    const section = container.chunkName(signalIndex, chunk);
    return new LgiError('damaged', `${section} is damaged: ${fact}; fetch the file again`, {
      section,
      byteOffset,
    });
  };
  if (chunks.headBytes === SHORT_HEAD_BYTES) {
    // The checksum is that of the head that there would be.
    const payload = bytes.subarray(SHORT_HEAD_BYTES);
    const expected = encodeChunkHead(
      payload,
      grid.boxOf(chunks.ordinals[chunk]),
      signalIndex,
      superblock.header.crc,
    );
    const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return stored === expected.crc ? null : damaged('its checksum is wrong');
  }
  const head = decodeChunkHead(bytes, grid.shape.length);
  if (chunkCrc(bytes, superblock.header.crc) !== head.crc) return damaged('its checksum is wrong');
  const box = grid.boxOf(chunks.ordinals[chunk]);
  const sameBox = box.begin.every(
    (begin, axis) => begin === head.box.begin[axis] && box.end[axis] === head.box.end[axis],
  );
  if (
    head.payloadLength !== bytes.length - CHUNK_HEAD_BYTES ||
    head.signal !== signalIndex ||
    head.kind !== WEIGHTS_KIND ||
    !head.otherAxesAreUnused ||
    !sameBox
  ) {
    return damaged('it is another one than the index says');
  }
  return null;
}
