import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Media } from './media.js';
import { isNiftiPair } from './nifti-files.js';
import { readAudio } from './read-audio.js';
import { readImage } from './read-image.js';
import { readShape } from './read-shape.js';
import { readVideoWithSound } from './read-video.js';
import { readVolume } from './read-volume.js';

/** How a medium is read whose kind has a choice. */
export interface ReadMediaOptions {
  /** Of a mesh: voxels per axis; default 256. */
  readonly resolution?: number;
  readonly signal?: AbortSignal;
}

/** What files of a name hold, where it is no picture. */
const KINDS: Readonly<Record<string, 'audio' | 'video' | 'shape'>> = Object.fromEntries([
  ...[
    '.wav',
    '.wave',
    '.flac',
    '.aif',
    '.aiff',
    '.mp3',
    '.m4a',
    '.aac',
    '.ogg',
    '.oga',
    '.opus',
    '.wma',
    '.caf',
    '.au',
  ].map((extension) => [extension, 'audio']),
  ...[
    '.mp4',
    '.m4v',
    '.mov',
    '.mkv',
    '.webm',
    '.avi',
    '.ts',
    '.mts',
    '.mpg',
    '.mpeg',
    '.ogv',
    '.wmv',
    '.flv',
    '.gif',
    '.y4m',
  ].map((extension) => [extension, 'video']),
  ...['.obj', '.stl', '.ply', '.off'].map((extension) => [extension, 'shape']),
]);

/**
 * Reads a medium of any kind by its name: sound and video by the usual extensions, a video with its sound as a second medium;
 * `.npy`, a folder and a pattern such as `slices/%04d.png` are volumes; `.obj`, `.stl`, `.ply` and `.off` shapes; all else is a picture.
 *
 * @throws LgiError and OptionError as {@link readImage}, {@link readAudio}, {@link readVideoWithSound}, {@link readVolume} and
 * {@link readShape}.
 */
export async function readMedia(
  path: string,
  { resolution, signal }: ReadMediaOptions = {},
): Promise<Media[]> {
  const extension = extname(path).toLowerCase();
  switch (KINDS[extension]) {
    case 'audio':
      return [await readAudio(path, signal)];
    case 'video':
      return readVideoWithSound(path, signal ? { signal } : {});
    case 'shape':
      return [await readShape(path, resolution === undefined ? {} : { resolution }, signal)];
    case undefined:
      break;
  }
  const isVolume =
    extension === '.npy' ||
    /[%*]/.test(path) ||
    /\.nii(\.gz)?$/i.test(path) ||
    (await isNiftiPair(path)) ||
    (await isFolder(path));
  return [isVolume ? await readVolume(path, signal) : await readImage(path, signal)];
}

/** Whether a path names a folder that is there. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
