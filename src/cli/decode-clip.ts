import { LgiError, OptionError } from '../../codec/errors.js';
import { boxShape, type Box } from '../../codec/grid.js';
import type { SampleArray } from '../../codec/signal.js';
import { fillHoles, type BackgroundColour } from '../media/fill-holes.js';
import { isVideoName, writeVideo } from '../media/write-video.js';
import type { DecodeOptions, Samples, Signal } from '../signal.js';
import { perSecond, regionAlong, windowStart } from '../time-range.js';
import { partAsked, refuseFlags, type Decoded, type Decoding } from './decoding.js';
import type { DecodeFlags } from './decode.js';
import { floatsOf, soundParts } from './decode-sound.js';
import { duration } from './figures.js';
import { PartwiseDecode, placesOf, regionAsked } from './parts-of-decode.js';
import { primarySignals, signalOfKind } from './primary-signals.js';

/** Bytes of frames that are decoded at a time: 20 of 1080p. */
const PART_BYTES = 2 ** 27;

/** What transparency and holes become where no background is asked for, since video files have none. */
const BLACK: BackgroundColour = [0, 0, 0];

/** Decodes the video of a file, and its sound into the same. */
export async function decodeClip({ file, place, flags, context }: Decoding): Promise<Decoded> {
  const { signal } = context;
  refuseFlags(flags, 'video', ['overview']);
  if (!isVideoName(place)) {
    throw new OptionError(
      'output',
      `${place} is no place for a video; end it in .mp4, .mov, .mkv or .webm, or in .wav for its sound alone`,
    );
  }
  const video = signalOfKind(file, 'video');
  const rate = video.header.rate;
  if (rate === undefined) {
    throw new LgiError(
      'unavailable',
      'the video has no rate, so it has no speed; decode it by the SDK, Signal.decode',
    );
  }
  const part = partAsked(video, flags);
  const frameRate = flags.fps ?? rate;
  const parts = new PartwiseDecode(
    video,
    { ...part, size: sizeAsked(video, part, flags), signal },
    PART_BYTES,
  );
  const [count, height, width] = parts.shape;
  const sound = primarySignals(file).find(
    ({ kind, header }) => kind === 'audio' && header.rate !== undefined,
  );
  const start = startOf(video, part);
  const track = sound === undefined ? undefined : soundBeside(sound, video, part, flags, signal);
  const isGrey = video.format.channels <= 2;
  const hasAlpha = video.format.layout === 'grey-alpha' || video.format.layout === 'rgb-alpha';
  const startMs = performance.now();
  const { bytes } = await writeVideo(
    place,
    {
      frames: framesOf(parts, flags.background ?? BLACK),
      width,
      height,
      layout: isGrey ? 'grey' : 'rgb',
      sampleType: video.format.sampleType,
      rate: frameRate,
      startSeconds: start,
      ...(video.colour && { colour: video.colour }),
      ...(sound &&
        track && {
          sound: {
            samples: floatsOf(track.parts),
            channels: sound.format.channels,
            rate: track.rate,
            startSeconds: track.startSeconds,
          },
        }),
    },
    signal,
  );
  const all = [parts, ...(track ? [track.parts] : [])];
  const seconds = count / perSecond(frameRate);
  return {
    title: `${width}x${height}, ${count} frames, ${duration(seconds)}${track ? ' with sound' : ''}`,
    fields: {
      width,
      height,
      frames: count,
      rate: frameRate,
      ...(sound &&
        track && {
          sound: { samples: track.parts.shape[0], channels: sound.format.channels, rate: track.rate },
        }),
    },
    missing: all.flatMap(({ missing }) => missing),
    ...(hasAlpha &&
      flags.background === undefined && {
        notice: 'a video file has no alpha; it is laid on black, --background gives another colour',
      }),
    partitionsDecoded: all.reduce((sum, { partitionsDecoded }) => sum + partitionsDecoded, 0),
    bytes,
    writeSeconds:
      (performance.now() - startMs) / 1000 - all.reduce((sum, { decodeSeconds }) => sum + decodeSeconds, 0),
  };
}

/** Outputs per axis: frames by the rate asked for, their size by `--size` or `--scale`. */
function sizeAsked(video: Signal, part: DecodeOptions, { scale, size, fps }: DecodeFlags): number[] {
  if (scale !== undefined && size !== undefined) {
    throw new OptionError('size', 'given together with `scale`; give one of them');
  }
  if (size !== undefined && size.length !== 2) throw new OptionError('size', 'of video is WIDTHxHEIGHT');
  if (scale !== undefined && !(scale > 0)) throw new OptionError('scale', `${scale} is no positive number`);
  const [count, height, width] = boxShape(regionAsked(video, part));
  const own = video.header.rate;
  const frames =
    fps === undefined || own === undefined
      ? count
      : Math.max(1, Math.round((count * perSecond(fps)) / perSecond(own)));
  const plane = size ?? [height, width].map((length) => Math.max(1, Math.floor(length * (scale ?? 1))));
  return [frames, ...plane];
}

/** Seconds at which a part of a signal begins, on the clock of the file. */
function startOf(signal: Signal, part: DecodeOptions): number {
  const { header, window } = signal;
  const rate = header.rate === undefined ? 1 : perSecond(header.rate);
  return windowStart(header, window) + regionAsked(signal, part).begin[0] / rate;
}

/** The sound that is heard while a part of a video is seen. */
function soundBeside(
  sound: Signal,
  video: Signal,
  part: DecodeOptions,
  flags: DecodeFlags,
  signal: AbortSignal,
): ReturnType<typeof soundParts> & { startSeconds: number } {
  const { allowDamaged } = flags;
  const begin = startOf(video, part);
  const frames = boxShape(regionAsked(video, part))[0];
  const rate = video.header.rate;
  const end = begin + frames / (rate === undefined ? 1 : perSecond(rate));
  // Without a span asked for, sound may begin before and end after the pictures.
  const along: Box | null =
    part.time === undefined ? null : regionAlong(sound.header, sound.window, { begin, end });
  const own: DecodeOptions = { ...(along && { region: along }), ...(allowDamaged && { allowDamaged }) };
  return { ...soundParts(sound, own, flags, signal), startSeconds: startOf(sound, own) };
}

/** The frames of the parts, one after the other, without transparency. */
async function* framesOf(parts: PartwiseDecode, background: BackgroundColour): AsyncGenerator<SampleArray> {
  for await (const samples of parts.parts()) {
    let index = 0;
    for (const data of placesOf(samples)) yield frameOf(samples, data, index++, background);
  }
}

function frameOf(
  samples: Samples,
  data: SampleArray,
  index: number,
  background: BackgroundColour,
): SampleArray {
  const { shape, channels, format, missing } = samples;
  const holes = missing
    .filter(({ box }) => box.begin[0] <= index && index < box.end[0])
    .map(({ box }) => ({ begin: box.begin.slice(1), end: box.end.slice(1) }));
  const isOpaque = channels === 1 || channels === 3;
  if (isOpaque && holes.length === 0) return data;
  return fillHoles({ data, shape: shape.slice(1), channels, format, holes }, background).data;
}
