import { readFile, stat } from 'node:fs/promises';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { applyColourKey, applyPalette, frameSamples, keepChannels } from './frame-samples.js';
import { decodeStill } from './decode-still.js';
import { refusal } from './formats/describe.js';
import { formatOf, startOf } from './formats/recognise.js';
import { MAX_FILE_BYTES, mediaFault } from './image-limits.js';
import { parseJpeg } from './jpeg-file.js';
import { memoryMedia, type Media } from './media.js';
import { applyOrientation } from './orient.js';
import { parsePng, PNG_SIGNATURE } from './png-file.js';
import type { StillFile } from './still-file.js';
import { parseWebp } from './webp-file.js';

async function parse(bytes: Uint8Array, name: string): Promise<StillFile> {
  if (bytes.length === 0) throw mediaFault(name, 'the file is empty', 'fetch or export it again');
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1');
  const signature = Buffer.from(PNG_SIGNATURE).toString('latin1');
  if (start.startsWith(signature)) return parsePng(bytes, name);
  if (start.startsWith('\xff\xd8')) return parseJpeg(bytes, name);
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return parseWebp(bytes, name);
  const foreign = startOf(bytes);
  throw refusal(name, foreign, formatOf(foreign));
}

/**
 * Decodes a picture from its bytes: PNG, JPEG or WebP; grey or RGB, with or without alpha; 8 or 16 bit.
 *
 * Palettes become RGB, grey of fewer than 8 bits becomes 8-bit at full range, YCbCr becomes RGB, and the EXIF
 * orientation is applied (a notice says so). Nothing is squeezed: what has no exact form here is refused.
 *
 * @param name what error messages call the picture, such as its path.
 * @throws LgiError `media` for bytes that are no such picture, incomplete, damaged or animated; `limit` beyond 2^28
 * pixels; `unavailable` where node-av is not installed.
 */
export async function decodeImage(bytes: Uint8Array, name: string, signal?: AbortSignal): Promise<Media> {
  signal?.throwIfAborted();
  const still = await parse(bytes, name);
  signal?.throwIfAborted();
  let picture = await decodeStill(still, name, (frame) => frameSamples(frame, name));
  if (still.palette) picture = applyPalette(picture, still.palette);
  if (still.colourKey) picture = applyColourKey(picture, still.colourKey);
  if (still.hasAlpha === false && picture.channels === 4) picture = keepChannels(picture, 3);
  picture = applyOrientation(picture, still.orientation);
  const { width, height, channels, data } = picture;
  return memoryMedia({
    kind: 'image',
    data,
    shape: [height, width],
    channels,
    ...(still.colour && { colour: still.colour }),
    ...(still.iccProfile && { iccProfile: still.iccProfile }),
    notices: [
      ...(still.notices ?? []),
      ...(still.orientation === 1
        ? []
        : [`${name}: ${still.orientationFrom ?? 'EXIF'} orientation ${still.orientation} was applied`]),
    ],
  });
}

async function readWhole(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    const status = await stat(path);
    if (!status.isFile() && !status.isDirectory()) {
      throw new LgiError('io', `cannot read ${path}: it is no regular file; save the picture to one first`);
    }
    if (status.size > MAX_FILE_BYTES) {
      throw new LgiError(
        'limit',
        `${path}: the file has ${status.size} bytes, the limit is ${MAX_FILE_BYTES}; cut the picture into parts`,
      );
    }
    return await readFile(path, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw fileError('read', path, cause);
  }
}

/**
 * Reads a picture file; {@link decodeImage} says what of.
 *
 * @throws LgiError `io` when the file cannot be read, else as {@link decodeImage}.
 */
export async function readImage(path: string, signal?: AbortSignal): Promise<Media> {
  return decodeImage(await readWhole(path, signal), path, signal);
}
