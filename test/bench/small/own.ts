import { encode } from '../../../src/encode.js';
import type { EncodeOptions } from '../../../src/encode-options.js';
import { MemorySink } from '../../../src/io/memory.js';
import type { Media } from '../../../src/media/media.js';
import type { OwnFile } from './row.js';

/** Encodes by our codec, as the command line does. */
export async function encodeOwn(media: Media, options: EncodeOptions): Promise<OwnFile> {
  const start = performance.now();
  const { bytes, psnr, iou } = await encode(media, new MemorySink(), options);
  return { bytes, psnr, ...(iou !== undefined && { iou }), seconds: (performance.now() - start) / 1e3 };
}
