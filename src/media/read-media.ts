import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { LgiError } from '../../codec/errors.js';
import { describeStreams, soundStreamOf, videoStreamOf } from './clip-streams.js';
import { convertTimes, type RatesAsked } from './convert-times.js';
import { openFfmpegInput } from './ffmpeg-input.js';
import { refusal } from './formats/describe.js';
import type { MediaReader } from './formats/media-format.js';
import { recogniseFile } from './formats/recognise.js';
import { mediaFault } from './image-limits.js';
import { memoryMedia, type Media } from './media.js';
import { isNiftiPair } from './nifti-files.js';
import { readAudio } from './read-audio.js';
import { readWav } from './wav-file.js';
import { readImage } from './read-image.js';
import { readShape } from './read-shape.js';
import { readVideoWithSound } from './read-video.js';
import { readVolume } from './read-volume.js';

/** How a medium is read whose kind has a choice. */
export interface ReadMediaOptions extends RatesAsked {
  /** Of a mesh: voxels per axis; default 256. */
  readonly resolution?: number;
  readonly signal?: AbortSignal;
}

/** Names that decide where the content does not: raw streams without a signature, and text that could be anything. */
const BY_NAME: Readonly<Record<string, MediaReader | undefined>> = {
  '.png': 'picture',
  '.jpg': 'picture',
  '.jpeg': 'picture',
  '.webp': 'picture',
  '.npy': 'volume',
  '.nii': 'volume',
  '.obj': 'shape',
  '.stl': 'shape',
  '.ply': 'shape',
  '.off': 'shape',
  '.glb': 'shape',
  '.gltf': 'shape',
  '.3mf': 'shape',
};

/**
 * Reads a medium of any kind: its content decides, whatever the file is called. A video comes with its sound as a second medium, sound
 * alone in a video's container is a sound, and a GIF or animated PNG of one frame is a picture. A folder is a volume of slices, and so
 * is a pattern such as `slices/%04d.png` where there is no file of that name.
 *
 * @throws LgiError and OptionError as {@link readImage}, {@link readAudio}, {@link readVideoWithSound}, {@link readVolume} and
 * {@link readShape}; `media` for a file of another format, which the message names; OptionError for a rate of what has none.
 */
export async function readMedia(path: string, options: ReadMediaOptions = {}): Promise<Media[]> {
  return convertTimes(path, await readAsItIs(path, options), options, options.signal);
}

async function readAsItIs(path: string, { resolution, signal }: ReadMediaOptions): Promise<Media[]> {
  const stats = await stat(path).catch(() => undefined);
  // A name that is not there may be a pattern; the reader of volumes says what is wrong.
  if (stats === undefined || stats.isDirectory()) return [await readVolume(path, signal)];
  if (!stats.isFile()) {
    throw new LgiError('io', `cannot read ${path}: it is no regular file; save the medium to one first`);
  }
  const { start, format } = await recogniseFile(path);
  // ANALYZE headers have no signature, packed ones that of gzip; samples beside a header may begin like anything.
  const mayBePair = format?.reader === undefined || /\.img(\.gz)?$/i.test(path);
  const isPair = mayBePair && (await isNiftiPair(path));
  const isUnknown = format === undefined && stats.size > 0;
  const reader = isPair
    ? 'volume'
    : (format?.reader ?? (isUnknown ? BY_NAME[extname(path).toLowerCase()] : undefined));
  switch (reader) {
    case 'picture':
      return [await readImage(path, signal)];
    case 'volume':
      return [await readVolume(path, signal)];
    case 'shape':
      return [await readShape(path, resolution === undefined ? {} : { resolution }, signal)];
    case 'clip':
      return readClip(path, signal);
    case undefined:
      break;
  }
  // FFmpeg knows more than the table; text it would take for subtitles and drawings of characters.
  if (isUnknown && start.plain === '') {
    const clip = await readClip(path, signal).catch((error: unknown) => {
      if (error instanceof LgiError && error.code === 'media') return undefined;
      throw error;
    });
    if (clip !== undefined) return clip;
  }
  throw refusal(path, start, format);
}

/** Sound, or video with its sound, as the streams of a file say. */
async function readClip(path: string, signal?: AbortSignal): Promise<Media[]> {
  const wav = await readWav(path, signal);
  if (wav) return [wav];
  const input = await openFfmpegInput(path, signal);
  let isVideo: boolean;
  try {
    isVideo = videoStreamOf(input) !== undefined;
    if (!isVideo && soundStreamOf(input) === undefined) {
      throw mediaFault(
        path,
        `there is no sound and no video in it (${describeStreams(input)})`,
        'give a file with a stream of one of them',
      );
    }
  } finally {
    await input.close();
  }
  if (!isVideo) return [await readAudio(path, signal)];
  const media = await readVideoWithSound(path, signal ? { signal } : {});
  const [video] = media;
  const isStill = media.length === 1 && video.shape[0] === 1;
  return isStill && /^(gif|apng)$/.test(input.container) ? [await stillOf(video, signal)] : media;
}

/** The only frame of a clip as a picture. */
async function stillOf(video: Media, signal?: AbortSignal): Promise<Media> {
  const { shape, channels, format, colour, notices } = video;
  const data = await video.read({ begin: [0, 0, 0], end: shape }, signal);
  video.close?.();
  return memoryMedia({
    kind: 'image',
    data,
    shape: shape.slice(1),
    channels,
    layout: format.layout,
    ...(colour && { colour }),
    ...(notices && { notices }),
  });
}

/** Whether a path names a folder that is there. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** Whether a path is a pattern of slices: it has a mark, and there is no file of that name. URLs have marks of their own. */
export async function isPattern(path: string): Promise<boolean> {
  if (!/[%*]/.test(path) || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return false;
  return stat(path).then(
    () => false,
    () => true,
  );
}
