import { LgiError } from '../../codec/errors.js';
import { loadNodeAv } from './node-av.js';

/** What FFmpeg's encoder of one still picture needs. */
export interface StillEncoding {
  readonly codec: 'png' | 'mjpeg' | 'libwebp';
  /** FFmpeg's name of the pixel format of `bytes`. */
  readonly pixelFormat:
    'gray' | 'ya8' | 'rgb24' | 'rgba' | 'gray16be' | 'ya16be' | 'rgb48be' | 'rgba64be' | 'yuvj444p' | 'bgra';
  readonly width: number;
  readonly height: number;
  /** Tight rows, plane after plane. */
  readonly bytes: Buffer;
  readonly options: Readonly<Record<string, string | number>>;
}

/**
 * Encodes one still picture with FFmpeg.
 *
 * @throws LgiError `unavailable` where node-av or the encoder is missing, `media` when the encoder refuses.
 */
export async function encodeStill(encoding: StillEncoding): Promise<Uint8Array> {
  const { lib, constants } = await loadNodeAv();
  const { width, height, pixelFormat } = encoding;
  const codec = lib.Codec.findEncoderByName(
    encoding.codec as Parameters<typeof lib.Codec.findEncoderByName>[0],
  );
  if (!codec) {
    throw new LgiError(
      'unavailable',
      `this build of FFmpeg has no ${encoding.codec} encoder; write the picture as .png`,
    );
  }
  const check = (code: number) => {
    if (code >= 0) return;
    const reason = lib.FFmpegError.strerror(code);
    throw new LgiError(
      'media',
      `FFmpeg cannot encode a picture of ${width}x${height} (${reason}); choose another format`,
    );
  };
  const format = lib.avGetPixFmtFromName(pixelFormat);
  const context = new lib.CodecContext();
  const packet = new lib.Packet();
  // The frame takes a copy, so `bytes` may be reused at once.
  const frame = lib.Frame.fromVideoBuffer(encoding.bytes, { width, height, format });
  try {
    packet.alloc();
    context.allocContext3(codec);
    context.width = width;
    context.height = height;
    context.pixelFormat = format;
    context.timeBase = new lib.Rational(1, 1);
    // One thread and exact arithmetic: the same samples give the same bytes on every machine.
    context.threadCount = 1;
    context.setFlags(constants.AV_CODEC_FLAG_BITEXACT);
    // Options go by setOption: a Dictionary given to open2 is freed twice by node-av 6.1.
    for (const [key, value] of Object.entries(encoding.options)) context.setOption(key, value);
    check(await context.open2(codec));
    check(await context.sendFrame(frame));
    check(await context.sendFrame(null));
    check(await context.receivePacket(packet));
    return new Uint8Array(packet.data ?? Buffer.alloc(0));
  } finally {
    frame.free();
    packet.free();
    context.freeContext();
  }
}
