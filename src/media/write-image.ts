import { FileSink } from '../io/file-sink-node.js';
import type { Sink } from '../io/sink.js';
import { encodeImage } from './encode-image.js';
import { imageFormatOf, type ImageFormat, type Picture } from './image-format.js';

/** How a picture is written. */
export interface WriteImageOptions {
  /** Default: what the path's extension says; PNG for a sink. */
  readonly format?: ImageFormat;
  readonly signal?: AbortSignal;
}

/**
 * Writes a picture to a file, whole or not at all, or to a sink, which it closes.
 *
 * @returns the bytes written.
 * @throws OptionError and LgiError as `encodeImage` does; LgiError `io` when the place cannot be written.
 */
export async function writeImage(
  to: string | Sink,
  picture: Picture,
  options: WriteImageOptions = {},
): Promise<number> {
  const { signal } = options;
  signal?.throwIfAborted();
  const format = options.format ?? (typeof to === 'string' ? imageFormatOf(to) : 'png');
  // The sink opens first, so that a place that cannot be written is known before the work.
  const sink = typeof to === 'string' ? await FileSink.open(to) : to;
  try {
    const bytes = await encodeImage(format, picture);
    signal?.throwIfAborted();
    await sink.write(0, bytes);
    await sink.close();
    return bytes.length;
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
}
