import { LgiError } from '../../codec/errors.js';
import { boxShape, boxSize, type Box } from '../../codec/grid.js';
import {
  allocateSamples,
  fullRangeMapping,
  type SampleArray,
  type ValueMapping,
} from '../../codec/signal.js';
import { FileSource } from '../io/file-source-node.js';
import { mappingBetween } from './content-mapping.js';
import { damagedFault, mediaFault } from './image-limits.js';
import { checkBox, type Media } from './media.js';
import { NPY_HEADER_BYTES, orderBytes, parseNpyHeader, SAMPLE_BYTES, type NpyHeader } from './npy-file.js';

/** What one read of the file fetches at most; beyond about 1 MiB a longer read is no faster per byte. */
const BLOCK_BYTES = 2 ** 20;

/** The file behind a volume, read by runs of samples. */
class NpySamples {
  constructor(
    private readonly source: FileSource,
    private readonly name: string,
    readonly header: NpyHeader,
  ) {}

  /** The samples `[begin, begin + length)`, counted through the whole array. */
  async run(begin: number, length: number, signal?: AbortSignal): Promise<SampleArray> {
    const { sampleType, isBigEndian, byteOffset, byteLength } = this.header;
    const samples = allocateSamples(sampleType, length);
    const bytes = new Uint8Array(samples.buffer);
    const filled = await this.source.readInto(byteOffset + begin * SAMPLE_BYTES[sampleType], bytes, signal);
    if (filled < bytes.length) {
      throw damagedFault(this.name, `the file became shorter than its ${byteLength} bytes while it was read`);
    }
    orderBytes(bytes, sampleType, isBigEndian);
    return samples;
  }
}

/**
 * What takes the smallest float to -1 and the largest to 1; the whole file is read for it, block by block.
 *
 * Where all are equal the scale, which must not be 0, is so small that any output of a network rounds to that value.
 */
async function contentMapping(
  samples: NpySamples,
  name: string,
  signal?: AbortSignal,
): Promise<ValueMapping> {
  const [depth, height, width] = samples.header.shape;
  const count = depth * height * width;
  const block = BLOCK_BYTES / SAMPLE_BYTES.float32;
  let [low, high] = [Infinity, -Infinity];
  for (let begin = 0; begin < count; begin += block) {
    const values = await samples.run(begin, Math.min(block, count - begin), signal);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (!Number.isFinite(value)) {
        const index = begin + i;
        const place = [
          Math.floor(index / (height * width)),
          Math.floor(index / width) % height,
          index % width,
        ];
        throw mediaFault(
          name,
          `the sample at z, y, x = ${place.join(', ')} is ${value}`,
          'replace values that are not finite, such as with np.nan_to_num(array)',
        );
      }
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return mappingBetween(low, high);
}

/** Reads a box by spans of rows, gaps between them included: one long read is far cheaper than many short ones. */
async function readBox(samples: NpySamples, box: Box, signal?: AbortSignal): Promise<SampleArray> {
  const { shape, sampleType } = samples.header;
  checkBox(box, shape);
  const [, height, width] = shape;
  const [, rows, run] = boxShape(box);
  const target = allocateSamples(sampleType, boxSize(box));
  const rowsAtOnce = Math.max(1, Math.floor(BLOCK_BYTES / (width * SAMPLE_BYTES[sampleType])));
  let filled = 0;
  for (let z = box.begin[0]; z < box.end[0]; z++) {
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      const begin = (z * height + box.begin[1] + row) * width + box.begin[2];
      const span = await samples.run(begin, (count - 1) * width + run, signal);
      for (let i = 0; i < count; i++, filled += run) {
        target.set(span.subarray(i * width, i * width + run), filled);
      }
    }
  }
  return target;
}

/**
 * A volume in NumPy's array format as a medium that is read from the file box by box, never held as a whole.
 *
 * @throws LgiError `io` when the file cannot be read, `media` for what is no such volume, is not as long as its header says,
 * or holds a float that is not finite.
 */
export async function openNpy(path: string, signal?: AbortSignal): Promise<Media> {
  const source = await FileSource.open(path);
  try {
    const header = parseNpyHeader(await source.read(0, NPY_HEADER_BYTES, signal), path);
    const { shape, sampleType, byteLength } = header;
    if (source.knownByteLength() !== byteLength) {
      throw damagedFault(
        path,
        `an array of ${shape.join('x')} ${sampleType} makes a file of ${byteLength} bytes, this one has ` +
          `${source.knownByteLength()}`,
      );
    }
    const samples = new NpySamples(source, path, header);
    const mapping =
      sampleType === 'float32' ? await contentMapping(samples, path, signal) : fullRangeMapping(sampleType);
    let isClosed = false;
    return {
      kind: 'volume',
      shape,
      channels: 1,
      format: { sampleType, channels: 1, layout: 'plain', mapping },
      async read(box, readSignal) {
        readSignal?.throwIfAborted();
        if (isClosed) throw new LgiError('media', 'the medium is closed; open it again to read');
        return readBox(samples, box, readSignal);
      },
      close() {
        isClosed = true;
        void source.close();
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
