// Payloads of conformance vectors, put together by hand.
import { inflateRawSync } from 'node:zlib';
import { openContainer } from '../dist/src/container/reader.js';
import { writeContainer } from '../dist/src/container/writer.js';
import { MemorySink, MemorySource } from '../dist/src/index.js';

/** The file with another payload in its first chunk, of any length. */
export async function withPayload(file, change) {
  const container = await openContainer(new MemorySource(file));
  const { header, headerBytes, index } = container;
  const [{ grid, window, chunks }] = index.signals;
  const list = [];
  for (let chunk = 0; chunk < chunks.count; chunk++) {
    const payload = await container.readChunk(0, chunk);
    const coordinates = grid.coordinatesOf(chunks.ordinals[chunk]);
    list.push({ coordinates, payload: chunk === 0 ? change(payload) : payload });
  }
  const sink = new MemorySink();
  await writeContainer(sink, { header, headerBytes, signals: [{ grid, window, chunks: list }] });
  return sink.bytes().slice();
}

/** DEFLATE of zeros as one stored block, so that no compressor's version shows in the file. */
export function storedStream(length) {
  const bytes = new Uint8Array(5 + length);
  new DataView(bytes.buffer).setUint8(0, 1);
  new DataView(bytes.buffer).setUint16(1, length, true);
  new DataView(bytes.buffer).setUint16(3, 0xffff - length, true);
  return bytes;
}

/** Most bytes of a DEFLATE payload that gives what this one gives (section 6.3 of the format). */
export function mostBytesOf(stream) {
  const n = inflateRawSync(stream).length;
  return n + Math.ceil(n / 128) + 64;
}

/** A DEFLATE stream made as long as wanted by empty blocks in front. */
export function paddedStream(stream, byteLength) {
  // A stored block of no bytes, and one behind an empty block of fixed codes, whose 10 bits make it a byte longer.
  const [five, six] = [
    [0, 0, 0, 0xff, 0xff],
    [2, 0, 0, 0, 0xff, 0xff],
  ];
  const missing = byteLength - stream.length;
  const sixes = missing % 5;
  const fives = (missing - 6 * sixes) / 5;
  if (fives < 0) throw new Error(`${missing} bytes cannot be made of 5 and 6`);
  const blocks = [...Array(sixes).fill(six), ...Array(fives).fill(five)];
  return Uint8Array.of(...blocks.flat(), ...stream);
}
