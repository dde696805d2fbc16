import { unlink } from 'node:fs/promises';
import { LgiError, OptionError } from '../../codec/errors.js';
import type { SampleArray, SampleFormat } from '../../codec/signal.js';
import { FileSink } from '../io/file-sink-node.js';
import { npyHeader, orderBytes } from './npy-file.js';
import { slicePath, slicePatternOf, type SlicePattern } from './slice-names.js';
import { writeImage } from './write-image.js';

/** A volume to be written, as `decode` gives it. */
export interface VolumeSamples {
  /** Row-major `[z, y, x, channels]`, of the format's sample type: all of it, or some slices after the other. */
  readonly data: SampleArray | AsyncIterable<SampleArray>;
  /** `[z, y, x]`. */
  readonly shape: readonly number[];
  readonly channels: number;
  readonly format: Pick<SampleFormat, 'sampleType'>;
}

/** What is brought into the file's byte order and written at once. */
const BLOCK_BYTES = 2 ** 22;

/** The volume's samples, a few slices at a time, and as many as its shape has. */
async function* blocksOf({ data, shape, channels }: VolumeSamples): AsyncGenerator<SampleArray> {
  const count = shape.reduce((product, length) => product * length, channels);
  let given = 0;
  const refuse = (): never => {
    throw new LgiError(
      'media',
      `${given} samples given for a volume of shape ${shape.join('x')} and ${channels} channels; ` +
        'give z x y x x x channels of them',
    );
  };
  if (shape.length !== 3 || !(count > 0)) refuse();
  for await (const block of Symbol.asyncIterator in data ? data : [data]) {
    given += block.length;
    if (given > count || block.length % (count / shape[0]) !== 0) refuse();
    yield block;
  }
  if (given !== count) refuse();
}

async function writeNpy(path: string, volume: VolumeSamples, signal?: AbortSignal): Promise<number> {
  const { shape, channels, format } = volume;
  const header = npyHeader(format.sampleType, channels === 1 ? shape : [...shape, channels]);
  const sink = await FileSink.open(path);
  try {
    await sink.write(0, header);
    let at = header.length;
    for await (const samples of blocksOf(volume)) {
      const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
      for (let begin = 0; begin < bytes.length; begin += BLOCK_BYTES) {
        signal?.throwIfAborted();
        const block = bytes.slice(begin, begin + BLOCK_BYTES);
        orderBytes(block, format.sampleType, false);
        await sink.write(at, block);
        at += block.length;
      }
    }
    signal?.throwIfAborted();
    await sink.close();
    return at;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

function checkSlices({ pattern, digits }: SlicePattern, { channels, format }: VolumeSamples): void {
  if (digits === null) {
    throw new OptionError('output', `${pattern} has no place for a number; write %04d instead of *`);
  }
  if (!pattern.toLowerCase().endsWith('.png')) {
    throw new OptionError('output', `${pattern} is no pattern of PNG files; end it in .png`);
  }
  if (format.sampleType === 'float32' || channels !== 1) {
    const found = channels === 1 ? 'float32' : `of ${channels} channels`;
    throw new OptionError(
      'output',
      `slices are grey PNG of uint8 or uint16, the volume is ${found}; write it as .npy`,
    );
  }
}

/** One slice after the other. */
async function* slicesOf(volume: VolumeSamples): AsyncGenerator<SampleArray> {
  const [, height, width] = volume.shape;
  const length = height * width * volume.channels;
  for await (const block of blocksOf(volume)) {
    for (let begin = 0; begin < block.length; begin += length) yield block.subarray(begin, begin + length);
  }
}

async function writeSlices(
  pattern: SlicePattern,
  volume: VolumeSamples,
  signal?: AbortSignal,
): Promise<number> {
  const { shape, format } = volume;
  const [, height, width] = shape;
  const written: string[] = [];
  let byteLength = 0;
  try {
    for await (const slice of slicesOf(volume)) {
      const path = slicePath(pattern, written.length);
      byteLength += await writeImage(
        path,
        {
          data: slice,
          shape: [height, width],
          channels: 1,
          layout: 'grey',
          sampleType: format.sampleType,
        },
        { ...(signal && { signal }) },
      );
      written.push(path);
    }
    return byteLength;
  } catch (error) {
    // Part of a volume would read as a thinner one.
    await Promise.all(written.map((path) => unlink(path).catch(() => undefined)));
    throw error;
  }
}

/**
 * Writes a volume: to `.npy`, whole or not at all; or to grey PNG slices by a pattern such as `out/%04d.png`, numbered from 0,
 * each whole, and removed again where a later one fails.
 *
 * A volume of more than one channel becomes an array of four axes, channels last.
 *
 * @returns the bytes written.
 * @throws OptionError `output` for another extension, and for slices of floats or of more than one channel; LgiError `media`
 * for a shape that does not fit the samples, `io` when the place cannot be written, `unavailable` as `encodeImage`.
 */
export async function writeVolume(to: string, volume: VolumeSamples, signal?: AbortSignal): Promise<number> {
  signal?.throwIfAborted();
  const pattern = slicePatternOf(to, 'output');
  if (pattern) {
    checkSlices(pattern, volume);
    return writeSlices(pattern, volume, signal);
  }
  if (!to.toLowerCase().endsWith('.npy')) {
    throw new OptionError(
      'output',
      `${to} is no place for a volume; write it as .npy, or as slices %04d.png`,
    );
  }
  return writeNpy(to, volume, signal);
}
