import * as constants from 'node-av/constants';
import * as lib from 'node-av/lib';
import { FileSink } from '../../src/io/file-sink-node.js';
import { FfmpegOutput } from '../../src/media/ffmpeg-output.js';

/** A clip of flat frames, as FFmpeg's encoders are told, for what `writeVideo` does not write. */
export interface FlatClip {
  /** Y, Cb, Cr of each frame. */
  readonly frames: readonly (readonly [number, number, number])[];
  readonly width: number;
  readonly height: number;
  /** Times of the frames in milliseconds; default 40 apart. */
  readonly milliseconds?: readonly number[];
  /** Code point of H.273; default 2, unspecified. */
  readonly matrix?: number;
  /** Degrees clockwise that players turn it by. */
  readonly turn?: 90 | 180 | 270;
  readonly container?: string;
  /** Opacity of each frame, 0 to 255: VP9 in WebM in place of H.264. */
  readonly alpha?: readonly number[];
  /** Where the left half's luma is other than the right's: added to it. */
  readonly leftLuma?: number;
}

/** 3x3 matrices in 16.16, with the last column in 2.30. */
const TURNS = { 90: [0, 1, -1, 0], 180: [-1, 0, 0, -1], 270: [0, -1, 1, 0] } as const;

function displayMatrix(turn: 90 | 180 | 270): Buffer {
  const matrix = Buffer.alloc(36);
  const [a, b, c, d] = TURNS[turn];
  [a, b, 0, c, d, 0, 0, 0].forEach((entry, i) => matrix.writeInt32LE(entry * 65_536, 4 * i));
  matrix.writeInt32LE(2 ** 30, 32);
  return matrix;
}

/** Writes a clip as H.264, or with alpha as VP9. */
export async function writeFlatClip(path: string, clip: FlatClip): Promise<void> {
  const { frames, width, height, matrix = 2, alpha } = clip;
  const { container = alpha ? 'webm' : 'mp4' } = clip;
  const pixelFormat = alpha ? constants.AV_PIX_FMT_YUVA420P : constants.AV_PIX_FMT_YUV420P;
  const place = await FileSink.open(path);
  const file = FfmpegOutput.open({ lib, constants }, container, place);
  const stream = await file.addStream(alpha ? 'libvpx-vp9' : 'libx264', 'test clip', (encoder) => {
    encoder.width = width;
    encoder.height = height;
    encoder.pixelFormat = pixelFormat;
    encoder.timeBase = new lib.Rational(1, 1000);
    encoder.framerate = new lib.Rational(25, 1);
    encoder.colorSpace = matrix as typeof encoder.colorSpace;
    encoder.setOption('crf', '1');
  });
  if (clip.turn) {
    stream.stream.codecpar.addCodedSideData(constants.AV_PKT_DATA_DISPLAYMATRIX, displayMatrix(clip.turn));
  }
  await file.begin();
  const frame = new lib.Frame();
  for (const [i, [y, cb, cr]] of frames.entries()) {
    frame.alloc();
    frame.format = pixelFormat;
    frame.width = width;
    frame.height = height;
    frame.getBuffer();
    const [luma, blue, red, opacity] = frame.data ?? [];
    if (alpha) opacity.fill(alpha[i]);
    for (let row = 0; row < height; row++) {
      const at = row * frame.linesize[0];
      luma.fill(y + (clip.leftLuma ?? 0), at, at + width / 2);
      luma.fill(y, at + width / 2, at + width);
    }
    blue.fill(cb);
    red.fill(cr);
    frame.pts = BigInt(clip.milliseconds?.[i] ?? 40 * i);
    frame.duration = 40n;
    await file.encode(stream, frame);
    frame.unref();
  }
  frame.free();
  await file.finish();
  file.dispose();
  await place.close();
}
