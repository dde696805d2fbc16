import { boxShape, type Box } from '../../codec/grid.js';
import { sampledShape } from '../../codec/decode.js';
import type { SampleArray } from '../../codec/signal.js';
import { regionInTime } from '../time-range.js';
import type { DecodeOptions, MissingPartition, Samples, Signal } from '../signal.js';

/** Decodes a signal part by part along its first axis, for writers that take one after the other. */
export class PartwiseDecode {
  /** Partitions that were wanted and not there, each once. */
  readonly missing: MissingPartition[] = [];
  /** Outputs per axis, of all parts together. */
  readonly shape: readonly number[];
  /** Time spent in decoding, which writers' own time is measured against. */
  decodeSeconds = 0;
  private readonly seen = new Set<string>();
  /** Of every part; partitions that lie in several are counted in each. */
  private evaluated = 0;

  /**
   * @param decoding what to decode, without `outputs`.
   * @param partBytes of a part's samples; a part has at least one place on the first axis.
   */
  constructor(
    private readonly signal: Signal,
    private readonly decoding: DecodeOptions,
    private readonly partBytes: number,
  ) {
    this.shape = sampledShape(regionAsked(signal, decoding), decoding);
  }

  /** Partitions whose networks were evaluated. */
  get partitionsDecoded(): number {
    const { begin, end } = regionAsked(this.signal, this.decoding);
    const touched = this.signal.cuts.map(
      (cuts, axis) => 1 + cuts.filter((cut) => begin[axis] < cut && cut < end[axis]).length,
    );
    return Math.min(
      this.evaluated,
      touched.reduce((product, count) => product * count, 1) - this.missing.length,
    );
  }

  /** The parts, in order. */
  async *parts(): AsyncGenerator<Samples> {
    const { signal, decoding, shape } = this;
    const [count, ...rest] = shape;
    const bytesPerPlace =
      rest.reduce((product, length) => product * length, signal.format.channels) *
      { uint8: 1, uint16: 2, float32: 4 }[signal.format.sampleType];
    const step = Math.max(1, Math.floor(this.partBytes / bytesPerPlace));
    for (let begin = 0; begin < count; begin += step) {
      const startMs = performance.now();
      const outputs: Box = {
        begin: [begin, ...rest.map(() => 0)],
        end: [Math.min(count, begin + step), ...rest],
      };
      const samples = await signal.decode({ ...decoding, outputs });
      this.decodeSeconds += (performance.now() - startMs) / 1000;
      this.evaluated += samples.partitionsDecoded;
      for (const each of samples.missing) {
        const key = each.coordinates.join();
        if (!this.seen.has(key)) this.missing.push(each);
        this.seen.add(key);
      }
      yield samples;
    }
  }
}

/** The samples that a decode is of, from the visible window's corner. */
export function regionAsked({ header, window }: Signal, { region, time }: DecodeOptions): Box {
  const shape = boxShape(window);
  const whole = region ?? { begin: shape.map(() => 0), end: shape };
  return time === undefined ? whole : regionInTime(header, window, time, region);
}

/** Cuts a part into the places of its first axis, such as frames. */
export function* placesOf({ data, shape, channels }: Samples): Generator<SampleArray> {
  const values = shape.slice(1).reduce((product, length) => product * length, channels);
  for (let i = 0; i < shape[0]; i++) yield data.subarray(i * values, (i + 1) * values);
}
