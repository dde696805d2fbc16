import { mediaFault } from '../image-limits.js';
import type { FileStart, MediaFormat } from './media-format.js';

/** What is read, for who gave something else. */
export const READ_MEDIA =
  'pictures (PNG, JPEG, WebP, GIF), sound and video that FFmpeg knows, volumes (NIfTI, .npy, .npz) and meshes (OBJ, STL, PLY, OFF) are read';

/** The error for a file that is not what was looked for: it says what the file is, and what to do. */
export function refusal(name: string, start: FileStart, format: MediaFormat | undefined): Error {
  if (start.byteLength === 0)
    return mediaFault(name, 'the file is empty, 0 bytes', 'fetch or export it again');
  if (format !== undefined) {
    return mediaFault(
      name,
      `this is ${format.name}`,
      format.nextStep ?? 'give a file of the kind that is asked for',
    );
  }
  const isText = start.plain !== '';
  const isZero = start.bytes.every((byte) => byte === 0);
  const fact = isZero
    ? `its first ${start.bytes.length} bytes are all zero`
    : `this is ${isText ? 'text' : 'a file'} in no known format`;
  return mediaFault(name, `${fact}; ${READ_MEDIA}`, isZero ? 'fetch it again' : 'convert it to one of them');
}
