import { LgiError } from '../../codec/errors.js';

/**
 * Most pixels of one picture: FFmpeg's own bound for a frame, beyond which it refuses; 2^28 pixels of RGBA at 16 bit
 * are 2 GiB, all that one array should hold.
 */
export const MAX_PIXELS = 2 ** 28;

/** FFmpeg counts this many pixels of padding on each axis into its bound. */
const FRAME_PADDING_PX = 128;

/** Largest picture file that is read whole into memory: 1 GiB, four bytes for each pixel of the largest picture. */
export const MAX_FILE_BYTES = 2 ** 30;

/** An unreadable medium: `name: fact; next step`. */
export function mediaFault(name: string, fact: string, nextStep: string, cause?: unknown): LgiError {
  return new LgiError('media', `${name}: ${fact}; ${nextStep}`, cause === undefined ? {} : { cause });
}

/** A file that ends early or was damaged on its way. */
export function damagedFault(name: string, fact: string, cause?: unknown): LgiError {
  return mediaFault(name, fact, 'the file is incomplete or damaged, fetch or export it again', cause);
}

/**
 * Refuses dimensions no decoder should be asked for, before anything is allocated.
 *
 * @throws LgiError `media` for 0 pixels, `limit` beyond {@link MAX_PIXELS}.
 */
export function checkDimensions(name: string, width: number, height: number): void {
  if (width < 1 || height < 1) {
    throw mediaFault(name, `the picture is ${width}x${height}, it has no pixel`, 'export it again');
  }
  if ((width + FRAME_PADDING_PX) * (height + FRAME_PADDING_PX) >= MAX_PIXELS) {
    throw new LgiError(
      'limit',
      `${name}: the picture is ${width}x${height} = ${width * height} pixels, the limit is ${MAX_PIXELS} with ` +
        `${FRAME_PADDING_PX} px of padding on each axis; cut it into parts first`,
    );
  }
}

/** Refuses a picture that its compressed bytes cannot hold, however well they compress. */
export function checkDensity(name: string, bytesPresent: number, bytesNeeded: number, size: string): void {
  if (bytesPresent >= bytesNeeded) return;
  throw damagedFault(
    name,
    `a picture of ${size} needs at least ${Math.ceil(bytesNeeded)} bytes of data, the file has ${bytesPresent}`,
  );
}
