import { extname } from 'node:path';
import type { Frame } from 'node-av/lib';
import { LgiError, OptionError } from '../../codec/errors.js';
import type { ChannelLayout, SampleArray, SampleType } from '../../codec/signal.js';
import type { Colour } from '../colour.js';
import { FileSink } from '../io/file-sink-node.js';
import type { Rate } from '../rate.js';
import { FfmpegOutput, type OutputStream } from './ffmpeg-output.js';
import { loadNodeAv, type NodeAv } from './node-av.js';
import { ScalingGraph } from './scaling-graph.js';
import {
  configureSound,
  SoundFrames,
  wholeRateHz,
  type SampleStorage,
  type SoundSamples,
} from './write-audio.js';

/** A clip to be written. */
export interface VideoFrames {
  /** One after the other, each row-major `[y, x, channels]`. */
  readonly frames: AsyncIterable<SampleArray>;
  readonly width: number;
  readonly height: number;
  /** `grey` or `rgb`. */
  readonly layout: ChannelLayout;
  /** `uint8`, or `uint16`, of which 10 bits are kept. */
  readonly sampleType: SampleType;
  readonly rate: Rate;
  /** Time of the first frame, in seconds; default 0. */
  readonly startSeconds?: number;
  readonly colour?: Colour;
  readonly sound?: SoundSamples & {
    /** Time of the first sample, in seconds; default 0. */
    readonly startSeconds?: number;
  };
}

/** What a clip's container and codecs are. */
interface VideoEncoding {
  readonly container: string;
  readonly videoCodec: string;
  readonly options: Readonly<Record<string, string>>;
  readonly soundCodec: string;
  readonly soundStorage: SampleStorage;
}

/** Visually lossless for most: half the noise of x264's default. */
const H264_OPTIONS = { crf: '16', preset: 'medium' };

const H264 = {
  videoCodec: 'libx264',
  options: H264_OPTIONS,
  soundCodec: 'aac',
  soundStorage: 'fltp',
} as const;

const ENCODINGS: Readonly<Record<string, VideoEncoding>> = {
  '.mp4': { container: 'mp4', ...H264 },
  '.m4v': { container: 'mp4', ...H264 },
  '.mov': { container: 'mov', ...H264 },
  '.mkv': { container: 'matroska', ...H264 },
  '.webm': {
    container: 'webm',
    videoCodec: 'libvpx-vp9',
    // Constant quality needs a bit rate of zero; row threads and the second fastest effort keep it near real time.
    options: { crf: '24', b: '0', 'row-mt': '1', deadline: 'good', 'cpu-used': '4' },
    soundCodec: 'libopus',
    soundStorage: 'flt',
  },
};

/** Matrices of ITU-T H.273 that clips are written in. */
const BT709 = 1;
const BT2020 = 9;
const UNSPECIFIED = 2;

/** Whether clips are written to a path of this name. */
export function isVideoName(path: string): boolean {
  return Object.hasOwn(ENCODINGS, extname(path).toLowerCase());
}

/** What writing a clip came to. */
export interface WrittenVideo {
  readonly bytes: number;
  readonly frames: number;
}

/**
 * Writes a clip, with its sound where there is one, with FFmpeg, whole or not at all: H.264 and AAC to .mp4, .m4v, .mov and .mkv, VP9
 * and Opus to .webm, in limited-range BT.709, or BT.2020 for its primaries. Sizes that are odd keep every chroma sample, since halves
 * of an odd number are none.
 *
 * @throws OptionError `output` for another extension, `rate` for sound of no whole rate; LgiError `media` for transparency, frames of
 * another size and what the encoder refuses, `io` when the place cannot be written, `unavailable` without node-av.
 */
export async function writeVideo(
  path: string,
  video: VideoFrames,
  signal?: AbortSignal,
): Promise<WrittenVideo> {
  signal?.throwIfAborted();
  const encoding = isVideoName(path) ? ENCODINGS[extname(path).toLowerCase()] : undefined;
  if (encoding === undefined) {
    throw new OptionError(
      'output',
      `${path} is no place for a video; end it in ${Object.keys(ENCODINGS).join(', ')}`,
    );
  }
  if (video.layout !== 'grey' && video.layout !== 'rgb') {
    throw new LgiError(
      'media',
      `video files have no layout ${video.layout}; put a background behind it first`,
    );
  }
  if (video.sampleType === 'float32') {
    throw new LgiError('media', 'video files have no floats; write the frames as uint8 or uint16');
  }
  const av = await loadNodeAv();
  const sink = await FileSink.open(path);
  try {
    const output = FfmpegOutput.open(av, encoding.container, sink);
    let frames: number;
    try {
      frames = await writeStreams(output, video, encoding, signal);
      await output.finish();
    } finally {
      output.dispose();
    }
    signal?.throwIfAborted();
    await sink.close();
    return { bytes: output.byteLength, frames };
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function writeStreams(
  output: FfmpegOutput,
  video: VideoFrames,
  encoding: VideoEncoding,
  signal?: AbortSignal,
): Promise<number> {
  const { av } = output;
  const { width, height, rate, sound } = video;
  const start = Math.min(video.startSeconds ?? 0, sound?.startSeconds ?? Infinity);
  const target = pixelFormatOf(video);
  const stream = await output.addStream(encoding.videoCodec, `${width}x${height} ${target}`, (encoder) => {
    encoder.width = width;
    encoder.height = height;
    encoder.pixelFormat = av.lib.avGetPixFmtFromName(target);
    encoder.timeBase = new av.lib.Rational(rate.denominator, rate.numerator);
    encoder.framerate = new av.lib.Rational(rate.numerator, rate.denominator);
    const { primaries, transfer, matrix } = tagsOf(video.colour);
    encoder.colorPrimaries = primaries as typeof encoder.colorPrimaries;
    encoder.colorTrc = transfer as typeof encoder.colorTrc;
    encoder.colorSpace = matrix as typeof encoder.colorSpace;
    encoder.colorRange = av.constants.AVCOL_RANGE_MPEG;
    for (const [name, value] of Object.entries(encoding.options)) encoder.setOption(name, value);
  });
  const track =
    sound === undefined
      ? undefined
      : await SoundTrack.add(output, sound, encoding, (sound.startSeconds ?? 0) - start);
  await output.begin();
  const offset = Math.round((((video.startSeconds ?? 0) - start) * rate.numerator) / rate.denominator);
  const packer = await FramePacker.make(av, video, target);
  let count = 0;
  try {
    for await (const samples of video.frames) {
      signal?.throwIfAborted();
      const frame = await packer.pack(samples);
      frame.pts = BigInt(offset + count++);
      frame.duration = 1n;
      await output.encode(stream, frame);
      await track?.writeUntil((count * rate.denominator) / rate.numerator, signal);
    }
    await track?.writeUntil(Infinity, signal);
  } finally {
    packer.dispose();
    track?.dispose();
  }
  return count;
}

function pixelFormatOf({ width, height, sampleType }: VideoFrames): string {
  const chroma = width % 2 === 0 && height % 2 === 0 ? 'yuv420p' : 'yuv444p';
  return sampleType === 'uint16' ? `${chroma}10le` : chroma;
}

function tagsOf(colour: Colour | undefined): { primaries: number; transfer: number; matrix: number } {
  const primaries = colour === undefined || colour.primaries === UNSPECIFIED ? BT709 : colour.primaries;
  const transfer = colour === undefined || colour.transfer === UNSPECIFIED ? BT709 : colour.transfer;
  return { primaries, transfer, matrix: primaries === BT2020 ? BT2020 : BT709 };
}

/** Makes the encoder's frames of samples. */
class FramePacker {
  private constructor(
    private readonly packed: Frame,
    private readonly graph: ScalingGraph,
    private readonly video: VideoFrames,
  ) {}

  static async make(av: NodeAv, video: VideoFrames, target: string): Promise<FramePacker> {
    const { width, height, layout, sampleType, colour } = video;
    const isGrey = layout === 'grey';
    const name = sampleType === 'uint16' ? (isGrey ? 'gray16le' : 'rgb48le') : isGrey ? 'gray' : 'rgb24';
    const format = av.lib.avGetPixFmtFromName(name);
    const matrix = tagsOf(colour).matrix;
    const graph = await ScalingGraph.make(
      av,
      'the clip',
      // Grey has no matrix; the scaler asks for one that is not RGB.
      { width, height, format, matrix: isGrey ? matrix : 0, isFullRange: true },
      `out_color_matrix=${matrix === BT2020 ? 'bt2020' : 'bt709'}:out_range=tv`,
      target,
    );
    const packed = new av.lib.Frame();
    packed.alloc();
    packed.format = format;
    packed.width = width;
    packed.height = height;
    packed.getBuffer();
    return new FramePacker(packed, graph, video);
  }

  /** @returns a frame valid until the next call. */
  async pack(samples: SampleArray): Promise<Frame> {
    const { width, height, layout } = this.video;
    const values = width * (layout === 'grey' ? 1 : 3);
    if (samples.length !== values * height) {
      throw new LgiError(
        'media',
        `a frame has ${samples.length} values, ${width}x${height} ${layout} needs ${values * height}`,
      );
    }
    this.packed.makeWritable();
    const [plane] = this.packed.data ?? [];
    const stride = this.packed.linesize[0];
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    const rowBytes = samples.byteLength / height;
    for (let y = 0; y < height; y++) plane.set(bytes.subarray(y * rowBytes, (y + 1) * rowBytes), y * stride);
    return this.graph.convert(this.packed);
  }

  dispose(): void {
    this.graph.dispose();
    this.packed.free();
  }
}

/** The sound of a clip, written as far as its pictures are. */
class SoundTrack {
  private readonly blocks: AsyncIterator<Float32Array> | Iterator<Float32Array>;
  private isAtEnd = false;

  private constructor(
    private readonly output: FfmpegOutput,
    private readonly stream: OutputStream,
    private readonly frames: SoundFrames,
    private readonly rateHz: number,
    samples: SoundSamples['samples'],
  ) {
    this.blocks =
      samples instanceof Float32Array
        ? blocksOf(samples, frames.blockValues)
        : samples[Symbol.asyncIterator]();
  }

  static async add(
    output: FfmpegOutput,
    sound: SoundSamples,
    { soundCodec, soundStorage }: VideoEncoding,
    startSeconds: number,
  ): Promise<SoundTrack> {
    const { channels, samples } = sound;
    const rateHz = wholeRateHz(sound.rate);
    const stream = await output.addStream(soundCodec, `${channels} channels at ${rateHz} Hz`, (encoder) => {
      configureSound(output.av, encoder, soundStorage, rateHz, channels);
    });
    const start = Math.round(startSeconds * rateHz);
    return new SoundTrack(
      output,
      stream,
      new SoundFrames(output.av, stream.encoder, soundStorage, channels, start),
      rateHz,
      samples,
    );
  }

  async writeUntil(seconds: number, signal?: AbortSignal): Promise<void> {
    while (!this.isAtEnd && this.frames.position < seconds * this.rateHz) {
      signal?.throwIfAborted();
      const { value, done } = await this.blocks.next();
      this.isAtEnd = done === true;
      const frames = done === true ? this.frames.rest() : this.frames.of(value);
      for (const frame of frames) await this.output.encode(this.stream, frame);
    }
  }

  dispose(): void {
    this.frames.dispose();
  }
}

function* blocksOf(samples: Float32Array, blockValues: number): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += blockValues) yield samples.subarray(at, at + blockValues);
}
