import { LgiError } from '../../codec/errors.js';
import { boxShape, boxSize, type Box } from '../../codec/grid.js';
import {
  allocateSamples,
  fullRangeMapping,
  type SampleArray,
  type ValueMapping,
} from '../../codec/signal.js';
import { FileSource } from '../io/file-source-node.js';
import type { Source } from '../io/source.js';
import { mappingBetween } from './content-mapping.js';
import { beyondFloat32 } from './float32-samples.js';
import { damagedFault } from './image-limits.js';
import { checkBox, type Media } from './media.js';
import { NPY_HEADER_BYTES, orderBytes, parseNpyHeader, type NpyHeader } from './npy-file.js';

/** What one read of the file fetches at most; beyond about 1 MiB a longer read is no faster per byte. */
const BLOCK_BYTES = 2 ** 20;

/** The file behind a volume, read by runs of samples in the order in which they lie there. */
class NpySamples {
  /** Lengths of the axes, the one last whose samples lie side by side. */
  readonly stored: readonly number[];

  constructor(
    private readonly source: Source,
    private readonly name: string,
    readonly header: NpyHeader,
  ) {
    this.stored = header.isFortran ? [...header.shape].reverse() : header.shape;
  }

  private async bytes(begin: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { type, byteOffset, byteLength } = this.header;
    const bytes = new Uint8Array(length * type.bytes);
    const from = byteOffset + begin * type.bytes;
    let filled: number;
    if (this.source.readInto) filled = await this.source.readInto(from, bytes, signal);
    else {
      const read = await this.source.read(from, bytes.length, signal);
      bytes.set(read);
      filled = read.length;
    }
    if (filled < bytes.length) {
      throw damagedFault(this.name, `the file became shorter than its ${byteLength} bytes while it was read`);
    }
    return bytes;
  }

  /** The samples `[begin, begin + length)`, counted through the whole file. */
  async run(begin: number, length: number, signal?: AbortSignal): Promise<SampleArray> {
    const { type, isBigEndian } = this.header;
    const samples = allocateSamples(type.sampleType, length);
    const bytes = await this.bytes(begin, length, signal);
    if (type.at) {
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < length; i++) samples[i] = type.at(view, i * type.bytes, !isBigEndian);
    } else {
      orderBytes(bytes, type.sampleType, isBigEndian);
      new Uint8Array(samples.buffer).set(bytes);
    }
    return samples;
  }

  /** A run's numbers as they are stored, before float32 rounds them; null where it is float32 that is stored. */
  async exact(begin: number, length: number, signal?: AbortSignal): Promise<((i: number) => number) | null> {
    const { type, isBigEndian } = this.header;
    const { at } = type;
    if (!at) return null;
    const view = new DataView((await this.bytes(begin, length, signal)).buffer);
    return (i) => at(view, i * type.bytes, !isBigEndian);
  }
}

/** What a whole pass over the samples finds. */
interface Content {
  readonly mapping: ValueMapping;
  /** Samples that float32 cannot hold exactly. */
  readonly rounded: number;
}

/**
 * What takes the smallest float to -1 and the largest to 1; the whole file is read for it, block by block.
 *
 * Where all are equal the scale, which must not be 0, is so small that any output of a network rounds to that value.
 */
async function contentOf(samples: NpySamples, name: string, signal?: AbortSignal): Promise<Content> {
  const { header, stored } = samples;
  const count = stored.reduce((product, length) => product * length);
  const block = BLOCK_BYTES / header.type.bytes;
  let [low, high, rounded] = [Infinity, -Infinity, 0];
  for (let begin = 0; begin < count; begin += block) {
    const length = Math.min(block, count - begin);
    const exact = await samples.exact(begin, length, signal);
    const values = exact ? null : await samples.run(begin, length, signal);
    for (let i = 0; i < length; i++) {
      const value = exact ? exact(i) : (values?.[i] ?? NaN);
      const kept = Math.fround(value);
      if (!Number.isFinite(kept)) {
        throw beyondFloat32(name, value, indexInOrder(begin + i, samples), header.shape);
      }
      if (kept !== value) rounded++;
      if (kept < low) low = kept;
      if (kept > high) high = kept;
    }
  }
  return { mapping: mappingBetween(low, high), rounded };
}

/** A sample's index in C order, from its index in the file. */
function indexInOrder(index: number, { header, stored }: NpySamples): number {
  if (!header.isFortran) return index;
  const [width, height] = stored.slice(0, 2);
  const depth = stored[2];
  const z = index % depth;
  const y = Math.floor(index / depth) % height;
  const x = Math.floor(index / (depth * height));
  return (z * height + y) * width + x;
}

/** Reads a box of the axes as they are stored by spans of rows, gaps between them included: one long read is far cheaper than many short ones. */
async function readStored(samples: NpySamples, box: Box, signal?: AbortSignal): Promise<SampleArray> {
  const { header, stored } = samples;
  const [, height, width] = stored;
  const [, rows, run] = boxShape(box);
  const target = allocateSamples(header.type.sampleType, boxSize(box));
  const rowsAtOnce = Math.max(1, Math.floor(BLOCK_BYTES / (width * header.type.bytes)));
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

async function readBox(samples: NpySamples, box: Box, signal?: AbortSignal): Promise<SampleArray> {
  const { shape, isFortran, type } = samples.header;
  checkBox(box, shape);
  if (!isFortran) return readStored(samples, box, signal);
  const reversed = { begin: [...box.begin].reverse(), end: [...box.end].reverse() };
  const turned = await readStored(samples, reversed, signal);
  const [depth, height, width] = boxShape(box);
  const target = allocateSamples(type.sampleType, turned.length);
  for (let x = 0, from = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      for (let z = 0; z < depth; z++) target[(z * height + y) * width + x] = turned[from++];
    }
  }
  return target;
}

function noticesOf({ axes, shape, type }: NpyHeader, rounded: number, name: string): string[] {
  const count = shape.reduce((product, length) => product * length);
  return [
    ...(axes.length === 3
      ? []
      : [`${name}: the array is ${axes.join('x')}, it is read as a volume of ${shape.join('x')}`]),
    ...(rounded === 0
      ? []
      : [`${name}: ${rounded} of ${count} samples of ${type.name} were rounded to the 24 bits of float32`]),
  ];
}

/**
 * A volume in NumPy's array format as a medium that is read from its source box by box, never held as a whole.
 *
 * @param source of the file, closed with the medium and when this fails.
 * @throws LgiError `io` when it cannot be read, `media` for what is no such volume, is not as long as its header says, or holds a
 * number that is not finite or beyond float32.
 */
export async function mediaOfNpy(source: Source, name: string, signal?: AbortSignal): Promise<Media> {
  try {
    const header = parseNpyHeader(await source.read(0, NPY_HEADER_BYTES, signal), name);
    const { shape, type, byteLength } = header;
    const found = source.knownByteLength?.();
    if (found !== byteLength) {
      throw damagedFault(
        name,
        `an array of ${shape.join('x')} ${type.name} makes a file of ${byteLength} bytes, this one has ${found}`,
      );
    }
    const samples = new NpySamples(source, name, header);
    const { mapping, rounded } =
      type.sampleType === 'float32'
        ? await contentOf(samples, name, signal)
        : { mapping: fullRangeMapping(type.sampleType), rounded: 0 };
    const notices = noticesOf(header, rounded, name);
    let isClosed = false;
    return {
      kind: 'volume',
      shape,
      channels: 1,
      format: { sampleType: type.sampleType, channels: 1, layout: 'plain', mapping },
      ...(notices.length > 0 && { notices }),
      async read(box, readSignal) {
        readSignal?.throwIfAborted();
        if (isClosed) throw new LgiError('media', 'the medium is closed; open it again to read');
        return readBox(samples, box, readSignal);
      },
      close() {
        isClosed = true;
        void source.close?.();
      },
    };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** {@link mediaOfNpy} of a file. */
export async function openNpy(path: string, signal?: AbortSignal): Promise<Media> {
  return mediaOfNpy(await FileSource.open(path), path, signal);
}
