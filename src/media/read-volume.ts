import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LgiError } from '../../codec/errors.js';
import { allocateSamples, type SampleArray, type SampleType } from '../../codec/signal.js';
import { fileError } from '../io/file-error-node.js';
import { refusal } from './formats/describe.js';
import { NIFTI_NAME, NPZ_NAME } from './formats/read-formats.js';
import { recogniseFile } from './formats/recognise.js';
import { mediaFault } from './image-limits.js';
import { memoryMedia, type Media } from './media.js';
import { openNpy } from './npy-media.js';
import { readImage } from './read-image.js';
import { isNiftiPair } from './nifti-files.js';
import { readNifti } from './read-nifti.js';
import { readNpz } from './read-npz.js';
import { inNaturalOrder, matchingNames, slicePatternOf, type SlicePattern } from './slice-names.js';

/** What every slice has to be like: the first one. */
interface SliceForm {
  readonly shape: readonly number[];
  readonly sampleType: SampleType;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder === '' ? '.' : folder);
  } catch (cause) {
    throw fileError('read', folder, cause);
  }
}

async function readSlice(path: string, signal?: AbortSignal): Promise<SliceForm & { data: SampleArray }> {
  const { shape, channels, format, read } = await readImage(path, signal);
  if (channels !== 1) {
    throw mediaFault(
      path,
      `this slice has ${channels} channels (${format.layout}), slices of a volume are grey`,
      'convert them to grey PNG first',
    );
  }
  const data = await read({ begin: shape.map(() => 0), end: shape }, signal);
  return { shape, sampleType: format.sampleType, data };
}

/** Slices stay in memory in their own depth: a picture can only be read whole, and a box crosses many. */
async function stack(paths: readonly string[], notices: string[], signal?: AbortSignal): Promise<Media> {
  const first = await readSlice(paths[0], signal);
  const [height, width] = first.shape;
  const data = allocateSamples(first.sampleType, paths.length * height * width);
  for (const [z, path] of paths.entries()) {
    const slice = z === 0 ? first : await readSlice(path, signal);
    if (slice.shape[0] !== height || slice.shape[1] !== width || slice.sampleType !== first.sampleType) {
      throw mediaFault(
        path,
        `this slice is ${slice.shape[1]}x${slice.shape[0]} ${slice.sampleType}, the first one ${width}x${height} ` +
          first.sampleType,
        'make all slices of one size and depth',
      );
    }
    data.set(slice.data, z * height * width);
  }
  return memoryMedia({ kind: 'volume', data, shape: [paths.length, height, width], channels: 1, notices });
}

async function readPattern(pattern: SlicePattern, signal?: AbortSignal): Promise<Media> {
  const names = matchingNames(pattern, await namesIn(pattern.folder));
  return stack(
    names.map((name) => pattern.folder + name),
    [],
    signal,
  );
}

async function readFolder(folder: string, signal?: AbortSignal): Promise<Media> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
  const slices = inNaturalOrder(names.filter((name) => name.toLowerCase().endsWith('.png')));
  if (slices.length === 0) {
    throw mediaFault(
      folder,
      `the folder has ${names.length} files, none of them .png`,
      'a volume is a folder of grey PNG slices or a .npy file; convert it to one of them',
    );
  }
  const others = names.length - slices.length;
  return stack(
    slices.map((name) => join(folder, name)),
    others > 0 ? [`${folder}: ${others} of ${names.length} files do not end in .png and were left out`] : [],
    signal,
  );
}

/**
 * Reads a volume: a NumPy `.npy` file or a `.npz` of one array (integers, floats or truth values, axes z, y, x), a NIfTI or ANALYZE file (`.nii`,
 * `.nii.gz`, `.hdr` with `.img`), a folder of grey PNG slices, or a
 * pattern of their names such as `slices/%04d.png` or `slices/*.png`.
 *
 * uint8 and uint16 stay, all else becomes float32. A `.npy` file is read box by box and never held as a whole; floats are read once at the start, since their smallest and
 * largest value map to [-1, 1]. Slices are held in memory in their own depth, in the natural order of their names.
 *
 * @throws LgiError `io` when a file cannot be read; `media` for another type, order or number of axes, a wrong length, floats
 * that are not finite, slices that are missing, not grey or not alike; `limit` and `unavailable` as `readImage`.
 * @throws OptionError `input` for a pattern of more than one mark.
 */
export async function readVolume(path: string, signal?: AbortSignal): Promise<Media> {
  signal?.throwIfAborted();
  const stats = await stat(path).catch((cause: unknown) => cause as NodeJS.ErrnoException);
  if (stats instanceof Error) {
    const pattern = stats.code === 'ENOENT' ? slicePatternOf(path, 'input') : null;
    if (pattern) return readPattern(pattern, signal);
    throw fileError('read', path, stats);
  }
  if (stats.isDirectory()) return readFolder(path, signal);
  if (!stats.isFile()) {
    throw new LgiError('io', `cannot read ${path}: it is no regular file; save the volume to one first`);
  }
  const { start, format } = await recogniseFile(path);
  // Samples beside a header may begin like anything.
  const mayBePair = format?.reader === undefined || /\.img(\.gz)?$/i.test(path);
  if (format?.name === NIFTI_NAME || (mayBePair && (await isNiftiPair(path)))) {
    return readNifti(path, signal);
  }
  if (format?.reader === 'picture') {
    throw mediaFault(
      path,
      `this is one picture, ${format.name}`,
      'name the folder of the slices, or a pattern such as %04d.png',
    );
  }
  if (format === undefined && /\.nii(\.gz)?$/i.test(path)) return readNifti(path, signal);
  if (format !== undefined && format.reader !== 'volume') throw refusal(path, start, format);
  return format?.name === NPZ_NAME ? readNpz(path, signal) : openNpy(path, signal);
}
