import { allocateSamples, type SampleArray } from '../../codec/signal.js';
import { mediaFault } from './image-limits.js';
import type { PictureSamples } from './orient.js';
import { ycbcrToRgb, type Plane } from './ycbcr.js';

/** A decoded frame as FFmpeg holds it: planes of rows, each row padded to its stride. */
export interface RawFrame {
  /** FFmpeg's name of the pixel format, such as `rgb48be`. */
  readonly pixelFormat: string;
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Plane[];
}

/** Formats of one plane: for each channel of ours, in order, the position in FFmpeg's pixel. */
const PACKED: Readonly<
  Record<string, { order: readonly number[]; stride: number; endian?: 'le' | 'be' } | undefined>
> = {
  gray: { order: [0], stride: 1 },
  pal8: { order: [0], stride: 1 },
  ya8: { order: [0, 1], stride: 2 },
  rgb24: { order: [0, 1, 2], stride: 3 },
  bgr24: { order: [2, 1, 0], stride: 3 },
  rgba: { order: [0, 1, 2, 3], stride: 4 },
  bgra: { order: [2, 1, 0, 3], stride: 4 },
  argb: { order: [1, 2, 3, 0], stride: 4 },
  abgr: { order: [3, 2, 1, 0], stride: 4 },
  bgr0: { order: [2, 1, 0], stride: 4 },
  gray16le: { order: [0], stride: 1, endian: 'le' },
  gray16be: { order: [0], stride: 1, endian: 'be' },
  ya16le: { order: [0, 1], stride: 2, endian: 'le' },
  ya16be: { order: [0, 1], stride: 2, endian: 'be' },
  rgb48le: { order: [0, 1, 2], stride: 3, endian: 'le' },
  rgb48be: { order: [0, 1, 2], stride: 3, endian: 'be' },
  rgba64le: { order: [0, 1, 2, 3], stride: 4, endian: 'le' },
  rgba64be: { order: [0, 1, 2, 3], stride: 4, endian: 'be' },
};

/** Formats of luma and chroma planes: chroma shifts, and alpha as a fourth plane. `yuvj` is FFmpeg's full range. */
const YCBCR: Readonly<
  Record<string, { shiftX: number; shiftY: number; full: boolean; alpha?: boolean } | undefined>
> = {
  yuvj444p: { shiftX: 0, shiftY: 0, full: true },
  yuvj422p: { shiftX: 1, shiftY: 0, full: true },
  yuvj440p: { shiftX: 0, shiftY: 1, full: true },
  yuvj420p: { shiftX: 1, shiftY: 1, full: true },
  yuvj411p: { shiftX: 2, shiftY: 0, full: true },
  yuv420p: { shiftX: 1, shiftY: 1, full: false },
  yuva420p: { shiftX: 1, shiftY: 1, full: false, alpha: true },
};

function unpack(frame: RawFrame, order: readonly number[], step: number): Uint8Array {
  const { width, height, planes } = frame;
  const { bytes, stride } = planes[0];
  const channels = order.length;
  const samples = new Uint8Array(width * height * channels);
  const tight = channels === step && order.every((position, c) => position === c);
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * stride;
    if (tight) {
      samples.set(bytes.subarray(row, row + width * channels), to);
      to += width * channels;
      continue;
    }
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) samples[to++] = bytes[row + x * step + order[c]];
    }
  }
  return samples;
}

function unpack16(frame: RawFrame, channels: number, endian: 'le' | 'be'): Uint16Array {
  const { width, height, planes } = frame;
  const { bytes, stride } = planes[0];
  const samples = new Uint16Array(width * height * channels);
  const high = endian === 'be' ? 0 : 1;
  for (let y = 0, to = 0; y < height; y++) {
    for (let at = y * stride, end = at + width * channels * 2; at < end; at += 2) {
      samples[to++] = bytes[at + high] * 256 + bytes[at + 1 - high];
    }
  }
  return samples;
}

/** One bit per pixel, highest first; `monob` has 1 for white. */
function unpackBits(frame: RawFrame): Uint8Array {
  const { width, height, planes } = frame;
  const { bytes, stride } = planes[0];
  const samples = new Uint8Array(width * height);
  const invert = frame.pixelFormat === 'monow' ? 1 : 0;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      samples[to++] = 255 * (((bytes[y * stride + (x >> 3)] >> (7 - (x & 7))) & 1) ^ invert);
    }
  }
  return samples;
}

/** Three planes in the order green, blue, red. */
function unpackPlanarRgb({ width, height, planes }: RawFrame): Uint8Array {
  const samples = new Uint8Array(width * height * 3);
  for (let channel = 0; channel < 3; channel++) {
    const { bytes, stride } = planes[(channel + 2) % 3];
    for (let y = 0, to = channel; y < height; y++) {
      for (let x = 0; x < width; x++, to += 3) samples[to] = bytes[y * stride + x];
    }
  }
  return samples;
}

function unpackYcbcr(
  frame: RawFrame,
  shiftX: number,
  shiftY: number,
  full: boolean,
  alpha: boolean,
): Uint8Array {
  const { width, height, planes } = frame;
  const channels = alpha ? 4 : 3;
  const samples = new Uint8Array(width * height * channels);
  const [y, cb, cr, a] = planes;
  ycbcrToRgb({ width, height, planes: [y, cb, cr], shiftX, shiftY, fullRange: full }, samples, channels);
  if (alpha) {
    for (let row = 0, to = 3; row < height; row++) {
      for (let x = 0; x < width; x++, to += 4) samples[to] = a.bytes[row * a.stride + x];
    }
  }
  return samples;
}

/**
 * Copies a decoded frame into samples, exactly: no scaling, no squeezing of depth.
 *
 * @throws LgiError `media` for a pixel format that has no exact form here.
 */
export function frameSamples(frame: RawFrame, name: string): PictureSamples {
  const { pixelFormat, width, height } = frame;
  const make = (data: SampleArray): PictureSamples => ({
    width,
    height,
    channels: data.length / (width * height),
    sampleType: data instanceof Uint16Array ? 'uint16' : 'uint8',
    data,
  });
  const packed = PACKED[pixelFormat];
  if (packed?.endian) return make(unpack16(frame, packed.order.length, packed.endian));
  if (packed) return make(unpack(frame, packed.order, packed.stride));
  if (pixelFormat === 'monob' || pixelFormat === 'monow') return make(unpackBits(frame));
  if (pixelFormat === 'gbrp') return make(unpackPlanarRgb(frame));
  const ycbcr = YCBCR[pixelFormat];
  if (ycbcr) return make(unpackYcbcr(frame, ycbcr.shiftX, ycbcr.shiftY, ycbcr.full, ycbcr.alpha ?? false));
  throw mediaFault(
    name,
    `its pixels decode as ${pixelFormat}, which cannot be stored without loss`,
    'convert it to an 8- or 16-bit PNG first',
  );
}

/** Keeps the first `channels` of every pixel. */
export function keepChannels(picture: PictureSamples, channels: number): PictureSamples {
  const { width, height, sampleType } = picture;
  const data = allocateSamples(sampleType, width * height * channels);
  for (let i = 0, to = 0; i < picture.data.length; i += picture.channels) {
    for (let c = 0; c < channels; c++) data[to++] = picture.data[i + c];
  }
  return { ...picture, channels, data };
}

/** Replaces palette indices by their colours; an index beyond the palette is opaque black, as in libpng. */
export function applyPalette(
  picture: PictureSamples,
  palette: { readonly entries: Uint8Array; readonly channels: 3 | 4 },
): PictureSamples {
  const { entries, channels } = palette;
  const data = new Uint8Array(picture.data.length * channels);
  const black = Uint8Array.of(0, 0, 0, 255).subarray(0, channels);
  for (let i = 0; i < picture.data.length; i++) {
    const at = picture.data[i] * channels;
    data.set(at < entries.length ? entries.subarray(at, at + channels) : black, i * channels);
  }
  return { ...picture, channels, sampleType: 'uint8', data };
}

/** Adds an alpha channel that is 0 where a pixel has exactly the key's samples, and full elsewhere. */
export function applyColourKey(picture: PictureSamples, key: readonly number[]): PictureSamples {
  const { channels, sampleType } = picture;
  const pixels = picture.width * picture.height;
  const data = allocateSamples(sampleType, pixels * (channels + 1));
  const opaque = sampleType === 'uint8' ? 255 : 65535;
  for (let i = 0; i < pixels; i++) {
    let matches = true;
    for (let c = 0; c < channels; c++) {
      const value = picture.data[i * channels + c];
      data[i * (channels + 1) + c] = value;
      matches &&= value === key[c];
    }
    data[i * (channels + 1) + channels] = matches ? 0 : opaque;
  }
  return { ...picture, channels: channels + 1, data };
}
