/** Tag of the orientation in a TIFF directory, which is what EXIF is. */
const ORIENTATION_TAG = 0x0112;
const TYPE_SHORT = 3;
const TIFF_HEADER_BYTES = 8;
const ENTRY_BYTES = 12;

/**
 * The orientation of an EXIF block, from its first directory alone.
 *
 * Everything else in the block, such as the place where a picture was taken, stays unread.
 *
 * @param tiff the block from its byte-order mark (`II` or `MM`), without the `Exif\0\0` that JPEG puts in front.
 * @returns 1 to 8; 1, "as stored", where the block names none or is malformed, since pixels do not depend on it.
 */
export function exifOrientation(tiff: Uint8Array): number {
  if (tiff.length < TIFF_HEADER_BYTES + 2) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) return 1;
    if (view.getUint16(at, little) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(at + 2, little) === TYPE_SHORT ? view.getUint16(at + 8, little) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
