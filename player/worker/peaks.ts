import type { Signal } from '../../src/signal.js';
import type { PeaksRequest } from './methods.js';

/**
 * Least and most of each column's samples: f32 [columns][2]. Where columns are longer than what is looked at, only those parts are
 * decoded; what is missing or damaged counts as silence.
 */
export async function peaksOf(
  sound: Signal,
  { begin, columnSamples, columns, mostSamples }: PeaksRequest,
  signal: AbortSignal,
  onDecoded: (partitions: number) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const [length] = sound.shape;
  const peaks = new Float32Array(2 * columns);
  const { channels, mapping } = sound.format;
  const take = async (first: number, last: number): Promise<ArrayLike<number>> => {
    const region = { begin: [first], end: [last] };
    const { data, partitionsDecoded } = await sound.decode({ region, allowDamaged: true, signal });
    onDecoded(partitionsDecoded);
    return data;
  };
  const measure = (column: number, data: ArrayLike<number>, from: number, to: number): void => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = from * channels; i < to * channels; i++) {
      const value = (data[i] - mapping.offset) / mapping.scale;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    peaks[2 * column] = least;
    peaks[2 * column + 1] = most;
  };
  if (columnSamples <= mostSamples) {
    const end = Math.min(length, begin + columns * columnSamples);
    const data = await take(begin, end);
    for (let column = 0; column < columns; column++) {
      const from = column * columnSamples;
      measure(column, data, from, Math.min(from + columnSamples, end - begin));
    }
    return peaks;
  }
  // At once, so that what is read for them is read together.
  await Promise.all(
    Array.from({ length: columns }, async (_, column) => {
      const first = begin + column * columnSamples;
      const last = Math.min(length, first + mostSamples);
      measure(column, await take(first, last), 0, last - first);
    }),
  );
  return peaks;
}
