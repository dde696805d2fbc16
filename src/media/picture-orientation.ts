import { exifOrientation } from './exif-orientation.js';

/** How a picture is to be turned, and which of its metadata says so. */
export interface PictureOrientation {
  /** 1 to 8 as EXIF counts them; 1 is "as stored". */
  readonly orientation: number;
  readonly orientationFrom?: 'EXIF' | 'XMP';
}

/** As an attribute or as an element, the two forms that XMP allows. */
const XMP_ORIENTATION = /tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\s*["'<]/;

/**
 * The orientation of a picture: EXIF's, and XMP's only where EXIF has none.
 *
 * @param exif the first EXIF block, with or without JPEG's prefix; further blocks count nowhere.
 * @param xmp the XMP packet.
 */
export function pictureOrientation(
  exif: Uint8Array | undefined,
  xmp: Uint8Array | undefined,
): PictureOrientation {
  const fromExif = exif && exifOrientation(exif);
  if (fromExif !== undefined) return { orientation: fromExif, orientationFrom: 'EXIF' };
  const found =
    xmp && XMP_ORIENTATION.exec(Buffer.from(xmp.buffer, xmp.byteOffset, xmp.byteLength).toString('utf8'));
  return found ? { orientation: Number(found[1]), orientationFrom: 'XMP' } : { orientation: 1 };
}
