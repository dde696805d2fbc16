import type { Frame, Stream } from 'node-av/lib';
import { LgiError } from '../../codec/errors.js';
import { boxSize } from '../../codec/grid.js';
import {
  allocateSamples,
  fullRangeMapping,
  type SampleArray,
  type SampleFormat,
} from '../../codec/signal.js';
import type { Colour } from '../colour.js';
import type { Rate } from '../rate.js';
import { choiceNotice, describeStreams, soundStreamOf, videoStreamOf } from './clip-streams.js';
import {
  decodedFrames,
  clockZeroSeconds,
  fileStartSeconds,
  hasAlphaBeside,
  NO_TIME,
  openFfmpegInput,
  streamSeconds,
  type FfmpegInput,
} from './ffmpeg-input.js';
import { colourOf, formOf, type FrameForm } from './frame-form.js';
import { frameSamples } from './frame-samples.js';
import { evenTimes, MAX_FRAMES } from './frame-times.js';
import { FrameWindow } from './frame-window.js';
import { checkDimensions, damagedFault, mediaFault } from './image-limits.js';
import { checkBox, defaultLayout, type Media } from './media.js';
import { applyOrientation } from './orient.js';
import { readSound } from './read-audio.js';
import { ScalingGraph } from './scaling-graph.js';

/** How a clip is read. */
export interface ReadVideoOptions {
  /** Bytes of decoded frames that are kept; default 512 MiB. Decoding starts anew for frames that are no longer there. */
  readonly windowBytes?: number;
  readonly signal?: AbortSignal;
}

/** Frames that a file's length may be off by before it counts as cut off: what edit lists hide at both ends. */
const LENGTH_TOLERANCE_FRAMES = 2;

/** Seconds by which a container's own length, which other streams share, may exceed the frames without a word. */
const LENGTH_TOLERANCE_SECONDS = 1;

/** Everything about a clip that its frames say. */
interface Clip {
  readonly form: FrameForm;
  readonly colour: Colour;
  /** Of the turned frame. */
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Of each frame; undefined where the stream has none. */
  readonly seconds: readonly (number | undefined)[];
}

/**
 * Reads a clip with FFmpeg: the video stream of a file that players show, as `[t, y, x]` of grey or RGB, with alpha where there is some; 8 bits, or 16
 * for streams of more. Colours go to full-range RGB by the matrix that the stream names (where it names none, BT.709 from 720
 * lines on and BT.601 below), turned as its display matrix says.
 *
 * A clip is decoded once as it is opened and again whenever it is read, in the order of its frames; about 512 MiB of frames stay
 * in memory. Frames of uneven times are laid on an even rate, with a notice.
 *
 * @throws LgiError `io`; `media` for a file that FFmpeg cannot read, without video, cut off, damaged, or whose frames change their
 * size; `limit` for more frames or pixels than can be; `unavailable` without node-av.
 */
export async function readVideo(path: string, options: ReadVideoOptions = {}): Promise<Media> {
  const input = await openFfmpegInput(path, options.signal);
  let fileStart: number;
  let index: number;
  let choice: string | undefined;
  try {
    const stream = checkedVideoStream(input);
    index = stream.index;
    choice = choiceNotice(input, stream);
    fileStart = clockZeroSeconds(input);
  } finally {
    await input.close();
  }
  return openClip(path, index, fileStart, options, choice);
}

/**
 * Reads a clip and, where the file has one, its sound, with their times against each other.
 *
 * @throws as {@link readVideo} and `readAudio`.
 */
export async function readVideoWithSound(path: string, options: ReadVideoOptions = {}): Promise<Media[]> {
  const video = await readVideo(path, options);
  const input = await openFfmpegInput(path, options.signal);
  try {
    const stream = soundStreamOf(input);
    return stream === undefined ? [video] : [video, await readSound(input, stream, options.signal)];
  } catch (error) {
    video.close?.();
    throw error;
  } finally {
    await input.close();
  }
}

/** @throws LgiError `media` for a file without video, or one that is a picture. */
function checkedVideoStream(input: FfmpegInput): Stream {
  const { name, container } = input;
  const stream = videoStreamOf(input);
  if (stream === undefined) {
    throw mediaFault(
      name,
      `there is no video in it (${describeStreams(input)})`,
      'give a file with a video stream',
    );
  }
  if (/(^image2|_pipe$|^tty$)/.test(container)) {
    throw mediaFault(
      name,
      `it is not video but ${container.replace(/_pipe$/, '')}`,
      'encode it as a picture',
    );
  }
  return stream;
}

async function openClip(
  path: string,
  index: number,
  fileStart: number,
  { windowBytes, signal }: ReadVideoOptions,
  choice?: string,
): Promise<Media> {
  const notices: string[] = choice === undefined ? [] : [choice];
  const scan = await scanClip(path, index, notices, signal);
  const { clip, stream } = scan;
  const { width, height, channels, form } = clip;
  const times = layOut(path, clip.seconds, stream.rate, notices);
  const sampleType = form.isDeep ? 'uint16' : 'uint8';
  const format: SampleFormat = {
    sampleType,
    channels,
    layout: defaultLayout('video', channels),
    mapping: fullRangeMapping(sampleType),
  };
  const frameValues = width * height * channels;
  // Reading has its own signals; a clip that is open outlives the one that opened it.
  const window = new FrameWindow(
    () => convertedFrames(path, index, clip),
    frameValues * (form.isDeep ? 2 : 1),
    windowBytes,
  );
  const shape = [times.frameOf.length, height, width];
  const offset = (clip.seconds[0] ?? fileStart) - fileStart;
  let isOpen = true;
  return {
    kind: 'video',
    shape,
    channels,
    format,
    colour: clip.colour,
    rate: times.rate,
    // Less than a tenth of a frame is rounding.
    ...(Math.abs(offset * times.rate.numerator) >= 0.1 * times.rate.denominator && { startSeconds: offset }),
    ...(notices.length > 0 && { notices }),
    async read(box, abort) {
      abort?.throwIfAborted();
      if (!isOpen) throw new LgiError('media', 'the medium is closed; open it again to read');
      checkBox(box, shape);
      const [begin, top, left] = box.begin;
      const [end, bottom, right] = box.end;
      const target = allocateSamples(sampleType, boxSize(box) * channels);
      const row = (right - left) * channels;
      let to = 0;
      for (let position = begin; position < end; position++) {
        abort?.throwIfAborted();
        const frameIndex = times.frameOf[position];
        await window.visit(frameIndex, frameIndex + 1, (frame) => {
          for (let y = top; y < bottom; y++, to += row) {
            const from = (y * width + left) * channels;
            target.set(frame.subarray(from, from + row), to);
          }
        });
      }
      return target;
    },
    close() {
      isOpen = false;
      // Nobody waits for it, and what ends here has nobody to fail.
      void window.close().catch(() => undefined);
    },
  };
}

/** Decodes all frames once: their times, and that they are all there and of one form. */
async function scanClip(
  path: string,
  index: number,
  notices: string[],
  signal?: AbortSignal,
): Promise<{ clip: Clip; stream: { rate: Rate | undefined } }> {
  const input = await openFfmpegInput(path, signal);
  try {
    const stream = input.streams[index];
    const seconds: (number | undefined)[] = [];
    let form: FrameForm | undefined;
    let colour: Colour | undefined;
    let isInterlaced = false;
    for await (const frame of decodedFrames(input, stream, signal)) {
      if (form === undefined) {
        checkDimensions(path, frame.width, frame.height);
        form = formOf(input, stream, frame);
        colour = colourOf(frame, form);
      }
      checkForm(path, form, frame, seconds.length);
      isInterlaced ||= frame.hasFlags(input.av.constants.AV_FRAME_FLAG_INTERLACED);
      seconds.push(streamSeconds(stream, frame.bestEffortTimestamp));
      if (seconds.length > MAX_FRAMES) {
        throw new LgiError(
          'limit',
          `${path}: more than ${MAX_FRAMES} frames, the limit; cut it into parts first`,
        );
      }
    }
    if (form === undefined || colour === undefined) {
      throw mediaFault(path, 'its video has no frame', 'export it again');
    }
    if (hasAlphaBeside(stream) && form.channels % 2 === 1) {
      notices.push(`${path}: it is marked as having alpha, but none could be decoded`);
    }
    checkComplete(input, stream, seconds, notices);
    const { num, den } = stream.sampleAspectRatio;
    if (num > 0 && num !== den) {
      notices.push(
        `${path}: pixels are shown ${num}:${den} wide to high, which is not kept; they become square`,
      );
    }
    if (isInterlaced) notices.push(`${path}: it is interlaced; both fields stay in one frame`);
    if (form.turnNotice !== undefined) notices.push(`${path}: ${form.turnNotice}`);
    const isTransposed = form.orientation >= 5;
    return {
      clip: {
        form,
        colour,
        width: isTransposed ? form.height : form.width,
        height: isTransposed ? form.width : form.height,
        channels: form.channels,
        seconds,
      },
      stream: { rate: namedRate(stream) },
    };
  } finally {
    await input.close();
  }
}

function checkForm(path: string, form: FrameForm, frame: Frame, index: number): void {
  if (frame.width === form.width && frame.height === form.height && frame.format === form.format) return;
  throw mediaFault(
    path,
    `frame ${index} is ${frame.width}x${frame.height}, the first one ${form.width}x${form.height}` +
      (frame.format === form.format ? '' : ', in another pixel format'),
    'convert it to frames of one size first',
  );
}

/** Refuses a clip that has fewer frames than its file says. */
function checkComplete(
  input: FfmpegInput,
  stream: Stream,
  seconds: readonly (number | undefined)[],
  notices: string[],
): void {
  const { name, context } = input;
  const frames = seconds.length;
  const announced = Number(stream.nbFrames);
  const rate = namedRate(stream);
  if (rate === undefined) return;
  const frameSeconds = rate.denominator / rate.numerator;
  const there = frames * frameSeconds;
  const ownSeconds = stream.duration === NO_TIME ? undefined : streamSeconds(stream, stream.duration);
  const isShort = ownSeconds !== undefined && ownSeconds - there > LENGTH_TOLERANCE_FRAMES * frameSeconds;
  if (announced > frames && isShort) {
    throw damagedFault(name, `the file says ${announced} frames, ${frames} are there`);
  }
  const fileSeconds = Number(context.duration) / 1e6;
  // Some writers count a file's length from 0, whenever its first frame is shown: then it ends where the frames do.
  const endsAt = Math.max(0, fileStartSeconds(input)) + there;
  const isWhole = Math.min(fileSeconds - there, Math.abs(fileSeconds - endsAt)) <= LENGTH_TOLERANCE_SECONDS;
  if (announced === 0 && !isWhole) {
    notices.push(
      `${name}: the file says ${fileSeconds.toFixed(2)} s, its frames last ${there.toFixed(2)} s; it may be cut off`,
    );
  }
}

/** The rate that a file names for a stream: the one on which its times lie, else the mean. */
function namedRate({ rFrameRate, avgFrameRate }: Stream): Rate | undefined {
  const isRate = ({ num, den }: { num: number; den: number }): boolean => num > 0 && den > 0;
  if (!isRate(avgFrameRate) && !isRate(rFrameRate)) return undefined;
  const [mean, base] = [avgFrameRate, isRate(rFrameRate) ? rFrameRate : avgFrameRate];
  const chosen = isRate(mean) && base.num / base.den > (1.5 * mean.num) / mean.den ? mean : base;
  return { numerator: chosen.num, denominator: chosen.den };
}

function layOut(
  path: string,
  seconds: readonly (number | undefined)[],
  named: Rate | undefined,
  notices: string[],
): { rate: Rate; frameOf: Uint32Array } {
  const known = seconds.filter((each) => each !== undefined);
  const isAscending = known.every((each, i) => i === 0 || each > known[i - 1]);
  if (known.length < seconds.length || !isAscending) {
    const rate = named ?? { numerator: 25, denominator: 1 };
    notices.push(
      `${path}: its frames have no times of their own; ${rate.numerator}/${rate.denominator} a second are taken`,
    );
    return { rate, frameOf: Uint32Array.from(seconds, (_, i) => i) };
  }
  const even = evenTimes(known, named, MAX_FRAMES);
  if (even === undefined) {
    throw new LgiError(
      'limit',
      `${path}: its ${seconds.length} frames are spread over ${(known[known.length - 1] - known[0]).toFixed(0)} s, which is ` +
        `more than ${MAX_FRAMES} frames of an even rate; convert it to a fixed rate first`,
    );
  }
  const { rate, frameOf, repeated, dropped } = even;
  if (repeated > 0 || dropped > 0) {
    notices.push(
      `${path}: its frames have uneven times; at ${rate.numerator}/${rate.denominator} a second ${repeated} are shown longer ` +
        `and ${dropped} left out`,
    );
  }
  return { rate, frameOf };
}

/** All frames from the first on, as samples, turned. */
async function* convertedFrames(path: string, index: number, { form }: Clip): AsyncGenerator<SampleArray> {
  const input = await openFfmpegInput(path);
  const { lib } = input.av;
  let graph: ScalingGraph | undefined;
  try {
    let count = 0;
    for await (const frame of decodedFrames(input, input.streams[index])) {
      checkForm(path, form, frame, count++);
      graph ??= await ScalingGraph.make(input.av, path, form, 'out_range=pc', form.target);
      const { format, width, height, data, linesize } = await graph.convert(frame);
      const picture = frameSamples(
        {
          pixelFormat: lib.avGetPixFmtName(format as Parameters<typeof lib.avGetPixFmtName>[0]) ?? 'unknown',
          width,
          height,
          planes: (data ?? []).map((bytes, i) => ({ bytes, stride: linesize[i] })),
        },
        path,
      );
      yield applyOrientation(picture, form.orientation).data;
    }
  } finally {
    graph?.dispose();
    await input.close();
  }
}
