import { LgiError } from '../../codec/errors.js';
import { damagedFault } from './image-limits.js';
import type { RawFrame } from './frame-samples.js';
import { loadNodeAv } from './node-av.js';
import type { StillFile } from './still-file.js';

/**
 * Decodes one still picture with FFmpeg and hands its frame to `use`, whose result it returns.
 *
 * The planes are FFmpeg's own memory and are valid only until `use` returns.
 *
 * @throws LgiError `media` when the decoder refuses the picture or yields another than the header promised.
 */
export async function decodeStill<T>(
  still: StillFile,
  name: string,
  use: (frame: RawFrame) => T,
): Promise<T> {
  const { lib, constants } = await loadNodeAv();
  const codec = lib.Codec.findDecoderByName(still.codec as Parameters<typeof lib.Codec.findDecoderByName>[0]);
  if (!codec) {
    throw new LgiError(
      'unavailable',
      `${name}: this build of FFmpeg has no ${still.codec} decoder; run \`npm install node-av\``,
    );
  }
  const context = new lib.CodecContext();
  const packet = new lib.Packet();
  const frame = new lib.Frame();
  try {
    context.allocContext3(codec);
    packet.alloc();
    frame.alloc();
    // Exact arithmetic: the same file gives the same samples on every machine.
    context.setFlags(constants.AV_CODEC_FLAG_BITEXACT);
    // One picture gives nothing to frame threads, and they would delay it by a call.
    context.threadCount = 1;
    // Options go by setOption: a Dictionary given to open2 is freed twice by node-av 6.1.
    context.setOption('err_detect', 'crccheck+bitstream+buffer+explode');
    const check = (code: number) => {
      if (code < 0) throw damagedFault(name, `FFmpeg cannot decode it: ${lib.FFmpegError.strerror(code)}`);
    };
    check(await context.open2(codec));
    packet.data = Buffer.from(still.packet.buffer, still.packet.byteOffset, still.packet.byteLength);
    check(await context.sendPacket(packet));
    check(await context.sendPacket(null));
    check(await context.receiveFrame(frame));
    if (frame.width !== still.width || frame.height !== still.height) {
      throw damagedFault(
        name,
        `the header says ${still.width}x${still.height}, the picture is ${frame.width}x${frame.height}`,
      );
    }
    if (frame.decodeErrorFlags !== 0)
      throw damagedFault(name, 'the decoder met errors and would have to invent samples');
    const { linesize } = frame;
    return use({
      pixelFormat:
        lib.avGetPixFmtName(frame.format as Parameters<typeof lib.avGetPixFmtName>[0]) ?? 'an unknown format',
      width: frame.width,
      height: frame.height,
      planes: (frame.data ?? []).map((bytes, i) => ({ bytes, stride: linesize[i] })),
    });
  } finally {
    frame.free();
    packet.free();
    context.freeContext();
  }
}
