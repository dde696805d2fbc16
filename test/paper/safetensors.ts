import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LgiError } from '../../codec/errors.js';
import type { ResnetWeights } from '../../codec/incode/resnet-features.js';
import { fileError } from '../../src/io/file-error-node.js';

interface Entry {
  readonly dtype: string;
  readonly data_offsets: readonly [number, number];
}

/** Weights of a file. */
export interface WeightsFile extends ResnetWeights {
  /** Of the file, in hex. */
  readonly sha256: string;
}

/**
 * Trained weights from a `.safetensors` file, such as one saved from torchvision's `resnet34`: eight bytes of length, a JSON of names,
 * types and places, then the numbers.
 *
 * @throws LgiError `io` for a file that cannot be read, `media` for one that is none, or has not what is asked for.
 */
export async function readSafetensors(path: string): Promise<WeightsFile> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw fileError('read', path, cause);
  });
  const fault = (fact: string): LgiError =>
    new LgiError('media', `${path} ${fact}; give the safetensors of a torchvision resnet34`);
  const headerLength = bytes.length < 8 ? -1 : Number(bytes.readBigUInt64LE(0));
  if (headerLength < 2 || 8 + headerLength > bytes.length) throw fault('is no safetensors file');
  let entries: Readonly<Record<string, Entry | undefined>>;
  try {
    entries = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as typeof entries;
  } catch {
    throw fault('has a header that is no JSON');
  }
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    tensor: (name, length) => {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry?.dtype !== 'F32') throw fault(`has no float32 tensor ${name}`);
      const [begin, end] = entry.data_offsets;
      const from = 8 + headerLength + begin;
      if (end - begin !== 4 * length || from + 4 * length > bytes.length) {
        throw fault(`has ${(end - begin) / 4} numbers in ${name} instead of ${length}`);
      }
      // Copied, since a view must begin at a multiple of four.
      return new Float32Array(new Uint8Array(bytes.subarray(from, from + 4 * length)).buffer);
    },
  };
}
