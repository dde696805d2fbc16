import type { Engine } from '../../codec/engine/engine.js';
import { encode } from '../../src/encode.js';
import { MemorySink } from '../../src/io/memory.js';
import { memoryMedia } from '../../src/media/media.js';
import type { EncodeProgress, EncodeReply, EncodeRequest } from './methods.js';

/** Encodes a picture of the page's; without its alpha channel where nothing is transparent. */
export async function encodePicture(
  rgba: Uint8Array,
  shape: readonly [number, number],
  options: EncodeRequest['options'],
  engine: Engine,
  onProgress: (progress: EncodeProgress) => void,
  signal: AbortSignal,
): Promise<EncodeReply> {
  const sink = new MemorySink();
  const { psnr, seconds } = await encode(memoryMedia({ data: withoutAlpha(rgba), shape }), sink, {
    ...options,
    engine,
    signal,
    onProgress: ({ fraction, psnr: present, secondsLeft }) =>
      onProgress({ fraction, psnr: present, secondsLeft }),
  });
  return { bytes: sink.bytes().slice(), psnr, seconds };
}

/** The same samples with three channels where all are opaque. */
function withoutAlpha(rgba: Uint8Array): Uint8Array {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return rgba;
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  return rgb;
}
