import type { CodecContext, FormatContext, Frame, IOContext, Packet, Stream } from 'node-av/lib';
import { LgiError } from '../../codec/errors.js';
import type { Sink } from '../io/sink.js';
import type { NodeAv } from './node-av.js';

/** What FFmpeg gathers before it writes. */
const BUFFER_BYTES = 2 ** 16;

/** One stream of a file that is written. */
export interface OutputStream {
  readonly encoder: CodecContext;
  readonly stream: Stream;
}

/** A sound or video file that FFmpeg writes into a sink, which stays the caller's. */
export class FfmpegOutput {
  /** Length of what was written. */
  byteLength = 0;
  private position = 0;
  private failure: unknown;
  private readonly packet: Packet;
  private readonly outputs: OutputStream[] = [];

  private constructor(
    readonly av: NodeAv,
    private readonly context: FormatContext,
    private readonly io: IOContext,
    private readonly sink: Sink,
  ) {
    this.packet = new av.lib.Packet();
    this.packet.alloc();
  }

  /** @param container FFmpeg's name of the file format. */
  static open(av: NodeAv, container: string, sink: Sink): FfmpegOutput {
    const { lib, constants } = av;
    const context = new lib.FormatContext();
    const code = context.allocOutputContext2(null, container, null);
    if (code < 0) throw new LgiError('unavailable', `this build of FFmpeg writes no ${container}`);
    const io = new lib.IOContext();
    const output = new FfmpegOutput(av, context, io, sink);
    io.allocContextWithCallbacks(
      BUFFER_BYTES,
      1,
      null,
      (bytes) => output.write(bytes),
      (offset, whence) => output.seek(offset, whence),
    );
    context.pb = io;
    // The same samples give the same bytes: no dates, no versions.
    context.setFlags(constants.AVFMT_FLAG_BITEXACT);
    return output;
  }

  /**
   * Adds a stream.
   *
   * @param configure sets what the encoder is to know, before it opens.
   * @throws LgiError `unavailable` where the build has no such encoder, `media` where it refuses what was set.
   */
  async addStream(
    codecName: string,
    what: string,
    configure: (encoder: CodecContext) => void,
  ): Promise<OutputStream> {
    const { lib, constants } = this.av;
    const codec = lib.Codec.findEncoderByName(codecName as Parameters<typeof lib.Codec.findEncoderByName>[0]);
    if (!codec) throw new LgiError('unavailable', `this build of FFmpeg has no ${codecName} encoder`);
    const encoder = new lib.CodecContext();
    encoder.allocContext3(codec);
    // Without durations the last frame of an MP4 has none, and is not shown.
    encoder.setFlags(constants.AV_CODEC_FLAG_BITEXACT, constants.AV_CODEC_FLAG_FRAME_DURATION);
    // Some containers keep the codec's header apart from the frames.
    if (this.context.oformat?.hasFlags(constants.AVFMT_GLOBALHEADER) === true) {
      encoder.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER);
    }
    configure(encoder);
    const code = await encoder.open2(codec);
    if (code < 0) {
      encoder.freeContext();
      throw new LgiError(
        'media',
        `FFmpeg's ${codecName} encoder takes no ${what} (${lib.FFmpegError.strerror(code)}); choose another format` +
          (codec.type === constants.AVMEDIA_TYPE_AUDIO ? ', or a rate of 48000 Hz' : ''),
      );
    }
    const stream = this.context.newStream(null);
    stream.timeBase = encoder.timeBase;
    this.check(stream.codecpar.fromContext(encoder), 'describe the stream');
    const output = { encoder, stream };
    this.outputs.push(output);
    return output;
  }

  /** Writes the file's header; before it all streams are added. */
  async begin(): Promise<void> {
    this.check(await this.context.writeHeader(), 'write the header');
  }

  /** Encodes a frame of a stream, or what is left of it for null. */
  async encode({ encoder, stream }: OutputStream, frame: Frame | null): Promise<void> {
    const { constants } = this.av;
    this.check(await encoder.sendFrame(frame), 'encode a frame');
    for (;;) {
      const code = await encoder.receivePacket(this.packet);
      if (code === constants.AVERROR_EAGAIN || code === constants.AVERROR_EOF) return;
      this.check(code, 'encode a frame');
      this.packet.streamIndex = stream.index;
      this.packet.rescaleTs(encoder.timeBase, stream.timeBase);
      this.check(await this.context.interleavedWriteFrame(this.packet), 'write a packet');
    }
  }

  /** Ends all streams and the file; what was written lies in the sink then. */
  async finish(): Promise<void> {
    for (const output of this.outputs) await this.encode(output, null);
    this.check(await this.context.writeTrailer(), 'end the file');
    await this.io.flush();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Frees FFmpeg's memory. */
  dispose(): void {
    this.packet.free();
    for (const { encoder } of this.outputs) encoder.freeContext();
    this.context.pb = null;
    this.context.freeContext();
    this.io.freeContext();
  }

  private async write(bytes: Buffer): Promise<number> {
    try {
      // FFmpeg's own buffer, which it goes on with.
      await this.sink.write(this.position, Uint8Array.from(bytes));
    } catch (error) {
      this.failure ??= error;
      return this.av.constants.AVERROR_EIO;
    }
    this.position += bytes.length;
    this.byteLength = Math.max(this.byteLength, this.position);
    return bytes.length;
  }

  private seek(offset: bigint, whence: number): bigint {
    const { constants } = this.av;
    if (whence === constants.AVSEEK_SIZE) return BigInt(this.byteLength);
    const from =
      whence === constants.AVSEEK_CUR ? this.position : whence === constants.AVSEEK_END ? this.byteLength : 0;
    this.position = from + Number(offset);
    return BigInt(this.position);
  }

  /** The sink's own error says more than FFmpeg's. */
  private check(code: number, action: string): void {
    if (this.failure !== undefined) throw this.failure;
    if (code >= 0) return;
    throw new LgiError(
      'media',
      `FFmpeg cannot ${action}: ${this.av.lib.FFmpegError.strerror(code)}; choose another format`,
    );
  }
}
