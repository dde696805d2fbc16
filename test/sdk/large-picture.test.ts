import { expect, test } from 'vitest';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { encode, MemorySink, MemorySource, open, type Media, type Source } from '../../dist/src/index.js';

const SIDE = 10_240;
/** RSS that the process may grow by: bounds groups, squares and the file, and not a decoded or a trained whole. */
const MOST_BYTES = 1.5e9;

/** Waves along both axes, made as they are read; long ones show in the means of partitions, where training begins. */
const wave = Float64Array.from({ length: SIDE }, (_, i) => 55 * Math.sin(i / 971) + 8 * Math.sin(i / 3));
const picture: Media = {
  kind: 'image',
  shape: [SIDE, SIDE],
  channels: 1,
  format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
  read({ begin, end }) {
    const width = end[1] - begin[1];
    const samples = new Uint8Array((end[0] - begin[0]) * width);
    let at = 0;
    for (let y = begin[0]; y < end[0]; y++) {
      for (let x = begin[1]; x < end[1]; x++) samples[at++] = 128 + wave[y] + wave[x];
    }
    return Promise.resolve(samples);
  },
};

test(
  'of a picture of 100 million samples a view 1000 across reads under 2 % of the file',
  { timeout: 180_000 },
  async () => {
    const sink = new MemorySink();
    const { bytes, overviews } = await encode(picture, sink, {
      // Networks and weights of default form, so that a chunk is as long as by default and an index entry as dear. With cells and
      // lattice at their defaults, too, this takes twice the time and reads 1.5 %.
      cell: [64, 64],
      lattice: 16,
      // Barely trained, weights would be measured to be hardly worth anything.
      weights: 'int9',
      iterations: 2,
      threads: 2,
    });
    expect(overviews).toEqual([4, 8, 16, 32]);
    expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(MOST_BYTES);

    const memory = new MemorySource(sink.bytes());
    let read = 0;
    const counting: Source = {
      async read(byteOffset, byteLength, signal) {
        const part = await memory.read(byteOffset, byteLength, signal);
        read += part.length;
        return part;
      },
    };
    const file = await open(counting, { threads: 2 });
    const view = await file.signals[0].view({ size: [1000, 1000] });
    await file.dispose();
    expect(view).toMatchObject({ factor: 8, shape: [1000, 1000], missing: [], partitionsDecoded: 400 });
    // Opening included.
    expect(read).toBeLessThan(0.02 * bytes);
    // However little it was trained, it is this picture and stands where it should: brighter where that is bright.
    const mean = (wanted: (height: number) => boolean): number => {
      const places = Array.from({ length: 1000 }, (_, i) => i).filter((i) =>
        wanted(wave[Math.floor((i + 0.5) * 10.24)]),
      );
      return places.reduce((sum, i) => sum + view.data[i * 1001], 0) / places.length;
    };
    expect(mean((height) => height > 20) - mean((height) => height < -20)).toBeGreaterThan(60);
    await file.dispose();
  },
);
