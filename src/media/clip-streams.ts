import type { Stream } from 'node-av/lib';
import type { FfmpegInput } from './ffmpeg-input.js';

/** The streams of one type, but for covers of albums, which are pictures. */
function streamsOf({ streams, av: { constants } }: FfmpegInput, type: number): readonly Stream[] {
  return streams.filter(
    ({ codecpar, disposition }) =>
      codecpar.codecType === type && (disposition & constants.AV_DISPOSITION_ATTACHED_PIC) === 0,
  );
}

/** The stream that players show: the first that is marked as the default one, else the first. */
function preferred({ av: { constants } }: FfmpegInput, streams: readonly Stream[]): Stream | undefined {
  return (
    streams.find(({ disposition }) => (disposition & constants.AV_DISPOSITION_DEFAULT) !== 0) ?? streams[0]
  );
}

/** The sound that players play; undefined where there is none. */
export function soundStreamOf(input: FfmpegInput): Stream | undefined {
  return preferred(input, streamsOf(input, input.av.constants.AVMEDIA_TYPE_AUDIO));
}

/** The video that players show; undefined where there is none. */
export function videoStreamOf(input: FfmpegInput): Stream | undefined {
  return preferred(input, streamsOf(input, input.av.constants.AVMEDIA_TYPE_VIDEO));
}

/** Says which of several streams of its type is read; undefined for the only one. */
export function choiceNotice(input: FfmpegInput, stream: Stream): string | undefined {
  const { constants } = input.av;
  const { codecType } = stream.codecpar;
  const all = streamsOf(input, codecType);
  if (all.length < 2) return undefined;
  const what = codecType === constants.AVMEDIA_TYPE_AUDIO ? 'sounds' : 'videos';
  return `${input.name}: it has ${all.length} ${what}; number ${all.indexOf(stream) + 1} is read, as players do`;
}

/** What a file has instead of what was looked for. */
export function describeStreams({ streams, av: { constants } }: FfmpegInput): string {
  const names = streams.map(({ codecpar: { codecType }, disposition }) => {
    if ((disposition & constants.AV_DISPOSITION_ATTACHED_PIC) !== 0) return 'cover picture';
    if (codecType === constants.AVMEDIA_TYPE_VIDEO) return 'video';
    if (codecType === constants.AVMEDIA_TYPE_AUDIO) return 'audio';
    return codecType === constants.AVMEDIA_TYPE_SUBTITLE ? 'subtitles' : 'other data';
  });
  return names.length === 0 ? 'no stream at all' : `streams: ${names.join(', ')}`;
}
