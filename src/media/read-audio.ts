import type { Frame, Stream } from 'node-av/lib';
import { MAX_CHANNELS } from '../container/limits.js';
import {
  decodedFrames,
  clockZeroSeconds,
  NO_TIME,
  streamSeconds,
  openFfmpegInput,
  type FfmpegInput,
} from './ffmpeg-input.js';
import { choiceNotice, describeStreams, soundStreamOf } from './clip-streams.js';
import { damagedFault, mediaFault } from './image-limits.js';
import type { Media } from './media.js';
import { checkSample, soundMedia } from './sound-media.js';
import { SoundStore } from './sound-store.js';
import { readWav } from './wav-file.js';

/** Containers that say how many samples they hold; others are estimated by FFmpeg from bit rates. */
const EXACT_CONTAINERS: ReadonlySet<string> = new Set(['wav', 'w64', 'flac', 'aiff', 'au', 'caf', 'mov']);

/** What lossy codecs may fall short of the announced length, their lead-in and a last frame: a tenth of a second. */
const CODED_TOLERANCE_SECONDS = 0.1;

/** Time stamps this far from where the samples before end are a gap; less is rounding of containers that count milliseconds. */
const GAP_SECONDS = 0.02;

/** How samples of a format are stored, and what makes floats in [-1, 1) of them. */
interface SampleReader {
  readonly array: (bytes: Uint8Array) => ArrayLike<number>;
  readonly value: (stored: number) => number;
  readonly bytes: number;
}

/** A view of FFmpeg's memory, or a copy where it is not aligned. */
function aligned(bytes: Uint8Array, unit: number): [ArrayBufferLike, number, number] {
  const view = bytes.byteOffset % unit === 0 ? bytes : bytes.slice();
  return [view.buffer, view.byteOffset, Math.floor(view.byteLength / unit)];
}

const READERS: Readonly<Record<string, SampleReader>> = {
  u8: { array: (bytes) => bytes, value: (stored) => (stored - 128) / 128, bytes: 1 },
  s16: { array: (bytes) => new Int16Array(...aligned(bytes, 2)), value: (stored) => stored, bytes: 2 },
  s32: {
    array: (bytes) => new Int32Array(...aligned(bytes, 4)),
    value: (stored) => stored / 2 ** 31,
    bytes: 4,
  },
  flt: { array: (bytes) => new Float32Array(...aligned(bytes, 4)), value: (stored) => stored, bytes: 4 },
  dbl: { array: (bytes) => new Float64Array(...aligned(bytes, 8)), value: (stored) => stored, bytes: 8 },
};

/**
 * Reads a sound: plain WAV by its header, else with FFmpeg the audio stream of a file that players play, at its own rate, as float32 `[t, channels]`.
 *
 * Integers of n bits are divided by 2^(n-1), exactly up to 24 bits. `startSeconds` is where the stream begins against the file's
 * earliest one, or by the file's clock where that one begins a second or more after 0. Sound of 16 bits is held in memory as such, anything else as floats.
 *
 * @throws LgiError `io`, `media` for a file that FFmpeg cannot read, without a sound, without samples, cut off, damaged, or with
 * values that are not finite; `limit` for more samples than memory should hold; `unavailable` without node-av.
 */
export async function readAudio(path: string, signal?: AbortSignal): Promise<Media> {
  const wav = await readWav(path, signal);
  if (wav) return wav;
  const input = await openFfmpegInput(path, signal);
  try {
    const stream = soundStreamOf(input);
    if (stream) return await readSound(input, stream, signal);
    throw mediaFault(
      path,
      `there is no sound in it (${describeStreams(input)})`,
      'give a file with an audio stream',
    );
  } finally {
    await input.close();
  }
}

/**
 * Reads an audio stream of an open file.
 *
 * @throws as {@link readAudio}.
 */
export async function readSound(input: FfmpegInput, stream: Stream, signal?: AbortSignal): Promise<Media> {
  const { name, av } = input;
  const { sampleRate: rateHz, channels } = stream.codecpar;
  if (channels < 1 || channels > MAX_CHANNELS || rateHz < 1) {
    throw mediaFault(
      name,
      `its sound has ${channels} channels at ${rateHz} Hz, 1 to ${MAX_CHANNELS} and at least 1 Hz are possible`,
      'convert it first',
    );
  }
  const notices: string[] = [choiceNotice(input, stream) ?? []].flat();
  let sound: SoundStore | undefined;
  let format = '';
  let startSeconds: number | undefined;
  let gaps = 0;
  let skippedBytes = 0;
  const onSkipped = (bytes: number): void => {
    skippedBytes += bytes;
  };
  for await (const frame of decodedFrames(input, stream, signal, onSkipped)) {
    const frameFormat = av.lib.avGetSampleFmtName(
      frame.format as Parameters<typeof av.lib.avGetSampleFmtName>[0],
    );
    const seconds = streamSeconds(stream, frame.bestEffortTimestamp);
    if (sound === undefined) {
      format = frameFormat ?? 'unknown';
      sound = new SoundStore(name, /^s16p?$/.test(format) ? 'int16' : 'float32');
      startSeconds = seconds;
    }
    if (frame.sampleRate !== rateHz || frame.channels !== channels || frameFormat !== format) {
      throw mediaFault(
        name,
        `its sound changes at ${(sound.length / channels / rateHz).toFixed(3)} s from ${channels} channels at ${rateHz} Hz ` +
          `(${format}) to ${frame.channels} at ${frame.sampleRate} Hz (${frameFormat})`,
        'convert it to one form first',
      );
    }
    if (seconds !== undefined && startSeconds !== undefined) {
      const missing = Math.round((seconds - startSeconds) * rateHz) - sound.length / channels;
      if (Math.abs(missing) > GAP_SECONDS * rateHz) {
        gaps++;
        // Later samples keep their time; what overlaps is kept whole, since nothing says which of it is right.
        if (missing > 0) sound.append(missing * channels, () => 0);
      }
    }
    appendFrame(sound, frame, format, channels, name, rateHz);
  }
  if (sound === undefined || sound.length === 0) {
    throw mediaFault(name, 'its sound has no sample', 'export it again');
  }
  const length = sound.length / channels;
  checkLength(input, stream, length, notices, skippedBytes);
  if (skippedBytes > 0) {
    notices.push(
      `${name}: ${skippedBytes} bytes between or after its frames are no sound and are passed over`,
    );
  }
  if (gaps > 0) {
    notices.push(
      `${name}: its time stamps jump ${gaps === 1 ? 'once' : `${gaps} times`}; gaps became silence`,
    );
  }
  const offset = startSeconds === undefined ? 0 : startSeconds - clockZeroSeconds(input);
  return soundMedia(sound, channels, rateHz, offset, notices);
}

function appendFrame(
  store: SoundStore,
  frame: Frame,
  format: string,
  channels: number,
  name: string,
  rateHz: number,
): void {
  const isPlanar = format.endsWith('p');
  const reader = READERS[isPlanar ? format.slice(0, -1) : format];
  if (reader === undefined) {
    throw mediaFault(
      name,
      `its samples are ${format}, which is not read`,
      'convert it to 16-bit or float first',
    );
  }
  const count = frame.nbSamples;
  // Planes beyond the eighth are in the extended data alone.
  const planes = (frame.extendedData ?? frame.data ?? []).map(reader.array);
  const bytes = count * reader.bytes * (isPlanar ? 1 : channels);
  const needed = isPlanar ? channels : 1;
  if (
    planes.length < needed ||
    planes.some((plane, i) => i < needed && plane.length * reader.bytes < bytes)
  ) {
    throw damagedFault(name, `a frame of ${count} samples has ${planes.length} of ${needed} planes whole`);
  }
  const valueAt = isPlanar
    ? (i: number) => reader.value(planes[i % channels][Math.floor(i / channels)])
    : (i: number) => reader.value(planes[0][i]);
  const before = store.length / channels;
  store.append(count * channels, (i) =>
    checkSample(name, valueAt(i), before + Math.floor(i / channels), rateHz),
  );
}

/** Refuses a sound that is shorter than its file says; where the file only estimates, says so. */
function checkLength(
  input: FfmpegInput,
  stream: Stream,
  length: number,
  notices: string[],
  skippedBytes: number,
): void {
  const { name, context, av } = input;
  const announced = stream.duration === NO_TIME ? undefined : streamSeconds(stream, stream.duration);
  if (announced === undefined) return;
  const { sampleRate: rateHz, codecId } = stream.codecpar;
  const isLossless = /^(pcm_|flac|alac|wavpack)/.test(av.lib.avGetCodecName(codecId) ?? '');
  const isExact = EXACT_CONTAINERS.has((context.iformat?.name ?? '').split(',')[0]);
  const tolerance = isExact && isLossless ? 0.5 / rateHz : CODED_TOLERANCE_SECONDS;
  const seconds = length / rateHz;
  if (announced - seconds <= tolerance) return;
  const fact = `the file says ${announced.toFixed(3)} s of sound, ${seconds.toFixed(3)} s are there`;
  if (isExact) throw damagedFault(name, fact);
  // What is estimated from bit rates counts such bytes, too.
  if (skippedBytes > 0) return;
  notices.push(`${name}: ${fact}; it may be cut off`);
}
