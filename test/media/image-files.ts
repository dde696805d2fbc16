import { deflateSync } from 'node:zlib';
import { PNG_SIGNATURE, pngChunk } from '../../src/media/png-file.js';

/** An EXIF block with a maker's name and an orientation. */
export function exifBlock(orientation: number, littleEndian = true): Buffer {
  const block = Buffer.alloc(8 + 2 + 2 * 12 + 4 + 6);
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  block.write(littleEndian ? 'II' : 'MM', 0, 'latin1');
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  view.setUint16(8, 2, littleEndian);
  const entry = (at: number, tag: number, type: number, count: number) => {
    view.setUint16(at, tag, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    view.setUint32(at + 4, count, littleEndian);
  };
  entry(10, 0x010f, 2, 6);
  view.setUint32(18, 38, littleEndian);
  entry(22, 0x0112, 3, 1);
  view.setUint16(30, orientation, littleEndian);
  block.write('maker\0', 38, 'latin1');
  return block;
}

/** Puts a segment directly after a JPEG's start marker. */
export function withJpegSegment(jpeg: Uint8Array, marker: number, data: Uint8Array): Uint8Array {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
}

/** Puts a chunk directly after a PNG's header. */
export function withPngChunk(png: Uint8Array, type: string, data: Uint8Array): Uint8Array {
  const headerEnd = PNG_SIGNATURE.length + 12 + 13;
  return Buffer.concat([png.subarray(0, headerEnd), pngChunk(type, data), png.subarray(headerEnd)]);
}

/** Puts a chunk at a WebP's end. */
export function withWebpChunk(webp: Uint8Array, type: string, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  const out = Buffer.concat([webp, head, data, Buffer.alloc(data.length & 1)]);
  out.writeUInt32LE(out.length - 8, 4);
  return out;
}

/** What {@link makePng} builds, sample by sample. */
export interface PngPlan {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  /** Sample values as the file holds them, row-major with channels last. */
  readonly values: ArrayLike<number>;
  readonly interlaced?: boolean;
  /** Chunks between header and rows. */
  readonly extra?: readonly (readonly [type: string, data: Uint8Array])[];
}

const PNG_CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/** First column and row, and steps, of the seven interlaced passes. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** A PNG header's thirteen bytes. */
export function pngHeader(
  width: number,
  height: number,
  depth: number,
  colourType: number,
  interlace = 0,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlace], 8);
  return header;
}

/** A PNG of every kind that the format knows, built without any library but DEFLATE. */
export function makePng(plan: PngPlan): Uint8Array {
  const { width, height, depth, colourType, values } = plan;
  const channels = PNG_CHANNELS[colourType];
  const rows: Buffer[] = [];
  for (const [x0, y0, stepX, stepY] of plan.interlaced ? PASSES : ([[0, 0, 1, 1]] as const)) {
    if (x0 >= width) continue;
    for (let y = y0; y < height; y += stepY) {
      const bits: number[] = [];
      for (let x = x0; x < width; x += stepX) {
        for (let c = 0; c < channels; c++) {
          const value = values[(y * width + x) * channels + c];
          for (let bit = depth - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
        }
      }
      const row = Buffer.alloc(1 + Math.ceil(bits.length / 8));
      bits.forEach((bit, i) => (row[1 + (i >> 3)] |= bit << (7 - (i & 7))));
      rows.push(row);
    }
  }
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', pngHeader(width, height, depth, colourType, plan.interlaced ? 1 : 0)),
    ...(plan.extra ?? []).map(([type, data]) => pngChunk(type, data)),
    pngChunk('IDAT', deflateSync(Buffer.concat(rows))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}
