import { open, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { LgiError } from '../../codec/errors.js';
import { fileError } from '../io/file-error-node.js';
import { damagedFault, MAX_FILE_BYTES, mediaFault } from './image-limits.js';
import { NIFTI_HEADER_BYTES, parseNiftiHeader, type NiftiHeader } from './nifti-header.js';

/** A volume's header and the bytes that its samples lie in: of the same file, or of the `.img` beside a `.hdr`. */
export interface NiftiFiles {
  readonly header: NiftiHeader;
  readonly bytes: Uint8Array;
  /** The path of the file that has the samples, for messages. */
  readonly path: string;
}

const PAIR_NAME = /\.(hdr|img)(\.gz)?$/i;

/** The file, unpacked where it is packed whatever its name is, but no further than a volume may be large. */
async function readBytes(path: string): Promise<Uint8Array> {
  const failed = (cause: unknown): never => {
    throw fileError('read', path, cause);
  };
  const status = await stat(path).catch(failed);
  if (!status.isFile()) {
    throw new LgiError('io', `cannot read ${path}: it is no regular file; save the volume to one first`);
  }
  if (status.size > MAX_FILE_BYTES) {
    throw mediaFault(
      path,
      `the file has ${status.size} bytes, the limit is ${MAX_FILE_BYTES}`,
      'convert it to .npy, which is read in parts',
    );
  }
  const bytes = await readFile(path).catch(failed);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return promisify(gunzip)(bytes, { maxOutputLength: MAX_FILE_BYTES }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw mediaFault(
        path,
        `it unpacks to more than ${MAX_FILE_BYTES} bytes, the limit`,
        'convert it to .npy, which is read in parts',
      );
    }
    throw damagedFault(path, 'it cannot be unpacked', cause);
  });
}

/** The other file of a pair, packed or not, in the case of the name; null where there is none. */
async function partnerOf(path: string, extension: 'hdr' | 'img'): Promise<string | null> {
  const found = PAIR_NAME.exec(path);
  if (!found) return null;
  const isUpper = found[1] === found[1].toUpperCase();
  const base = `${path.slice(0, found.index)}.${isUpper ? extension.toUpperCase() : extension}`;
  for (const candidate of [base, `${base}.gz`]) {
    const isThere = await stat(candidate).then(
      (status) => status.isFile(),
      () => false,
    );
    if (isThere) return candidate;
  }
  return null;
}

function headerOf(bytes: Uint8Array, path: string): NiftiHeader | undefined {
  return parseNiftiHeader(bytes.subarray(0, NIFTI_HEADER_BYTES), path);
}

/**
 * Reads the files of a NIfTI or ANALYZE volume, by the name of either.
 *
 * @throws LgiError `io`; `media` for what has no header, a partner that is missing, or a file that is too large or cannot be unpacked.
 */
export async function readNiftiFiles(path: string): Promise<NiftiFiles> {
  const bytes = await readBytes(path);
  const isSamples = /\.img(\.gz)?$/i.test(path);
  const own = headerOf(bytes, path);
  // A whole file may have any name; an .img of a pair could by chance begin as a header does.
  if (own && !own.isPair) return { header: own, bytes, path };
  if (isSamples) {
    const headerPath = await partnerOf(path, 'hdr');
    const header = headerPath === null ? undefined : headerOf(await readBytes(headerPath), headerPath);
    if (header) return { header, bytes, path };
    throw mediaFault(
      path,
      headerPath === null
        ? 'no .hdr lies beside it, which would say what samples these are'
        : `${headerPath} beside it is no NIfTI or ANALYZE header`,
      'put the .hdr of the volume beside it, or convert it to .nii or .npy',
    );
  }
  if (own === undefined) {
    throw mediaFault(
      path,
      'it is no NIfTI file by its header',
      'fetch or export it again, or convert it to .npy',
    );
  }
  const samplesPath = await partnerOf(path, 'img');
  if (samplesPath === null) {
    throw mediaFault(
      path,
      `it is the ${own.format} header of a pair, and no .img lies beside it`,
      'put the .img with the samples beside it, or convert the volume to .nii',
    );
  }
  return { header: own, bytes: await readBytes(samplesPath), path: samplesPath };
}

/** Whether a name is that of a pair of NIfTI or ANALYZE: `.img` beside a `.hdr`, or a `.hdr` that is no Radiance picture. */
export async function isNiftiPair(path: string): Promise<boolean> {
  if (/\.img(\.gz)?$/i.test(path)) return (await partnerOf(path, 'hdr')) !== null;
  return /\.hdr(\.gz)?$/i.test(path) && !(await beginsAsRadiance(path));
}

async function beginsAsRadiance(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  try {
    return (await file?.read(Buffer.alloc(2), 0, 2, 0))?.buffer.toString('latin1') === '#?';
  } catch {
    // What cannot be read is told of by the reader.
    return false;
  } finally {
    await file?.close();
  }
}
