import { FileSink } from '../../src/io/file-sink-node.js';

/**
 * Writes a file in one step: a kill leaves what was there before, or the new contents.
 *
 * @throws LgiError `io` where it cannot be written.
 */
export async function replaceFile(path: string, contents: string | Uint8Array): Promise<void> {
  const sink = await FileSink.open(path);
  try {
    await sink.write(0, typeof contents === 'string' ? new TextEncoder().encode(contents) : contents);
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
