import { extname } from 'node:path';
import type { CodecContext, Frame } from 'node-av/lib';
import { LgiError, OptionError } from '../../codec/errors.js';
import { FileSink } from '../io/file-sink-node.js';
import type { Sink } from '../io/sink.js';
import type { Rate } from '../rate.js';
import { FfmpegOutput } from './ffmpeg-output.js';
import { loadNodeAv, type NodeAv } from './node-av.js';

/** A sound to be written. */
export interface SoundSamples {
  /** Values in [-1, 1], `[t, channels]`: all of them, or blocks of whole positions one after the other. */
  readonly samples: Float32Array | AsyncIterable<Float32Array>;
  readonly channels: number;
  readonly rate: Rate;
}

/** Containers that sounds are written as, by extension. */
export type AudioFormat = 'wav' | 'flac' | 'aiff' | 'm4a' | 'mp3' | 'ogg' | 'opus';

/** What a sample is written as, where the format has a choice. */
export type BitDepth = 16 | 24 | 'float';

/** How a sound is written. */
export interface WriteAudioOptions {
  /** Default: what the path's extension says; WAV for a sink. */
  readonly format?: AudioFormat;
  /** Of WAV, AIFF and FLAC; default 16. FLAC has no floats. */
  readonly bitDepth?: BitDepth;
  readonly signal?: AbortSignal;
}

/** What writing a sound came to. */
export interface WrittenSound {
  readonly bytes: number;
  /** Values beyond [-1, 1], cut off there; of formats with integers. */
  readonly clipped: number;
}

/** How FFmpeg stores the samples that it is given. */
export type SampleStorage = 's16' | 's32' | 'flt' | 'fltp';

interface AudioEncoding {
  readonly container: string;
  readonly codec: string;
  readonly storage: SampleStorage;
}

const CONTAINERS: Readonly<Record<AudioFormat, string>> = {
  wav: 'wav',
  flac: 'flac',
  aiff: 'aiff',
  m4a: 'ipod',
  mp3: 'mp3',
  ogg: 'ogg',
  opus: 'opus',
};

const EXTENSIONS: Readonly<Record<string, AudioFormat>> = {
  '.wav': 'wav',
  '.wave': 'wav',
  '.flac': 'flac',
  '.aif': 'aiff',
  '.aiff': 'aiff',
  '.m4a': 'm4a',
  '.mp3': 'mp3',
  '.ogg': 'ogg',
  '.oga': 'ogg',
  '.opus': 'opus',
};

/** Positions a frame of an encoder that takes any number: 4096, as FFmpeg reads them. */
const FRAME_POSITIONS = 4096;

/** Bits a second and channel of lossy formats: transparent to most ears. */
const LOSSY_BITS_PER_SECOND = 128_000;

/** The format that a path's extension names, or undefined. */
export function audioFormatOf(path: string): AudioFormat | undefined {
  return EXTENSIONS[extname(path).toLowerCase()];
}

function encodingOf(format: AudioFormat, bitDepth: BitDepth | undefined): AudioEncoding {
  const container = CONTAINERS[format];
  if (bitDepth !== undefined && bitDepth !== 16 && bitDepth !== 24 && bitDepth !== 'float') {
    throw new OptionError('bitDepth', `'${String(bitDepth)}' is no depth of samples; give 16, 24 or float`);
  }
  switch (format) {
    case 'wav':
    case 'aiff': {
      const order = format === 'wav' ? 'le' : 'be';
      if (bitDepth === 'float') return { container, codec: `pcm_f32${order}`, storage: 'flt' };
      if (bitDepth === 24) return { container, codec: `pcm_s24${order}`, storage: 's32' };
      return { container, codec: `pcm_s16${order}`, storage: 's16' };
    }
    case 'flac':
      if (bitDepth === 'float')
        throw new OptionError('bitDepth', 'FLAC has no floats; write .wav for them, or 24 bits');
      return { container, codec: 'flac', storage: bitDepth === 24 ? 's32' : 's16' };
    default:
      if (bitDepth !== undefined) {
        throw new OptionError(
          'bitDepth',
          `${format} is lossy and has no depth of samples; write .wav, .aiff or .flac`,
        );
      }
      switch (format) {
        case 'm4a':
          return { container, codec: 'aac', storage: 'fltp' };
        case 'mp3':
          return { container, codec: 'libmp3lame', storage: 'fltp' };
        case 'ogg':
          return { container, codec: 'libvorbis', storage: 'fltp' };
        case 'opus':
          return { container, codec: 'libopus', storage: 'flt' };
      }
  }
}

/** Whole samples a second, which sound files count in. */
export function wholeRateHz({ numerator, denominator }: Rate): number {
  const rateHz = numerator / denominator;
  if (Number.isInteger(rateHz) && rateHz >= 1) return rateHz;
  throw new OptionError(
    'rate',
    `sound files have whole rates, this one is ${numerator}/${denominator} Hz; decode it at another rate`,
  );
}

/**
 * Writes a sound with FFmpeg, whole or not at all, or to a sink, which it closes: WAV, AIFF and FLAC of 16 or 24 bits, WAV and
 * AIFF of floats, or lossy as the extension says.
 *
 * Integers are the value times 2^(n-1), rounded to even; what lies beyond [-1, 1] is cut off and counted.
 *
 * @throws OptionError `output` for another extension, `bitDepth`, `rate`; LgiError `media` for samples that do not fill the
 * channels and what the encoder refuses, `io` when the place cannot be written, `unavailable` without node-av.
 */
export async function writeAudio(
  to: string | Sink,
  sound: SoundSamples,
  options: WriteAudioOptions = {},
): Promise<WrittenSound> {
  const { signal } = options;
  signal?.throwIfAborted();
  const format = options.format ?? (typeof to === 'string' ? audioFormatOf(to) : 'wav');
  if (format === undefined) {
    throw new OptionError(
      'output',
      `${String(to)} is no place for a sound; end it in ${Object.keys(EXTENSIONS).join(', ')}`,
    );
  }
  const { container, codec, storage } = encodingOf(format, options.bitDepth);
  const rateHz = wholeRateHz(sound.rate);
  const av = await loadNodeAv();
  const sink = typeof to === 'string' ? await FileSink.open(to) : to;
  try {
    const output = FfmpegOutput.open(av, container, sink);
    let clipped: number;
    try {
      const stream = await output.addStream(
        codec,
        `${sound.channels} channels at ${rateHz} Hz`,
        (encoder) => {
          configureSound(av, encoder, storage, rateHz, sound.channels);
        },
      );
      await output.begin();
      const frames = new SoundFrames(av, stream.encoder, storage, sound.channels);
      const { samples } = sound;
      for await (const block of samples instanceof Float32Array ? [samples] : samples) {
        signal?.throwIfAborted();
        for (const frame of frames.of(block)) await output.encode(stream, frame);
      }
      for (const frame of frames.rest()) await output.encode(stream, frame);
      clipped = frames.clipped;
      frames.dispose();
      await output.finish();
    } finally {
      output.dispose();
    }
    signal?.throwIfAborted();
    await sink.close();
    return { bytes: output.byteLength, clipped };
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
}

/** Tells an encoder what sound it gets. */
export function configureSound(
  { lib, constants }: NodeAv,
  encoder: CodecContext,
  storage: SampleStorage,
  rateHz: number,
  channels: number,
): void {
  encoder.sampleRate = rateHz;
  encoder.channelLayout = lib.avChannelLayoutDefault(channels);
  encoder.timeBase = new lib.Rational(1, rateHz);
  encoder.sampleFormat = {
    s16: constants.AV_SAMPLE_FMT_S16,
    s32: constants.AV_SAMPLE_FMT_S32,
    flt: constants.AV_SAMPLE_FMT_FLT,
    fltp: constants.AV_SAMPLE_FMT_FLTP,
  }[storage];
  // FLAC of 32-bit integers keeps 24 of them so.
  if (storage === 's32') encoder.bitsPerRawSample = 24;
  if (storage === 'fltp' || storage === 'flt') encoder.bitRate = BigInt(LOSSY_BITS_PER_SECOND * channels);
}

/** Cuts a sound into frames of the length that its encoder takes, with their times. */
export class SoundFrames {
  /** Values cut off at [-1, 1] so far. */
  clipped = 0;
  private readonly frame: Frame;
  private readonly positions: number;
  private readonly pending: Float32Array;
  private filled = 0;

  /** @param position where the first frame begins, in samples. */
  constructor(
    av: NodeAv,
    private readonly encoder: CodecContext,
    private readonly storage: SampleStorage,
    private readonly channels: number,
    public position = 0,
  ) {
    this.frame = new av.lib.Frame();
    this.positions = encoder.frameSize > 0 ? encoder.frameSize : FRAME_POSITIONS;
    this.pending = new Float32Array(this.positions * channels);
  }

  /** Values of a frame. */
  get blockValues(): number {
    return this.pending.length;
  }

  /**
   * The whole frames that a block completes; each is valid until the next one is asked for.
   *
   * @throws LgiError `media` where the block ends inside a position.
   */
  *of(block: Float32Array): Generator<Frame> {
    if (block.length % this.channels !== 0) {
      throw new LgiError('media', `${block.length} values do not fill ${this.channels} channels`);
    }
    for (let at = 0; at < block.length;) {
      const count = Math.min(block.length - at, this.pending.length - this.filled);
      this.pending.set(block.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === this.pending.length) yield this.take();
    }
  }

  /** The last frame, where something is left. */
  *rest(): Generator<Frame> {
    if (this.filled > 0) yield this.take();
  }

  dispose(): void {
    this.frame.free();
  }

  private take(): Frame {
    const { frame, encoder, channels } = this;
    const count = this.filled / channels;
    frame.unref();
    frame.alloc();
    frame.format = encoder.sampleFormat;
    frame.nbSamples = count;
    frame.sampleRate = encoder.sampleRate;
    frame.channelLayout = encoder.channelLayout;
    frame.pts = BigInt(this.position);
    frame.getBuffer();
    this.store(frame.extendedData ?? frame.data ?? [], this.pending.subarray(0, this.filled), count);
    this.position += count;
    this.filled = 0;
    return frame;
  }

  private store(planes: Buffer[], values: Float32Array, count: number): void {
    const { storage, channels } = this;
    if (storage === 'fltp') {
      for (let channel = 0; channel < channels; channel++) {
        const { buffer, byteOffset } = planes[channel];
        const plane = new Float32Array(buffer, byteOffset, count);
        for (let i = 0; i < count; i++) plane[i] = values[i * channels + channel];
      }
      return;
    }
    const { buffer, byteOffset } = planes[0];
    if (storage === 'flt') {
      new Float32Array(buffer, byteOffset, values.length).set(values);
      return;
    }
    const bits = storage === 's16' ? 16 : 24;
    const most = 2 ** (bits - 1);
    // 24 bits lie at the upper end of 32.
    const shift = storage === 's32' ? 256 : 1;
    const target =
      storage === 's16'
        ? new Int16Array(buffer, byteOffset, values.length)
        : new Int32Array(buffer, byteOffset, values.length);
    for (let i = 0; i < values.length; i++) {
      const value = roundHalfToEven(values[i] * most);
      if (Math.abs(values[i]) > 1) this.clipped++;
      target[i] = Math.max(-most, Math.min(most - 1, value)) * shift;
    }
  }
}

/** So that halves do not all go one way, which would be a shift of the whole sound. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
