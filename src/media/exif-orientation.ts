/** Tag of the orientation in a TIFF directory, which is what EXIF is. */
const ORIENTATION_TAG = 0x0112;
const TIFF_HEADER_BYTES = 8;
const ENTRY_BYTES = 12;

/** JPEG puts this before the block; writers of other containers copy it, sometimes twice. */
const JPEG_PREFIX = 'Exif\0';
/** The prefix ends in a second zero, or in a fill byte. */
const JPEG_PREFIX_BYTES = 6;

/** Bytes of TIFF's integer types: BYTE, SHORT, LONG, SBYTE, SSHORT, SLONG. The standard asks for SHORT; writers use others. */
const INTEGER_BYTES: Readonly<Record<number, 1 | 2 | 4 | undefined>> = { 1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4 };

function withoutPrefix(block: Uint8Array): Uint8Array {
  let rest = block;
  while (Buffer.from(rest.subarray(0, JPEG_PREFIX.length)).toString('latin1') === JPEG_PREFIX) {
    rest = rest.subarray(JPEG_PREFIX_BYTES);
  }
  return rest;
}

/** The first value of an entry; undefined where it is no integer or lies outside the block. */
function firstValue(view: DataView, at: number, little: boolean): number | undefined {
  const bytes = INTEGER_BYTES[view.getUint16(at + 2, little)];
  const count = view.getUint32(at + 4, little);
  if (bytes === undefined || count === 0) return undefined;
  const place = bytes * count <= 4 ? at + 8 : view.getUint32(at + 8, little);
  if (place + bytes > view.byteLength) return undefined;
  if (bytes === 1) return view.getUint8(place);
  return bytes === 2 ? view.getUint16(place, little) : view.getUint32(place, little);
}

/**
 * The orientation of an EXIF block, from its first directory alone.
 *
 * Everything else in the block, such as the place where a picture was taken, stays unread.
 *
 * @param block the block, with or without the `Exif\0\0` that JPEG puts before its byte-order mark (`II` or `MM`).
 * @returns 1 to 8; 1, "as stored", where the value is none of these; undefined where the block has no orientation or is malformed.
 */
export function exifOrientation(block: Uint8Array): number | undefined {
  const tiff = withoutPrefix(block);
  if (tiff.length < TIFF_HEADER_BYTES + 2) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return undefined;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return undefined;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) return undefined;
    if (view.getUint16(at, little) !== ORIENTATION_TAG) continue;
    const value = firstValue(view, at, little);
    return value !== undefined && value >= 1 && value <= 8 ? value : 1;
  }
  return undefined;
}
