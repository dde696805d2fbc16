import type { Frame, Stream } from 'node-av/lib';
import type { Colour } from '../colour.js';
import type { FfmpegInput } from './ffmpeg-input.js';
import { mediaFault } from './image-limits.js';
import type { FrameInput } from './scaling-graph.js';

/** The form that all frames of a clip have, and what becomes of it. */
export interface FrameForm extends FrameInput {
  /** Pixel format of the samples. */
  readonly target: 'gray' | 'ya8' | 'rgb24' | 'rgba' | 'gray16le' | 'ya16le' | 'rgb48le' | 'rgba64le';
  readonly channels: 1 | 2 | 3 | 4;
  /** More than 8 bits. */
  readonly isDeep: boolean;
  /** 1 to 8, as EXIF counts them. */
  readonly orientation: number;
  /** What a display matrix asks for that is not a quarter turn. */
  readonly turnNotice?: string;
}

/** Lines from which on a stream that names no matrix is taken for BT.709, as players do. */
const HD_LINES = 720;

/** Code points of ITU-T H.273. */
const RGB = 0;
const BT709 = 1;
const UNSPECIFIED = 2;
const BT601 = 6;
const BT2020 = 9;

/** Matrices that FFmpeg's scaler knows; to any other, colours would come out wrong without a word. */
const KNOWN_MATRICES: ReadonlySet<number> = new Set([RGB, BT709, 4, 5, BT601, 7, BT2020]);

/** Primaries that go with a matrix where the stream names none. */
const PRIMARIES_OF: Readonly<Record<number, number>> = { [BT709]: 1, 5: 5, [BT601]: 6, [BT2020]: 9 };

/**
 * Reads the form off a stream and its first frame.
 *
 * @throws LgiError `media` for a colour matrix that cannot be converted.
 */
export function formOf({ av, name }: FfmpegInput, stream: Stream, frame: Frame): FrameForm {
  const { constants, lib } = av;
  const pixelFormat = lib.avGetPixFmtName(frame.format as Parameters<typeof lib.avGetPixFmtName>[0]) ?? '';
  const isRgb = /^(0?rgb|0?bgr|gbr|x2rgb|x2bgr|argb|abgr|pal8)/.test(pixelFormat);
  const isGrey = /^(gray|ya|mono)/.test(pixelFormat);
  const hasAlpha = /^(yuva|gbrap|rgba|bgra|argb|abgr|ya|pal8|ayuv)/.test(pixelFormat);
  const isDeep = /(9|10|12|14|16|32|48|64)(msb)?(le|be)$|^(p0|p2|p4|x2|xv|y2)/.test(pixelFormat);
  const tagged: number = frame.colorSpace;
  const assumed = frame.height >= HD_LINES ? BT709 : BT601;
  // Grey has no chroma for a matrix to be wrong about.
  const matrix = isRgb ? RGB : isGrey || tagged === UNSPECIFIED || tagged === RGB ? assumed : tagged;
  if (!KNOWN_MATRICES.has(matrix)) {
    throw mediaFault(
      name,
      `its colours have the matrix ${matrix} of H.273, which cannot be converted`,
      'convert it to BT.709 or BT.2020 first',
    );
  }
  const channels = ((isGrey ? 1 : 3) + (hasAlpha ? 1 : 0)) as FrameForm['channels'];
  const targets = isDeep
    ? (['gray16le', 'ya16le', 'rgb48le', 'rgba64le'] as const)
    : (['gray', 'ya8', 'rgb24', 'rgba'] as const);
  return {
    width: frame.width,
    height: frame.height,
    format: frame.format,
    matrix,
    isFullRange: isRgb || frame.colorRange === constants.AVCOL_RANGE_JPEG || pixelFormat.startsWith('yuvj'),
    target: targets[channels - 1],
    channels,
    isDeep,
    ...turnOf(stream.codecpar.getCodedSideData(constants.AV_PKT_DATA_DISPLAYMATRIX)),
  };
}

/** What the samples mean once they are full-range RGB. */
export function colourOf(frame: Frame, { matrix }: FrameForm): Colour {
  const primaries: number = frame.colorPrimaries;
  const transfer: number = frame.colorTrc;
  return {
    primaries: primaries === UNSPECIFIED ? (PRIMARIES_OF[matrix] ?? 1) : primaries,
    // The curve of BT.709 is that of BT.601 too.
    transfer: transfer === UNSPECIFIED ? 1 : transfer,
    matrix: RGB,
    fullRange: true,
  };
}

/** How far from a quarter turn a matrix may be by rounding: a hundredth of a pixel in a thousand. */
const TURN_TOLERANCE = 1e-5;

/**
 * The orientation that a display matrix asks for: nine 32-bit integers, of which the first two columns of the first two rows turn,
 * in 1/65536.
 */
function turnOf(matrix: Buffer | null): Pick<FrameForm, 'orientation' | 'turnNotice'> {
  if (matrix === null || matrix.length < 36) return { orientation: 1 };
  const entry = (i: number): number => matrix.readInt32LE(4 * i) / 65_536;
  // Stored (x, y) is shown at (a x + c y, b x + d y).
  const [a, b, c, d] = [entry(0), entry(1), entry(3), entry(4)];
  const near = (value: number, wanted: number): boolean => Math.abs(value - wanted) <= TURN_TOLERANCE;
  const turns: readonly (readonly number[])[] = [
    [1, 0, 0, 1],
    [-1, 0, 0, 1],
    [-1, 0, 0, -1],
    [1, 0, 0, -1],
    [0, 1, 1, 0],
    [0, 1, -1, 0],
    [0, -1, -1, 0],
    [0, -1, 1, 0],
  ];
  const scale = Math.sqrt(Math.abs(a * d - b * c));
  const found = turns.findIndex((turn) => [a, b, c, d].every((value, i) => near(value / scale, turn[i])));
  if (found >= 0) return { orientation: found + 1 };
  return {
    orientation: 1,
    turnNotice: 'its display matrix asks for more than quarter turns, which is left out',
  };
}
