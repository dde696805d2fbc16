import type { Colour } from '../colour.js';

/** Decoders of FFmpeg that read still pictures. */
export type StillCodec = 'png' | 'mjpeg' | 'webp';

/** What a container parser found out, all before a single pixel is decoded. */
export interface StillFile {
  readonly codec: StillCodec;
  /** Stored size, before the orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** The picture for the decoder, reduced to what decoding needs: no metadata, nothing after its end. */
  readonly packet: Uint8Array;
  /** Orientation as EXIF counts, 1 to 8; 1 where the file has none. */
  readonly orientation: number;
  /** Which of the file's metadata gave the orientation. */
  readonly orientationFrom?: 'EXIF' | 'XMP';
  /** What was read past that a stricter reader would refuse, such as bytes between segments. */
  readonly notices?: readonly string[];
  readonly colour?: Colour;
  readonly iccProfile?: Uint8Array;
  /** Palette as RGB or RGBA entries; the decoder then yields indices. */
  readonly palette?: { readonly entries: Uint8Array; readonly channels: 3 | 4 };
  /** Colour key of a PNG without alpha channel, which then gets one. */
  readonly colourKey?: readonly number[];
  /** Whether alpha that the decoder yields was in the file; some decoders always yield four channels. */
  readonly hasAlpha?: boolean;
}
