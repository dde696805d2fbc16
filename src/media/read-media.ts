import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Media } from './media.js';
import { readImage } from './read-image.js';
import { readShape } from './read-shape.js';
import { readVolume } from './read-volume.js';

/** How a medium is read whose kind has a choice. */
export interface ReadMediaOptions {
  /** Of a mesh: voxels per axis; default 256. */
  readonly resolution?: number;
  readonly signal?: AbortSignal;
}

const MESH_EXTENSIONS: ReadonlySet<string> = new Set(['.obj', '.stl', '.ply']);

/**
 * Reads a medium of any kind that files are read of, by its name: `.npy`, a folder and a pattern such as `slices/%04d.png` are
 * volumes; `.obj`, `.stl` and `.ply` shapes; all else is a picture.
 *
 * @throws LgiError and OptionError as {@link readImage}, {@link readVolume} and {@link readShape}.
 */
export async function readMedia(path: string, { resolution, signal }: ReadMediaOptions = {}): Promise<Media> {
  const extension = extname(path).toLowerCase();
  if (MESH_EXTENSIONS.has(extension)) {
    return readShape(path, resolution === undefined ? {} : { resolution }, signal);
  }
  if (extension === '.npy' || /[%*]/.test(path) || (await isFolder(path))) return readVolume(path, signal);
  return readImage(path, signal);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
