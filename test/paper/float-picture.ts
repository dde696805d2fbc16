import { memoryMedia, type Media } from '../../src/media/media.js';

/** A picture of numbers, mostly from 0 to 1, row-major `[height, width, channels]`. */
export interface FloatPicture {
  readonly data: Float32Array;
  readonly shape: readonly [height: number, width: number];
  readonly channels: number;
}

/** A picture's samples, stretched so that they go from 0 to 1. */
export async function floatPicture(media: Media): Promise<FloatPicture> {
  const [height, width] = media.shape;
  const samples = await media.read({ begin: [0, 0], end: media.shape });
  const data = stretched(Float32Array.from(samples));
  return { data, shape: [height, width], channels: media.channels };
}

/** Numbers shifted and scaled so that they go from 0 to 1; zeros where all are the same. */
export function stretched(data: Float32Array): Float32Array {
  const least = data.reduce((low, value) => Math.min(low, value), Infinity);
  const most = data.reduce((high, value) => Math.max(high, value), -Infinity);
  const range = most > least ? most - least : 1;
  return data.map((value) => (value - least) / range);
}

/** The first channel of a picture, stretched so that it goes from 0 to 1. */
export function firstChannel({ data, shape, channels }: FloatPicture): FloatPicture {
  return { data: stretched(data.filter((_, i) => i % channels === 0)), shape, channels: 1 };
}

/** The upper left part of a picture. */
export function upperLeft(
  { data, shape, channels }: FloatPicture,
  [height, width]: readonly [number, number],
): FloatPicture {
  const part = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = y * shape[1] * channels;
    part.set(data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data: part, shape: [height, width], channels };
}

/** A smaller picture, each sample the mean over the area that it covers. */
export function areaResized(picture: FloatPicture, [height, width]: readonly [number, number]): FloatPicture {
  const { channels } = picture;
  const [fromHeight, fromWidth] = picture.shape;
  const rows = coverage(fromHeight, height);
  const columns = coverage(fromWidth, width);
  const data = new Float32Array(height * width * channels);
  rows.forEach((takenRows, y) =>
    columns.forEach((takenColumns, x) => {
      for (const [row, rowWeight] of takenRows) {
        for (const [column, columnWeight] of takenColumns) {
          for (let channel = 0; channel < channels; channel++) {
            const value = picture.data[(row * fromWidth + column) * channels + channel];
            data[(y * width + x) * channels + channel] += rowWeight * columnWeight * value;
          }
        }
      }
    }),
  );
  return { data, shape: [height, width], channels };
}

/** For each of `count` equal parts of an axis the samples in it, and their shares. */
function coverage(length: number, count: number): (readonly [sample: number, share: number])[][] {
  const size = length / count;
  return Array.from({ length: count }, (_, part) => {
    const [begin, end] = [part * size, (part + 1) * size];
    const taken: [number, number][] = [];
    for (let sample = Math.floor(begin); sample < Math.min(end, length); sample++) {
      const share = (Math.min(end, sample + 1) - Math.max(begin, sample)) / size;
      if (share > 0) taken.push([sample, share]);
    }
    return taken;
  });
}

/** A picture as a medium whose samples are the network's outputs. */
export function asMedia({ data, shape, channels }: FloatPicture): Media {
  return memoryMedia({
    data,
    shape,
    layout: channels === 1 ? 'grey' : 'rgb',
    mapping: { scale: 1, offset: 0 },
  });
}

/** Outputs that are left where they are pictures' samples: from 0 to 1. */
export function clamped(data: Float32Array): Float32Array {
  return data.map((value) => Math.max(0, Math.min(1, value)));
}

/** A picture of twice the size, interpolated between its samples' middles. */
export function bilinearDoubled({ data, shape, channels }: FloatPicture): FloatPicture {
  const [height, width] = [2 * shape[0], 2 * shape[1]];
  const doubled = new Float32Array(height * width * channels);
  const neighbours = (at: number, length: number): readonly [low: number, high: number, share: number] => {
    const position = Math.max(0, Math.min(length - 1, (at + 0.5) / 2 - 0.5));
    const low = Math.floor(position);
    return [low, Math.min(length - 1, low + 1), position - low];
  };
  for (let y = 0; y < height; y++) {
    const [top, bottom, down] = neighbours(y, shape[0]);
    for (let x = 0; x < width; x++) {
      const [left, right, along] = neighbours(x, shape[1]);
      for (let channel = 0; channel < channels; channel++) {
        const at = (row: number, column: number): number =>
          data[(row * shape[1] + column) * channels + channel];
        const above = (1 - along) * at(top, left) + along * at(top, right);
        const below = (1 - along) * at(bottom, left) + along * at(bottom, right);
        doubled[(y * width + x) * channels + channel] = (1 - down) * above + down * below;
      }
    }
  }
  return { data: doubled, shape: [height, width], channels };
}
