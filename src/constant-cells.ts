import type { Box, Grid } from '../codec/grid.js';
import type { PresetName } from '../codec/preset.js';
import { outputsToSamples, type SampleArray, type SampleFormat, type SignalKind } from '../codec/signal.js';

/** Outputs of constant partitions by their ordinal: f32 [channels]. */
export type ConstantCells = ReadonlyMap<number, Float32Array>;

export const NO_CONSTANTS: ConstantCells = new Map();

/** Samples up to which a video is looked through: decoding it once more takes less than a second. */
const VIDEO_SAMPLES = 2 ** 24;

/**
 * Whether a medium's partitions are looked through for constant ones, as empty space, white margins and silence are: all but long
 * videos, which would have to be decoded once more, and what the paper has networks for everywhere.
 */
export function mayBeConstant(
  { kind, shape }: { kind: SignalKind; shape: readonly number[] },
  preset: PresetName,
): boolean {
  if (kind === 'shape' || kind === 'volume') return true;
  if (preset === 'paper') return false;
  return kind !== 'video' || shape.reduce((product, length) => product * length, 1) <= VIDEO_SAMPLES;
}

/**
 * Finds the partitions whose samples are all the same, to the last bit, once they are network outputs.
 *
 * @param read gives the samples of a box, row-major `[...box, channels]`.
 */
export async function findConstantCells(
  grid: Grid,
  format: SampleFormat,
  read: (box: Box) => Promise<SampleArray>,
): Promise<ConstantCells> {
  const found = new Map<number, Float32Array>();
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const outputs = constantOf(await read(grid.boxOf(ordinal)), format);
    if (outputs !== undefined) found.set(ordinal, outputs);
  }
  return found;
}

function constantOf(samples: SampleArray, { channels, mapping }: SampleFormat): Float32Array | undefined {
  for (let i = channels; i < samples.length; i++) if (samples[i] !== samples[i - channels]) return undefined;
  const first = samples.slice(0, channels);
  const outputs = Float32Array.from(first, (sample) => (sample - mapping.offset) / mapping.scale);
  const seen = first.slice();
  outputsToSamples(outputs, mapping, seen);
  return seen.every((sample, channel) => sample === first[channel]) ? outputs : undefined;
}
