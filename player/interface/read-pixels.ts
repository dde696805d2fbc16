import { LgiError } from '../../codec/errors.js';

/**
 * Samples of a picture: u8 sRGB, row-major `[height, width, 4]`, alpha straight.
 *
 * @throws LgiError `media` for what the browser cannot read as a picture.
 */
export async function readPixels(
  image: Blob | ImageBitmap,
): Promise<{ rgba: Uint8Array<ArrayBuffer>; shape: [number, number] }> {
  let bitmap: ImageBitmap;
  try {
    bitmap = image instanceof Blob ? await createImageBitmap(image) : image;
  } catch (cause) {
    throw new LgiError('media', 'this browser cannot read it as a picture; give a PNG, JPEG or WebP', {
      cause,
    });
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new LgiError('unavailable', `there is no canvas of ${width}x${height} here`);
  context.drawImage(bitmap, 0, 0);
  if (image instanceof Blob) bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { rgba: new Uint8Array(data.buffer), shape: [height, width] };
}
