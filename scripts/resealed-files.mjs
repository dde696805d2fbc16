// Files changed behind their checksums, which are made right again: what a reader refuses is then the change alone.
import { ByteBuffer } from 'flatbuffers';
import { chunkCrc } from '../dist/src/container/chunk.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { encodeIndex } from '../dist/src/container/encode-index.js';
import { listedColumns, shortestColumns } from '../dist/src/container/choose-columns.js';
import { openContainer } from '../dist/src/container/reader.js';
import { encodeSuperblock, FEATURES } from '../dist/src/container/superblock.js';
import { MemorySource } from '../dist/src/index.js';

/** The file with bytes of header or index changed, and all checksums made right again. */
export async function withSection(file, section, edit) {
  const { superblock, index } = await openContainer(new MemorySource(file));
  const bytes = file.slice();
  const { byteOffset, byteLength } = superblock[section];
  const part = bytes.subarray(byteOffset, byteOffset + byteLength);
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  edit(view, new ByteBuffer(part));
  const span = { byteOffset, byteLength, crc: crc32c(part) };
  bytes.set(encodeSuperblock({ ...superblock, [section]: span }), 0);
  if (section === 'header') {
    for (const { chunks } of index.signals) {
      chunks.byteOffsets.forEach((at, chunk) => sealChunk(bytes, at, chunks.end(chunk), span.crc));
    }
  }
  return bytes;
}

/** The file with a superblock that does not say a feature. */
export async function withoutFeature(file, feature) {
  const { superblock } = await openContainer(new MemorySource(file));
  const { features } = superblock;
  const mustUnderstand = features.mustUnderstand & ~feature;
  const bytes = file.slice();
  bytes.set(encodeSuperblock({ ...superblock, features: { ...features, mustUnderstand } }), 0);
  return bytes;
}

/** The file with another index, by other columns of its first signal's chunks, behind everything else. */
export async function withColumns(file, change, { grid, mustUnderstand = 0n } = {}) {
  const { header, superblock, index } = await openContainer(new MemorySource(file));
  const [signal, ...others] = index.signals;
  const [columns, ...otherColumns] = shortestColumns(index, header);
  const changed = { ...index, signals: [{ ...signal, grid: grid ?? signal.grid }, ...others] };
  const indexBytes = encodeIndex(changed, [{ ...columns, ...change(columns) }, ...otherColumns], header);
  const byteOffset = Math.ceil(file.length / 16) * 16;
  const bytes = new Uint8Array(byteOffset + indexBytes.length);
  bytes.set(file);
  bytes.set(indexBytes, byteOffset);
  const { features } = superblock;
  const slots = encodeSuperblock({
    ...superblock,
    features: { ...features, mustUnderstand: features.mustUnderstand | mustUnderstand },
    index: { byteOffset, byteLength: indexBytes.length, crc: crc32c(indexBytes) },
    committedByteLength: bytes.length,
  });
  bytes.set(slots, 0);
  return bytes;
}

/** The file with an index that lists every chunk. */
export async function listed(file) {
  const { index, superblock } = await openContainer(new MemorySource(file));
  if ((superblock.features.mustUnderstand & FEATURES.impliedChunks) === 0n) return file;
  return withColumns(file, () => listedColumns(index)[0]);
}

/** Gives the chunk in a range the checksum that it has to have. */
function sealChunk(bytes, begin, end, headerCrc) {
  const crc = chunkCrc(bytes.subarray(begin, end), headerCrc);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(begin, crc, true);
}

/** The file with a chunk changed in place, and its checksum right. */
export async function withChunk(file, chunk, edit) {
  const { superblock, index } = await openContainer(new MemorySource(file));
  const { chunks } = index.signals[0];
  const bytes = file.slice();
  const [begin, end] = [chunks.byteOffsets[chunk], chunks.end(chunk)];
  edit(bytes.subarray(begin, end), (other) => file.subarray(chunks.byteOffsets[other], chunks.end(other)));
  sealChunk(bytes, begin, end, superblock.header.crc);
  return bytes;
}
