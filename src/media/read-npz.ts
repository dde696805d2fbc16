import { FileSource } from '../io/file-source-node.js';
import { MemorySource } from '../io/memory.js';
import { mediaFault } from './image-limits.js';
import type { Media } from './media.js';
import { mediaOfNpy } from './npy-media.js';
import { unzipEntry, zipEntries, type ZipEntry } from './zip-file.js';

/** Names that a message lists of an archive. */
const LISTED = 8;

function listed(entries: readonly ZipEntry[]): string {
  const names = entries
    .slice(0, LISTED)
    .map(({ name }) => JSON.stringify(name.slice(0, 64).replace(/\.npy$/, '')));
  return names.join(', ') + (entries.length > LISTED ? ` and ${entries.length - LISTED} more` : '');
}

/**
 * Reads the one array of a NumPy `.npz` archive, packed or not; it is held in memory.
 *
 * @throws LgiError `io`; `media` for an archive of no array or several, for one that is damaged, and as a `.npy` file.
 */
export async function readNpz(path: string, signal?: AbortSignal): Promise<Media> {
  const source = await FileSource.open(path);
  try {
    const entries = (await zipEntries(source, path)).filter(({ name }) => !name.endsWith('/'));
    const arrays = entries.filter(({ name }) => name.endsWith('.npy'));
    if (arrays.length === 0) {
      throw mediaFault(
        path,
        `this is a ZIP archive without a NumPy array${entries.length > 0 ? `, of ${listed(entries)}` : ''}`,
        'unpack it and give one file of it',
      );
    }
    if (arrays.length > 1) {
      throw mediaFault(
        path,
        `the archive has ${arrays.length} arrays: ${listed(arrays)}`,
        "save one of them with np.save('volume.npy', np.load(path)[name])",
      );
    }
    signal?.throwIfAborted();
    const bytes = await unzipEntry(source, arrays[0], path);
    signal?.throwIfAborted();
    return await mediaOfNpy(new MemorySource(bytes), path, signal);
  } finally {
    await source.close();
  }
}
